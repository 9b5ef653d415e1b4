//! A host that breaks rules over HTTP: many calls at once, some cut off, some that are no calls.

use action_core::Risk;
use operator_mcp::{Ceiling, HttpOptions};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::bench::House;
use crate::http_bench::{Served, message};

const AGENT: &str = "agent:wild";

/// What is asked, in turn, within a session or without.
fn request(served: &Served, session: &str, at: u64) -> RequestBuilder {
    let call = |tool: &str, arguments: Value| match at % 2 {
        0 => served.call(AGENT, tool, arguments),
        _ => {
            let params = json!({"name": tool, "arguments": arguments});
            let call = served.in_session(Method::POST, AGENT, session);
            call.body(message("tools/call", params).replace("\"id\":1", &format!("\"id\":{at}")))
        }
    };
    let raw = |body: Vec<u8>| served.request(Method::POST, AGENT).body(body);
    match at / 2 % 10 {
        0 => call("list_lamps", json!({"count": 5_000})),
        1 => call("no_such_tool", json!({})),
        2 => call(
            "switch_lamp",
            json!({"lit": "x", "lamp": {"a": [1]}, "more": null}),
        ),
        3 if at > 100 => call("list_lamps", json!({"count": "x".repeat(10_000_000)})),
        3 => raw(b"{\"jsonrpc\": \"2.0\", \"id\": 1, \"meth".to_vec()),
        4 => raw(vec![b'['; 100_000]),
        5 => raw(vec![0xff, 0xfe, 0x00]),
        6 => call("rewire_lamp", json!({"lamp": 5})),
        7 => {
            let cancelled = json!({"requestId": at - 4, "reason": "no more"});
            let cancelled =
                json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled});
            let cancel = served.in_session(Method::POST, AGENT, session);
            cancel.body(cancelled.to_string())
        }
        _ => call("switch_lamp", json!({"lamp": 1 + at % 8, "lit": true})),
    }
}

#[tokio::test]
async fn two_hundred_calls_that_are_cut_off_at_random_send_nothing_twice() {
    let house = House::new().await;
    let server = house.server("agent:nobody", Ceiling::UpTo(Risk::High));
    let served = Served::new(server, HttpOptions::default()).await;
    let session = served.begin(AGENT).await;
    let mut asked = Vec::new();
    for at in 0..200_u64 {
        let request = request(&served, &session, at);
        asked.push(tokio::spawn(async move {
            let answer = request.send().await?;
            let status = answer.status();
            answer.text().await.map(|text| (status, text))
        }));
        // By no rule that the server could know.
        if at.wrapping_mul(2_654_435_761) % 5 == 0 {
            let cut_off = usize::try_from(at * 7 % (at + 1)).unwrap();
            asked[cut_off].abort();
            tokio::task::yield_now().await;
        }
    }
    let mut answered = 0;
    for asked in asked {
        // One that is cut off, and one that is too large to be written whole, have no answer.
        let Ok(Ok((status, text))) = asked.await else {
            continue;
        };
        answered += 1;
        let expected = [200, 202, 400, 413, 415, 422];
        assert!(expected.contains(&status.as_u16()), "{status}: {text}");
    }
    assert!(answered > 100, "{answered}");

    let guard = house.guard();
    let state = loop {
        let state = guard.state().await.unwrap();
        let is_followed =
            |one: &&std::sync::Arc<action_guard::ProposalStatus>| one.intent.is_some();
        if state.open.values().filter(is_followed).count() == 0 {
            break state;
        }
        tokio::task::yield_now().await;
    };
    let mut sent = house.sent();
    sent.sort_unstable();
    let mut intended = Vec::new();
    for ended in state.ended.iter().filter(|one| one.intent.is_some()) {
        let asked = &ended.proposal.request;
        assert_eq!((&*asked.action, &*asked.actor), ("switch_lamp", AGENT));
        intended.push(asked.parameters["lamp"].clone());
    }
    assert!(!sent.is_empty());
    for (lamp, _) in &sent {
        assert!(intended.contains(&json!(lamp)), "sent without an intent");
    }
    let all = sent.len();
    sent.dedup();
    assert_eq!(sent.len(), all, "sent twice");

    let list = served.call(AGENT, "list_lamps", json!({})).send().await;
    assert_eq!(list.unwrap().status(), 200, "it serves on");
}
