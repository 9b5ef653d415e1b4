//! What is tried with a browser: another's tab, another's code, another's page.

use std::time::Duration;

use action_guard::{Approval, BrowserSession, Decider, Record};
use operator_server::Options;
use serde_json::{Value, json};

use crate::browsers::{Place, hidden};
use crate::client::{Answer, ask};
use crate::house::{ANA, BEN, House, actor, id, key};
use crate::provider::now;

const SESSION: &str = "operator-session";
const LOGIN: &str = "operator-login";

/// What is changed in the head and in the claims of a token.
type Change = fn(&mut Value, &mut Value);

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(
        answer.body.contains(&format!("<code>{code}</code>")),
        "{code}: {answer:?}"
    );
    assert!(
        !answer.head.contains("set-cookie: operator-session"),
        "{answer:?}"
    );
}

async fn records(house: &House) -> u64 {
    house.journal.head().await.unwrap().seq
}

/// What is wrong with an ID token, one at a time.
#[tokio::test]
async fn an_id_token_that_is_wrong_logs_nobody_in() {
    let place = Place::new().await;
    place.provider.log_in("00u2ben", now());
    let before = records(&place.house).await;
    let wrong: [(&str, Change); 22] = [
        ("another nonce", |_, claims| claims["nonce"] = json!("x")),
        ("no nonce", |_, claims| {
            drop(claims.as_object_mut().unwrap().remove("nonce"))
        }),
        ("of another client", |_, claims| {
            claims["aud"] = json!("other")
        }),
        ("also of another client", |_, claims| {
            claims["aud"] = json!(["gate:prod", "other"])
        }),
        ("for no client", |_, claims| claims["aud"] = json!([])),
        ("made for another", |_, claims| {
            claims["azp"] = json!("other")
        }),
        ("of another issuer", |_, claims| {
            claims["iss"] = json!("https://evil.example")
        }),
        ("expired", |_, claims| claims["exp"] = json!(now() - 60)),
        ("without an end", |_, claims| {
            drop(claims.as_object_mut().unwrap().remove("exp"))
        }),
        ("of long ago", |_, claims| {
            claims["iat"] = json!(now() - 3600)
        }),
        ("of later", |_, claims| claims["iat"] = json!(now() + 3600)),
        ("not valid yet", |_, claims| {
            claims["nbf"] = json!(now() + 3600)
        }),
        ("logged in later", |_, claims| {
            claims["auth_time"] = json!(now() + 3600)
        }),
        ("logged in before time", |_, claims| {
            claims["auth_time"] = json!(-1)
        }),
        ("of a time that is none", |_, claims| {
            claims["auth_time"] = json!("now")
        }),
        ("of nobody", |_, claims| {
            drop(claims.as_object_mut().unwrap().remove("sub"))
        }),
        ("of somebody who is not listed", |_, claims| {
            claims["sub"] = json!("00U2BEN")
        }),
        ("unsigned", |header, _| header["alg"] = json!("none")),
        ("by a shared secret", |header, _| {
            header["alg"] = json!("HS256")
        }),
        ("by another key", |header, _| header["kid"] = json!("k2")),
        ("an access token", |header, _| {
            header["typ"] = json!("at+jwt")
        }),
        ("with what must be understood", |header, _| {
            header["crit"] = json!(["x"])
        }),
    ];
    for (what, change) in wrong {
        place.provider.change(change);
        let mut browser = place.browser();
        let answer = browser.log_in(&place, "").await;
        assert_eq!(answer.status, 403, "{what}: {answer:?}");
        refused(&answer, 403, "not_logged_in");
        assert!(!browser.cookies.contains_key(SESSION), "{what}");
    }
    place.provider.right_again();
    place.provider.unsigned();
    refused(
        &place.browser().log_in(&place, "").await,
        403,
        "not_logged_in",
    );
    assert_eq!(records(&place.house).await, before);
    place.provider.right_again();
    place.browser().log_in(&place, "").await.is(303);
}

#[tokio::test]
async fn a_code_and_a_state_count_once_and_for_the_browser_that_began() {
    let place = Place::new().await;
    place.provider.log_in("00u2ben", now());
    let mut ben = place.browser();
    let address = ben.begin("").await;
    let back = place.provider.visited(&address);
    let (_, query) = back.split_once('?').unwrap();
    // Another browser, one that began another login, and one that began none.
    let mut other = place.browser();
    other.begin("").await;
    refused(&other.get(&back).await, 403, "not_logged_in");
    refused(&place.browser().get(&back).await, 403, "no_login");
    // Another state, another issuer, and what the provider refuses.
    let with = |query: String| format!("/login/callback?{query}");
    let other_state = with(query.replace("state=", "state=x"));
    refused(&ben.get(&other_state).await, 403, "not_logged_in");
    let other_issuer = with(query.replace("iss=", "iss=x"));
    refused(&ben.get(&other_issuer).await, 403, "not_logged_in");
    let failed = with("error=access_denied&state=x".to_owned());
    refused(&ben.get(&failed).await, 403, "not_logged_in");
    assert_eq!(place.provider.exchanged(), 0);
    let page = ben.get(&back).await.is(200);
    let [csrf, code, state] = ["csrf", "code", "state"].map(|name| hidden(&page, name));
    let form = format!("csrf={csrf}&code={code}&state={state}");
    let kept = ben.cookies.clone();
    ben.post("/login/finish", &form).await.is(303);
    assert_eq!(place.provider.exchanged(), 1);
    // The same again.
    let mut again = place.browser();
    again.cookies = kept;
    refused(
        &again.post("/login/finish", &form).await,
        403,
        "not_logged_in",
    );
    assert_eq!(place.provider.exchanged(), 1);
    // The code with another login: the provider has it no more, and its verifier is another.
    let mut thief = place.browser();
    let address = thief.begin("").await;
    let back = place.provider.visited(&address);
    let page = thief.get(&back).await.is(200);
    let [csrf, fresh, state] = ["csrf", "code", "state"].map(|name| hidden(&page, name));
    let form = format!("csrf={csrf}&code={code}&state={state}");
    refused(
        &thief.post("/login/finish", &form).await,
        403,
        "not_logged_in",
    );
    let mut last = place.browser();
    let address = last.begin("").await;
    let page = last.get(&place.provider.visited(&address)).await.is(200);
    let [csrf, state] = ["csrf", "state"].map(|name| hidden(&page, name));
    let form = format!("csrf={csrf}&code={fresh}&state={state}");
    refused(
        &last.post("/login/finish", &form).await,
        403,
        "not_logged_in",
    );
    assert_eq!(place.house.journal.state().await.unwrap().sessions.len(), 1);
}

#[tokio::test]
async fn a_session_or_a_login_that_was_put_there_is_worth_nothing() {
    let place = Place::new().await;
    let mallory = place.logged_in("00u1ana").await;
    let planted = mallory.cookies[SESSION].clone();
    place.provider.log_in("00u2ben", now());
    let mut ben = place.browser();
    ben.cookies.insert(SESSION.to_owned(), planted.clone());
    let login = "0".repeat(64);
    ben.cookies.insert(LOGIN.to_owned(), login.clone());
    let address = ben.begin("").await;
    assert_ne!(ben.cookies[LOGIN], login);
    let page = ben.get(&place.provider.visited(&address)).await.is(200);
    ben.finish(&page).await.is(303);
    assert_ne!(ben.cookies[SESSION], planted);
    assert!(ben.get("/").await.is(200).body.contains("user:ben"));
    // The one that was there before is over.
    let mut mallory = place.browser();
    mallory.cookies.insert(SESSION.to_owned(), planted);
    mallory.get("/").await.is(303);
    // Made up, cut, and of another kind.
    let (_, token) = place.house.token("agent:night").await;
    let secret = ben.cookies[SESSION].clone();
    let cut = secret[..70].to_owned();
    for value in [
        token,
        cut,
        secret.to_uppercase(),
        String::new(),
        "x".repeat(4000),
    ] {
        mallory.cookies.insert(SESSION.to_owned(), value.clone());
        mallory.get("/").await.is(303);
    }
    let two = format!("Cookie: {SESSION}={secret}; {SESSION}={secret}");
    ask(place.house.at, "GET", "/", &[&two], "").await.is(303);
}

/// Each form, with something wrong, by a browser that is logged in.
#[tokio::test]
async fn a_form_of_another_page_changes_nothing() {
    let place = Place::new().await;
    let asked = place.switch().await;
    let mut ben = place.logged_in("00u2ben").await;
    let page = ben.get(&format!("/proposals/{asked}")).await.is(200);
    let (csrf, hash) = (hidden(&page, "csrf"), hidden(&page, "plan_hash"));
    let (approve, reject) = (
        format!("/proposals/{asked}/approve"),
        format!("/proposals/{asked}/reject"),
    );
    let rest = format!("&plan_hash={hash}");
    let forms: [(&str, &str); 3] = [(&approve, &rest), (&reject, "&reason=x"), ("/logout", "")];
    let before = records(&place.house).await;
    let own = format!("Origin: {}", ben.origin);
    let [tls, other, port] = [
        own.replace("http:", "https:"),
        "Origin: http://evil.example".to_owned(),
        "Origin: http://127.0.0.1:1".to_owned(),
    ];
    let two = format!("{own}\r\n{own}");
    for (path, rest) in forms {
        let form = format!("csrf={csrf}{rest}");
        for origin in [
            None,
            Some("Origin: null"),
            Some(&*tls),
            Some(&other),
            Some(&port),
            Some(&two),
        ] {
            refused(&ben.send("POST", path, origin, &form).await, 403, "origin");
        }
        let short = &csrf[..63];
        for wrong in ["", short, &"0".repeat(64)] {
            let form = format!("csrf={wrong}{rest}");
            refused(
                &ben.send("POST", path, Some(&own), &form).await,
                403,
                "csrf",
            );
        }
        for form in [
            rest.to_owned(),
            format!("{form}&csrf={csrf}"),
            format!("{form}&more=1"),
        ] {
            let answer = ben.send("POST", path, Some(&own), &form).await;
            refused(&answer, 400, "invalid_body");
        }
        // What another site can send without a form of ours: text, and JSON.
        let cookies = format!("Cookie: {SESSION}={}", ben.cookies[SESSION]);
        for kind in [
            "Content-Type: text/plain",
            "Content-Type: application/json",
            "X: y",
        ] {
            let head = [&*own, &cookies, kind];
            let answer = ask(place.house.at, "POST", path, &head, &form).await;
            refused(&answer, 400, "invalid_body");
        }
        let get = ben.get(&format!("{path}?{form}")).await;
        refused(&get, 405, "method_not_allowed");
    }
    // Of another session of the same person, and of none.
    let mut other = place.logged_in("00u2ben").await;
    let theirs = other.csrf().await;
    let form = format!("csrf={theirs}{rest}");
    refused(&ben.post(&approve, &form).await, 403, "csrf");
    refused(
        &place.browser().post(&approve, &form).await,
        401,
        "not_logged_in",
    );
    let login = ben
        .send("POST", "/login", Some("Origin: null"), "csrf=x")
        .await;
    assert_eq!(login.status, 403);
    assert_eq!(records(&place.house).await, before + 1);
    let state = place.house.journal.state().await.unwrap();
    assert!(state.proposal_status(&asked).unwrap().approvals.is_empty());
}

#[tokio::test]
async fn to_look_changes_nothing() {
    let place = Place::new().await;
    let asked = place.switch().await;
    let mut ben = place.logged_in("00u2ben").await;
    let address = ben.begin("").await;
    let back = place.provider.visited(&address);
    let before = records(&place.house).await;
    for path in [
        "/",
        "/reference",
        "/login",
        &back,
        &format!("/proposals/{asked}"),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = ben.send(method, path, None, "").await;
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
        }
    }
    for (method, path) in [
        ("GET", "/logout"),
        ("GET", "/login/finish"),
        ("PUT", "/"),
        ("DELETE", "/login"),
    ] {
        refused(
            &ben.send(method, path, None, "").await,
            405,
            "method_not_allowed",
        );
    }
    assert_eq!(place.provider.exchanged(), 1);
    assert_eq!(records(&place.house).await, before);
    ben.get("/").await.is(200);
    ben.get("/proposals/x").await.is(404);
    ben.get("/proposals/%2e%2e%2f").await.is(404);
    let to = ben.get("/login?to=//evil.example").await.is(200);
    assert_eq!(hidden(&to, "to"), "");
    let host = ask(place.house.at, "GET", "/", &["Host: evil.example"], "").await;
    refused(&host, 403, "host");
}

/// A cookie proves nothing where programs ask, and a token nothing where browsers do.
#[tokio::test]
async fn what_programs_ask_for_takes_no_cookie() {
    let place = Place::new().await;
    let ben = place.logged_in("00u2ben").await;
    let cookie = format!("Cookie: {SESSION}={}", ben.cookies[SESSION]);
    for path in [
        "/api/v1/me",
        "/api/v1/state",
        "/api/v1/openapi.json",
        "/mcp/prod",
        "/events",
        "/healthz",
        "/.well-known/oauth-protected-resource/mcp/prod",
        "/nothing",
    ] {
        let answer = ask(place.house.at, "GET", path, &[&cookie], "")
            .await
            .is(403);
        assert_eq!(answer.json()["code"], "cookie", "{path}");
    }
    let bearer = format!("Authorization: Bearer {}", ben.cookies[SESSION]);
    ask(place.house.at, "GET", "/api/v1/me", &[&bearer], "")
        .await
        .is(401);
    let (_, night) = place.house.token("agent:night").await;
    let bearer = format!("Authorization: Bearer {night}");
    ask(place.house.at, "GET", "/", &[&bearer], "")
        .await
        .is(303);
    let signed = place
        .house
        .signature(("user:ben", BEN), "GET", "/", "", jiff::Timestamp::now());
    ask(place.house.at, "GET", "/", &[&signed], "")
        .await
        .is(303);
}

#[tokio::test]
async fn what_is_of_high_risk_takes_a_login_of_late() {
    let place = Place::new().await;
    let asked = place.rewire().await;
    let path = format!("/proposals/{asked}");
    let mut old = place.browser();
    place.provider.log_in("00u2ben", now() - 901);
    old.log_in(&place, "").await.is(303);
    let page = old.get(&path).await.is(200);
    assert!(!page.body.contains("/approve"), "{page:?}");
    let (csrf, hash) = (
        hidden(&page, "csrf"),
        page.body.split("<code>").nth(2).unwrap()[..64].to_owned(),
    );
    let form = format!("csrf={csrf}&plan_hash={hash}");
    refused(
        &old.post(&format!("{path}/approve"), &form).await,
        403,
        "login_too_old",
    );
    // What is not said is long ago.
    place
        .provider
        .change(|_, claims| drop(claims.as_object_mut().unwrap().remove("auth_time")));
    let mut unsaid = place.browser();
    unsaid.log_in(&place, "").await.is(303);
    let csrf = unsaid.csrf().await;
    let form = format!("csrf={csrf}&plan_hash={hash}");
    refused(
        &unsaid.post(&format!("{path}/approve"), &form).await,
        403,
        "login_too_old",
    );
    place.provider.right_again();
    // The provider asks anew, as it is told to.
    let fresh = old
        .log_in(&place, &format!("&fresh=true&to={asked}"))
        .await
        .is(303);
    assert!(
        fresh.head.contains(&format!("location: {path}")),
        "{fresh:?}"
    );
    old.approve(&asked).await.is(303);
    let state = place.house.journal.state().await.unwrap();
    assert_eq!(state.proposal_status(&asked).unwrap().approvals.len(), 1);
    // What is of medium risk does not take that.
    let asked = place.switch().await;
    place.provider.log_in("00u2ben", now() - 901);
    let mut old = place.browser();
    old.log_in(&place, "").await.is(303);
    old.approve(&asked).await.is(303);
}

#[tokio::test]
async fn a_session_ends_with_its_row_and_so_does_what_was_approved_in_it() {
    let place = Place::new().await;
    let asked = place.switch().await;
    let mut ben = place.logged_in("00u2ben").await;
    ben.approve(&asked).await.is(303);
    place.only(&["00u1ana"]);
    ben.get("/").await.is(303);
    let form = "csrf=x&reason=x";
    refused(
        &ben.post(&format!("/proposals/{asked}/reject"), form).await,
        401,
        "not_logged_in",
    );
    let (_, shown) = place.house.token("agent:shown").await;
    let execute = format!("/api/v1/proposals/{asked}/execute");
    let answer = place
        .house
        .post(&execute, &shown, Value::Null)
        .await
        .is(403);
    assert_eq!(answer.json()["code"], "not_proven");
    refused(
        &place.browser().log_in(&place, "").await,
        403,
        "not_logged_in",
    );
    assert!(place.house.sent().is_empty());
}

/// Somebody has the cookie of another person: a third one ends the session, and learns what was approved in it.
#[tokio::test]
async fn a_session_is_ended_by_another_person_who_learns_what_was_approved_in_it() {
    let place = Place::new().await;
    let asked = place.switch().await;
    let mut ben = place.logged_in("00u2ben").await;
    let mut elsewhere = place.logged_in("00u2ben").await;
    ben.approve(&asked).await.is(303);
    let ana = async |method: &str, path: &str, body: &Value| {
        let by = ("user:ana", ANA);
        place.house.ask_as(by, method, path, body).await
    };
    let listed = ana("GET", "/api/v1/sessions", &Value::Null).await;
    let listed = listed.is(200).json();
    let sessions = listed["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    assert!(
        sessions
            .iter()
            .all(|one| one["actor"] == "user:ben" && one["proven_by"] == "oidc")
    );
    let approved = place.house.journal.state().await.unwrap();
    let approved = approved.open.get(&asked).unwrap().approvals[0].clone();
    let id = &approved.attested.as_ref().unwrap().session;
    let end = format!("/api/v1/sessions/{id}/end");
    let why = json!({"reason": "its cookie was copied"});
    let ended = ana("POST", &end, &why).await.is(200).json();
    assert_eq!(ended["approved"], json!([asked]));
    ben.get("/").await.is(303);
    elsewhere.get("/").await.is(200);
    ana("POST", &end, &why).await.is(404);
}

#[tokio::test]
async fn a_session_ends_when_nothing_is_asked_and_after_its_life() {
    let mut options = Options::default();
    options.session_idle = Duration::ZERO;
    let place = Place::with(options).await;
    let mut idle = place.logged_in("00u2ben").await;
    idle.get("/").await.is(303);
    let mut options = Options::default();
    options.session_life = Duration::ZERO;
    let place = Place::with(options).await;
    place.provider.log_in("00u2ben", now());
    let answer = place.browser().log_in(&place, "").await;
    assert!(answer.status >= 400, "{answer:?}");
}

/// Who asked, who made the token of who asked, who only looks, and where a rule does not take it.
#[tokio::test]
async fn nobody_approves_in_a_browser_who_could_not_elsewhere() {
    let place = Place::new().await;
    let mut ana = place.logged_in("00u1ana").await;
    // She made the token.
    let asked = place.switch().await;
    let answer = ana.approve(&asked).await;
    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(
        answer.body.contains("somebody else must approve"),
        "{answer:?}"
    );
    // He asked for it himself.
    let body = json!({"action": "rewire_lamp", "parameters": {"lamp": 2}});
    let proposals = "/api/v1/clusters/prod/proposals";
    let asked = place
        .house
        .ask_as(("user:ben", BEN), "POST", proposals, &body)
        .await;
    let asked = id(&asked.is(201).json()).to_owned();
    let mut ben = place.logged_in("00u2ben").await;
    let answer = ben.approve(&asked).await;
    assert_eq!(answer.status, 403, "{answer:?}");
    ana.approve(&asked).await.is(303);
    // The rule takes signatures.
    let asked = place
        .asked(
            "agent:careful",
            "switch_lamp",
            json!({"lamp": 3, "lit": true}),
        )
        .await;
    let answer = ben.approve(&asked).await;
    refused(&answer, 403, "not_proven");
    let state = place.house.journal.state().await.unwrap();
    assert!(state.proposal_status(&asked).unwrap().approvals.is_empty());
    // To reject takes no more than a person.
    let csrf = ben.csrf().await;
    let reject = format!("/proposals/{asked}/reject");
    ben.post(&reject, &format!("csrf={csrf}&reason=not+tonight"))
        .await
        .is(303);
    let state = place.house.journal.state().await.unwrap();
    let cancel = state
        .proposal_status(&asked)
        .unwrap()
        .cancel
        .clone()
        .unwrap();
    assert_eq!(
        (cancel.by.proven_by().word(), &*cancel.reason),
        ("oidc", "not tonight")
    );
}

#[tokio::test]
async fn another_plan_than_the_one_that_was_shown_is_not_approved() {
    let place = Place::new().await;
    let (one, other) = (place.switch().await, place.rewire().await);
    let mut ben = place.logged_in("00u2ben").await;
    let page = ben.get(&format!("/proposals/{one}")).await.is(200);
    let (csrf, hash) = (hidden(&page, "csrf"), hidden(&page, "plan_hash"));
    let approve = format!("/proposals/{other}/approve");
    let answer = ben
        .post(&approve, &format!("csrf={csrf}&plan_hash={hash}"))
        .await;
    refused(&answer, 409, "other_plan");
    assert!(answer.body.contains("<h2>difference</h2>"), "{answer:?}");
    let answer = ben
        .post(&approve, &format!("csrf={csrf}&plan_hash=x"))
        .await;
    refused(&answer, 400, "invalid_input");
    let state = place.house.journal.state().await.unwrap();
    assert!(state.proposal_status(&other).unwrap().approvals.is_empty());
}

/// Whoever can write the journal has no key of the gate's: their sessions and approvals count nowhere.
#[tokio::test]
async fn what_a_local_process_writes_of_sessions_counts_nowhere() {
    let place = Place::new().await;
    let (house, asked) = (&place.house, place.switch().await);
    let ben = place.logged_in("00u2ben").await;
    let write = async |record: Record| {
        let decision = Box::new(move |_: &_, _| Ok(vec![record]));
        house.journal.commit(decision).await
    };
    let state = house.journal.state().await.unwrap();
    let session = state.sessions.values().next().unwrap();
    // An approval that says it is from this session, signed by another key, by none of a gate's, and by
    // that of the session itself.
    let status = state.proposal_status(&asked).unwrap();
    let approval = Approval::new(
        session.actor.clone(),
        status.proposal.plan_hash.clone(),
        status.proposal.expires_at,
    );
    for proof in [
        json!(session.proof),
        json!({"key": key(ANA).public().to_string(), "at": session.proof.at, "signature": key(ANA).sign(&approval.statement(&asked))}),
    ] {
        let mut forged = json!(approval);
        forged["attested"] = json!({"session": session.id, "row": session.row, "auth_time": session.auth_time, "proof": proof});
        let approval: Approval = serde_json::from_value(forged).unwrap();
        let id = asked.clone();
        write(Record::Approved { id, approval }).await.ok();
    }
    let (_, shown) = house.token("agent:shown").await;
    let execute = format!("/api/v1/proposals/{asked}/execute");
    let stands = house.post(&execute, &shown, Value::Null).await;
    let stands = stands.is(200).json();
    assert!(stands["standing"]["denied"].is_object(), "{stands}");
    // A session of somebody else, with a secret that is known: the hash is of the cookie of Ben.
    let mut forged = json!(**session);
    forged["actor"]["actor"] = json!("user:ana");
    write(Record::SessionEnded {
        id: session.id.clone(),
        by: actor("user:x"),
        reason: "x".to_owned(),
    })
    .await
    .unwrap();
    let session: BrowserSession = serde_json::from_value(forged).unwrap();
    write(Record::SessionOpened {
        session: Box::new(session),
    })
    .await
    .unwrap();
    let cookie = format!("Cookie: {SESSION}={}", ben.cookies[SESSION]);
    ask(house.at, "GET", "/", &[&cookie], "").await.is(303);
    // The command line beside it approves as claimed, which is not taken.
    let local = house.local();
    let other = place.switch().await;
    let status = local.proposal_status(&other).await.unwrap();
    let carl = actor("user:carl");
    let claimed = local.controls();
    let claimed = claimed.approve(
        &other,
        &status.proposal.plan_hash,
        Decider::claimed(&carl),
        None,
    );
    assert!(claimed.await.is_err());
    assert!(house.sent().is_empty());
}

/// Where nobody logs in with a browser there is nothing for one.
#[tokio::test]
async fn without_a_login_there_are_no_pages() {
    let house = House::new().await;
    for path in [
        "/",
        "/login",
        "/reference",
        "/login/callback",
        "/proposals/x",
    ] {
        ask(house.at, "GET", path, &[], "").await.is(404);
        ask(house.at, "GET", path, &["Cookie: x=y"], "")
            .await
            .is(403);
    }
}
