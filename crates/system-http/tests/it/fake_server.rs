//! The fake server that tests of clients are given.

use std::time::Duration;

use http::Request;
use system_http::testing::{FakeAnswer, FakeApi, FakeRequest, FakeServer};
use system_http::{Answer, OneWrite, Sent, TransportError};

use crate::exchanges::{LIMITS, connections};

/// A system of one text, written by any request that is no `GET`.
struct Text(String);

impl FakeApi for Text {
    fn is_write(&self, request: &FakeRequest) -> bool {
        request.method != "GET"
    }

    fn answer(&mut self, request: &FakeRequest) -> FakeAnswer {
        if self.is_write(request) {
            self.0.clone_from(&request.body);
        }
        FakeAnswer::new(200, format!("{}{}", request.server, self.0))
    }
}

async fn write(server: &FakeServer<Text>, text: &'static str) -> Result<Answer, TransportError> {
    let connections = connections();
    let connection = OneWrite::connect(&connections, server.origin(), Duration::from_secs(5));
    let request = Request::post(format!("{}/text", server.origin())).body(text.into());
    let connection = connection.await.unwrap();
    connection.send(request.unwrap(), None, LIMITS).await
}

#[tokio::test]
async fn a_write_is_carried_out_counted_and_answered() {
    let server = FakeServer::start(Text(String::new())).await.unwrap();
    let answer = write(&server, "new").await.unwrap();
    assert_eq!(&*answer.body.unwrap(), b"0new");
    assert_eq!(server.writes(), 1);
    assert_eq!(server.with(|text| text.0.clone()), "new");
}

#[tokio::test]
async fn a_lost_request_does_not_arrive_and_a_lost_answer_has() {
    let server = FakeServer::start(Text(String::new())).await.unwrap();
    server.lose_next_request();
    assert_eq!(write(&server, "first").await.unwrap_err().sent, Sent::Maybe);
    assert_eq!(
        (server.writes(), server.with(|text| text.0.clone())),
        (0, String::new())
    );
    server.lose_next_answer();
    assert_eq!(
        write(&server, "second").await.unwrap_err().sent,
        Sent::Maybe
    );
    assert_eq!(
        (server.writes(), server.with(|text| text.0.clone())),
        (1, "second".to_owned())
    );
    assert!(write(&server, "third").await.is_ok());
}

#[tokio::test]
async fn several_servers_are_one_system() {
    let text = |origins: &[String]| Text(origins.len().to_string());
    let server = FakeServer::start_several(2, text).await.unwrap();
    let second = Request::get(format!("{}/text", server.origins()[1]));
    let second = second.body("".into()).unwrap();
    let answer = system_http::read(&connections(), second, LIMITS)
        .await
        .unwrap();
    assert_eq!(&*answer.body.unwrap(), b"12");
}
