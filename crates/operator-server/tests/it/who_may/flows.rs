//! Who can do what about workflows.

use action_core::Workflow;
use action_guard::policy::Confirmed;
use action_guard::{Actor, Decider, Proof, StartOptions, Workflows};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::house::actor;

use super::{Deed, Room, said};

const FLOWS: &str = "/api/v1/clusters/prod/workflows";

fn of(steps: &Value) -> Value {
    json!({"document": {"title": "light", "steps": steps}})
}

/// One lamp, and then somebody looks.
fn steps() -> Value {
    let parameters = json!({"lamp": 4, "lit": true});
    json!([
        {"id": "one", "action": "switch_lamp", "parameters": parameters},
        {"id": "check", "confirm": "Look."},
    ])
}

/// A workflow of another agent, which has switched its lamp and waits.
async fn others(room: &Room<'_>) -> String {
    let started = room.by_day("POST", FLOWS, &of(&steps())).await;
    let started = started.is(201).json();
    let path = format!(
        "/api/v1/workflows/{}",
        started["flow"]["id"].as_str().unwrap()
    );
    until(room, &path, |shown| {
        shown["next_steps"]["waiting"][0]["waiting_for"] == "confirmation"
    })
    .await;
    path
}

/// How the other agent sees it, once it is so.
async fn until(room: &Room<'_>, path: &str, is_so: impl Fn(&Value) -> bool) {
    for wait in [0].into_iter().chain(std::iter::repeat(1)) {
        let path = format!("{path}?wait_seconds={wait}");
        let shown = room.by_day("GET", &path, &Value::Null).await.is(200).json();
        if is_so(&shown) {
            return;
        }
    }
}

pub(super) async fn can(room: &Room<'_>, deed: Deed) -> &'static str {
    let why = json!({"reason": "a test"});
    if deed == Deed::Start {
        return said(room.post(FLOWS, of(&steps())).await);
    }
    let path = others(room).await;
    match deed {
        Deed::ReadOthersFlow => said(room.get(&path).await),
        Deed::Confirm => {
            let id = path.rsplit('/').next().unwrap_or_default().to_owned();
            let proof = |by: &Actor| {
                let confirmed = Confirmed::new(&id, "check", None);
                Proof::of_confirmation(&confirmed, by, Timestamp::now(), &room.key())
            };
            let body = json!({"step": "check"});
            room.allowing(&format!("{path}/confirm"), body, proof).await
        }
        Deed::LetGoOn => said(room.post(&format!("{path}/resume"), why).await),
        Deed::CancelFlow => said(room.post(&format!("{path}/cancel"), why).await),
        _ => {
            let is_asked_for = room.post(&format!("{path}/compensate"), why).await;
            if is_asked_for {
                until(room, &path, |shown| {
                    shown["next_steps"]["ended"] == "compensated"
                })
                .await;
            }
            let is_done = room.house.sent() == [(4, true), (4, false)];
            assert_eq!(is_done, is_asked_for);
            said(is_done)
        }
    }
}

/// What a process does that writes the journal as it likes: the gate carries on nothing by its word.
pub(super) async fn shell_can(room: &Room<'_>, deed: Deed) -> &'static str {
    let workflows = Workflows::new(room.house.local());
    let (carl, day) = (actor("user:carl"), actor("agent:day"));
    if deed == Deed::Start {
        let workflow = Workflow::read(&of(&steps())["document"]).unwrap();
        let flow = workflows.start(&workflow, &day, StartOptions::default());
        let path = format!("/api/v1/workflows/{}", flow.await.unwrap().id);
        // The agent whose name it has given lets it go on, in vain.
        let why = json!({"reason": "a test"});
        let resumed = room.by_day("POST", &format!("{path}/resume"), &why).await;
        resumed.is(200);
        until(room, &path, |shown| shown["held_up"].is_string()).await;
        assert!(room.house.sent().is_empty());
        return "void";
    }
    let path = others(room).await;
    let id = path.rsplit('/').next().unwrap_or_default();
    match deed {
        Deed::ReadOthersFlow => said(workflows.flow(id).await.is_ok()),
        Deed::Confirm => {
            let by = Decider::claimed(&carl);
            said(workflows.confirm(id, "check", by, None).await.is_ok())
        }
        Deed::CancelFlow => said(workflows.cancel(id, &carl, "x").await.is_ok()),
        // Nothing goes on for who is only said to be somebody.
        Deed::LetGoOn => {
            workflows.resume(id, &carl, "x").await.unwrap();
            assert_eq!(room.house.sent(), [(4, true)]);
            "void"
        }
        _ => {
            workflows.compensate(id, &carl, "x").await.unwrap();
            let why = json!({"reason": "a test"});
            // To look at it makes the gate try.
            drop(room.by_day("POST", &format!("{path}/resume"), &why).await);
            until(room, &path, |shown| {
                shown["next_steps"]["stopped"].is_object() || shown["held_up"].is_string()
            })
            .await;
            assert_eq!(room.house.sent(), [(4, true)]);
            "void"
        }
    }
}
