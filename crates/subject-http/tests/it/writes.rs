//! What is known of a write by its answer, and whom it may reach.

use std::sync::Arc;

use action_core::{Attempt, FailureKind, NotPermitted, SendPermit, SendPermits, SubjectError};
use async_trait::async_trait;
use serde_json::{Value, json};
use subject_http::{Call, Dialect, HttpClient, HttpError, NotDone, Whose};
use system_http::testing::{FakeAnswer, FakeApi, FakeRequest, FakeServer};

/// A system that answers every write in one way.
struct Answers(u16, &'static str);

impl FakeApi for Answers {
    fn is_write(&self, request: &FakeRequest) -> bool {
        request.method != "GET"
    }

    fn answer(&mut self, request: &FakeRequest) -> FakeAnswer {
        match self.is_write(request) {
            true => FakeAnswer::new(self.0, self.1),
            false => FakeAnswer::new(200, r#"{"name": "one"}"#),
        }
    }
}

const SYSTEM: Dialect = Dialect {
    name: "the system",
    refused: |status, body| match status {
        409 => NotDone::refused("conflict", body),
        _ => NotDone::unclear(body),
    },
};

async fn server(status: u16, body: &'static str) -> FakeServer<Answers> {
    FakeServer::start(Answers(status, body)).await.unwrap()
}

async fn write(server: &FakeServer<Answers>, attempt: &Attempt) -> Result<Value, HttpError> {
    let client = HttpClient::new(SYSTEM, server.origin(), Default::default()).unwrap();
    let whose = Whose {
        ask: Call::get("/name"),
        named: |who: &Value| who["name"].as_str().unwrap_or_default().to_owned(),
        expected: attempt.system.as_deref(),
    };
    let change = Call::post("/change", &json!({"to": 7}));
    client.write(client.first(), whose, change, attempt).await
}

#[tokio::test]
async fn an_answer_says_whether_it_happened() {
    for (status, body, kind) in [
        (409, "it is busy", FailureKind::Refused),
        (500, "oh", FailureKind::Unknown),
        (200, "no JSON", FailureKind::Unknown),
    ] {
        let server = server(status, body).await;
        let error = write(&server, &Attempt::untracked()).await.unwrap_err();
        assert_eq!((error.kind(), server.writes()), (kind, 1), "{error:?}");
    }
    let server = server(200, "").await;
    let answer = write(&server, &Attempt::untracked()).await.unwrap();
    assert_eq!(answer, Value::Null);
    server.lose_next_answer();
    let error = write(&server, &Attempt::untracked()).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Unknown);
    assert_eq!(
        error.to_string(),
        format!(
            "no conclusive answer from the system at `{}`",
            server.origin()
        )
    );
}

#[tokio::test]
async fn another_system_is_not_written_to() {
    let server = server(200, "{}").await;
    let attempt = Attempt::untracked().for_system("two");
    let error = write(&server, &attempt).await.unwrap_err();
    assert_eq!(error.code().as_deref(), Some("other_system"));
    assert_eq!(
        (error.kind(), server.writes()),
        (FailureKind::Unavailable, 0)
    );
    assert!(
        write(&server, &Attempt::untracked().for_system("one"))
            .await
            .is_ok()
    );
}

struct Refuses;

#[async_trait]
impl SendPermits for Refuses {
    async fn acquire(&self) -> Result<SendPermit, NotPermitted> {
        Err(NotPermitted::new("stopped", "all sending is stopped"))
    }
}

#[tokio::test]
async fn without_a_permit_nothing_is_sent() {
    let server = server(200, "{}").await;
    let attempt = Attempt::untracked().permitted_by(Arc::new(Refuses));
    let error = write(&server, &attempt).await.unwrap_err();
    assert_eq!(error.code().as_deref(), Some("stopped"));
    assert_eq!(
        (error.kind(), server.writes()),
        (FailureKind::Unavailable, 0)
    );
}

#[tokio::test]
async fn a_read_goes_on_to_the_next_endpoint_and_a_refusal_does_not() {
    let server = server(200, "{}").await;
    let endpoints = format!("http://127.0.0.1:1,{}", server.origin());
    let client = HttpClient::new(SYSTEM, &endpoints, Default::default()).unwrap();
    let name: Value = client.read(Call::get("/name")).await.unwrap();
    assert_eq!(name["name"], "one");
    let refused = client
        .read_at::<Value>(client.first(), Call::get("/name"))
        .await;
    assert_eq!(refused.unwrap_err().kind(), FailureKind::Unavailable);
}
