//! What is served to who may come.

use std::sync::Arc;
use std::time::Duration;

use action_guard::{Decider, Guard, Journal, MemoryJournal, Mode, Request, Standing};
use operator_server::Options;
use serde_json::{Value, json};

use crate::client::ask;
use crate::house::{BEN, House, actor, id, prod};
use crate::lamps::Lamps;

#[tokio::test]
async fn an_agent_asks_carries_out_and_takes_back() {
    let house = House::new().await;
    let (token, night) = house.token("agent:night").await;
    let asked = house.propose(&night, 1).await.is(201).json();
    assert_eq!(asked["phase"], "approved", "{asked}");
    let path = format!("/api/v1/proposals/{}", id(&asked));
    let done = house
        .post(&format!("{path}/execute"), &night, Value::Null)
        .await
        .is(200)
        .json();
    assert_eq!(done["phase"], "applied", "{done}");
    let proof = &done["proposal"]["request"]["proven_by"];
    assert_eq!(
        proof,
        &json!({"kind": "token", "id": token, "made_by": "user:ana"})
    );
    // Asked again, it says how it ended, and sends nothing.
    house
        .post(&format!("{path}/execute"), &night, Value::Null)
        .await
        .is(200);
    let undo = house
        .post(&format!("{path}/undo"), &night, json!({"reason": "enough"}))
        .await;
    let undo = undo.is(201).json();
    let back = format!("/api/v1/proposals/{}/execute", id(&undo));
    house.post(&back, &night, Value::Null).await.is(200);
    assert_eq!(house.sent(), [(1, true), (1, false)]);
    let listed = house
        .get("/api/v1/clusters/prod/proposals", &night)
        .await
        .is(200)
        .json();
    assert_eq!(listed["proposals"].as_array().unwrap().len(), 2, "{listed}");
    let seen = house.post(
        "/api/v1/clusters/prod/observations/list_lamps",
        &night,
        Value::Null,
    );
    assert_eq!(seen.await.is(200).json()["lamps"][0]["lit"], false);
    let actions = house
        .get("/api/v1/clusters/prod/actions", &night)
        .await
        .is(200)
        .body;
    assert!(
        actions.contains("switch_lamp") && !actions.contains("rewire_lamp"),
        "{actions}"
    );
    let mode = house.get("/api/v1/mode", &night).await.is(200).json();
    assert_eq!(mode, json!({"mode": "execute", "killed": null}));
}

#[tokio::test]
async fn a_person_approves_with_a_signature_and_nobody_else_does() {
    let house = House::new().await;
    let (_, careful) = house.token("agent:careful").await;
    let asked = house.propose(&careful, 1).await.is(201).json();
    assert_eq!(asked["phase"], "needs_approval", "{asked}");
    let execute = format!("/api/v1/proposals/{}/execute", id(&asked));
    let waits = house
        .post(&execute, &careful, Value::Null)
        .await
        .is(200)
        .json();
    assert_eq!(waits["phase"], "needs_approval", "{waits}");
    // Another plan, which is another hash.
    let other = house.propose(&careful, 2).await.is(201).json();
    let plan = other["proposal"]["plan_hash"].clone();
    let conflict = house
        .approve_plan("user:ben", BEN, id(&asked), plan)
        .await
        .is(409);
    let conflict = conflict.json();
    assert_eq!(conflict["code"], "other_plan", "{conflict}");
    assert_eq!(conflict["plan_hash"], asked["proposal"]["plan_hash"]);
    assert!(conflict["difference"].is_array(), "{conflict}");
    let agreed = house.approve("user:ben", BEN, &asked).await.is(200).json();
    assert_eq!(agreed["phase"], "approved", "{agreed}");
    let done = house
        .post(&execute, &careful, Value::Null)
        .await
        .is(200)
        .json();
    assert_eq!(done["phase"], "applied", "{done}");
    assert_eq!(house.sent(), [(1, true)]);
}

/// Members are asked for by their names, and each refusal is a problem with a code.
#[tokio::test]
async fn a_list_is_no_request_and_another_method_is_refused() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let token = format!("Authorization: Bearer {night}");
    let path = "/api/v1/clusters/prod/proposals";
    let list = json!(["switch_lamp", {"lamp": 1, "lit": true}, null, null]).to_string();
    let refused = ask(house.at, "POST", path, &[&token], &list).await.is(400);
    assert_eq!(refused.json()["code"], "invalid_body");
    let refused = ask(house.at, "DELETE", path, &[&token], "").await.is(405);
    assert_eq!(refused.json()["code"], "method_not_allowed");
    assert_eq!(house.proposals().await, 0);
}

#[tokio::test]
async fn the_same_key_is_the_same_request() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let token = format!("Authorization: Bearer {night}");
    let ask = async |lamp: u8, key: &str| {
        let parameters = json!({"lamp": lamp, "lit": true});
        let body = json!({"action": "switch_lamp", "parameters": parameters}).to_string();
        let path = "/api/v1/clusters/prod/proposals";
        let key = format!("Idempotency-Key: {key}");
        ask(house.at, "POST", path, &[&token, &key], &body).await
    };
    let first = ask(1, "k1").await.is(201).json();
    let again = ask(1, "k1").await.is(200).json();
    assert_eq!(id(&first), id(&again));
    assert_eq!(ask(2, "k1").await.is(422).json()["code"], "key_used");
    let other = ask(1, "k2").await.is(201).json();
    assert_ne!(id(&first), id(&other));
    ask(1, &"k".repeat(257)).await.is(400);
    assert_eq!(house.proposals().await, 2);
}

#[tokio::test]
async fn tools_are_served_for_the_agent_of_the_token() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "a host", "version": "1"},
    }});
    let token = format!("Authorization: Bearer {night}");
    let accept = "Accept: application/json, text/event-stream";
    let form = "Content-Type: application/json";
    let to = async |head: &[&str], body: &Value| {
        let all = [&[accept, form], head].concat();
        ask(house.at, "POST", "/mcp/prod", &all, &body.to_string()).await
    };
    to(&[], &hello).await.is(401);
    let answer = to(&[&token], &hello).await.is(200);
    let session = answer
        .head
        .lines()
        .find_map(|line| line.strip_prefix("mcp-session-id: "));
    let session = format!("Mcp-Session-Id: {}", session.unwrap());
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    to(&[&token, &session], &ready).await.is(202);
    let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {
        "name": "switch_lamp", "arguments": {"lamp": 3, "lit": true},
    }});
    let (_, other) = house.token("agent:day").await;
    let theirs = format!("Authorization: Bearer {other}");
    to(&[&theirs, &session], &call).await.is(404);
    let called = to(&[&token, &session], &call).await.is(200);
    assert!(called.body.contains("applied"), "{called:?}");
    assert_eq!(house.sent(), [(3, true)]);
    let state = house.journal.state().await.unwrap();
    let asked = &state.ended.back().unwrap().proposal.request;
    assert_eq!(
        (&*asked.actor, asked.proven_by.word()),
        ("agent:night", "token")
    );
}

/// What it is at when it is told to end is sent, answered, and not sent again.
#[tokio::test]
async fn at_the_end_what_is_being_sent_is_finished() {
    let mut house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let asked = house.propose(&night, 1).await.is(201).json();
    house.lamps.house(|lamps| lamps.hold_answers = true);
    let path = format!("/api/v1/proposals/{}/execute", id(&asked));
    let (at, token) = (house.at, format!("Authorization: Bearer {night}"));
    let running = tokio::spawn(async move { ask(at, "POST", &path, &[&token], "").await });
    while house.sent().is_empty() {
        tokio::task::yield_now().await;
    }
    drop(house.end.take());
    house.lamps.house(|lamps| lamps.hold_answers = false);
    let done = running.await.unwrap().is(200).json();
    assert_eq!(done["phase"], "applied", "{done}");
    house.serving.await.unwrap().unwrap();
    assert_eq!(house.lamps.house(|lamps| lamps.sent.clone()), [(1, true)]);
}

/// What somebody left without an outcome is found out, and not sent again.
#[tokio::test]
async fn what_was_left_open_is_recovered_at_the_start() {
    let (lamps, journal) = (Lamps::default(), Arc::new(MemoryJournal::new()));
    let journal: Arc<dyn Journal> = journal;
    let guard = Guard::over(lamps.registry(), Arc::clone(&journal));
    let guard = guard.stalled_after(Duration::ZERO).clusters([prod()]);
    let by = actor("user:ana");
    let controls = guard.controls();
    controls
        .set_mode(Mode::Execute, Decider::claimed(&by), "a test")
        .await
        .unwrap();
    lamps.house(|house| house.slow = true);
    let request = Request::new("switch_lamp", json!({"lamp": 1, "lit": true}), "user:ana");
    let asked = guard
        .propose(request)
        .await
        .unwrap()
        .into_proposal()
        .unwrap();
    let stuck = guard.execute(&asked, &by, &mut |_| {}).await.unwrap();
    assert!(matches!(stuck, Standing::Unknown(_)), "{stuck:?}");
    lamps.house(|house| house.slow = false);
    let house = House::opened(&lamps, &journal, Options::default()).await;
    while journal.state().await.unwrap().unsettled().count() > 0 {
        tokio::task::yield_now().await;
    }
    let ended = guard.standing(&asked.id).await.unwrap();
    assert!(matches!(ended, Standing::Applied(_)), "{ended:?}");
    assert_eq!(house.sent(), [(1, true)]);
}

#[tokio::test]
async fn it_says_whether_it_lives_and_is_ready() {
    let house = House::new().await;
    assert_eq!(house.get("/readyz", "").await.is(200).body, "ready\n");
    assert_eq!(house.get("/healthz", "").await.is(200).body, "alive\n");
}
