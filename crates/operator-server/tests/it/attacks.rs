//! What is tried by who has no token, somebody else's, a browser, the network or the journal.

use std::time::Duration;

use action_core::Risk;
use action_guard::{Decider, Guard, Request};
use operator_mcp::Ceiling;
use operator_server::{Gate, GateError, Options};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{Answer, ask};
use crate::house::{ANA, BEN, House, MALLORY, actor, id, prod};
use crate::lamps::Lamps;
use crate::routes::GUARDED;

#[track_caller]
fn is_unproven(answer: Answer) {
    let answer = answer.is(401);
    assert!(
        answer.head.contains("www-authenticate: bearer"),
        "{answer:?}"
    );
    assert!(
        answer
            .head
            .contains("content-type: application/problem+json"),
        "{answer:?}"
    );
    let body = answer.json();
    assert_eq!(
        (&body["status"], &body["code"]),
        (&json!(401), &json!("unproven"))
    );
    // Whether there is such a token, was or will be, is not told.
    assert_eq!(
        body["detail"],
        "not authenticated: a valid token is required"
    );
}

#[tokio::test]
async fn without_a_token_that_counts_everything_is_refused() {
    let mut options = Options::default();
    options.most_per_minute = 10_000;
    let house = House::with(options).await;
    let (id, revoked) = house.token("agent:night").await;
    let controls = house.controls();
    controls
        .revoke_token(&id, &actor("user:ana"), "leaked")
        .await
        .unwrap();
    let (_, good) = house.token("agent:night").await;
    let typed = format!("{}0", &good[..good.len() - 1]);
    let unknown = format!("opgt_{}", "0".repeat(72));
    let lines = [
        String::new(),
        format!("Authorization: Bearer {revoked}"),
        format!("Authorization: Bearer {unknown}"),
        format!("Authorization: Bearer {} ", &good[..76]),
        format!("Authorization: Basic {good}"),
        format!("Authorization: {good}"),
        format!("X-Token: {good}"),
        format!("Authorization: Bearer {good}\r\nAuthorization: Bearer {good}"),
        "Authorization: Bearer agent:night".to_owned(),
    ];
    for (method, path) in GUARDED {
        for line in &lines {
            let head: Vec<&str> = (!line.is_empty())
                .then_some(line.as_str())
                .into_iter()
                .collect();
            is_unproven(ask(house.at, method, path, &head, "{}").await);
            let path = format!("{path}?token={good}&access_token={good}");
            is_unproven(ask(house.at, method, &path, &head, "{}").await);
        }
    }
    if typed != good {
        is_unproven(house.get("/api/v1/mode", &typed).await);
    }
    house.get("/api/v1/mode", &good).await.is(200);
    assert_eq!(house.proposals().await, 0);
}

#[tokio::test]
async fn nothing_of_another_agent_is_seen_or_touched() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let (_, day) = house.token("agent:day").await;
    let asked = house.propose(&night, 1).await.is(201).json();
    let path = format!("/api/v1/proposals/{}", id(&asked));
    let gone = house.get("/api/v1/proposals/none", &day).await.is(404).body;
    assert_eq!(house.get(&path, &day).await.is(404).body, gone);
    for what in ["execute", "undo", "undo/draft", "cancel", "reject"] {
        let body = json!({"reason": "mine"});
        let answer = house.post(&format!("{path}/{what}"), &day, body).await;
        assert_eq!(answer.is(404).body, gone, "{what}");
    }
    let listed = house
        .get("/api/v1/clusters/prod/proposals", &day)
        .await
        .json();
    assert_eq!(listed, json!({"proposals": [], "next": null}));
    assert_eq!(
        house.get(&path, &night).await.is(200).json()["phase"],
        "approved"
    );
    assert!(house.sent().is_empty());
}

#[tokio::test]
async fn a_token_reaches_no_other_cluster_and_no_higher_risk() {
    let house = House::new().await;
    let (_, spare) = house.token_of("agent:spare", "spare", Risk::High).await;
    for (method, path) in GUARDED {
        if path.contains("prod") {
            house.ask(method, path, &spare, &json!({})).await.is(404);
        }
    }
    let rewire = json!({"action": "rewire_lamp", "parameters": {"lamp": 1}});
    let path = "/api/v1/clusters/prod/proposals";
    // More than the gate allows, whatever the token says.
    let (_, high) = house.token("agent:night").await;
    assert_eq!(
        house.post(path, &high, rewire).await.is(403).json()["code"],
        "too_risky"
    );
    let (_, night) = house.token_of("agent:night", "prod", Risk::Low).await;
    let asked = house.propose(&night, 1).await.is(201).json();
    assert_eq!(asked["phase"], "approved");
    assert!(house.sent().is_empty());
}

#[tokio::test]
async fn a_token_that_is_revoked_stops_at_once_what_was_asked_for_with_it() {
    let house = House::new().await;
    let (token, night) = house.token("agent:night").await;
    let asked = house.propose(&night, 1).await.is(201).json();
    let controls = house.controls();
    controls
        .revoke_token(&token, &actor("user:ben"), "leaked")
        .await
        .unwrap();
    let path = format!("/api/v1/proposals/{}/execute", id(&asked));
    is_unproven(house.post(&path, &night, Value::Null).await);
    // A new one of the same agent does not carry out what the old one asked for.
    let (_, next) = house.token("agent:night").await;
    let refused = house.post(&path, &next, Value::Null).await.is(403).json();
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("it was revoked"),
        "{refused}"
    );
    assert!(house.sent().is_empty());
}

#[tokio::test]
async fn nobody_approves_but_a_person_with_their_key_who_is_not_behind_it() {
    let house = House::new().await;
    let (_, careful) = house.token("agent:careful").await;
    let asked = house.propose(&careful, 1).await.is(201).json();
    for (by, pem) in [
        ("user:ben", MALLORY),
        ("user:ben", ANA),
        ("user:mallory", MALLORY),
        ("agent:careful", MALLORY),
        ("system", BEN),
    ] {
        house.approve(by, pem, &asked).await.is(401);
    }
    // Who made the token answers for it.
    let own = house.approve("user:ana", ANA, &asked).await.is(403).json();
    assert!(
        own["detail"]
            .as_str()
            .unwrap()
            .contains("somebody else must approve"),
        "{own}"
    );
    let path = format!("/api/v1/proposals/{}/approve", id(&asked));
    let plan = &asked["proposal"]["plan_hash"];
    let until = "2099-01-01T00:00:00Z";
    let unsigned = json!({"by": "user:ben", "plan_hash": plan, "expires_at": until});
    house.post(&path, &careful, unsigned.clone()).await.is(400);
    let mut said = unsigned;
    said["signature"] = json!("");
    house.post(&path, &careful, said.clone()).await.is(401);
    // An actor is text: what says of itself how it was proven is no actor.
    said["by"] = json!({"actor": "user:ben", "proven_by": {"kind": "signature"}});
    house.post(&path, &careful, said).await.is(400);
    // Who has no key learns nothing of which proposals there are.
    let none = house
        .approve_plan("user:ben", MALLORY, "none", plan.clone())
        .await;
    let some = house
        .approve_plan("user:ben", MALLORY, id(&asked), plan.clone())
        .await;
    assert_eq!(none.is(401).body, some.is(401).body);
    let execute = format!("/api/v1/proposals/{}/execute", id(&asked));
    let waits = house.post(&execute, &careful, Value::Null).await.json();
    assert_eq!(waits["phase"], "needs_approval", "{waits}");
    assert!(house.sent().is_empty());
}

/// Whoever can write the journal as every local process does.
#[tokio::test]
async fn what_a_local_process_says_lets_nothing_through() {
    let house = House::new().await;
    let local = house.local();
    let parameters = json!({"lamp": 1, "lit": true});
    let claimed = Request::new("switch_lamp", parameters, "agent:night");
    let claimed = local
        .propose(claimed)
        .await
        .unwrap()
        .into_proposal()
        .unwrap();
    let (_, night) = house.token("agent:night").await;
    let path = format!("/api/v1/proposals/{}/execute", claimed.id);
    let refused = house.post(&path, &night, Value::Null).await.is(403).json();
    assert!(
        refused["detail"].as_str().unwrap().contains("not proven"),
        "{refused}"
    );
    let (_, careful) = house.token("agent:careful").await;
    let asked = house.propose(&careful, 2).await.is(201).json();
    let status = local.proposal_status(id(&asked)).await.unwrap();
    let by = actor("user:carl");
    let controls = local.controls();
    let seen = &status.proposal.plan_hash;
    controls
        .approve(id(&asked), seen, Decider::claimed(&by), None)
        .await
        .unwrap();
    let path = format!("/api/v1/proposals/{}/execute", id(&asked));
    house.post(&path, &careful, Value::Null).await.is(403);
    assert!(house.sent().is_empty());
}

#[tokio::test]
async fn what_a_browser_sends_is_refused() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let token = format!("Authorization: Bearer {night}");
    let own = format!("Origin: http://{}", house.at);
    let cookie = format!("Cookie: token={night}");
    for (method, path) in GUARDED {
        for (line, code) in [
            (cookie.as_str(), "cookie"),
            ("Cookie: ", "cookie"),
            (own.as_str(), "origin"),
            ("Origin: null", "origin"),
            ("Host: evil.example", "host"),
            ("Host: 127.0.0.1.evil.example", "host"),
            ("Host: localhost@evil.example", "host"),
        ] {
            let answer = ask(house.at, method, path, &[&token, line], "{}")
                .await
                .is(403);
            assert_eq!(answer.json()["code"], code, "{line}");
        }
    }
    let hosts = [token.as_str(), "Host: localhost\r\nHost: x"];
    let two = ask(house.at, "GET", "/api/v1/mode", &hosts, "").await;
    assert!([400, 403].contains(&two.status), "{two:?}");
    ask(
        house.at,
        "GET",
        "/api/v1/mode",
        &[&token, "Host: LocalHost:1"],
        "",
    )
    .await
    .is(200);
    for method in ["OPTIONS", "TRACE", "CONNECT"] {
        let answer = ask(house.at, method, "/api/v1/mode", &[&own], "").await;
        assert!(answer.status >= 400 || answer.status == 0, "{answer:?}");
        assert!(!answer.head.contains("access-control"), "{answer:?}");
    }
}

#[tokio::test]
async fn what_is_too_large_too_often_or_not_what_is_asked_for_is_refused() {
    let mut options = Options::default();
    (options.most_body_bytes, options.most_per_minute) = (2_000, 30);
    let house = House::with(options).await;
    let (_, night) = house.token("agent:night").await;
    let path = "/api/v1/clusters/prod/proposals";
    house
        .post(path, &night, json!({"action": "x".repeat(3_000)}))
        .await
        .is(413);
    house
        .post("/mcp/prod", &night, json!({"action": "x".repeat(3_000)}))
        .await
        .is(413);
    for body in [
        json!([]),
        json!({"action": 7}),
        json!({"action": "switch_lamp", "actor": "user:ana"}),
        json!({"action": "switch_lamp", "proven_by": {"kind": "gate"}}),
        json!({"action": "switch_lamp", "carried_out_by": ["user:ana"]}),
    ] {
        assert_eq!(
            house.post(path, &night, body).await.is(400).json()["code"],
            "invalid_body"
        );
    }
    let wrong = json!({"action": "switch_lamp", "parameters": {"lamp": 77, "lit": 1}});
    let wrong = house.post(path, &night, wrong).await.is(422).json();
    assert!(
        wrong["detail"].as_str().unwrap().contains("lamp"),
        "{wrong}"
    );
    house.get("/none", &night).await.is(404);
    let mut last = 200;
    for _ in 0..31 {
        last = house.get("/api/v1/mode", &night).await.status;
    }
    assert_eq!(last, 429);
    // Another agent is not in the way of the first, and who guesses is in nobody's.
    let (_, day) = house.token("agent:day").await;
    house.get("/api/v1/mode", &day).await.is(200);
    for _ in 0..31 {
        last = house.get("/api/v1/mode", "opgt_guess").await.status;
    }
    assert_eq!(last, 429);
    house.get("/api/v1/mode", &day).await.is(200);
    assert_eq!(house.proposals().await, 0);
}

/// Who sends a letter at a time has a connection for as long as is said, and no longer.
#[tokio::test]
async fn who_does_not_get_on_is_ended() {
    let mut options = Options::default();
    options.read_within = Duration::from_millis(100);
    let house = House::with(options).await;
    let (_, night) = house.token("agent:night").await;
    let mut head = TcpStream::connect(house.at).await.unwrap();
    head.write_all(b"GET / HT").await.unwrap();
    let mut rest = Vec::new();
    let _ = head.read_to_end(&mut rest).await;
    let mut body = TcpStream::connect(house.at).await.unwrap();
    let request = format!(
        "POST /api/v1/clusters/prod/proposals HTTP/1.1\r\nHost: localhost\r\n\
         Authorization: Bearer {night}\r\nContent-Length: 100\r\n\r\n{{"
    );
    body.write_all(request.as_bytes()).await.unwrap();
    let mut start = [0; 12];
    body.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 408");
    house.get("/api/v1/mode", &night).await.is(200);
}

#[tokio::test]
async fn beyond_this_machine_it_is_not_served_without_tls() {
    let gate = |options: Options| {
        let guard = Guard::new(
            Lamps::default().registry(),
            action_guard::MemoryJournal::new(),
        );
        Gate::new(options)
            .cluster(prod(), guard, Ceiling::ReadOnly)
            .unwrap()
    };
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let refused = gate(Options::default())
        .serve(listener, std::future::pending())
        .await;
    assert!(matches!(refused, Err(GateError::Plain(_))), "{refused:?}");
    let mut options = Options::default();
    options.plain_beyond_loopback = true;
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    gate(options)
        .serve(listener, std::future::ready(()))
        .await
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nothing = Gate::new(Options::default());
    let nothing = nothing.serve(listener, std::future::ready(())).await;
    assert!(matches!(nothing, Err(GateError::NoCluster)), "{nothing:?}");
    let guard = Guard::new(
        Lamps::default().registry(),
        action_guard::MemoryJournal::new(),
    );
    let twice = gate(Options::default()).cluster(prod(), guard, Ceiling::ReadOnly);
    assert!(matches!(twice, Err(GateError::Twice(_))), "{twice:?}");
}
