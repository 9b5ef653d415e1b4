//! The same against a real PD.

use std::env;
use std::time::{Duration, Instant, SystemTime};

use action_core::{Attempt, Plan, Progress, Sent, Undo};
use serde_json::Value;

use super::dice::Dice;
use super::ground::Ground;
use super::requests::{self, Known};
use super::tally::{Outcome, Tally};
use super::{NO_NUMBER, number};

/// How long a request is followed before it is taken back.
const FOLLOWED: Duration = Duration::from_secs(6);

#[tokio::test]
async fn live_plans_say_what_a_real_pd_answers() {
    let endpoints = env::var("PD_ENDPOINTS").unwrap_or_default();
    if endpoints.is_empty() {
        eprintln!("live_plans_say_what_a_real_pd_answers: skipped, PD_ENDPOINTS is not set");
        return;
    }
    let ground = Ground::new(&endpoints);
    let mut dice = Dice::new(number("DIFFERENTIAL_SEED", 1));
    let mut tally = Tally::default();
    let until = Instant::now() + Duration::from_secs(number("DIFFERENTIAL_SECONDS", 120));
    for _ in 0..number("DIFFERENTIAL_REQUESTS", 1_000) {
        if Instant::now() >= until {
            break;
        }
        let known = Known::of(&ground).await;
        let (name, parameters) = requests::random(&mut dice, &known);
        let told = format!("{name} {parameters}");
        if !may_change(&ground).await {
            let plan = ground.plan(name, &parameters, &told).await;
            tally.count(name, Outcome::PlannedOnly(plan.verdict));
            continue;
        }
        let at = SystemTime::now();
        let plan = ground.compare(name, parameters.clone(), &told, &mut tally);
        if let Some(plan) = plan.await {
            take_back(&ground, name, parameters, &plan, at).await;
        }
    }
    eprintln!("{}", tally.table());
    tally.check(&without_number(&ground).await);
}

/// What may be undecided here: what versions differ in, where PD does not say its version.
async fn without_number(ground: &Ground) -> Vec<&'static str> {
    let version = ground.pd.version().await.unwrap();
    let numbered = version.as_str().trim_start_matches('v');
    let numbered = numbered.starts_with(|first: char| first.is_ascii_digit());
    if numbered {
        Vec::new()
    } else {
        vec![NO_NUMBER]
    }
}

/// Whether this very cluster may be changed. Asked before every send.
async fn may_change(ground: &Ground) -> bool {
    let named = env::var("PD_MUTATE_CLUSTER_ID").unwrap_or_default();
    let found = ground.pd.cluster().await.unwrap().id;
    !named.is_empty() && named == found.to_string()
}

/// Waits for what was accepted, and takes it back as far as it can be.
async fn take_back(
    ground: &Ground,
    name: &'static str,
    parameters: Value,
    plan: &Plan,
    at: SystemTime,
) {
    follow(ground, name, &parameters, plan, at).await;
    let undo = ground
        .registry
        .undo(name, parameters, &plan.before, None, None);
    let Ok(Undo::Action {
        name, parameters, ..
    }) = undo
    else {
        return;
    };
    let parameters = Value::Object(parameters);
    let back = ground.plan(&name, &parameters, "taking back").await;
    if !back.verdict.may_be_sent() || !may_change(ground).await {
        return;
    }
    let attempt = Attempt::untracked();
    let at = SystemTime::now();
    let sent = ground
        .registry
        .send(&name, parameters.clone(), &back.before, &attempt);
    if sent.await.is_ok() {
        follow(ground, &name, &parameters, &back, at).await;
    }
}

async fn follow(ground: &Ground, name: &str, parameters: &Value, plan: &Plan, at: SystemTime) {
    let begun = Instant::now();
    let mut polls = tokio::time::interval(Duration::from_millis(300));
    while begun.elapsed() < FOLLOWED {
        polls.tick().await;
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let at_ms = u64::try_from(since.as_millis()).unwrap();
        let elapsed = u64::try_from(begun.elapsed().as_millis()).unwrap();
        let sent = Sent::new(
            Attempt::new("differential", at_ms, plan.clock),
            None,
            elapsed,
        );
        let registry = &ground.registry;
        let progress = registry
            .probe(name, parameters.clone(), &plan.before, &sent)
            .await;
        if !matches!(progress, Ok(Progress::Pending { .. })) {
            return;
        }
    }
}
