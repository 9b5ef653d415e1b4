//! What somebody approved in a browser, after their row in the config file was changed.

use action_core::Risk;
use operator_mcp::Ceiling;
use operator_server::{Login, Subject, Trust};
use serde_json::Value;

use crate::browsers::Place;
use crate::client::Answer;
use crate::house::actor;
use crate::provider::now;

/// Ben approves, the list is changed, and the agent goes on.
async fn carried_out_after(is_high: bool, change: impl FnOnce(&mut Login)) -> (Place, Answer) {
    let place = Place::new().await;
    let asked = match is_high {
        true => place.rewire().await,
        false => place.switch().await,
    };
    let mut ben = place.logged_in("00u2ben").await;
    ben.approve(&asked).await.is(303);
    drop(ben);
    place.trust(|trust: &mut Trust| change(trust.login.as_mut().unwrap()));
    let (_, shown) = place.house.token("agent:shown").await;
    let execute = format!("/api/v1/proposals/{asked}/execute");
    let answer = place.house.post(&execute, &shown, Value::Null).await;
    (place, answer)
}

fn ben(login: &mut Login) -> &mut Subject {
    let mut subjects = login.subjects.iter_mut();
    subjects.find(|one| one.sub == "00u2ben").unwrap()
}

async fn refused(what: &str, change: impl FnOnce(&mut Login)) {
    let (place, answer) = carried_out_after(true, change).await;
    assert_eq!(answer.status, 403, "{what}: {answer:?}");
    assert_eq!(answer.json()["code"], "not_proven", "{what}");
    assert!(place.house.sent().is_empty(), "{what}");
}

#[tokio::test]
async fn an_approval_counts_for_what_its_row_permits_when_it_is_carried_out() {
    refused("a caller with read-only access", |login| {
        ben(login).known.up_to = Ceiling::ReadOnly;
    })
    .await;
    refused("a lower risk", |login| {
        ben(login).known.up_to = Ceiling::UpTo(Risk::Medium);
    })
    .await;
    refused("another cluster", |login| {
        ben(login).known.clusters = vec!["test".to_owned()];
    })
    .await;
    let (place, answer) = carried_out_after(false, |login| {
        ben(login).known.up_to = Ceiling::UpTo(Risk::Low);
        ben(login).known.clusters = vec!["prod".to_owned()];
    })
    .await;
    assert_eq!(answer.is(200).json()["phase"], "applied");
    assert_eq!(place.house.sent(), [(1, true)]);
}

#[tokio::test]
async fn an_approval_is_by_who_gave_it_and_not_by_who_has_the_name_now() {
    refused("another `sub`", |login| {
        ben(login).sub = "00u9new".to_owned();
    })
    .await;
    refused("names exchanged", |login| {
        for one in &mut login.subjects {
            let name = match &*one.sub {
                "00u2ben" => "user:ana",
                _ => "user:ben",
            };
            one.known.actor = actor(name);
        }
    })
    .await;
}

/// That a provider is down is no secret, and nobody's fault who logs in.
#[tokio::test]
async fn a_provider_that_does_not_answer_is_told_from_a_login_that_proves_nobody() {
    let place = Place::new().await;
    place.provider.log_in("00u2ben", now());
    place.trust(|trust| {
        let login = trust.login.as_mut().unwrap();
        login.token_endpoint = "http://127.0.0.1:1/token".to_owned();
    });
    let answer = place.browser().log_in(&place, "").await.is(503);
    assert!(answer.body.contains("did not answer"), "{answer:?}");
    assert!(answer.body.contains("provider_unavailable"), "{answer:?}");
}

#[tokio::test]
async fn a_page_says_of_which_risk_it_is() {
    let place = Place::new().await;
    let mut ben = place.logged_in("00u2ben").await;
    for (asked, risk) in [
        (place.switch().await, "low"),
        (place.rewire().await, "high"),
    ] {
        let page = ben.get(&format!("/proposals/{asked}")).await.is(200);
        let row = format!("<th>Risk</th><td>{risk}</td>");
        assert!(page.body.contains(&row), "{page:?}");
    }
}
