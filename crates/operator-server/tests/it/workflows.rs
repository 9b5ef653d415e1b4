//! Workflows at a gate: started by who is proven, and carried on for them.

use std::time::Duration;

use action_core::Workflow;
use action_guard::{
    Decider, Mode, Proof, ProvenBy, Record, StartOptions, Workflows, policy::Confirmed,
};
use jiff::Timestamp;
use operator_server::Options;
use serde_json::{Value, json};

use crate::client::{Answer, ask};
use crate::house::{ANA, BEN, House, actor, id, key};

const WORKFLOWS: &str = "/api/v1/clusters/prod/workflows";
const BY_ANA: (&str, &str) = ("user:ana", ANA);
const BY_BEN: (&str, &str) = ("user:ben", BEN);

fn switch(step: &str, lamp: u8) -> Value {
    json!({"id": step, "action": "switch_lamp", "parameters": {"lamp": lamp, "lit": true}})
}

fn check() -> Value {
    json!({"id": "check", "confirm": "Look at lamp 1."})
}

fn of(steps: &[Value]) -> Value {
    json!({"document": {"title": "light", "steps": steps}, "reason": "a test"})
}

fn flow_id(shown: &Value) -> &str {
    shown["flow"]["id"]
        .as_str()
        .unwrap_or_else(|| unreachable!("{shown}"))
}

impl House {
    async fn started(&self, secret: &str, steps: &[Value]) -> Value {
        let started = self.post(WORKFLOWS, secret, of(steps)).await;
        started.is(201).json()
    }

    /// One, once it is so.
    async fn flow_until(&self, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let mut wait = 0;
        loop {
            let path = format!("/api/v1/workflows/{id}?wait_seconds={wait}");
            let shown = self.ask_as(BY_BEN, "GET", &path, &Value::Null).await;
            let shown = shown.is(200).json();
            if is_so(&shown) {
                return shown;
            }
            wait = 1;
        }
    }

    async fn flow_ended(&self, id: &str) -> Value {
        self.flow_until(id, |shown| shown["next_steps"]["ended"].is_string())
            .await
    }

    pub(crate) async fn flow_stopped(&self, id: &str) -> Value {
        self.flow_until(id, |shown| shown["next_steps"]["stopped"].is_object())
            .await
    }

    pub(crate) async fn flow_waits_for(&self, id: &str, what: &str) -> Value {
        let waits = |shown: &Value| {
            shown["next_steps"]["waiting"][0]["waiting_for"] == what
                && shown["next_steps"]["ready"] == json!([])
        };
        self.flow_until(id, waits).await
    }

    /// Ben says, by his signature, that a step is done.
    pub(crate) async fn confirmed(&self, id: &str, step: &str) -> Answer {
        let confirmed = Confirmed::new(id, step, None);
        let proof =
            Proof::of_confirmation(&confirmed, &actor("user:ben"), Timestamp::now(), &key(BEN));
        let body = json!({"step": step, "proof": proof});
        let path = format!("/api/v1/workflows/{id}/confirm");
        self.ask_as(BY_BEN, "POST", &path, &body).await
    }
}

#[tokio::test]
async fn what_is_started_is_carried_on_for_who_started_it_and_the_records_name_both() {
    let house = House::new().await;
    let (token, night) = house.token("agent:night").await;
    let started = house
        .started(&night, &[switch("one", 1), switch("two", 2)])
        .await;
    let done = house.flow_ended(flow_id(&started)).await;
    assert_eq!(done["next_steps"]["ended"], "completed", "{done}");
    assert_eq!(house.sent(), [(1, true), (2, true)]);
    let entries = house.journal.entries(0, 100).await.unwrap();
    let (mut asked, mut sent) = (0, 0);
    for entry in entries {
        match entry.record {
            Record::FlowStarted { started, .. } => {
                assert_eq!(started.by.as_str(), "agent:night");
                assert!(
                    matches!(started.by.proven_by(), ProvenBy::Token { id, .. } if *id == token)
                );
            }
            Record::Proposed { proposal, .. } => {
                let request = &proposal.request;
                assert_eq!(request.actor, "agent:night");
                assert!(
                    request
                        .carried_on_by
                        .as_ref()
                        .is_some_and(|by| by.is_gate())
                );
                assert!(request.carried_out_by.is_empty());
                asked += 1;
            }
            Record::Intent { intent, .. } => {
                assert!(intent.by.as_ref().is_some_and(|by| by.is_gate()));
                sent += 1;
            }
            _ => {}
        }
    }
    assert_eq!((asked, sent), (2, 2));
}

#[tokio::test]
async fn it_waits_for_people_and_goes_on_once_they_have_decided() {
    let house = House::new().await;
    let (_, careful) = house.token("agent:careful").await;
    let started = house.started(&careful, &[switch("one", 1), check()]).await;
    let id = flow_id(&started).to_owned();
    let waits = house.flow_waits_for(&id, "approval").await;
    assert!(house.sent().is_empty());
    let proposal = waits["next_steps"]["waiting"][0]["proposal"].clone();
    let path = format!("/api/v1/proposals/{}", proposal.as_str().unwrap());
    let proposal = house.ask_as(BY_BEN, "GET", &path, &Value::Null).await;
    let proposal = proposal.is(200).json();
    // Who made the token answers for it, and does not agree besides.
    let by_ana = house.approve("user:ana", ANA, &proposal).await;
    by_ana.is(403);
    house.approve("user:ben", BEN, &proposal).await.is(200);
    house.flow_waits_for(&id, "confirmation").await;
    assert_eq!(house.sent(), [(1, true)]);
    // An agent confirms nothing, and a person with a key signs just that.
    let step = json!({"step": "check"});
    let path = format!("/api/v1/workflows/{id}/confirm");
    let refused = house
        .post(&path, &careful, step.clone())
        .await
        .is(403)
        .json();
    assert_eq!(refused["code"], "not_a_person");
    let refused = house.ask_as(BY_BEN, "POST", &path, &step).await;
    assert_eq!(refused.is(403).json()["code"], "not_proven");
    house.confirmed(&id, "check").await.is(200);
    let done = house.flow_ended(&id).await;
    assert_eq!(done["next_steps"]["ended"], "completed");
}

#[tokio::test]
async fn a_starter_whose_token_is_revoked_goes_no_further() {
    let house = House::new().await;
    let (token, night) = house.token("agent:night").await;
    let steps = [switch("one", 1), check(), switch("two", 2)];
    let started = house.started(&night, &steps).await;
    let id = flow_id(&started).to_owned();
    house.flow_waits_for(&id, "confirmation").await;
    let (ben, controls) = (actor("user:ben"), house.controls());
    controls.revoke_token(&token, &ben, "leaked").await.unwrap();
    house.confirmed(&id, "check").await.is(200);
    let stopped = house.flow_stopped(&id).await;
    let stopped = &stopped["next_steps"]["stopped"];
    assert_eq!(stopped["code"], "failed", "{stopped}");
    assert_eq!(stopped["step"], "two");
    let reason = stopped["reason"].as_str().unwrap();
    assert!(
        reason.contains("denied") && reason.contains("revoked"),
        "{reason}"
    );
    assert_eq!(house.sent(), [(1, true)]);
    // A person lets nothing go on with what is revoked, and takes back what was done.
    let (path, why) = (
        format!("/api/v1/workflows/{id}"),
        json!({"reason": "a test"}),
    );
    let resumed = house
        .ask_as(BY_BEN, "POST", &format!("{path}/resume"), &why)
        .await;
    resumed.is(200);
    house.flow_stopped(&id).await;
    assert_eq!(house.sent(), [(1, true)]);
    let back = house
        .ask_as(BY_BEN, "POST", &format!("{path}/compensate"), &why)
        .await;
    back.is(200);
    let done = house.flow_ended(&id).await;
    assert_eq!(done["next_steps"]["ended"], "compensated", "{done}");
    assert_eq!(house.sent(), [(1, true), (1, false)]);
}

#[tokio::test]
async fn a_starter_who_is_paused_goes_on_once_that_is_over() {
    let mut options = Options::default();
    options.keep_up_every = Duration::from_millis(100);
    let house = House::with(options).await;
    let (_, night) = house.token("agent:night").await;
    let steps = [check(), switch("two", 2)];
    let started = house.started(&night, &steps).await;
    let id = flow_id(&started).to_owned();
    house.flow_waits_for(&id, "confirmation").await;
    let (night, ana, controls) = (actor("agent:night"), actor("user:ana"), house.controls());
    controls.pause(&night, &ana, None, "wild").await.unwrap();
    house.confirmed(&id, "check").await.is(200);
    let stopped = house.flow_stopped(&id).await;
    assert_eq!(stopped["next_steps"]["stopped"]["code"], "paused");
    assert!(house.sent().is_empty());
    let state = house.journal.state().await.unwrap();
    let seq = state.pauses["agent:night"].seq;
    let proof = Proof::of_resume(&night, &ana, seq, Timestamp::now(), &key(ANA));
    let by = Decider::with_proof(&ana, &proof);
    controls.resume(&night, by, "well").await.unwrap();
    house.flow_ended(&id).await;
    assert_eq!(house.sent(), [(2, true)]);
}

/// What one gate leaves, another carries on.
#[tokio::test]
async fn what_is_open_when_a_gate_ends_is_carried_on_by_the_next() {
    let mut first = House::new().await;
    let (_, night) = first.token("agent:night").await;
    let (ana, controls) = (actor("user:ana"), first.controls());
    let by = Decider::claimed(&ana);
    controls
        .set_mode(Mode::Observe, by, "a test")
        .await
        .unwrap();
    let started = first.started(&night, &[switch("one", 1)]).await;
    let id = flow_id(&started).to_owned();
    let stopped = first.flow_stopped(&id).await;
    assert_eq!(stopped["next_steps"]["stopped"]["code"], "observing");
    drop(first.end.take());
    first.serving.await.unwrap().unwrap();
    let state = first.journal.state().await.unwrap();
    let (last, now) = (state.last_switch, Timestamp::now());
    let proof = Proof::of_mode(Mode::Execute, None, &ana, last, now, &key(ANA));
    let by = Decider::with_proof(&ana, &proof);
    controls
        .set_mode(Mode::Execute, by, "a test")
        .await
        .unwrap();
    let second = House::opened(&first.lamps, &first.journal, Options::default()).await;
    second.flow_ended(&id).await;
    assert_eq!(second.sent(), [(1, true)]);
}

#[tokio::test]
async fn what_a_local_process_started_is_not_carried_on() {
    let mut options = Options::default();
    options.keep_up_every = Duration::from_millis(100);
    let house = House::with(options).await;
    let workflows = Workflows::new(house.local());
    let document = of(&[switch("one", 1)])["document"].clone();
    let workflow = Workflow::read(&document).unwrap();
    let ana = actor("user:ana");
    let started = workflows.start(&workflow, &ana, StartOptions::default());
    let flow = started.await.unwrap();
    let held_up = |shown: &Value| shown["held_up"].is_string();
    let shown = house.flow_until(&flow.id, held_up).await;
    let why = shown["held_up"].as_str().unwrap();
    assert!(why.contains("only claimed"), "{why}");
    assert!(house.sent().is_empty() && house.proposals().await == 0);
}

#[tokio::test]
async fn an_agent_starts_its_own_within_bounds_and_sees_no_others() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let (_, day) = house.token("agent:day").await;
    let steps = [check()];
    let started = house.started(&night, &steps).await;
    let id = flow_id(&started).to_owned();
    let listed = async |secret: &str| {
        let listed = house.get("/api/v1/workflows", secret).await.is(200).json();
        listed["workflows"].as_array().unwrap().len()
    };
    assert_eq!((listed(&night).await, listed(&day).await), (1, 0));
    let why = json!({"reason": "not mine"});
    let path = format!("/api/v1/workflows/{id}");
    house.get(&path, &day).await.is(404);
    for what in ["resume", "cancel", "compensate"] {
        let path = format!("{path}/{what}");
        house.post(&path, &day, why.clone()).await.is(404);
    }
    // What is above what it may ask for is not begun.
    let risky = json!({"id": "wire", "action": "rewire_lamp", "parameters": {"lamp": 1}});
    let refused = house.post(WORKFLOWS, &night, of(&[risky])).await.is(403);
    assert_eq!(refused.json()["code"], "too_risky");
    let wrong = json!({"id": "x", "action": "no_such", "parameters": {}});
    house.post(WORKFLOWS, &night, of(&[wrong])).await.is(422);
    house
        .post(WORKFLOWS, &night, json!({"document": 5}))
        .await
        .is(400);
    house
        .post(&format!("{WORKFLOWS}/preview"), &night, json!({}))
        .await
        .is(400);
    for _ in 0..3 {
        house.started(&night, &steps).await;
    }
    let refused = house.post(WORKFLOWS, &night, of(&steps)).await.is(409);
    assert_eq!(refused.json()["code"], "too_many_open");
    let own = house.post(&format!("{path}/cancel"), &night, why).await;
    let own = own.is(200).json();
    assert_eq!(own["flow"]["ended"]["how"], "cancelled", "{own}");
    house.started(&night, &steps).await;
}

#[tokio::test]
async fn the_same_key_is_the_same_workflow() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let token = format!("Authorization: Bearer {night}");
    let start = async |body: Value| {
        let head = [token.as_str(), "Idempotency-Key: k"];
        ask(house.at, "POST", WORKFLOWS, &head, &body.to_string()).await
    };
    let one = start(of(&[switch("one", 1)])).await.is(201).json();
    let again = start(of(&[switch("one", 1)])).await.is(200).json();
    assert_eq!(flow_id(&one), flow_id(&again));
    let other = start(of(&[switch("one", 2)])).await.is(422).json();
    assert_eq!(other["code"], "key_used");
    house.flow_ended(flow_id(&one)).await;
    assert_eq!(house.sent(), [(1, true)]);
}

#[tokio::test]
async fn what_it_would_do_is_shown_and_written_down_nowhere() {
    let house = House::new().await;
    let before = house.journal.head().await.unwrap();
    let path = format!("{WORKFLOWS}/preview");
    let body = json!({"document": of(&[switch("one", 1), check()])["document"]});
    let shown = house
        .ask_as(BY_ANA, "POST", &path, &body)
        .await
        .is(200)
        .json();
    assert_eq!(shown["workflow"]["steps"].as_array().unwrap().len(), 2);
    let steps = shown["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0]["ruling"]["ruling"], "allow", "{shown}");
    assert_eq!(house.journal.head().await.unwrap().seq, before.seq);
}

/// A mutation whose outcome is not known: found out, or said by a person.
#[tokio::test]
async fn what_is_unknown_is_found_out_or_resolved_by_a_person() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let (_, day) = house.token("agent:day").await;
    let proposal = house.unknown(&night, 1).await;
    let path = format!("/api/v1/proposals/{proposal}");
    let recover = "/api/v1/clusters/prod/recover";
    // It may have been recovered by the gate itself in between, and is still not known.
    let body = json!({"result": "applied", "reason": "I saw it"});
    let refused = house
        .post(&format!("{path}/resolve"), &night, body.clone())
        .await;
    assert_eq!(refused.is(403).json()["code"], "not_a_person");
    house
        .post(&format!("{path}/resolve"), &day, body.clone())
        .await
        .is(404);
    let wrong = json!({"result": "perhaps", "reason": "x"});
    let wrong = house
        .ask_as(BY_BEN, "POST", &format!("{path}/resolve"), &wrong)
        .await;
    wrong.is(400);
    let resolved = house
        .ask_as(BY_BEN, "POST", &format!("{path}/resolve"), &body)
        .await;
    let resolved = resolved.is(200).json();
    assert_eq!(resolved["phase"], "applied", "{resolved}");
    assert_eq!(resolved["resolved_by"]["actor"], "user:ben");
    let nothing = house
        .post(recover, &night, Value::Null)
        .await
        .is(200)
        .json();
    assert_eq!(nothing, json!({"recovered": [], "in_progress": false}));
    house.unknown(&night, 2).await;
    house.lamps.house(|house| house.slow = false);
    let others = house.post(recover, &day, Value::Null).await.is(200).json();
    assert_eq!(others["recovered"], json!([]), "{others}");
    let state = house.journal.state().await.unwrap();
    let ended = state.ended.back().unwrap();
    assert!(state.unsettled().next().is_none() && ended.proposal.request.actor == "agent:night");
}

impl House {
    /// Something of an agent's that was accepted and of which nobody knows how it ended.
    pub(crate) async fn unknown(&self, secret: &str, lamp: u8) -> String {
        self.lamps.house(|house| house.slow = true);
        let asked = self.propose(secret, lamp).await.is(201).json();
        let path = format!("/api/v1/proposals/{}", id(&asked));
        let execute = format!("{path}/execute?wait_seconds=0");
        self.post(&execute, secret, Value::Null).await.is(202);
        let sent = || self.sent().contains(&(lamp, true));
        while !sent() {
            tokio::task::yield_now().await;
        }
        let why = json!({"reason": "a test"});
        self.post(&format!("{path}/cancel"), secret, why)
            .await
            .is(200);
        loop {
            let shown = self.get(&path, secret).await.is(200).json();
            if shown["phase"] == "unknown" {
                return id(&asked).to_owned();
            }
        }
    }
}

/// An effect that is not there is given up by nobody; who may not take it back does not come that far.
#[tokio::test]
async fn an_effect_is_given_up_by_who_could_take_it_back() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let (_, day) = house.token("agent:day").await;
    let asked = house.propose(&night, 1).await.is(201).json();
    let path = format!("/api/v1/proposals/{}/release", id(&asked));
    let why = json!({"reason": "gone"});
    house.post(&path, &day, why.clone()).await.is(404);
    for answer in [
        house.post(&path, &night, why.clone()).await,
        house.ask_as(BY_BEN, "POST", &path, &why).await,
    ] {
        assert_eq!(answer.is(403).json()["code"], "refused");
    }
}
