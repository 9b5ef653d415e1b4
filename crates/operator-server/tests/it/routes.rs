//! Who may ask for what: each route as nobody, as an agent, and as a person.

use serde_json::{Value, json};

use crate::client::ask;
use crate::house::{ANA, BEN, House, MALLORY, id};

/// All that takes a proof of who asks.
pub(crate) const GUARDED: [(&str, &str); 42] = [
    ("GET", "/events"),
    ("GET", "/mcp/prod"),
    ("POST", "/mcp/prod"),
    ("DELETE", "/mcp/prod"),
    ("GET", "/api/v1/me"),
    ("GET", "/api/v1/state"),
    ("GET", "/api/v1/journal"),
    ("GET", "/api/v1/tokens"),
    ("POST", "/api/v1/tokens"),
    ("POST", "/api/v1/tokens/x/revoke"),
    ("GET", "/api/v1/sessions"),
    ("POST", "/api/v1/sessions/x/end"),
    ("GET", "/api/v1/mode"),
    ("POST", "/api/v1/mode"),
    ("POST", "/api/v1/kill-switch"),
    ("POST", "/api/v1/kill-switch/reset"),
    ("POST", "/api/v1/agents/agent:x/pause"),
    ("POST", "/api/v1/agents/agent:x/resume"),
    ("GET", "/api/v1/clusters/prod/actions"),
    ("GET", "/api/v1/clusters/prod/findings"),
    ("POST", "/api/v1/clusters/prod/observations/list_lamps"),
    ("POST", "/api/v1/clusters/prod/plan"),
    ("POST", "/api/v1/clusters/prod/drafts"),
    ("GET", "/api/v1/clusters/prod/proposals"),
    ("POST", "/api/v1/clusters/prod/proposals"),
    ("GET", "/api/v1/proposals/x"),
    ("POST", "/api/v1/proposals/x/execute"),
    ("POST", "/api/v1/proposals/x/reject"),
    ("POST", "/api/v1/proposals/x/cancel"),
    ("POST", "/api/v1/proposals/x/undo"),
    ("POST", "/api/v1/proposals/x/undo/draft"),
    ("POST", "/api/v1/proposals/x/resolve"),
    ("POST", "/api/v1/proposals/x/release"),
    ("POST", "/api/v1/clusters/prod/recover"),
    ("POST", "/api/v1/clusters/prod/workflows"),
    ("POST", "/api/v1/clusters/prod/workflows/preview"),
    ("GET", "/api/v1/workflows"),
    ("GET", "/api/v1/workflows/x"),
    ("POST", "/api/v1/workflows/x/confirm"),
    ("POST", "/api/v1/workflows/x/resume"),
    ("POST", "/api/v1/workflows/x/cancel"),
    ("POST", "/api/v1/workflows/x/compensate"),
];

/// What only people decide, and what it takes beside a token.
#[tokio::test]
async fn an_agent_does_nothing_that_is_for_people() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let asked = house.propose(&night, 1).await.is(201).json();
    let reject = format!("/api/v1/proposals/{}/reject", id(&asked));
    let why = json!({"reason": "mine"});
    let here = json!({"reason": "mine", "cluster": "prod"});
    for (method, path, body) in [
        ("POST", "/api/v1/mode", json!({"mode": "observe"})),
        (
            "POST",
            "/api/v1/mode",
            json!({"mode": "execute", "cluster": "prod"}),
        ),
        ("POST", "/api/v1/kill-switch", why.clone()),
        ("POST", "/api/v1/kill-switch", here.clone()),
        ("POST", "/api/v1/kill-switch/reset", why.clone()),
        ("POST", "/api/v1/kill-switch/reset", here),
        ("GET", "/api/v1/tokens", Value::Null),
        ("POST", "/api/v1/agents/agent:day/pause", why.clone()),
        ("POST", "/api/v1/agents/agent:night/resume", why.clone()),
        ("POST", &reject, why),
    ] {
        let refused = house.ask(method, path, &night, &body).await.is(403).json();
        assert_eq!(refused["code"], "not_a_person", "{method} {path} {refused}");
    }
    let mode = house.get("/api/v1/mode", &night).await.json();
    assert_eq!(mode, json!({"mode": "execute", "killed": null}));
}

/// Of the state and the journal an agent sees what it asked for itself, and on its cluster.
#[tokio::test]
async fn an_agent_sees_its_own_and_no_more() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let (_, day) = house.token("agent:day").await;
    let (_, spare) = house
        .token_of("agent:night", "spare", action_core::Risk::High)
        .await;
    let asked = house.propose(&night, 1).await.is(201).json();
    let execute = format!("/api/v1/proposals/{}/execute", id(&asked));
    house.post(&execute, &night, Value::Null).await.is(200);
    let proposal = format!("/api/v1/journal?proposal={}", id(&asked));
    for stranger in [&day, &spare] {
        for path in ["/api/v1/journal", &proposal] {
            let seen = house.get(path, stranger).await.is(200).json();
            assert_eq!(seen["entries"], json!([]), "{seen}");
            assert_eq!(seen["head"], Value::Null, "{seen}");
        }
        let state = house.get("/api/v1/state", stranger).await.is(200).body;
        assert!(!state.contains(id(&asked)), "{state}");
        assert!(!state.contains("agent:night"), "{state}");
    }
    let own = house.get("/api/v1/journal", &night).await.is(200).json();
    let kinds: Vec<&str> = own["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["record"]["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["proposed", "intent", "answer", "outcome"], "{own}");
    let state = house.get("/api/v1/state", &night).await.is(200).json();
    assert_eq!(state["state"]["ended"].as_array().unwrap().len(), 1);
    // Neither has it the tokens, its own among them, nor what counts for budgets.
    assert_eq!(state["state"].get("tokens"), None);
    assert_eq!(state["state"]["activity"], json!([]));
}

/// A signature is over one request to one gate, by one person, once and for minutes.
#[tokio::test]
async fn a_signature_counts_for_its_request_and_once() {
    let house = House::new().await;
    let now = jiff::Timestamp::now();
    let (mode, body) = ("/api/v1/mode", r#"{"mode":"observe"}"#);
    let line = house.signature(("user:ben", BEN), "POST", mode, body, now);
    let refused = async |method: &str, path: &str, head: &[&str], body: &str| {
        let answer = ask(house.at, method, path, head, body).await.is(401);
        assert_eq!(answer.json()["code"], "unproven", "{head:?}");
    };
    refused("POST", "/api/v1/kill-switch", &[&line], body).await;
    refused("POST", "/api/v1/mode?x=1", &[&line], body).await;
    refused("GET", mode, &[&line], body).await;
    refused("POST", mode, &[&line, "Host: localhost"], body).await;
    refused("POST", mode, &[&line, &line], body).await;
    refused("POST", mode, &[&line.replace("ben", "ana")], body).await;
    for (by, pem) in [
        ("user:ben", MALLORY),
        ("user:ben", ANA),
        ("user:mallory", MALLORY),
        ("agent:ben", BEN),
        ("system", BEN),
    ] {
        let line = house.signature((by, pem), "POST", mode, body, now);
        refused("POST", mode, &[&line], body).await;
    }
    for minutes in [-6, 6] {
        let other = now + jiff::SignedDuration::from_mins(minutes);
        let line = house.signature(("user:ben", BEN), "POST", mode, body, other);
        refused("POST", mode, &[&line], body).await;
    }
    for line in [
        "Authorization: Signed",
        "Authorization: Signed user:ben",
        "Authorization: Signed user:ben 2026-01-01T00:00:00Z x ",
        "Authorization: Signed user:ben never x x",
    ] {
        refused("POST", mode, &[line], body).await;
    }
    // Another body comes with the same words, and uses the signature up.
    refused("POST", mode, &[&line], r#"{"mode":"execute"}"#).await;
    refused("POST", mode, &[&line], body).await;
    let line = house.signature(
        ("user:ben", BEN),
        "POST",
        mode,
        body,
        now + jiff::SignedDuration::from_millis(1),
    );
    ask(house.at, "POST", mode, &[&line], body).await.is(200);
    refused("POST", mode, &[&line], body).await;
}
