//! The client from outside, against a fake gate.
#![allow(clippy::unwrap_used, missing_docs)]

use gate_client::{AskError, Asked, Certificates, Client, Place, PlaceError, Who, segment};
use serde_json::json;
use system_http::testing::{FakeAnswer, FakeApi, FakeRequest, FakeServer};

/// A gate that answers with what it was asked.
struct Echo(u16);

impl FakeApi for Echo {
    fn is_write(&self, request: &FakeRequest) -> bool {
        request.method != "GET"
    }

    fn answer(&mut self, request: &FakeRequest) -> FakeAnswer {
        let FakeRequest { path, body, .. } = request;
        let text = match path.as_str() {
            "/page" => "<html>".to_owned(),
            _ => json!({ "path": path, "body": body }).to_string(),
        };
        FakeAnswer::new(self.0, text)
    }
}

fn client(server: &FakeServer<Echo>) -> Client {
    let place = Place::new(server.origin(), Certificates::default()).unwrap();
    Client::new(place, Who::of_connection())
}

#[tokio::test]
async fn what_a_gate_answers_is_given_whatever_its_status() {
    for status in [200, 202, 403, 503] {
        let server = FakeServer::start(Echo(status)).await.unwrap();
        let asked = client(&server).get("/api/v1/mode?x=1").await.unwrap();
        assert_eq!(asked.status, status);
        assert_eq!(asked.body["path"], "/api/v1/mode?x=1");
        let posted = client(&server).post("/x", &json!({"a": 1})).await.unwrap();
        assert_eq!(posted.body["body"], r#"{"a":1}"#);
        assert_eq!(server.writes(), 1);
    }
}

#[tokio::test]
async fn a_lost_answer_is_told_and_nothing_is_sent_again() {
    let server = FakeServer::start(Echo(200)).await.unwrap();
    server.lose_next_answer();
    let lost = client(&server).post("/x", &json!({})).await;
    assert!(matches!(lost, Err(AskError::Lost { .. })), "{lost:?}");
    assert_eq!(server.writes(), 1);
}

#[tokio::test]
async fn what_is_no_answer_of_a_gate_is_told() {
    let server = FakeServer::start(Echo(200)).await.unwrap();
    let page = client(&server).get("/page").await;
    assert!(
        matches!(page, Err(AskError::NotUnderstood { status: 200, .. })),
        "{page:?}"
    );
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    let place = Place::new("http://127.0.0.1:1", Certificates::default()).unwrap();
    let client = Client::new(place, Who::of_connection());
    let refused = client.get("/x").await;
    assert!(
        matches!(refused, Err(AskError::NotSent { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_token_does_not_leave_this_machine_without_tls() {
    let place = |address: &str| Place::new(address, Certificates::default());
    for near in [
        "http://127.0.0.1:7070",
        "http://localhost:7070",
        "[::1]:7070",
    ] {
        assert!(place(near).is_ok(), "{near}");
    }
    for far in [
        "http://gate.example.com:7070",
        "10.0.0.1:7070",
        "http://127.0.0.1.evil.example:1",
    ] {
        assert!(matches!(place(far), Err(PlaceError::Plain(_))), "{far}");
    }
    for wrong in ["", "ftp://x", "http://x/y", "http://a:b@127.0.0.1"] {
        assert!(
            matches!(place(wrong), Err(PlaceError::Address(_))),
            "{wrong}"
        );
    }
    assert!(matches!(Who::token("a\nb"), Err(PlaceError::Token)));
}

#[test]
fn who_signs_is_asked_for_each_request() {
    let who = Who::signing(|asked: &Asked<'_>| format!("Signed {} {}", asked.method, asked.path));
    let asked = Asked::new("h", "GET", "/x?y", b"");
    let header = who.authorization(&asked).unwrap().unwrap();
    assert_eq!(header, "Signed GET /x?y");
    assert!(header.is_sensitive());
    let token = Who::token("opgt_x").unwrap();
    let header = token.authorization(&asked).unwrap().unwrap();
    assert!(header.is_sensitive());
    assert_eq!(header, "Bearer opgt_x");
}

#[test]
fn a_segment_leads_nowhere_else() {
    assert_eq!(segment("prod-1"), "prod-1");
    assert_eq!(segment("../a b?c&d"), "..%2Fa%20b%3Fc%26d");
}
