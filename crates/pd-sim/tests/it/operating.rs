//! Fidelity of what operating needs: every operator kind, store, scheduler, configuration, region,
//! rule and member call of `tests/recordings/operating-*`, with PD's refusals, by version.
//!
//! What is not equal is listed in `operating-gaps.txt` with the reason; a step that is listed and
//! equal fails as well, so that the list only gets shorter.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use pd_sim::{Clock, ForeignOperator, Sim, Version};
use regex::Regex;
use serde_json::Value as Json;

use crate::http::send;
use crate::normal::{
    in_region_order, in_store_order, sorted, without_region_scores, without_times,
};
use crate::recording::{Recording, Step};

const GAPS: &str = include_str!("operating-gaps.txt");

/// The reasons of one version's gaps, by step. A line is `version step: reason`, and `*` is every
/// version.
fn gaps(version: &str) -> BTreeMap<&'static str, &'static str> {
    let lines = GAPS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let (at, rest) = line.split_once(' ').expect("a version");
            let (step, reason) = rest.split_once(": ").expect("a step and its reason");
            (at == "*" || at == version).then_some((step, reason))
        })
        .collect()
}

/// The simulator as the recorded cluster was: nothing schedules by itself, and the stores do not
/// split.
async fn recorded_state(recording: &Recording, version: Version) -> Sim {
    let json = |name: &str| -> Json { serde_json::from_str(recording.body(name)).expect("JSON") };
    let (members, stores) = (json("members"), json("stores"));
    let first = &members["members"][0];
    let text = |json: &Json| json.as_str().expect("a text").to_owned();
    let heard = stores["stores"].as_array().expect("a list").iter();
    let heard = heard.filter_map(|store| store["store"]["last_heartbeat"].as_u64());
    let sim = Sim::builder()
        .version(version)
        .clock(Clock::Stepped)
        .start_time(SystemTime::UNIX_EPOCH + Duration::from_nanos(heard.max().expect("a time")))
        .from_recorded(recording.body("stores"), recording.body("regions-all"))
        .cluster_id(members["header"]["cluster_id"].as_u64().expect("an id"))
        .first_member(
            &text(&first["name"]),
            first["member_id"].as_u64().expect("an id"),
            &text(&first["peer_urls"][0]),
            &text(&first["client_urls"][0]),
        )
        .next_id(next_id(recording))
        .executes_splits(false)
        .keyspace_labels(version != Version::V6_5)
        .start()
        .await
        .expect("the simulator starts");
    for (region, keys) in labeler_splits(recording.body("operators-before")) {
        let keys = keys.iter().map(String::as_str);
        let split = ForeignOperator::split("labeler-split-region", region, keys);
        sim.insert_operator(split).expect("a background operator");
    }
    sim
}

/// The id that PD gave the first peer it added.
fn next_id(recording: &Recording) -> u64 {
    let text = recording.body("add-peer-op");
    let step = Regex::new(r"add (?:learner )?peer (\d+) on store").expect("a pattern");
    let captures = step.captures(text).expect("a peer's id");
    captures[1].parse().expect("an id")
}

/// The splits that region labels wanted, and the recorded stores never executed.
fn labeler_splits(operators: &str) -> Vec<(u64, Vec<String>)> {
    let pattern =
        r"labeler-split-region \{split: region (\d+) use policy USEKEY and keys \[([0-9A-F ]*)\]\}";
    let pattern = Regex::new(pattern).expect("a pattern");
    let splits = pattern.captures_iter(operators).map(|captures| {
        let keys = captures[2].split(' ').map(str::to_owned);
        (captures[1].parse().expect("an id"), keys.collect())
    });
    splits.collect()
}

/// Steps whose `region_score` is not compared: PD computes it from a moving average of the
/// available space, over heartbeats that were not recorded.
const SMOOTHED_SCORES: [&str; 5] = [
    "label-store",
    "labels-stores",
    "weight-store",
    "delete-store",
    "cancel-store",
];

/// Time that the recorder's own requests took, where it shows: the peer that was added 135
/// requests before is there as a learner, and not a voter yet.
const OWN_TIME: [(&str, &str, u64); 8] = [
    ("v6.5.12", "records", 500),
    ("v7.5.7", "records", 500),
    ("v8.5.7", "records", 500),
    ("v9.0-dev", "records", 500),
    ("v6.5.12", "reg-check-extra", 300),
    ("v7.5.7", "reg-key", 300),
    ("v8.5.7", "reg-key", 300),
    ("v9.0-dev", "reg-key", 300),
];

/// What the recorded TiKV chose to be slow at: the learner of 89 has not caught up when it is
/// looked at.
fn apply_background(sim: &Sim, version: &str, step: &str) {
    match (version, step) {
        ("v7.5.7", "reg-key") => sim.set_pending(89, 5, true),
        ("v7.5.7", "reg-check-down") => sim.set_pending(89, 5, false),
        _ => {}
    }
}

/// What can differ from run to run is taken out: times, stacks, and the order of what PD keeps in
/// maps.
fn comparable(step: &str, body: &str) -> String {
    let body = without_times(body);
    let replaced = |pattern: &str, by: &str, text: String| {
        let pattern = Regex::new(pattern).expect("a pattern");
        pattern.replace_all(&text, by).into_owned()
    };
    let body = replaced(r#""stack": \[[0-9,\s]*\]"#, r#""stack": <stack>"#, body);
    let body = replaced(
        r#""deploy_path": "[^"]*""#,
        r#""deploy_path": <path>"#,
        body,
    );
    let body = replaced(r"(?s)^(PANIC: [^\n]*)\n.*", "$1", body);
    let body = if SMOOTHED_SCORES.contains(&step) {
        without_region_scores(&body)
    } else {
        body
    };
    match step {
        "stores" => in_store_order(&body),
        "regions-all" => in_region_order(&body),
        name if name.starts_with("reg-check-") && body.starts_with('{') => in_region_order(&body),
        "operators-before" => sorted(&body),
        "records" => without_drained(&sorted(&body)),
        name if name.starts_with("sched-paused") || name == "paused-after" => sorted(&body),
        _ => body,
    }
}

/// Takes out the leaders that left store 4 while it was being drained, which was for some
/// milliseconds: how many and which is PD's choice, but each has to be one that PD would make.
fn without_drained(records: &str) -> String {
    let drained = Regex::new(
        r"^evict-leader(-scheduler)? \{evict leader: from store 4 to one in \[[0-9 ]+\], or to (\d) \(for compatibility\)\} \(kind:leader, region:\d+\(\d, \d\), createAt:<time>, startAt:<time>, currentStep:1, size:96, steps:\[0:\{transfer leader from store 4 to store \d\}\](, |，)timeout:\[1m0s\]\) finished \(finishAt:<time>, duration:<duration>\)$",
    )
    .expect("a pattern");
    let others = records.lines().filter(|line| !drained.is_match(line));
    others.collect::<Vec<_>>().join("\n")
}

async fn compare(sim: &Sim, step: &Step) -> Result<(), String> {
    let request = &step.request;
    let answer = send(sim, &request.method, &request.path, &request.compact_body())
        .await
        .ok_or("no answer")?;
    let recorded = &step.response;
    let head = (answer.status, &answer.content_type, &answer.error_code);
    let recorded_head = (
        recorded.status,
        &recorded.content_type,
        &recorded.error_code,
    );
    let (ours, theirs) = (
        comparable(&step.name, &answer.text()),
        comparable(&step.name, &recorded.body),
    );
    if head == recorded_head && ours == theirs {
        return Ok(());
    }
    let short = |text: &str| text.chars().take(20_000).collect::<String>();
    Err(format!(
        "{} {} {}\n  - {recorded_head:?} {}\n  + {head:?} {}",
        request.method,
        request.path,
        request.compact_body(),
        short(&theirs),
        short(&ours),
    ))
}

async fn check(name: &str, version: Version) {
    let recording = Recording::read(&format!("operating-{name}"));
    let gaps = gaps(name);
    let sim = recorded_state(&recording, version).await;
    let (mut equal, mut listed) = (0, 0);
    let mut wrong = Vec::new();
    for step in &recording.steps {
        let own_time = OWN_TIME
            .iter()
            .find(|(version, at, _)| *version == name && *at == step.name)
            .map_or(0, |(_, _, millis)| *millis);
        sim.advance(Duration::from_millis(step.wait_ms + own_time));
        apply_background(&sim, name, &step.name);
        if !step.is_simulated() {
            continue;
        }
        let gap = gaps.get(step.name.as_str());
        match (compare(&sim, step).await, gap) {
            (Ok(()), None) => equal += 1,
            (Ok(()), Some(_)) => wrong.push(format!("{}: equal, but listed", step.name)),
            (Err(_), Some(_)) => listed += 1,
            (Err(difference), None) => wrong.push(format!("{}: {difference}", step.name)),
        }
    }
    println!(
        "operating {name}: {} steps, {equal} equal, {listed} listed, {} wrong",
        recording.steps.len(),
        wrong.len(),
    );
    for (step, reason) in gaps {
        println!("  not equal: {step}: {reason}");
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}

#[tokio::test]
async fn operating_answers_are_those_of_pd_8_5() {
    check("v8.5.7", Version::V8_5).await;
}

#[tokio::test]
async fn operating_answers_are_those_of_pd_9_0() {
    check("v9.0-dev", Version::V9_0).await;
}

#[tokio::test]
async fn operating_answers_are_those_of_pd_7_5() {
    check("v7.5.7", Version::V7_5).await;
}

#[tokio::test]
async fn operating_answers_are_those_of_pd_6_5() {
    check("v6.5.12", Version::V6_5).await;
}
