//! What a request says beside what it is asked for: nothing of it is passed over in silence.

use serde_json::{Value, json};

use crate::client::ask;
use crate::house::{BEN, House, id};
use crate::routes::GUARDED;

/// What is behind the `?` and not understood is named, on each route.
#[tokio::test]
async fn a_parameter_that_is_unknown_or_there_twice_is_named() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let token = format!("Authorization: Bearer {night}");
    for (method, path) in GUARDED {
        for name in ["x", "token", "access_token", "Limit"] {
            let asked = format!("{path}?{name}=1");
            let refused = ask(house.at, method, &asked, &[&token], "{}").await.is(400);
            let refused = refused.json();
            assert_eq!(refused["code"], "invalid_input", "{method} {asked}");
            let detail = refused["detail"].as_str().unwrap();
            let begin = format!("unknown query parameter `{name}`; this path takes ");
            assert!(detail.starts_with(&begin), "{method} {asked}: {detail}");
        }
    }
    for path in ["/healthz", "/readyz", "/api/v1/openapi.json"] {
        ask(house.at, "GET", path, &[], "").await.is(200);
        let asked = format!("{path}?x=1");
        ask(house.at, "GET", &asked, &[], "").await.is(400);
    }
    let twice = "/api/v1/clusters/prod/proposals?limit=1&limit=2";
    let twice = house.get(twice, &night).await.is(400).json();
    assert_eq!(
        twice["detail"],
        "the query parameter `limit` appears twice: give it once"
    );
    let long = format!("/api/v1/mode?{}=1", "x".repeat(2_000));
    let long = house.get(&long, &night).await.is(400);
    assert!(long.body.len() < 400, "{}", long.body);
    house.get("/api/v1/mode?", &night).await.is(200);
}

/// Of a member that is there twice, somebody on the way may have gone by the other one.
#[tokio::test]
async fn a_member_that_is_there_twice_is_named() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let token = format!("Authorization: Bearer {night}");
    let post = async |path: &str, body: &str| {
        let answer = ask(house.at, "POST", path, &[&token], body).await.is(400);
        let answer = answer.json();
        assert_eq!(answer["code"], "invalid_body", "{path} {body}");
        answer["detail"].as_str().unwrap().to_owned()
    };
    let wanted =
        |parameters: &str| format!(r#"{{"action": "switch_lamp", "parameters": {parameters}}}"#);
    for path in ["proposals", "drafts", "plan"] {
        let path = format!("/api/v1/clusters/prod/{path}");
        for parameters in [
            r#"{"lamp": 1, "lamp": 2, "lit": true}"#,
            r#"{"lamp": 1, "\u006camp": 2, "lit": true}"#,
        ] {
            let detail = post(&path, &wanted(parameters)).await;
            assert!(detail.contains("duplicate key `lamp`"), "{detail}");
        }
        let twice = r#"{"action": "switch_lamp", "action": "rewire_lamp"}"#;
        let detail = post(&path, twice).await;
        assert!(detail.contains("duplicate key `action`"), "{detail}");
    }
    let call = r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "switch_lamp",
        "arguments": {"lamp": 1, "lamp": 2, "lit": true}}}"#;
    let detail = post("/mcp/prod", call).await;
    assert!(detail.contains("duplicate key `lamp`"), "{detail}");
    assert_eq!(house.proposals().await, 0);
}

/// Who has heard more than there is has listened to another journal, and would miss what comes.
#[tokio::test]
async fn who_has_heard_more_than_there_is_is_told() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let head = house.journal.head().await.unwrap().seq;
    let line = format!("Authorization: Bearer {night}");
    let beyond = format!("Last-Event-ID: {}", head + 1);
    let refused = ask(house.at, "GET", "/events", &[&line, &beyond], "").await;
    let detail = refused.is(400).json()["detail"].clone();
    let detail = detail.as_str().unwrap();
    assert!(detail.contains("`Last-Event-ID` is"), "{detail}");
    assert!(detail.contains(&format!("is {head}")), "{detail}");
    let path = format!("/events?after={}", u64::MAX);
    house.get(&path, &night).await.is(400);
}

/// What was shown before it is what is proposed, by the same id, for who was shown it and once.
#[tokio::test]
async fn a_proposal_has_the_id_of_the_draft_that_was_shown() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let (_, day) = house.token("agent:day").await;
    let body = json!({"action": "switch_lamp", "parameters": {"lamp": 1, "lit": true}});
    let (drafts, proposals) = (
        "/api/v1/clusters/prod/drafts",
        "/api/v1/clusters/prod/proposals",
    );
    let draft = house
        .post(drafts, &night, body.clone())
        .await
        .is(200)
        .json();
    let of = |draft: &Value| {
        let mut body = body.clone();
        body["draft"] = json!(id(draft));
        body
    };
    // Nobody else's, and none that was not shown.
    let other = house.post(proposals, &day, of(&draft)).await.is(201).json();
    assert_ne!(id(&other), id(&draft));
    let mut chosen = of(&draft);
    chosen["draft"] = json!("00000000-0000-7000-8000-000000000000");
    let other = house.post(proposals, &night, chosen).await.is(201).json();
    assert!(!id(&other).starts_with("00000000"), "{other}");
    let key = format!("Authorization: Bearer {night}\r\nIdempotency-Key: k");
    let text = of(&draft).to_string();
    let asked = ask(house.at, "POST", proposals, &[&key], &text).await;
    let asked = asked.is(201).json();
    assert_eq!(id(&asked), id(&draft));
    // Its answer was lost, and it is asked for again.
    let again = ask(house.at, "POST", proposals, &[&key], &text).await;
    assert_eq!(id(&again.is(200).json()), id(&draft));
    let once = house
        .post(proposals, &night, of(&draft))
        .await
        .is(201)
        .json();
    assert_ne!(id(&once), id(&draft));
    house.post(drafts, &night, of(&draft)).await.is(400);
    // The same of what takes it back.
    let path = format!("/api/v1/proposals/{}", id(&asked));
    let execute = format!("{path}/execute");
    house.post(&execute, &night, Value::Null).await.is(200);
    let why = json!({"reason": "enough"});
    let undo = format!("{path}/undo");
    let draft = house.post(&format!("{undo}/draft"), &night, why).await;
    let draft = draft.is(200).json();
    let body = json!({"reason": "enough", "draft": id(&draft)});
    let back = house.post(&undo, &night, body).await.is(201).json();
    assert_eq!(id(&back), id(&draft));
    // A person's, who signs what they ask.
    let ben = ("user:ben", BEN);
    let draft = house.ask_as(ben, "POST", drafts, &body_of(3)).await;
    let draft = draft.is(200).json();
    let mut body = body_of(3);
    body["draft"] = json!(id(&draft));
    let asked = house.ask_as(ben, "POST", proposals, &body).await;
    assert_eq!(id(&asked.is(201).json()), id(&draft));
}

fn body_of(lamp: u8) -> Value {
    json!({"action": "switch_lamp", "parameters": {"lamp": lamp, "lit": true}})
}
