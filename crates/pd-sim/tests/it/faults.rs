//! Faults: what the client sees, and what was applied.

use std::time::{Duration, Instant};

use pd_sim::{Fault, Sim};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::http::{Answer, get, send, start};

/// Sends a leader transfer under a fault: the answer, and whether an operator runs.
async fn transfer_under(fault: Fault) -> (Option<Answer>, bool, Sim) {
    let sim = start().await;
    let region = sim.region_ids()[0];
    sim.fault(fault);
    let body = json!({"name": "transfer-leader", "region_id": region, "to_store_id": 2});
    let answer = send(&sim, "POST", "/operators", &body.to_string()).await;
    let applied = sim.operator(region).is_some();
    (answer, applied, sim)
}

#[tokio::test]
async fn a_lost_reply_was_applied() {
    let fault = Fault::reply_lost_after_apply("POST", "/operators");
    let (answer, applied, sim) = transfer_under(fault).await;
    assert_eq!((answer, applied), (None, true));
    assert_eq!(sim.received("POST", "/operators"), 1);
    assert_eq!(sim.writes()[0].caller_id.as_deref(), Some("recorder"));
    // It strikes once.
    assert_eq!(get(&sim, "/operators").await.status, 200);
}

#[tokio::test]
async fn a_dropped_request_was_not_applied() {
    let fault = Fault::dropped_before_apply("POST", "/operators");
    let (answer, applied, sim) = transfer_under(fault).await;
    assert_eq!((answer, applied), (None, false));
    assert_eq!(sim.received("POST", "/operators"), 1);
}

#[tokio::test]
async fn a_closed_connection_received_nothing() {
    let fault = Fault::close_before_reading("POST", "/operators");
    let (answer, applied, sim) = transfer_under(fault).await;
    assert_eq!((answer, applied), (None, false));
    assert_eq!(sim.received("POST", "/operators"), 0);
}

#[tokio::test]
async fn a_truncated_answer_was_applied() {
    let fault = Fault::truncated_after_apply("POST", "/operators");
    let (answer, applied, _) = transfer_under(fault).await;
    assert_eq!((answer, applied), (None, true));
}

#[tokio::test]
async fn a_truncated_answer_announces_more_than_it_has() {
    let sim = start().await;
    sim.fault(Fault::truncated_after_apply("GET", "/version"));
    let address = sim.endpoint().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream
        .write_all(b"GET /pd/api/v1/version HTTP/1.1\r\nHost: pd\r\n\r\n")
        .await
        .expect("the request is sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    assert!(head.contains("content-length: 76"), "{head}");
    assert_eq!(body.len(), 38);
}

#[tokio::test]
async fn garbage_is_not_http() {
    let (answer, applied, _) = transfer_under(Fault::garbage("POST", "/operators")).await;
    assert_eq!((answer, applied), (None, false));
}

#[track_caller]
fn check_instead(answer: Option<Answer>, applied: bool, status: u16, text: &str) {
    let answer = answer.expect("an answer");
    assert_eq!((answer.status, applied), (status, false));
    assert!(answer.text().starts_with(text), "{}", answer.text());
}

#[tokio::test]
async fn another_answer_was_not_applied() {
    let path = "/operators";
    for (fault, status, text) in [
        (
            Fault::no_leader("POST", path),
            503,
            "[PD:apiutil:ErrRedirectNoLeader]",
        ),
        (
            Fault::redirect_failed("POST", path),
            500,
            "[PD:apiutil:ErrRedirect]redirect failed",
        ),
        (
            Fault::too_many_requests("POST", path),
            429,
            "Too Many Requests",
        ),
        (Fault::panicked("POST", path), 500, "PANIC: "),
        (
            Fault::answer("POST", path, 502, "text/html", "<html>bad gateway</html>"),
            502,
            "<html>",
        ),
    ] {
        let (answer, applied, _) = transfer_under(fault).await;
        check_instead(answer, applied, status, text);
    }
}

#[tokio::test]
async fn a_fault_strikes_when_and_as_often_as_told() {
    let sim = start().await;
    sim.fault(Fault::too_many_requests("GET", "/store").after(1).times(2));
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(get(&sim, "/store/1").await.status);
    }
    assert_eq!(seen, [200, 429, 429, 200]);
    sim.fault(Fault::too_many_requests("GET", "/store").always());
    assert_eq!(get(&sim, "/store/1").await.status, 429);
    assert_eq!(get(&sim, "/stores").await.status, 200);
    sim.clear_faults();
    assert_eq!(get(&sim, "/store/1").await.status, 200);
}

#[tokio::test]
async fn a_slow_answer_comes() {
    let sim = start().await;
    let delay = Duration::from_millis(30);
    sim.fault(Fault::slow("GET", "/version", delay));
    let asked = Instant::now();
    assert_eq!(get(&sim, "/version").await.status, 200);
    assert!(asked.elapsed() >= delay);
}
