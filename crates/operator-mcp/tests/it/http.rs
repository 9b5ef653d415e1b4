//! The server over streamable HTTP: who is let in, whose session it is, and what becomes of what was sent.

use action_core::Risk;
use operator_mcp::rmcp::model::CallToolResult;
use operator_mcp::{Ceiling, HttpOptions};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::bench::{Client, Era, House, call, said};
use crate::http_bench::{Served, message};

const NIGHT: &str = "agent:night";

async fn served(house: &House, ceiling: Ceiling) -> Served {
    let server = house.server("agent:nobody", ceiling);
    Served::new(server, HttpOptions::default()).await
}

fn switch(lamp: u8) -> Value {
    json!({"lamp": lamp, "lit": true})
}

#[track_caller]
fn check(answer: &reqwest::Response, status: u16) {
    assert_eq!(answer.status().as_u16(), status, "{answer:?}");
}

async fn status(request: RequestBuilder) -> StatusCode {
    request.send().await.unwrap().status()
}

/// What the answer to a call says.
async fn said_over_http(answer: reqwest::Response) -> Value {
    let text = answer.text().await.unwrap();
    let body: Value = serde_json::from_str(&text).unwrap();
    let text = body["result"]["content"][0]["text"].as_str();
    serde_json::from_str(text.unwrap_or_else(|| unreachable!("{body}"))).unwrap()
}

/// Looks until it is as wanted.
async fn until(wanted: impl AsyncFn() -> bool) {
    while !wanted().await {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_mutation_is_sent_once_proven_and_taken_back() {
    for era in [Era::Initialize, Era::Discover] {
        let house = House::new().await;
        let served = served(&house, Ceiling::UpTo(Risk::Low)).await;
        let client = served.client(NIGHT, era).await;
        let applied = said(&call(&client, "switch_lamp", switch(1)).await);
        assert_eq!(applied["standing"], "applied", "{applied}");
        let undo = json!({"proposal_id": applied["proposal_id"]});
        let undone = said(&call(&client, "undo", undo).await);
        assert_eq!(undone["standing"], "applied", "{undone}");
        assert_eq!(house.sent(), [(1, true), (1, false)]);
        let state = house.guard().state().await.unwrap();
        let asked = state.ended.iter().map(|one| &*one.proposal.request.actor);
        assert_eq!(asked.collect::<Vec<_>>(), [NIGHT, NIGHT]);
    }
}

#[tokio::test]
async fn each_request_is_served_for_its_own_caller() {
    for era in [Era::Initialize, Era::Discover] {
        let house = House::new().await;
        let served = served(&house, Ceiling::UpTo(Risk::Low)).await;
        let client = served.client(NIGHT, era).await;
        let applied = said(&call(&client, "switch_lamp", switch(1)).await);
        let id = json!({"proposal_id": applied["proposal_id"]});
        let other = served.client("agent:day", era).await;
        for tool in ["get_proposal", "undo"] {
            let theirs = call(&other, tool, id.clone()).await;
            assert_eq!(theirs.is_error, Some(true), "{tool}");
        }
        let banned = served.client("agent:banned", era).await;
        let denied = said(&call(&banned, "switch_lamp", switch(2)).await);
        assert_eq!(denied["standing"], "denied_by_policy", "{denied}");
        assert_eq!(house.sent(), [(1, true)]);
    }
}

#[tokio::test]
async fn a_caller_may_do_what_both_ceilings_cover() {
    for era in [Era::Initialize, Era::Discover] {
        let house = House::new().await;
        let served = served(&house, Ceiling::UpTo(Risk::Low)).await;
        for (who, switches) in [(NIGHT, true), ("agent:night/read-only", false)] {
            let client = served.client(who, era).await;
            let tools = client.list_all_tools().await.unwrap();
            let has = |name: &str| tools.iter().any(|tool| tool.name == name);
            assert_eq!(has("switch_lamp"), switches, "{who}");
            assert_eq!(has("undo"), switches, "{who}");
            assert!(has("list_lamps") && !has("rewire_lamp"), "{who}");
            let above = crate::bench::params("rewire_lamp", json!({"lamp": 5}));
            assert!(client.call_tool(above).await.is_err());
            let wanted = crate::bench::params("switch_lamp", switch(1));
            assert_eq!(client.call_tool(wanted).await.is_ok(), switches, "{who}");
        }
        // What was asked for through a server with a higher ceiling is not carried out here.
        let waits = said(&call(&house.client().await, "rewire_lamp", json!({"lamp": 5})).await);
        house.approve(waits["proposal_id"].as_str().unwrap()).await;
        let asked = json!({"proposal_id": waits["proposal_id"]});
        let client = served.client(NIGHT, era).await;
        let above = said(&call(&client, "execute_proposal", asked).await);
        assert_eq!(above["error"]["kind"], "refused", "{above}");
        assert_eq!(house.sent(), [(1, true)]);
    }
}

#[tokio::test]
async fn nobody_is_served_who_is_not_known() {
    let house = House::new().await;
    let served = served(&house, Ceiling::UpTo(Risk::Low)).await;
    let call = || served.call(NIGHT, "switch_lamp", switch(1));
    let mut unknown = call().build().unwrap();
    unknown.headers_mut().remove("authorization");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let refused = client.execute(unknown).await.unwrap();
    check(&refused, 401);
    assert_eq!(refused.headers()["www-authenticate"], "Bearer");
    assert_eq!(house.sent(), []);
    check(&call().send().await.unwrap(), 200);
    assert_eq!(house.sent(), [(1, true)]);
}

#[tokio::test]
async fn requests_come_from_known_places_and_are_not_too_large() {
    let house = House::new().await;
    let mut options = HttpOptions::default();
    options.allowed_hosts.push("gate.example".to_owned());
    options.allowed_origins = vec!["https://page.example:443".to_owned()];
    options.most_body_bytes = 10_000;
    let server = house.server("agent:nobody", Ceiling::UpTo(Risk::Low));
    let served = Served::new(server, options).await;
    let call = || served.call(NIGHT, "switch_lamp", switch(1));
    assert_eq!(status(call().header("host", "evil.example")).await, 403);
    for origin in ["https://evil.example", "null", "https://page.example:444"] {
        assert_eq!(status(call().header("origin", origin)).await, 403);
    }
    let large = json!({"lamp": 1, "lit": "x".repeat(10_000)});
    assert_eq!(status(served.call(NIGHT, "switch_lamp", large)).await, 413);
    let session = served.request(Method::GET, NIGHT);
    assert_eq!(status(session).await, 400, "a stream without a session");
    assert_eq!(house.sent(), []);
    let known = call().header("origin", "https://page.example");
    assert_eq!(status(known.header("host", "gate.example")).await, 200);
    assert_eq!(house.sent(), [(1, true)]);
}

#[tokio::test]
async fn no_page_may_ask_unless_it_is_listed() {
    let house = House::new().await;
    let served = served(&house, Ceiling::UpTo(Risk::Low)).await;
    let call = served.call(NIGHT, "switch_lamp", switch(1));
    let own = served.address.trim_end_matches("/mcp");
    assert_eq!(status(call.header("origin", own)).await, 403);
    assert_eq!(house.sent(), []);
}

#[tokio::test]
async fn a_session_is_unknown_to_all_but_the_caller_that_began_it() {
    let house = House::new().await;
    let served = served(&house, Ceiling::UpTo(Risk::Low)).await;
    let id = served.begin(NIGHT).await;
    let params = json!({"name": "switch_lamp", "arguments": switch(1)});
    let switch = message("tools/call", params);
    for other in ["agent:day", "agent:night/read-only", "agent:night/by-token"] {
        for method in [Method::POST, Method::GET, Method::DELETE] {
            let theirs = served.in_session(method.clone(), other, &id);
            let theirs = theirs.body(switch.clone());
            assert_eq!(status(theirs).await, 404, "{method} by {other}");
        }
    }
    assert_eq!(house.sent(), []);
    let mine = served
        .in_session(Method::POST, NIGHT, &id)
        .body(switch.clone());
    check(&mine.send().await.unwrap(), 200);
    until(async || house.sent() == [(1, true)]).await;
    let end = served.in_session(Method::DELETE, NIGHT, &id);
    assert_eq!(status(end).await, 204);
    for method in [Method::POST, Method::GET, Method::DELETE] {
        let over = served.in_session(method.clone(), NIGHT, &id);
        let over = over.body(switch.clone());
        assert_eq!(status(over).await, 404, "{method}");
    }
    assert_eq!(house.sent(), [(1, true)]);
}

#[tokio::test]
async fn of_many_sessions_the_one_that_was_not_used_for_longest_ends() {
    let house = House::new().await;
    let served = served(&house, Ceiling::ReadOnly).await;
    let other = served.begin("agent:day").await;
    let mut mine = Vec::new();
    for _ in 0..32 {
        mine.push(served.begin(NIGHT).await);
    }
    let list = message("tools/list", json!({}));
    let is_known = async |who: &str, id: &str| {
        let listed = served.in_session(Method::POST, who, id).body(list.clone());
        status(listed).await == 200
    };
    assert!(is_known(NIGHT, &mine[0]).await, "so it is used now");
    mine.push(served.begin(NIGHT).await);
    assert!(!is_known(NIGHT, &mine[1]).await);
    assert!(is_known(NIGHT, &mine[0]).await && is_known(NIGHT, &mine[32]).await);
    assert!(
        is_known("agent:day", &other).await,
        "another's is not one of them"
    );
}

/// A session that is ended ends what waits in it, and not what was sent.
#[tokio::test]
async fn what_was_sent_is_followed_when_its_session_is_ended() {
    let house = House::new().await;
    house.lamps.house(|house| house.hold_answers = true);
    let served = served(&house, Ceiling::UpTo(Risk::Low)).await;
    let id = served.begin(NIGHT).await;
    let params = json!({"name": "switch_lamp", "arguments": switch(1)});
    let call = served.in_session(Method::POST, NIGHT, &id);
    let call = call.body(message("tools/call", params));
    let call = tokio::spawn(async move { call.send().await?.text().await });
    until(async || !house.sent().is_empty()).await;
    assert_eq!(
        status(served.in_session(Method::DELETE, NIGHT, &id)).await,
        204
    );
    let unanswered = call.await.unwrap().unwrap_or_default();
    assert!(!unanswered.contains("applied"), "{unanswered}");
    house.lamps.house(|house| house.hold_answers = false);
    let client = served.client(NIGHT, Era::Initialize).await;
    until(async || {
        let again = said(&call_again(&client).await);
        assert_eq!(again["repeated"], true, "{again}");
        again["standing"] == "applied"
    })
    .await;
    assert_eq!(house.sent(), [(1, true)]);
}

async fn call_again(client: &Client) -> CallToolResult {
    call(client, "switch_lamp", switch(1)).await
}

/// Whoever repeats the call afterwards, nothing is sent twice.
#[tokio::test]
async fn what_was_sent_is_followed_when_its_client_is_gone() {
    for era in [Era::Initialize, Era::Discover] {
        let house = House::new().await;
        house.lamps.house(|house| house.hold_answers = true);
        let served = served(&house, Ceiling::UpTo(Risk::Low)).await;
        let request = match era {
            Era::Discover => served.call(NIGHT, "switch_lamp", switch(1)),
            Era::Initialize => {
                let id = served.begin(NIGHT).await;
                let params = json!({"name": "switch_lamp", "arguments": switch(1)});
                let call = served.in_session(Method::POST, NIGHT, &id);
                call.body(message("tools/call", params))
            }
        };
        let gone = tokio::spawn(async move { request.send().await?.text().await });
        until(async || !house.sent().is_empty()).await;
        gone.abort();
        assert!(gone.await.is_err(), "it is gone before its answer");
        house.lamps.house(|house| house.hold_answers = false);
        let client = served.client(NIGHT, Era::Discover).await;
        until(async || {
            let again = said(&call_again(&client).await);
            assert_eq!(again["repeated"], true, "{again}");
            again["standing"] == "applied"
        })
        .await;
        assert_eq!(house.sent(), [(1, true)], "{era:?}");
    }
}

#[tokio::test]
async fn many_callers_at_once_send_one_request_each() {
    let house = House::new().await;
    let served = served(&house, Ceiling::UpTo(Risk::Low)).await;
    let mut running = tokio::task::JoinSet::new();
    for at in 0..48 {
        let who = ["agent:a", "agent:b", "agent:c"][at % 3];
        let lamp = 1 + (at % 3) as u8;
        let request = served.call(who, "switch_lamp", switch(lamp));
        running.spawn(async move { said_over_http(request.send().await.unwrap()).await });
    }
    let mut ids = std::collections::BTreeSet::new();
    while let Some(said) = running.join_next().await {
        ids.insert(said.unwrap()["proposal_id"].to_string());
    }
    assert_eq!(ids.len(), 3);
    let mut sent = house.sent();
    sent.sort_unstable();
    assert_eq!(sent, [(1, true), (2, true), (3, true)]);
}

#[tokio::test]
async fn a_server_that_goes_down_answers_what_it_has_begun() {
    let house = House::new().await;
    house
        .lamps
        .house(|house| (house.hold_answers, house.slow) = (true, true));
    let served = served(&house, Ceiling::UpTo(Risk::High)).await;
    let waits = served.call(NIGHT, "rewire_lamp", json!({"lamp": 5}));
    let waits = said_over_http(waits.send().await.unwrap()).await;
    let look = json!({"proposal_id": waits["proposal_id"], "wait_seconds": 45});
    let look = served.call(NIGHT, "get_proposal", look);
    let look = tokio::spawn(async move { said_over_http(look.send().await.unwrap()).await });
    house.lamps.house(|house| house.hold_reads = true);
    let read = served.call(NIGHT, "list_lamps", json!({}));
    let read = tokio::spawn(async move { said_over_http(read.send().await.unwrap()).await });
    let send = served.call(NIGHT, "switch_lamp", switch(1));
    let send = tokio::spawn(async move { said_over_http(send.send().await.unwrap()).await });
    until(async || !house.sent().is_empty()).await;
    let down = tokio::spawn({
        let service = served.service.clone();
        async move { service.shut_down().await }
    });
    until(async || status(served.call(NIGHT, "plan", json!({}))).await == 503).await;
    assert_eq!(read.await.unwrap()["error"]["kind"], "refused");
    assert_eq!(look.await.unwrap()["standing"], "waits_for_approval");
    house.lamps.house(|house| house.hold_answers = false);
    let sent = send.await.unwrap();
    assert_eq!(sent["standing"], "in_progress", "{sent}");
    down.await.unwrap();
    assert_eq!(house.sent(), [(1, true)]);
}
