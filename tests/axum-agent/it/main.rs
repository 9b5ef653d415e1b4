//! The server from outside: what an agent is told, call by call, and what people do beside it.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::net::SocketAddr;

use action_guard::{Decider, Mode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// One call: the status, and the answer.
async fn call(server: SocketAddr, method: &str, path: &str, body: Value) -> (u16, Value) {
    let body = body.to_string();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: agent\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_told_how_each_of_its_calls_stands() {
    let folder = tempfile::tempdir().unwrap();
    let guard = axum_agent::example::guard(folder.path()).await.unwrap();
    let controls = guard.controls();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    let router = axum_agent::router(guard, "agent:web".parse().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });

    let (_, tools) = call(server, "GET", "/tools", Value::Null).await;
    let names = tools.as_array().unwrap().iter().map(|tool| &tool["name"]);
    let names: Vec<&Value> = names.collect();
    assert_eq!(
        names,
        ["read_dial", "turn_dial", "lock_dial", "unlock_dial"]
    );

    let turn = async |value: Value| {
        call(
            server,
            "POST",
            "/tools/turn_dial",
            json!({ "value": value }),
        )
        .await
    };
    // Nothing is sent before a person says so.
    let (status, answer) = turn(json!(3)).await;
    assert_eq!(status, 403, "{answer}");
    assert!(
        answer["told"]
            .as_str()
            .unwrap()
            .contains("the mode is observe"),
        "{answer}"
    );
    let ana = "user:ana".parse().unwrap();
    let mode = controls.set_mode(Mode::Execute, Decider::claimed(&ana), "we begin");
    mode.await.unwrap();

    let (status, answer) = turn(json!("high")).await;
    assert_eq!(status, 422, "{answer}");
    assert!(
        answer["told"]
            .as_str()
            .unwrap()
            .contains("expected an integer from 0 to 9"),
        "{answer}"
    );
    let (status, answer) = turn(json!(0)).await;
    assert_eq!(
        (status, &answer["told"]),
        (200, &json!("not sent: nothing to do: the dial is at 0"))
    );
    let (status, turned) = turn(json!(3)).await;
    assert_eq!(
        (status, &turned["told"]),
        (200, &json!("applied: the dial is at 3"))
    );
    let (_, seen) = call(server, "POST", "/tools/read_dial", json!({})).await;
    assert!(
        seen["told"].as_str().unwrap().contains("\"value\":3"),
        "{seen}"
    );

    let (status, waits) = call(server, "POST", "/tools/lock_dial", json!({})).await;
    assert_eq!(status, 200, "{waits}");
    let id = waits["id"].as_str().unwrap();
    let told = format!(
        "not sent: proposal `{id}` needs 1 more approval from user:* (rule `locking takes a person (rule, line 9)`)"
    );
    assert_eq!(waits["told"], told);
    let proposal = format!("/proposals/{id}");
    assert_eq!(
        call(server, "POST", &proposal, Value::Null).await,
        (200, waits.clone())
    );
    // A person, beside the server, on the same journal.
    let state = controls.state().await.unwrap();
    let seen = state
        .proposal_status(id)
        .unwrap()
        .proposal
        .plan_hash
        .clone();
    let approved = controls.approve(id, &seen, Decider::claimed(&ana), None);
    approved.await.unwrap();
    let applied = json!({ "id": id, "told": "applied: the dial is at 3, locked" });
    assert_eq!(
        call(server, "POST", &proposal, Value::Null).await,
        (200, applied.clone())
    );
    // An agent that lost the answer asks again, and nothing is sent again.
    assert_eq!(
        call(server, "POST", &proposal, Value::Null).await,
        (200, applied.clone())
    );
    assert_eq!(
        call(server, "GET", &proposal, Value::Null).await,
        (200, applied)
    );

    // No rule lets an agent unlock it.
    let (status, answer) = call(server, "POST", &format!("{proposal}/undo"), Value::Null).await;
    assert_eq!(
        (status, &answer["told"]),
        (200, &json!("not sent: denied: no rule matches"))
    );
    let (status, answer) = call(server, "GET", "/proposals/none", Value::Null).await;
    assert_eq!(status, 404, "{answer}");
}
