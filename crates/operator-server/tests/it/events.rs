//! What happens, as those hear it who listen.

use std::time::Duration;

use operator_server::Options;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::ask;
use crate::house::{BEN, House, actor, id};

/// A stream of events that is open.
struct Heard {
    stream: TcpStream,
    text: String,
}

impl Heard {
    async fn of(house: &House, path: &str, lines: &[&str]) -> Self {
        let mut stream = TcpStream::connect(house.at).await.unwrap();
        let lines = lines.concat();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{lines}\r\n", house.at);
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut heard = Self {
            stream,
            text: String::new(),
        };
        heard.until("\r\n\r\n").await;
        heard
    }

    /// Reads on until this was said, or the end.
    async fn until(&mut self, text: &str) -> bool {
        let mut bytes = [0; 4096];
        while !self.text.contains(text) {
            match self.stream.read(&mut bytes).await {
                Ok(0) | Err(_) => return false,
                Ok(read) => self.text += std::str::from_utf8(&bytes[..read]).unwrap(),
            }
        }
        true
    }
}

fn token(secret: &str) -> String {
    format!("Authorization: Bearer {secret}\r\n")
}

#[tokio::test]
async fn who_listens_hears_what_they_may_see_and_misses_nothing() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let (_, day) = house.token("agent:day").await;
    let first = house.propose(&night, 1).await.is(201).json();
    let mut heard = Heard::of(&house, "/events", &[&token(&night)]).await;
    assert!(
        heard.text.contains("content-type: text/event-stream"),
        "{}",
        heard.text
    );
    let other = house.propose(&day, 2).await.is(201).json();
    let second = house.propose(&night, 3).await.is(201).json();
    assert!(heard.until(id(&second)).await);
    assert!(heard.text.contains("event: proposed"), "{}", heard.text);
    // From now on, and of its own.
    for absent in [&first, &other] {
        assert!(!heard.text.contains(id(absent)), "{}", heard.text);
    }
    // Who comes again says what they have seen last.
    let last = second["seq"].as_u64().unwrap() - 1;
    let again = format!("Last-Event-ID: {last}\r\n");
    let mut heard = Heard::of(&house, "/events?after=0", &[&token(&night), &again]).await;
    assert!(heard.until(&format!("id: {}", last + 1)).await);
    assert!(!heard.text.contains(id(&first)), "{}", heard.text);
    // A person hears all, by a request that they have signed.
    let now = jiff::Timestamp::now();
    let line = house.signature(("user:ben", BEN), "GET", "/events?after=0", "", now);
    let mut heard = Heard::of(&house, "/events?after=0", &[&format!("{line}\r\n")]).await;
    for said in [&first, &other, &second] {
        assert!(heard.until(id(said)).await);
    }
    assert!(heard.text.contains("event: token_made"), "{}", heard.text);
    for wrong in ["Last-Event-ID: x", "Last-Event-ID: -1"] {
        let line = token(&night);
        let head = [line.trim_end(), wrong];
        ask(house.at, "GET", "/events", &head, "").await.is(400);
    }
    house.get("/events?after=x", &night).await.is(400);
}

#[tokio::test]
async fn listening_ends_with_the_proof_and_with_the_gate() {
    let mut options = Options::default();
    options.proof_again_every = Duration::from_millis(20);
    let mut house = House::with(options).await;
    let (made, night) = house.token("agent:night").await;
    let (_, day) = house.token("agent:day").await;
    let mut revoked = Heard::of(&house, "/events", &[&token(&night)]).await;
    let controls = house.controls();
    let by = actor("user:ben");
    controls.revoke_token(&made, &by, "leaked").await.unwrap();
    assert!(!revoked.until("event: never").await);
    let mut others = Vec::new();
    for _ in 0..4 {
        others.push(Heard::of(&house, "/events", &[&token(&day)]).await);
    }
    let fifth = house.get("/events", &day).await.is(429).json();
    assert_eq!(fifth["code"], "too_many_streams", "{fifth}");
    drop(others.pop());
    let asked = json!({"action": "switch_lamp", "parameters": {"lamp": 1, "lit": true}});
    house
        .post("/api/v1/clusters/prod/proposals", &day, asked)
        .await
        .is(201);
    drop(house.end.take());
    for other in &mut others {
        assert!(!other.until("event: never").await);
    }
    house.serving.await.unwrap().unwrap();
}
