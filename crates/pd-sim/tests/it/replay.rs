//! Fidelity: the recorded requests, sent to the simulator in the recorded state, get the recorded
//! answers.
//!
//! Only what differs from run to run is taken out first: times and what counts from them, the
//! order of lists that PD keeps in maps, and PD's choice among equals. Ids are not: the simulator
//! is told which id comes next. When the recorder waited, and what PD did meanwhile,
//! is in the scenarios.

use std::time::{Duration, SystemTime};

use pd_sim::{Clock, ForeignOperator, Sim};
use serde_json::Value as Json;

use crate::http::send;
use crate::normal::{
    in_store_order, sorted, without_chosen_targets, without_region_scores, without_times,
};
use crate::recording::{Recording, Step};
use crate::scenarios::{Background, PD_6_5, PD_7_5, PD_8_5, PD_9_0, Scenario};

/// How a step's bodies are made comparable.
fn comparable(scenario: &Scenario, step: &str, body: &str) -> String {
    let mut body = without_times(body);
    if scenario.smoothed_scores.contains(&step) {
        body = without_region_scores(&body);
    }
    match step {
        "stores" => in_store_order(&body),
        // PD keeps operators, schedulers and records in maps.
        "operators-empty" | "operators-now" | "schedulers" | "ev-sched" | "ev-sched-after" => {
            sorted(&body)
        }
        "ev-records" => sorted(&without_chosen_targets(&body)),
        _ => body,
    }
}

async fn compare(sim: &Sim, scenario: &Scenario, step: &Step) -> Result<(), String> {
    let request = &step.request;
    let answer = send(sim, &request.method, &request.path, &request.body())
        .await
        .ok_or("no answer")?;
    let recorded = &step.response;
    let head = (answer.status, &answer.content_type);
    let recorded_head = (recorded.status, &recorded.content_type);
    if head != recorded_head {
        return Err(format!(
            "{head:?} instead of {recorded_head:?}: {}",
            answer.text()
        ));
    }
    let (ours, theirs) = (
        comparable(scenario, &step.name, &answer.text()),
        comparable(scenario, &step.name, &recorded.body),
    );
    if ours == theirs {
        Ok(())
    } else {
        Err(difference(&ours, &theirs))
    }
}

/// The pieces that only one of two bodies has.
fn difference(ours: &str, theirs: &str) -> String {
    let pieces = |text: &str| -> Vec<String> {
        text.split(['\n', ','])
            .map(|piece| piece.trim().to_owned())
            .collect()
    };
    let only = |sign: char, these: &[String], those: &[String]| -> Vec<String> {
        these
            .iter()
            .filter(|piece| !those.contains(piece))
            .map(|piece| format!("\n  {sign} {piece}"))
            .collect()
    };
    let (ours, theirs) = (pieces(ours), pieces(theirs));
    let mut lines = only('-', &theirs, &ours);
    lines.extend(only('+', &ours, &theirs));
    if lines.is_empty() {
        lines.push("\n  the same pieces in another order or number".to_owned());
    }
    lines.concat()
}

/// A simulator in the recorded state, before bootstrap.
async fn recorded_state(recording: &Recording, scenario: &Scenario) -> Sim {
    let members: Json = serde_json::from_str(recording.body("members")).expect("JSON");
    let stores: Json = serde_json::from_str(recording.body("stores")).expect("JSON");
    let first = &members["members"][0];
    let text = |json: &Json| json.as_str().expect("a text").to_owned();
    let heard = stores["stores"][0]["store"]["last_heartbeat"]
        .as_u64()
        .expect("a time");
    Sim::builder()
        .version(scenario.version)
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
        .checker_interval(Duration::from_millis(50))
        .executes_splits(false)
        .labeler_split_keys(scenario.split_keys.iter().copied())
        .start()
        .await
        .expect("the simulator starts")
}

/// What happened in the background before a step.
fn apply_background(sim: &Sim, scenario: &Scenario, name: &str) {
    if name == "stores" {
        sim.bootstrap();
    }
    for (_, background) in scenario.background.iter().filter(|(at, _)| *at == name) {
        let operator = match *background {
            Background::Moved { region, from, to } => {
                ForeignOperator::move_peer("balance-region-scheduler", region, from, to)
            }
            Background::Led { region, to } => {
                ForeignOperator::transfer_leader("balance-leader-scheduler", region, to)
            }
            Background::Leads { region, store } => {
                sim.set_leader(region, store);
                continue;
            }
        };
        sim.insert_operator(operator)
            .expect("a background operator");
    }
    for (_, millis) in scenario.schedule.iter().filter(|(at, _)| *at == name) {
        sim.advance(Duration::from_millis(*millis));
    }
}

async fn check(scenario: &Scenario) {
    let recording = Recording::read(scenario.recording);
    let sim = recorded_state(&recording, scenario).await;
    let (mut equal, mut not_compared) = (0, 0);
    let mut wrong = Vec::new();
    for step in &recording.steps {
        let name = step.name.as_str();
        apply_background(&sim, scenario, name);
        if !step.is_simulated() {
            continue;
        }
        let is_covered = scenario.not_covered.iter().all(|(other, _)| *other != name);
        match (compare(&sim, scenario, step).await, is_covered) {
            (Ok(()), true) => equal += 1,
            (Ok(()), false) => wrong.push(format!("{name}: equal, but listed as not covered")),
            (Err(_), false) => not_compared += 1,
            (Err(difference), true) => wrong.push(format!("{name}: {difference}")),
        }
    }
    println!(
        "{}: {} steps, {equal} equal, {not_compared} not covered, {} wrong",
        scenario.recording,
        recording.steps.len(),
        wrong.len(),
    );
    for (name, reason) in scenario.not_covered {
        println!("  not covered: {name}: {reason}");
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}

#[tokio::test]
async fn answers_are_those_of_pd_8_5() {
    check(&PD_8_5).await;
}

#[tokio::test]
async fn answers_are_those_of_pd_9_0() {
    check(&PD_9_0).await;
}

#[tokio::test]
async fn answers_are_those_of_pd_7_5() {
    check(&PD_7_5).await;
}

#[tokio::test]
async fn answers_are_those_of_pd_6_5() {
    check(&PD_6_5).await;
}
