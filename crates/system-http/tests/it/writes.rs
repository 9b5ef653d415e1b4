//! What is written: once, on the connection that was asked, with the permit last.

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use system_http::{HeldPermit, OneWrite, Origin, PermitRefused, SendPermit, Sent, TransportError};

use crate::exchanges::{LIMITS, connections, get};
use crate::server::Server;

const YES: &str = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nyes";

/// A permit that is granted or not, and holds or not.
struct Permit {
    granted: bool,
    holds: bool,
}

#[async_trait]
impl SendPermit for Permit {
    async fn acquire(&self) -> Result<Box<dyn HeldPermit>, PermitRefused> {
        match self.granted {
            true => Ok(Box::new(Held(self.holds))),
            false => Err(PermitRefused::new("stopped")),
        }
    }
}

struct Held(bool);

impl HeldPermit for Held {
    fn check(&self) -> Result<(), PermitRefused> {
        match self.0 {
            true => Ok(()),
            false => Err(PermitRefused::new("too late")),
        }
    }
}

async fn write(server: &Server, permit: &Permit) -> Result<Bytes, TransportError> {
    let connections = connections();
    let mut write = OneWrite::connect(&connections, &server.origin, LIMITS.time).await?;
    let who = write.read(get(server, "/who"), LIMITS).await?;
    assert_eq!(&**who.body(), b"yes");
    let origin = Origin::parse(&server.origin).unwrap();
    let uri = origin.uri("/write".to_owned()).unwrap();
    let request = Request::post(uri).body(Bytes::from("it")).unwrap();
    let answer = write.send(request, Some(permit), LIMITS).await?;
    Ok(answer.body.unwrap())
}

#[tokio::test]
async fn a_write_goes_over_the_connection_that_was_asked() {
    let server = Server::answering(&[YES, YES]).await;
    let permit = Permit {
        granted: true,
        holds: true,
    };
    assert_eq!(write(&server, &permit).await.unwrap(), "yes");
    let received = server.received();
    assert_eq!(received.len(), 1);
    assert!(received[0].starts_with("GET /who"), "{received:?}");
    assert!(received[0].contains("POST /write"), "{received:?}");
}

#[tokio::test]
async fn without_a_permit_that_holds_nothing_of_a_write_is_sent() {
    for (granted, reason) in [(false, "stopped"), (true, "too late")] {
        let server = Server::answering(&[YES, YES]).await;
        let holds = false;
        let error = write(&server, &Permit { granted, holds })
            .await
            .unwrap_err();
        assert_eq!(error.sent, Sent::No);
        let refusal = error.into_refusal().unwrap();
        assert_eq!(refusal.into_reason().to_string(), reason);
        assert!(!server.received().concat().contains("POST"));
    }
}

#[tokio::test]
async fn a_write_without_an_answer_may_have_been_read() {
    let server = Server::answering(&[YES]).await;
    let connections = connections();
    let mut write = OneWrite::connect(&connections, &server.origin, LIMITS.time)
        .await
        .unwrap();
    write.read(get(&server, "/who"), LIMITS).await.unwrap();
    let quick = system_http::Limits {
        time: std::time::Duration::from_millis(50),
        ..LIMITS
    };
    let error = write.send(get(&server, "/write"), None, quick).await;
    assert_eq!(error.unwrap_err().sent, Sent::Maybe);
}
