//! Scripting the simulator from another process, and what breaks on the wire.

use std::time::{Duration, Instant};

use pd_sim::{Fault, Outage, Sim, Version};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::http::{Answer, Unanswered, ask, get, post, send, start, start_with};

async fn control(sim: &Sim, command: &Json) -> Answer {
    let command = command.to_string();
    let answer = ask(sim.endpoint(), "POST", "/sim/control", &[], &command).await;
    answer.expect("an answer")
}

#[tokio::test]
async fn the_control_path_is_off_by_default() {
    let sim = start().await;
    let answer = control(&sim, &json!({"clear_faults": {}})).await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn faults_are_armed_over_the_control_path() {
    let sim = start_with(|builder| builder.control(true)).await;
    let cases = [
        (json!({"effect": "too_many_requests"}), Some(429)),
        (json!({"effect": "no_leader"}), Some(503)),
        (json!({"effect": "redirect_failed"}), Some(500)),
        (json!({"effect": "panic"}), Some(500)),
        (json!({"effect": "answer", "status": 418}), Some(418)),
        (json!({"effect": "close"}), None),
        (json!({"effect": "drop"}), None),
        (json!({"effect": "reset_before"}), None),
        (json!({"effect": "garbage"}), None),
        (json!({"effect": "truncate"}), None),
        (json!({"effect": "delay", "delay_ms": 1}), Some(200)),
        (json!({"effect": "drip", "delay_ms": 1}), Some(200)),
    ];
    for (mut fault, status) in cases {
        fault["method"] = "GET".into();
        fault["path"] = "/version".into();
        let armed = control(&sim, &json!({"fault": fault})).await;
        assert_eq!((armed.status, &*armed.text()), (200, "{}\n"), "{fault}");
        let answer = send(&sim, "GET", "/version", "").await;
        assert_eq!(answer.map(|answer| answer.status), status, "{fault}");
        // It strikes once.
        assert_eq!(get(&sim, "/version").await.status, 200);
    }
}

#[tokio::test]
async fn what_the_control_path_does_not_know_it_names() {
    let sim = start_with(|builder| builder.control(true)).await;
    for (command, named) in [
        (json!({"nope": {}}), "unknown variant `nope`"),
        (json!({"advance": {"s": 5}}), "unknown field `s`"),
        (
            json!({"store": {"id": 99, "stuck": true}}),
            "there is no store 99",
        ),
    ] {
        let answer = control(&sim, &command).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains(named), "{}", answer.text());
    }
}

#[tokio::test]
async fn time_stores_and_leaders_are_moved_over_the_control_path() {
    let sim = start_with(|builder| builder.control(true).members(3)).await;
    control(&sim, &json!({"store": {"id": 2, "stuck": true}})).await;
    control(&sim, &json!({"advance": {"ms": 30_000}})).await;
    assert_eq!(sim.state_name(2), Some("Disconnected"));
    let command = json!({"change_leader": {"election_ms": 13_000, "outage": "redirect_failed"}});
    control(&sim, &command).await;
    assert_eq!(get(&sim, "/stores").await.status, 500);
    control(&sim, &json!({"advance": {"ms": 13_000}})).await;
    assert_eq!(sim.leader_name().as_deref(), Some("pd1"));
    post(&sim, "/leader/transfer/pd2", "").await;
    let report = ask(sim.endpoint(), "GET", "/sim/control", &[], "").await;
    let report: Json = serde_json::from_str(&report.expect("an answer").text()).expect("JSON");
    assert_eq!(report["leader"], "pd2");
    assert_eq!(report["received"], 2);
    assert_eq!(report["writes"][0]["path"], "/leader/transfer/pd2");
}

#[tokio::test]
async fn a_reset_breaks_the_connection_before_or_after() {
    for (fault, applied) in [
        (Fault::reset_before_apply("POST", "/operators"), false),
        (Fault::reset_after_apply("POST", "/operators"), true),
    ] {
        let sim = start().await;
        let region = sim.region_ids()[0];
        sim.fault(fault);
        let body = json!({"name": "transfer-leader", "region_id": region, "to_store_id": 2});
        let body = body.to_string();
        let address = sim.endpoint().trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let request = format!(
            "POST /pd/api/v1/operators HTTP/1.1\r\nhost: pd\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let error = stream.read(&mut [0; 16]).await.expect_err("a reset");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        assert_eq!(sim.operator(region).is_some(), applied);
    }
}

#[tokio::test]
async fn a_slow_answer_comes_in_pieces() {
    let sim = start().await;
    let whole = get(&sim, "/stores").await;
    sim.fault(Fault::slow_drip("GET", "/stores", Duration::from_millis(2)));
    let begun = Instant::now();
    let slow = get(&sim, "/stores").await;
    assert!(begun.elapsed() >= Duration::from_millis(32));
    assert_eq!(slow.body, whole.body);
}

#[tokio::test]
async fn the_same_seed_and_requests_give_the_same_answers() {
    let run = |seed: u64| async move {
        let start = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let sim = start_with(|builder| {
            let builder = builder.version(Version::V8_5).balance_leader(true);
            builder.seed(seed).start_time(start).members(3)
        })
        .await;
        let mut bodies = Vec::new();
        let region = sim.region_ids()[3];
        let requests = [
            (
                "POST",
                "/schedulers",
                json!({"name": "evict-leader-scheduler", "store_id": 1}),
            ),
            (
                "POST",
                "/config",
                json!({"leader-schedule-limit": 9, "nope": 1}),
            ),
            (
                "POST",
                "/operators",
                json!({"name": "transfer-peer", "region_id": region, "from_store_id": 4,
                    "to_store_id": 2}),
            ),
            ("GET", "/operators", Json::Null),
            ("GET", "/stores", Json::Null),
            ("GET", "/config/schedule", Json::Null),
        ];
        for _ in 0..3 {
            for (method, path, body) in &requests {
                let body = if body.is_null() {
                    String::new()
                } else {
                    body.to_string()
                };
                let answer = send(&sim, method, path, &body).await.expect("an answer");
                bodies.push((answer.status, answer.date, answer.body));
            }
            sim.advance(Duration::from_millis(700));
        }
        sim.change_leader(Duration::from_secs(5), Outage::NoLeader);
        sim.advance(Duration::from_secs(60));
        for path in ["/regions", "/stores", "/operators/records"] {
            let answer = get(&sim, path).await;
            bodies.push((answer.status, answer.date, answer.body));
        }
        bodies
    };
    assert_eq!(run(5).await, run(5).await);
    assert_ne!(run(5).await, run(6).await);
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let sim = start().await;
    let port = sim.endpoint().rsplit(':').next().expect("a port");
    let port = port.parse().expect("a number");
    let refused = Sim::builder().port(port).start().await;
    assert!(refused.is_err_and(|error| error.to_string().contains("cannot listen")));
    drop(sim);
}

#[tokio::test]
async fn a_stopped_member_refuses_connections() {
    let sim = start_with(|builder| builder.members(2)).await;
    sim.stop_member(1).await;
    let answer = ask(&sim.endpoints()[1], "GET", "/pd/api/v1/version", &[], "").await;
    assert_eq!(answer, Err(Unanswered::Refused));
}
