//! Two gates on one PostgreSQL: what one knows the other knows, and either may be killed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use pd_sim::{Fault, Sim};
use serde_json::{Value, json};

use crate::Cluster;
use crate::harness::{Finished, command, finished};
use crate::serve::{Place, Served};

/// So many gates are killed, unless `CAMPAIGN_KILLS` says how many.
const KILLS: usize = 10;

/// So many ended proposals are asked about, of those that a state keeps.
const AT_HAND: usize = 16;

const PROPOSALS: &str = "/api/v1/clusters/prod/proposals";

/// A schema for each test of each process.
static SCHEMAS: AtomicUsize = AtomicUsize::new(0);

/// A cluster, and where two gates to it have their journal.
struct Two {
    place: Place,
    journal: String,
    secret: String,
}

impl Two {
    /// `None` where there is no server; it is said why.
    fn new(rules: &str, regions: usize) -> Option<Self> {
        let url = std::env::var("DATABASE_URL").unwrap_or_default();
        if !url.starts_with("postgres://") || !url.contains("@127.0.0.1:") {
            let why = "DATABASE_URL is not of a PostgreSQL server on 127.0.0.1";
            let _ = writeln!(std::io::stderr(), "skipped: {why}");
            return None;
        }
        let at = SCHEMAS.fetch_add(1, Ordering::Relaxed);
        let journal = format!("{url}?schema=two_gates_{}_{at}", std::process::id());
        let cluster = Cluster::from(Sim::builder().stores(5).regions(regions as u64).seed(7));
        let place = Place::of(cluster);
        let policy = fs::read_to_string(place.path("policy.toml")).unwrap();
        let (people, _) = policy.split_once("[[rule]]").unwrap();
        fs::write(place.path("policy.toml"), format!("{people}{rules}")).unwrap();
        let secret = String::new();
        let mut two = Self {
            place,
            journal,
            secret,
        };
        two.by_ana(&["mode", "execute", "--reason", "a test"])
            .ended(0)
            .shows("execute in a PostgreSQL database on 127.0.0.1");
        let create = ["token", "create", "--cluster", "prod", "--up-to", "medium"];
        let create = [&create[..], &["--expires", "1d", "--actor", "agent:night"]].concat();
        let made = two.by_ana(&create).ended(0);
        made.stdout.trim().clone_into(&mut two.secret);
        Some(two)
    }

    /// What Ana does on a host of the gates.
    fn by_ana(&self, arguments: &[&str]) -> Finished {
        let mut command = command();
        command
            .args(arguments)
            .args(self.place.files())
            .args(["--sign-with", &self.place.path("key.pem")])
            .env("OPERATOR_JOURNAL", &self.journal);
        finished(&mut command)
    }

    fn gate(&self) -> Served {
        self.gate_under("policy.toml")
    }

    /// A gate with this file as its policy.
    fn gate_under(&self, policy: &str) -> Served {
        let mut command = Command::new(env!("CARGO_BIN_EXE_operator"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--look-every", "200ms"])
            .args(["--config", &self.place.path("config.toml")])
            .args(["--policy-file", &self.place.path(policy)])
            .env("OPERATOR_JOURNAL", &self.journal);
        Served::by(&mut command)
    }

    fn ask(&self, gate: &Served, method: &str, path: &str, body: &Value) -> (String, Value) {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let (status, answer) = gate.ask(method, path, &self.secret, &body);
        (status, serde_json::from_str(&answer).unwrap_or_default())
    }

    /// Asks for the leader of a region to be moved, and whose turn it is.
    fn transfer(&self, region: usize) -> Value {
        let sim = &self.place.0.sim;
        let region = sim.region_ids()[region];
        let leader = sim.leader_of(region);
        let peers = sim.peers(region);
        let to = peers.iter().find(|peer| Some(peer.store_id) != leader);
        let to = to.unwrap().store_id.to_string();
        json!({"action": "transfer_leader", "parameters": {"region_id": region, "to_store_id": to}})
    }

    fn proposed(&self, gate: &Served, region: usize) -> String {
        let (status, asked) = self.ask(gate, "POST", PROPOSALS, &self.transfer(region));
        assert_eq!(status, "201", "{asked}");
        asked["proposal"]["id"].as_str().unwrap().to_owned()
    }

    /// All records, after the chain was verified.
    fn records(&self) -> Vec<Value> {
        self.by_ana(&["journal", "verify"]).ended(0);
        let (mut records, mut after) = (Vec::new(), 0);
        loop {
            let after_text = after.to_string();
            let show = ["journal", "show", "--limit", "500", "-o", "json", "--after"];
            let page = self.by_ana(&[&show[..], &[&after_text]].concat()).ended(0);
            let page = page.json();
            let entries = page["entries"].as_array().unwrap().clone();
            let Some(last) = entries.last() else {
                return records;
            };
            after = last["seq"].as_u64().unwrap();
            records.extend(entries);
        }
    }
}

fn of(id: &str, what: &str) -> String {
    format!("/api/v1/proposals/{id}{what}")
}

/// Asks, and does not mind when nobody answers any more.
fn begin(at: &str, secret: &str, path: &str) {
    let Ok(mut stream) = TcpStream::connect(at) else {
        return;
    };
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {at}\r\nAuthorization: Bearer {secret}\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.read_to_end(&mut Vec::new());
}

const ALLOW: &str = "[[rule]]\nname = \"agents\"\nproven_by = \"token\"\ndecision = \"allow\"\n";

impl Two {
    /// Nothing of these stays without an outcome, also where it takes until it cannot happen any more, and the
    /// outcome is so.
    fn settled(
        &self,
        gate: &Served,
        goals: &mut BTreeMap<String, Value>,
        phases: &mut BTreeMap<String, usize>,
    ) {
        for (id, wanted) in std::mem::take(goals) {
            let id = &id;
            let phase = loop {
                let path = of(id, "?wait_seconds=20");
                let (status, shown) = self.ask(gate, "GET", &path, &Value::Null);
                assert_eq!(status, "200", "{shown}");
                let phase = shown["phase"].as_str().unwrap().to_owned();
                if phase != "executing" {
                    break phase;
                }
            };
            let region = wanted["region_id"].as_u64().unwrap();
            let to: u64 = wanted["to_store_id"].as_str().unwrap().parse().unwrap();
            let moved = self.place.0.sim.leader_of(region) == Some(to);
            let is_right = match phase.as_str() {
                "applied" => moved,
                "not_applied" | "approved" | "expired" => !moved,
                other => unreachable!("{id}: {other}"),
            };
            assert!(is_right, "{id} is {phase}, and it moved: {moved}");
            *phases.entry(phase).or_default() += 1;
        }
    }
}

/// Whoever of two is killed whenever, what it left is found out by the other: no request is sent twice, none
/// without an intent, and each intent ends with an outcome that is so.
#[test]
fn two_gates_on_one_postgres_survive_kills() {
    let kills = std::env::var("CAMPAIGN_KILLS").ok();
    let kills = kills.map_or(KILLS, |kills| kills.parse().unwrap());
    let Some(two) = Two::new(ALLOW, kills + 1) else {
        return;
    };
    let mut gates = [two.gate(), two.gate()];
    let mut goals = BTreeMap::new();
    let mut phases: BTreeMap<String, usize> = BTreeMap::new();
    for kill in 0..kills {
        let [doomed, other] = [kill % 2, (kill + 1) % 2];
        let wanted = two.transfer(kill);
        let (status, asked) = two.ask(&gates[doomed], "POST", PROPOSALS, &wanted);
        assert_eq!(status, "201", "{asked}");
        let id = asked["proposal"]["id"].as_str().unwrap().to_owned();
        let execute = of(&id, "/execute?wait_seconds=30");
        let (at, secret) = (gates[doomed].at.clone(), two.secret.clone());
        let sim = &two.place.0.sim;
        let wrote = sim.writes().len();
        match kill % 5 {
            1 => sim.fault(Fault::slow("POST", "/operators", Duration::from_secs(2))),
            2 => sim.fault(Fault::reply_lost_after_apply("POST", "/operators")),
            4 => sim.fault(Fault::dropped_before_apply("POST", "/operators")),
            _ => {}
        }
        let asking = thread::spawn(move || begin(&at, &secret, &execute));
        // Before, in and after everything that it does about it.
        let is_time = || match kill % 5 {
            0 => true,
            1 | 4 => {
                let known = two.ask(&gates[other], "GET", &of(&id, ""), &Value::Null);
                !known.1["intent"].is_null()
            }
            _ => sim.writes().len() > wrote,
        };
        while !is_time() && !asking.is_finished() {
            thread::yield_now();
        }
        gates[doomed].child.kill().unwrap();
        gates[doomed].child.wait().unwrap();
        asking.join().unwrap();
        // The other one knows of it, and goes on alone.
        let (status, known) = two.ask(&gates[other], "GET", &of(&id, ""), &Value::Null);
        assert_eq!(status, "200", "{known}");
        goals.insert(id, wanted["parameters"].clone());
        gates[doomed] = two.gate();
        // What ended long ago is not at hand any more.
        if goals.len() == AT_HAND {
            two.settled(&gates[0], &mut goals, &mut phases);
        }
    }
    two.settled(&gates[0], &mut goals, &mut phases);
    drop(gates);
    let records = two.records();
    assert!(
        !two.place.0.sim.writes().is_empty(),
        "nothing was ever sent"
    );
    let of_kind = |kind: &str| -> BTreeSet<String> {
        let records = records.iter().map(|entry| &entry["record"]);
        let found = records.filter(|record| record["kind"] == kind);
        found
            .map(|record| record["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let (intents, outcomes) = (of_kind("intent"), of_kind("outcome"));
    assert_eq!(intents, outcomes, "an intent without an outcome");
    let writes = two.place.0.sim.writes();
    let mut sent = BTreeSet::new();
    for write in &writes {
        let id = write.caller_id.clone().unwrap_or_default();
        assert!(intents.contains(&id), "{write:?} has no intent");
        assert!(sent.insert(id), "{write:?} was sent twice");
    }
    let adopted = of_kind("adopted").len();
    println!(
        "killed {kills}: {} intents, {} sent, {adopted} adopted, {phases:?}, {} records",
        intents.len(),
        sent.len(),
        records.len()
    );
}

/// What is known to one is known to both, and what may be once may be once on both.
#[test]
fn two_gates_have_one_budget_one_stop_one_token_and_carry_out_once() {
    let budget = format!(
        "{ALLOW}[[budget]]\nname = \"an hour\"\nactor = \"agent:*\"\nactions = 3\nper = \"1h\"\n"
    );
    let Some(two) = Two::new(&budget, 20) else {
        return;
    };
    let gates = [two.gate(), two.gate()];
    // Of both who carry it out at one moment one does.
    let id = two.proposed(&gates[0], 0);
    let execute = of(&id, "/execute?wait_seconds=30");
    thread::scope(|scope| {
        for gate in &gates {
            scope.spawn(|| begin(&gate.at, &two.secret, &execute));
        }
    });
    let shown = two.ask(&gates[1], "GET", &of(&id, "?wait_seconds=30"), &Value::Null);
    assert_eq!(shown.1["phase"], "applied", "{}", shown.1);
    assert_eq!(two.place.0.sim.writes().len(), 1);
    // Two more, one at each, and no other at either.
    for (gate, region) in [(0, 1), (1, 2)] {
        let id = two.proposed(&gates[gate], region);
        let done = two.ask(&gates[gate], "POST", &of(&id, "/execute"), &Value::Null);
        assert_eq!(done.1["phase"], "applied", "{}", done.1);
    }
    for gate in &gates {
        let (_, asked) = two.ask(gate, "POST", PROPOSALS, &two.transfer(3));
        assert!(asked.to_string().contains("an hour"), "{asked}");
    }
    assert_eq!(two.place.0.sim.writes().len(), 3);
    // A key stands for one proposal at both.
    let keyed = |gate: &Served| {
        let secret = format!("{}\r\nIdempotency-Key: once", two.secret);
        let (_, asked) = gate.ask("POST", PROPOSALS, &secret, &two.transfer(4).to_string());
        let asked: Value = serde_json::from_str(&asked).unwrap();
        asked["proposal"]["id"].clone()
    };
    assert_eq!(keyed(&gates[0]), keyed(&gates[1]));
    // A stop at one is a stop at both.
    let stop = ["kill-switch", "on", "--reason", "smoke", "--server"];
    let mut command = command();
    let at = format!("http://{}", gates[0].at);
    let key = two.place.path("key.pem");
    command.args(stop).args([&at, "--sign-with", &key]);
    finished(&mut command).ended(0);
    for gate in &gates {
        let (status, refused) = two.ask(gate, "POST", PROPOSALS, &two.transfer(5));
        assert_eq!((&*status, &refused["code"]), ("403", &json!("killed")));
    }
    // So is the end of a token, which is on the host.
    let tokens = two.by_ana(&["token", "list", "-o", "json"]).ended(0).json();
    let id = tokens["tokens"][0]["made"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    two.by_ana(&["token", "revoke", &id, "--reason", "leaked"])
        .ended(0);
    for gate in &gates {
        assert_eq!(two.ask(gate, "GET", "/api/v1/me", &Value::Null).0, "401");
    }
    two.records();
}

/// While both live, nothing is proposed or sent by policies that differ.
#[test]
fn gates_whose_policies_differ_refuse_mutations_until_they_do_not() {
    let Some(two) = Two::new(ALLOW, 20) else {
        return;
    };
    let policy = fs::read_to_string(two.place.path("policy.toml")).unwrap();
    fs::write(two.place.path("other.toml"), format!("{policy}# newer\n")).unwrap();
    let one = two.gate();
    let before = two.proposed(&one, 0);
    let refused = |gate: &Served, path: &str, body: &Value| {
        let (status, refused) = two.ask(gate, "POST", path, body);
        assert_eq!(
            (&*status, &refused["code"]),
            ("403", &json!("other_policy")),
            "{refused}"
        );
    };
    let mut other = two.gate_under("other.toml");
    refused(&other, PROPOSALS, &two.transfer(1));
    refused(&one, PROPOSALS, &two.transfer(1));
    refused(&one, &of(&before, "/execute"), &Value::Null);
    // To look, and to stop, is as ever.
    assert_eq!(two.ask(&one, "GET", "/api/v1/me", &Value::Null).0, "200");
    assert_eq!(two.place.0.sim.writes(), []);
    // It is gone without a word.
    other.child.kill().unwrap();
    other.child.wait().unwrap();
    let done = two.ask(&one, "POST", &of(&before, "/execute"), &Value::Null);
    assert_eq!(done.1["phase"], "applied", "{}", done.1);
    // A gate whose policy is changed while it is open says so by itself.
    let other = two.gate();
    two.proposed(&other, 2);
    let changed = fs::read_to_string(two.place.path("other.toml")).unwrap();
    fs::write(two.place.path("policy.toml"), changed).unwrap();
    // Both have the file: one of them is asked first, and the other has looked at it within a moment.
    let mut last = String::new();
    for _ in 0..2_000 {
        let (status, asked) = two.ask(&one, "POST", PROPOSALS, &two.transfer(3));
        last = asked.to_string();
        if status == "201" {
            break;
        }
        assert_eq!(asked["code"], "other_policy", "{asked}");
        thread::yield_now();
    }
    assert!(last.contains("\"proposed_at\""), "{last}");
    two.records();
}

/// What is no address of a database, or would show a password, is not used and not shown.
#[test]
fn a_password_of_a_database_is_shown_nowhere() {
    let place = Place::new();
    let files = place.files();
    let url = "postgres://ana:s3cret@db-1/work";
    let with = |arguments: &[&str], journal: Option<&str>| {
        let mut command = command();
        command.args(arguments).args(&files);
        if let Some(journal) = journal {
            command.env("OPERATOR_JOURNAL", journal);
        }
        let done = finished(&mut command);
        let told = format!("{}{}", done.stdout, done.stderr);
        assert!(!told.contains("s3cret"), "{told}");
        done
    };
    with(&["mode", "--journal", url], None)
        .ended(2)
        .says("whoever lists processes sees");
    with(&["mode", &format!("--journal={url}")], None).ended(2);
    with(&["mode"], Some("mysql://ana:s3cret@db-1/work"))
        .ended(2)
        .says("not the address of a PostgreSQL database");
    let unverified = with(&["mode"], Some(url)).ended(2);
    unverified
        .says("invalid `--journal`: `db-1` is another machine")
        .says("verify-full");
    with(&["mode", "--help"], Some(url)).ended(0);
    let nobody = "postgres://ana:s3cret@127.0.0.1:1/work";
    with(&["mode"], Some(nobody))
        .ended(1)
        .says("cannot use the journal in the database");
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    with(&serve, Some(nobody)).ended(1);
}
