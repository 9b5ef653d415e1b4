//! Many at a gate at once, where `GATE_LOAD` says for how many seconds: figures are printed, and nothing is
//! held to a time. Whatever was answered is in the journal, and who listens has heard everything.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use action_core::Risk;
use action_guard::{
    Actor, Controls, FileJournal, Hash, Journal, Policy, PrivateKey, SignedRequest, TokenGrant,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::serve::{ANA, Place, Served};

const AGENTS: usize = 200;

/// Persons who listen, four streams each at most.
const WATCHERS: usize = 10;
const STREAMS_OF_ONE: usize = 4;

/// Between two requests of an agent: below what the gate allows one of them in a minute.
const PAUSE: Duration = Duration::from_millis(150);

/// What was asked, and how long the answers took.
#[derive(Default)]
struct Told {
    took: Mutex<Vec<(&'static str, Duration)>>,
    proposed: Mutex<BTreeSet<String>>,
    refused: AtomicUsize,
    lost: AtomicUsize,
    heard: Mutex<Vec<BTreeSet<u64>>>,
}

/// Asks once; the status and what came back.
fn ask(at: &str, line: &str, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(at).ok()?;
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {at}\r\n{line}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.get(9..12)?.parse().ok()?, body.to_owned()))
}

/// How fast they are is how many they are said to be: no outcome depends on it.
fn wait(lasts: Duration) {
    let until = Instant::now() + lasts;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        thread::park_timeout(left);
    }
}

/// What an agent does until it is over: it looks, asks for something, and calls it off.
fn agent(at: &str, secret: &str, wanted: &Value, told: &Told, is_over: &AtomicBool) {
    let line = format!("Authorization: Bearer {secret}");
    let asked = |what: &'static str, method: &str, path: &str, body: &Value| {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let begun = Instant::now();
        let answer = ask(at, &line, method, path, &body);
        let took = begun.elapsed();
        wait(PAUSE);
        let Some((status, body)) = answer else {
            told.lost.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        told.took.lock().unwrap().push((what, took));
        if status / 100 != 2 {
            told.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        serde_json::from_str::<Value>(&body).ok()
    };
    let cluster = "/api/v1/clusters/prod";
    while !is_over.load(Ordering::Relaxed) {
        asked("state", "GET", "/api/v1/state", &Value::Null);
        asked(
            "observe",
            "POST",
            &format!("{cluster}/observations/list_stores"),
            &json!({}),
        );
        asked("list", "GET", &format!("{cluster}/proposals"), &Value::Null);
        let proposals = format!("{cluster}/proposals");
        let Some(made) = asked("propose", "POST", &proposals, wanted) else {
            continue;
        };
        let id = made["proposal"]["id"].as_str().unwrap().to_owned();
        told.proposed.lock().unwrap().insert(id.clone());
        let cancel = format!("/api/v1/proposals/{id}/cancel");
        asked("cancel", "POST", &cancel, &json!({"reason": "enough"}));
    }
}

/// The numbers of the records that a person hears, until the stream ends.
fn watch(at: &str, line: &str, slow: bool, last: &AtomicUsize) -> BTreeSet<u64> {
    let mut stream = TcpStream::connect(at).unwrap();
    let head = format!("GET /events?after=0 HTTP/1.1\r\nHost: {at}\r\n{line}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let limit = Some(Duration::from_secs(30));
    stream.set_read_timeout(limit).unwrap();
    let mut heard = BTreeSet::new();
    if slow {
        let mut bytes = [0; 16];
        while last.load(Ordering::Relaxed) == usize::MAX && stream.read(&mut bytes).is_ok() {
            wait(Duration::from_millis(100));
        }
        return heard;
    }
    let mut lines = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        match lines.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return heard,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        if let Some(number) = text.strip_prefix("id: ") {
            heard.insert(number.trim().parse().unwrap());
        }
        let goal = last.load(Ordering::Relaxed);
        if heard.last().is_some_and(|seen| *seen as usize >= goal) {
            return heard;
        }
    }
}

fn signed(at: &str, who: &str, key: &PrivateKey, path: &str) -> String {
    let (now, body) = (Timestamp::now(), Hash::of(b"").to_string());
    let by: Actor = who.parse().unwrap();
    let request = SignedRequest::new(at, "GET", path, &body);
    let signature = request.signed(&by, now, key);
    format!("Authorization: Signed {by} {now} {body} {signature}")
}

/// What the process takes of memory, now and at most, as Linux says it.
fn memory(served: &Served) -> String {
    let path = format!("/proc/{}/status", served.child.id());
    let status = fs::read_to_string(path).unwrap_or_default();
    let lines = status.lines();
    let lines = lines.filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    lines
        .collect::<Vec<_>>()
        .join(", ")
        .replace(['\t', ' '], "")
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let at = sorted.len().saturating_sub(1) * percent / 100;
    sorted.get(at).copied().unwrap_or_default()
}

#[test]
fn nothing_is_lost_under_load() {
    let Some(seconds) = std::env::var("GATE_LOAD")
        .ok()
        .and_then(|it| it.parse().ok())
    else {
        let why = "GATE_LOAD says for how many seconds";
        let _ = writeln!(std::io::stderr(), "skipped: {why}");
        return;
    };
    let place = Place::new();
    let key = PrivateKey::parse_pem(ANA).unwrap();
    // Everybody who listens has Ana's key.
    let policy = fs::read_to_string(place.path("policy.toml")).unwrap();
    let (head, rules) = policy.split_once("[[rule]]").unwrap();
    let people = (0..WATCHERS.div_ceil(STREAMS_OF_ONE) + 1).map(|at| {
        let public = key.public();
        format!("[[person]]\nname = \"user:w{at}\"\nkey = \"{public}\"\n")
    });
    let people: String = people.collect();
    fs::write(
        place.path("policy.toml"),
        format!("{head}{people}[[rule]]{rules}"),
    )
    .unwrap();
    let secrets = tokens(&place, &key);
    let served = place.serve_at("127.0.0.1:0");
    let at = served.at.clone();
    let region = place.0.first_region();
    let parameters = json!({"region_id": region.id, "to_store_id": region.follower.to_string()});
    let wanted = json!({"action": "transfer_leader", "parameters": parameters});
    let (told, is_over) = (Arc::new(Told::default()), Arc::new(AtomicBool::new(false)));
    let last = AtomicUsize::new(usize::MAX);
    let before = memory(&served);
    thread::scope(|scope| {
        for watcher in 0..=WATCHERS {
            let (at, last, told, key) = (&at, &last, &told, &key);
            scope.spawn(move || {
                let who = format!("user:w{}", watcher / STREAMS_OF_ONE);
                let line = signed(at, &who, key, "/events?after=0");
                let is_slow = watcher == WATCHERS;
                let heard = watch(at, &line, is_slow, last);
                if !is_slow {
                    told.heard.lock().unwrap().push(heard);
                }
            });
        }
        let agents: Vec<_> = secrets
            .iter()
            .map(|secret| {
                let (at, wanted, told, is_over) = (&at, &wanted, &told, &is_over);
                scope.spawn(move || agent(at, secret, wanted, told, is_over))
            })
            .collect();
        wait(Duration::from_secs(seconds));
        is_over.store(true, Ordering::Relaxed);
        for agent in agents {
            agent.join().unwrap();
        }
        let journal = FileJournal::open(place.0.state.path()).unwrap();
        let head = Runtime::new().unwrap().block_on(journal.head()).unwrap();
        // One more is written when all know how far it is, so that nobody waits for it in vain.
        last.store(usize::try_from(head.seq).unwrap(), Ordering::Relaxed);
        let line = format!("Authorization: Bearer {}", secrets[0]);
        let pause = "/api/v1/agents/agent:n0/pause";
        ask(&at, &line, "POST", pause, r#"{"reason": "it is over"}"#).unwrap();
    });
    let after = memory(&served);
    let mut took = told.took.lock().unwrap().clone();
    took.sort_by_key(|(_, took)| *took);
    println!(
        "{} requests in {seconds} s, {} not done, {} without an answer; before {before}, after {after}",
        took.len(),
        told.refused.load(Ordering::Relaxed),
        told.lost.load(Ordering::Relaxed)
    );
    for what in ["state", "observe", "list", "propose", "cancel"] {
        let of_it = took.iter().filter(|(kind, _)| *kind == what);
        let of_it: Vec<Duration> = of_it.map(|(_, took)| *took).collect();
        let (half, most) = (percentile(&of_it, 50), percentile(&of_it, 99));
        println!("{what}: {} asked, p50 {half:?}, p99 {most:?}", of_it.len());
    }
    let journal = FileJournal::open(place.0.state.path()).unwrap();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(journal.verify()).unwrap();
    let entries = runtime.block_on(journal.entries(0, usize::MAX)).unwrap();
    let known: BTreeSet<&str> = entries
        .iter()
        .filter_map(|entry| entry.record.proposal_id())
        .collect();
    let proposed = told.proposed.lock().unwrap();
    assert!(!proposed.is_empty());
    for id in proposed.iter() {
        assert!(
            known.contains(id.as_str()),
            "{id} was answered, and is nowhere"
        );
    }
    let goal = u64::try_from(last.load(Ordering::Relaxed)).unwrap();
    let visible = entries.iter().filter(|entry| {
        let is_checkpoint = matches!(entry.record, action_guard::Record::Checkpoint { .. });
        entry.seq <= goal && !is_checkpoint
    });
    let visible: BTreeSet<u64> = visible.map(|entry| entry.seq).collect();
    let heard = told.heard.lock().unwrap();
    assert_eq!(heard.len(), WATCHERS);
    for heard in heard.iter() {
        let missed: Vec<_> = visible.difference(heard).collect();
        assert!(missed.is_empty(), "not heard: {missed:?}");
    }
    println!(
        "{} proposals are in the journal, {WATCHERS} watchers heard {} records each",
        proposed.len(),
        visible.len()
    );
}

/// A token for each agent.
fn tokens(place: &Place, key: &PrivateKey) -> Vec<String> {
    let journal: Arc<dyn Journal> = Arc::new(FileJournal::open(place.0.state.path()).unwrap());
    let rules = fs::read_to_string(place.path("policy.toml")).unwrap();
    let rules: Policy = rules.parse().unwrap();
    let controls = Controls::new(journal, Arc::new(rules));
    let ana: Actor = "user:ana".parse().unwrap();
    let later = Timestamp::now() + SignedDuration::from_hours(1);
    let runtime = Runtime::new().unwrap();
    (0..AGENTS)
        .map(|at| {
            let agent = format!("agent:n{at}").parse().unwrap();
            let grant = TokenGrant::new(agent, later, "prod", Risk::Medium);
            let made = runtime.block_on(controls.make_token(grant, &ana, key));
            made.unwrap().1.reveal().to_owned()
        })
        .collect()
}
