//! Fidelity: the recorded requests, sent to the simulator in the recorded state, get the recorded
//! answers.
//!
//! Only what differs from run to run is taken out first: times and what counts from them, the
//! order of lists that PD keeps in maps, and PD's choice among equals. Ids are not: the simulator
//! is told which id comes next. When the recorder waited is in [`SCHEDULE`].

use std::time::{Duration, SystemTime};

use pd_sim::{Clock, ForeignOperator, Sim, Version};
use serde_json::Value as Json;

use crate::http::{Answer, get, send};
use crate::normal::{sorted, without_chosen_targets, without_times};
use crate::recording::{Recording, Step};

/// Milliseconds that pass before a step, where the recorder waited for something.
const SCHEDULE: &[(&str, u64)] = &[
    // The checkers find what the labels want split.
    ("stores", 1_500),
    // A leader transfer is one step of 200 ms.
    ("tl-op-after", 200),
    // A move is four.
    ("tp-op-after", 800),
    // Cancelled when the learner is there and the joint state has been asked for.
    ("half-moved-cancel", 300),
    ("half-moved-op-12s", 12_000),
    ("half-moved-first-region-cancel", 300),
    ("half-moved-first-region-op-12s", 12_000),
    ("split-op-after", 3_000),
    // Two dozen leaders leave two stores.
    ("ev-records", 3_000),
];

/// Moves that balance-region made in the background, and before which step: the region, the store
/// left, the store gone to. They show in the epochs of later operators and in peer ids.
const BALANCE_MOVES: &[(&str, u64, u64, u64)] = &[
    ("half-moved-op-12s", 237, 4, 2),
    ("half-moved-first-region-op-12s", 77, 4, 1),
];

/// Steps that are not compared, and why.
const NOT_COVERED: &[(&str, &str)] = &[];

/// How a step's bodies are made comparable.
fn comparable(step: &str, body: &str) -> String {
    let body = without_times(body);
    match step {
        // PD keeps operators, schedulers and records in maps.
        "operators-empty" | "operators-now" | "schedulers" | "ev-sched" | "ev-sched-after" => {
            sorted(&body)
        }
        "ev-records" => sorted(&without_chosen_targets(&body)),
        _ => body,
    }
}

/// Which of many equal regions come first is PD's choice: the recorded ones must be as recorded.
async fn compare_equals(sim: &Sim, step: &Step, answer: &Answer) -> Result<(), String> {
    let recorded: Json = serde_json::from_str(&step.response.body).expect("JSON");
    let answered: Json = serde_json::from_slice(&answer.body).expect("JSON");
    if recorded["count"] != answered["count"] {
        return Err(format!("count is {}", answered["count"]));
    }
    for region in recorded["regions"].as_array().expect("a list") {
        let ours = get(sim, &format!("/region/id/{}", region["id"])).await;
        if serde_json::from_slice::<Json>(&ours.body).expect("JSON") != *region {
            return Err(format!("{} instead of {region}", ours.text()));
        }
    }
    Ok(())
}

async fn compare(sim: &Sim, step: &Step) -> Result<(), String> {
    let request = &step.request;
    let answer = send(sim, &request.method, &request.path, &request.body())
        .await
        .ok_or("no answer")?;
    let recorded = &step.response;
    let head = (answer.status, &answer.content_type, &answer.error_code);
    let recorded_head = (
        recorded.status,
        &recorded.content_type,
        &recorded.error_code,
    );
    if head != recorded_head {
        return Err(format!(
            "{head:?} instead of {recorded_head:?}: {}",
            answer.text()
        ));
    }
    if step.name == "writeflow" {
        return compare_equals(sim, step, &answer).await;
    }
    let (ours, theirs) = (
        comparable(&step.name, &answer.text()),
        comparable(&step.name, &recorded.body),
    );
    if ours == theirs {
        Ok(())
    } else {
        Err(format!("\n--- answered\n{ours}\n--- recorded\n{theirs}"))
    }
}

/// A simulator in the recorded state, before bootstrap.
async fn recorded_state(recording: &Recording, version: Version) -> Sim {
    let members: Json = serde_json::from_str(recording.body("members")).expect("JSON");
    let stores: Json = serde_json::from_str(recording.body("stores")).expect("JSON");
    let first = &members["members"][0];
    let text = |json: &Json| json.as_str().expect("a text").to_owned();
    let heard = stores["stores"][0]["store"]["last_heartbeat"]
        .as_u64()
        .expect("a time");
    Sim::builder()
        .version(version)
        .clock(Clock::Stepped)
        .start_time(SystemTime::UNIX_EPOCH + Duration::from_nanos(heard))
        .bootstrapped(false)
        .from_recorded(recording.body("stores"), recording.body("regions-all"))
        .cluster_id(members["header"]["cluster_id"].as_u64().expect("an id"))
        .first_member(
            &text(&first["name"]),
            first["member_id"].as_u64().expect("an id"),
            &text(&first["peer_urls"][0]),
            &text(&first["client_urls"][0]),
        )
        .next_id(247)
        .executes_splits(false)
        .labeler_split_keys([
            "7200000000000000FB",
            "7200000100000000FB",
            "7800000000000000FB",
            "7800000100000000FB",
        ])
        .start()
        .await
        .expect("the simulator starts")
}

#[tokio::test]
async fn answers_are_those_of_pd_8_5() {
    let recording = Recording::read("pd-v8.5.7");
    let sim = recorded_state(&recording, Version::V8_5).await;
    let mut different = Vec::new();
    let mut equal = 0;
    for step in &recording.steps {
        let name = step.name.as_str();
        if name == "stores" {
            sim.bootstrap();
        }
        for (_, region, from, to) in BALANCE_MOVES.iter().filter(|(at, ..)| *at == name) {
            let operator =
                ForeignOperator::move_peer("balance-region-scheduler", *region, *from, *to);
            sim.insert_operator(operator).expect("a balance move");
        }
        for (_, millis) in SCHEDULE.iter().filter(|(at, _)| *at == name) {
            sim.advance(Duration::from_millis(*millis));
        }
        let compared = compare(&sim, step).await;
        match (
            compared,
            NOT_COVERED.iter().any(|(other, _)| *other == name),
        ) {
            (Ok(()), _) => equal += 1,
            (Err(_), true) => {}
            (Err(difference), false) => different.push(format!("{name}: {difference}")),
        }
    }
    println!(
        "{} recorded steps, {equal} equal, {} different, {} not covered",
        recording.steps.len(),
        different.len(),
        NOT_COVERED.len(),
    );
    for (name, reason) in NOT_COVERED {
        println!("not covered: {name}: {reason}");
    }
    assert!(different.is_empty(), "\n{}", different.join("\n\n"));
}
