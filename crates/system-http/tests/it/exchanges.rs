//! What is read: once, within limits, and nowhere else.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use system_http::{BodyError, Certificates, Connections, Limits, Origin, Sent, read};

use crate::server::Server;

pub(crate) const LIMITS: Limits = Limits {
    time: Duration::from_secs(20),
    body: 16,
};

pub(crate) fn connections() -> Connections {
    Connections::new(None, Certificates::default(), Duration::from_secs(5)).unwrap()
}

pub(crate) fn get(server: &Server, path: &str) -> Request<Bytes> {
    let origin = Origin::parse(&server.origin).unwrap();
    let uri = origin.uri(path.to_owned()).unwrap();
    Request::get(uri).body(Bytes::new()).unwrap()
}

#[tokio::test]
async fn reads_share_a_connection_and_know_any_status() {
    let server = Server::answering(&[
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\nnone",
    ])
    .await;
    let connections = connections();
    let first = read(&connections, get(&server, "/a"), LIMITS)
        .await
        .unwrap();
    assert_eq!(
        (first.status.as_u16(), &*first.body.unwrap()),
        (200, &b"ok"[..])
    );
    let second = read(&connections, get(&server, "/b"), LIMITS)
        .await
        .unwrap();
    assert_eq!(second.status.as_u16(), 404);
    assert_eq!(&*second.body.unwrap(), b"none");
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let server = Server::answering(&[
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: /b\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    ])
    .await;
    let answer = read(&connections(), get(&server, "/a"), LIMITS)
        .await
        .unwrap();
    assert_eq!(answer.status.as_u16(), 307);
    assert_eq!(server.received().concat().matches("GET ").count(), 1);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_taken() {
    let server = Server::answering(&[
        "HTTP/1.1 200 OK\r\ncontent-length: 17\r\n\r\n01234567890123456",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n11\r\n01234567890123456\r\n0\r\n\r\n",
    ])
    .await;
    for path in ["/announced", "/in-chunks"] {
        let answer = read(&connections(), get(&server, path), LIMITS)
            .await
            .unwrap();
        assert!(matches!(answer.body, Err(BodyError::TooLarge)), "{path}");
    }
}

#[tokio::test]
async fn silence_may_have_been_read_and_no_connection_was_not() {
    let server = Server::answering(&[]).await;
    let quick = Limits {
        time: Duration::from_millis(50),
        ..LIMITS
    };
    let error = read(&connections(), get(&server, "/a"), quick)
        .await
        .unwrap_err();
    assert_eq!(error.sent, Sent::Maybe);

    let nobody = Request::get("http://127.0.0.1:1/a").body(Bytes::new());
    let error = read(&connections(), nobody.unwrap(), LIMITS)
        .await
        .unwrap_err();
    assert_eq!(error.sent, Sent::No);
}
