//! Links that a user of the gate's host has made, and what is tried with one.

use std::os::unix::fs::MetadataExt as _;

use action_guard::Record;
use operator_server::Trust;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::{UnixListener, UnixStream};

use crate::browsers::{Browser, Place, hidden, known};
use crate::client::Answer;

/// Who runs these tests.
fn own_uid() -> u32 {
    std::fs::metadata("/proc/self").unwrap().uid()
}

/// What the gate's socket answers.
async fn asked(place: &Place) -> Value {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("link.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let gate = place.house.gate.clone();
    let serving = tokio::spawn(gate.serve_links(listener, std::future::pending()));
    let mut stream = UnixStream::connect(&path).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    serving.abort();
    serde_json::from_str(&answer).unwrap()
}

/// A gate that makes links for who runs these tests.
async fn place() -> Place {
    place_of(own_uid()).await
}

async fn place_of(uid: u32) -> Place {
    let place = Place::new().await;
    place.trust(|trust: &mut Trust| trust.local_users[0].uid = uid);
    place
}

/// The secret behind the `#`, which no browser sends.
async fn secret(place: &Place) -> String {
    let made = asked(place).await;
    let url = made["url"]
        .as_str()
        .unwrap_or_else(|| unreachable!("{made}"));
    let (address, secret) = url.split_once('#').unwrap();
    assert_eq!(address, format!("http://{}/link", place.house.at));
    assert_eq!(made["actor"], "user:ben");
    secret.to_owned()
}

async fn opened(browser: &mut Browser<'_>, secret: &str) -> Answer {
    let page = browser.get("/link").await.is(200);
    assert!(page.head.contains("script-src 'sha256-"), "{page:?}");
    let csrf = hidden(&page, "csrf");
    browser
        .post("/link", &format!("csrf={csrf}&link={secret}"))
        .await
}

#[track_caller]
fn refused(answer: &Answer, code: &str) {
    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(
        answer.body.contains(&format!("<code>{code}</code>")),
        "{answer:?}"
    );
    assert!(
        !answer.head.contains("set-cookie: operator-session"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_link_logs_in_once_and_says_so() {
    let place = place().await;
    let asked = place.rewire().await;
    let link = secret(&place).await;
    let mut ben = place.browser();
    opened(&mut ben, &link).await.is(303);
    let front = ben.get("/").await.is(200).body;
    let how = format!(
        "user:ben</strong>, identity proven by a link that uid {} made",
        own_uid()
    );
    assert!(front.contains(&how), "{front}");
    // Who has just come by it may approve a high risk.
    ben.approve(&asked).await.is(303);
    let state = place.house.journal.state().await.unwrap();
    let approval = &state.proposal_status(&asked).unwrap().approvals[0];
    assert_eq!(approval.by.proven_by().word(), "link");
    let (_, shown) = place.house.token("agent:shown").await;
    let execute = format!("/api/v1/proposals/{asked}/execute");
    let done = place.house.post(&execute, &shown, Value::Null).await;
    assert_eq!(done.is(200).json()["phase"], "applied");
    // It was used, by whoever comes.
    refused(&opened(&mut place.browser(), &link).await, "no_link");
    refused(&opened(&mut ben, &link).await, "no_link");
    assert_eq!(place.house.journal.state().await.unwrap().sessions.len(), 1);
    let entries = place.house.journal.entries(0, 100).await.unwrap();
    let written: Vec<&Record> = entries.iter().map(|entry| &entry.record).collect();
    assert!(!json!(written).to_string().contains(&link));
}

#[tokio::test]
async fn a_link_is_made_for_who_is_listed_and_counts_while_they_are() {
    let place = place_of(own_uid() + 1).await;
    let refusal = asked(&place).await;
    assert!(
        refusal["error"].as_str().unwrap().contains("is not listed"),
        "{refusal}"
    );
    place.trust(|trust| trust.local_users[0].uid = own_uid());
    let link = secret(&place).await;
    // Their number or their name is another's now.
    place.trust(|trust| trust.local_users[0].uid = own_uid() + 1);
    refused(&opened(&mut place.browser(), &link).await, "no_link");
    place.trust(|trust| {
        trust.local_users[0].uid = own_uid();
        trust.local_users[0].known = known("user:ana");
    });
    refused(&opened(&mut place.browser(), &link).await, "no_link");
    place.trust(|trust| trust.local_users[0].uid = own_uid());
    let mut ben = place.browser();
    opened(&mut ben, &link).await.is(303);
    ben.get("/").await.is(200);
    place.trust(|trust| trust.local_users[0].uid = own_uid() + 1);
    ben.get("/").await.is(303);
}

#[tokio::test]
async fn a_link_is_used_by_the_gates_own_page_only() {
    let place = place().await;
    let link = secret(&place).await;
    let before = place.house.journal.head().await.unwrap().seq;
    let mut ben = place.browser();
    let page = ben.get(&format!("/link?link={link}")).await.is(200);
    let csrf = hidden(&page, "csrf");
    let form = format!("csrf={csrf}&link={link}");
    for origin in [
        None,
        Some("Origin: null"),
        Some("Origin: http://evil.example"),
    ] {
        refused(&ben.send("POST", "/link", origin, &form).await, "origin");
    }
    refused(
        &ben.post("/link", &format!("csrf=x&link={link}")).await,
        "csrf",
    );
    refused(&place.browser().post("/link", &form).await, "no_login");
    for wrong in ["", "opgl_", &link[..76], &link.replacen("opgl", "opgs", 1)] {
        refused(
            &ben.post("/link", &format!("csrf={csrf}&link={wrong}"))
                .await,
            "no_link",
        );
    }
    assert_eq!(place.house.journal.head().await.unwrap().seq, before);
    ben.post("/link", &form).await.is(303);
    // What is used as a cookie is no session, and the other way round.
    let other = secret(&place).await;
    let mut mallory = place.browser();
    mallory.cookies.insert("operator-session".to_owned(), other);
    mallory.get("/").await.is(303);
}
