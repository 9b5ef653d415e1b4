//! Agents that are paused at a gate.

use action_guard::Proof;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::house::{BEN, House, actor, id, key};

const BY_BEN: (&str, &str) = ("user:ben", BEN);

async fn pause(house: &House, agent: &str, body: Value) -> crate::client::Answer {
    let path = format!("/api/v1/agents/{agent}/pause");
    house.ask_as(BY_BEN, "POST", &path, &body).await
}

#[tokio::test]
async fn a_person_pauses_an_agent_and_ends_that_by_a_signature() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let (_, day) = house.token("agent:day").await;
    let asked = house.propose(&night, 1).await.is(201).json();
    let why = json!({"reason": "it runs wild", "for_seconds": 7_200});
    let paused = pause(&house, "agent:night", why).await.is(200).json();
    assert_eq!(paused["pause"]["by"]["actor"], "user:ben", "{paused}");
    assert_eq!(paused["still_sending"], json!([]));
    let execute = format!("/api/v1/proposals/{}/execute", id(&asked));
    for refused in [
        house.propose(&night, 2).await,
        house.post(&execute, &night, Value::Null).await,
    ] {
        let refused = refused.is(403).json();
        assert_eq!(refused["code"], "paused", "{refused}");
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains("it runs wild"), "{detail}");
    }
    // It may look, at what is its own as before; another agent is not told, and goes on.
    let own = house.get("/api/v1/state", &night).await.is(200).json();
    assert!(own["state"]["pauses"]["agent:night"].is_object(), "{own}");
    let other = house.get("/api/v1/state", &day).await.is(200).body;
    assert!(!other.contains("agent:night"), "{other}");
    house.propose(&day, 3).await.is(201);
    // What lets it send again takes a signature over just that.
    let resume = "/api/v1/agents/agent:night/resume";
    let post = async |body: Value| house.ask_as(BY_BEN, "POST", resume, &body).await;
    let unsigned = post(json!({"reason": "well"})).await.is(403).json();
    assert_eq!(unsigned["code"], "not_proven", "{unsigned}");
    let state = house.journal.state().await.unwrap();
    let seq = state.pauses["agent:night"].seq;
    let (ben, now) = (actor("user:ben"), Timestamp::now());
    let proof = |seq| Proof::of_resume(&actor("agent:night"), &ben, seq, now, &key(BEN));
    post(json!({"reason": "well", "proof": proof(seq - 1)}))
        .await
        .is(403);
    let good = json!({"reason": "well", "proof": proof(seq)});
    post(good.clone()).await.is(200);
    let again = post(good).await.is(403).json();
    assert_eq!(again["code"], "not_paused", "{again}");
    house.post(&execute, &night, Value::Null).await.is(200);
    assert_eq!(house.sent(), [(1, true)]);
}

#[tokio::test]
async fn an_agent_pauses_itself_and_no_more() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let (_, day) = house.token("agent:day").await;
    let why = json!({"reason": "I am not well"});
    let own = "/api/v1/agents/agent:NIGHT/pause";
    for path in [
        own,
        "/api/v1/agents/user:ana/pause",
        "/api/v1/agents/agent:night/resume",
    ] {
        let refused = house.post(path, &day, why.clone()).await.is(403).json();
        assert_eq!(refused["code"], "not_a_person", "{path}: {refused}");
    }
    house.post(own, &night, why.clone()).await.is(200);
    let refused = house.propose(&night, 1).await.is(403).json();
    assert_eq!(refused["code"], "paused");
    let resume = "/api/v1/agents/agent:night/resume";
    house.post(resume, &night, why.clone()).await.is(403);
    // Nor does a shorter pause end it.
    let short = json!({"reason": "shorter", "for_seconds": 1});
    house.post(own, &night, short).await.is(403);
    house.propose(&night, 1).await.is(403);
    // Another process, which takes everybody's word, ends it neither.
    let local = house.controls();
    let (ana, agent) = (actor("user:ana"), actor("agent:night"));
    let by = action_guard::Decider::claimed(&ana);
    local.resume(&agent, by, "x").await.unwrap_err();
    assert!(house.sent().is_empty());
}

#[tokio::test]
async fn what_is_no_agent_or_no_time_is_refused() {
    let house = House::new().await;
    for (agent, body, status) in [
        ("user:ana", json!({"reason": "x"}), 422),
        ("system", json!({"reason": "x"}), 422),
        ("night", json!({"reason": "x"}), 422),
        ("agent:", json!({"reason": "x"}), 422),
        ("agent:night", json!({}), 400),
        ("agent:night", json!({"reason": "x", "for_seconds": 0}), 400),
        (
            "agent:night",
            json!({"reason": "x", "for_seconds": -1}),
            400,
        ),
        (
            "agent:night",
            json!({"reason": "x", "until": "2099-01-01T00:00:00Z"}),
            400,
        ),
    ] {
        pause(&house, agent, body).await.is(status);
    }
    assert!(house.journal.state().await.unwrap().pauses.is_empty());
}
