//! People who log in with a browser at a provider, and what is tried with that.

use std::collections::BTreeMap;
use std::time::Duration;

use action_core::Risk;
use operator_mcp::Ceiling;
use operator_server::{Algorithm, Known, LocalUser, Login, Options, Subject, Trust};
use serde_json::{Value, json};

use crate::client::{Answer, ask};
use crate::house::{GATE, House, MALLORY, actor, id};
use crate::login_provider::{CLIENT, LoginProvider, SECRET};
use crate::provider::{Pair, now};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

/// A gate at which people log in, and the provider at which they do.
pub(crate) struct Place {
    pub(crate) provider: LoginProvider,
    pub(crate) house: House,
    pub(crate) trust: Trust,
}

pub(crate) fn known(who: &str) -> Known {
    Known {
        actor: actor(who),
        clusters: vec![],
        up_to: Ceiling::UpTo(Risk::High),
        owner: None,
    }
}

fn subject(sub: &str, who: &str) -> Subject {
    Subject {
        sub: sub.to_owned(),
        known: known(who),
    }
}

impl Place {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(mut options: Options) -> Self {
        options.keys_at_most_every = Duration::ZERO;
        options.most_per_minute = 10_000;
        let provider = LoginProvider::new(Pair::es256()).await;
        let mut trust = Trust::default();
        trust.session_key = Some(GATE.as_bytes().to_vec());
        trust.login = Some(Login {
            name: "corp".to_owned(),
            issuer: provider.issuer(),
            authorization_endpoint: format!("{}/auth", provider.issuer()),
            token_endpoint: format!("{}/token", provider.issuer()),
            jwks_uri: format!("{}/keys", provider.issuer()),
            ca: None,
            client_id: CLIENT.to_owned(),
            client_secret: SECRET.to_owned(),
            algorithms: vec![Algorithm::Es256],
            subjects: vec![
                subject("00u1ana", "user:ana"),
                subject("00u2ben", "user:ben"),
            ],
        });
        trust.local_users = vec![LocalUser {
            uid: 1000,
            known: known("user:ben"),
        }];
        let (house, trust) = House::browsed(options, trust).await;
        Self {
            provider,
            house,
            trust,
        }
    }

    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser {
            house: &self.house,
            cookies: BTreeMap::new(),
            origin: format!("http://{}", self.house.at),
        }
    }

    /// Somebody who has logged in at the provider, with this in the ID token besides.
    pub(crate) async fn logged_in(&self, sub: &str) -> Browser<'_> {
        self.provider.log_in(sub, now());
        let mut browser = self.browser();
        browser.log_in(self, "").await.is(303);
        browser
    }

    /// The same gate, with something else from now on.
    pub(crate) fn trust(&self, change: impl FnOnce(&mut Trust)) {
        let mut trust = self.trust.clone();
        change(&mut trust);
        self.house.gate.trust(&trust).unwrap();
    }

    /// Nobody but these any more.
    pub(crate) fn only(&self, subs: &[&str]) {
        let mut trust = self.trust.clone();
        let login = trust.login.as_mut().unwrap();
        login.subjects.retain(|one| subs.contains(&&*one.sub));
        trust.local_users.clear();
        self.house.gate.trust(&trust).unwrap();
    }

    /// What this agent asks for, which people must approve.
    pub(crate) async fn asked(&self, who: &str, action: &str, parameters: Value) -> String {
        let (_, secret) = self.house.token(who).await;
        let body = json!({"action": action, "parameters": parameters, "reason": "<b>dark</b>"});
        let asked = self
            .house
            .post("/api/v1/clusters/prod/proposals", &secret, body);
        id(&asked.await.is(201).json()).to_owned()
    }

    pub(crate) async fn switch(&self) -> String {
        let lamp = json!({"lamp": 1, "lit": true});
        self.asked("agent:shown", "switch_lamp", lamp).await
    }

    /// What is of high risk.
    pub(crate) async fn rewire(&self) -> String {
        let lamp = json!({"lamp": 1});
        self.asked("agent:shown", "rewire_lamp", lamp).await
    }
}

/// A browser, with its cookies.
pub(crate) struct Browser<'a> {
    house: &'a House,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) origin: String,
}

impl Browser<'_> {
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let answer = self.send("GET", path, None, "").await;
        self.keep(&answer);
        answer
    }

    pub(crate) async fn post(&mut self, path: &str, form: &str) -> Answer {
        let origin = format!("Origin: {}", self.origin);
        let answer = self.send("POST", path, Some(&origin), form).await;
        self.keep(&answer);
        answer
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        origin: Option<&str>,
        form: &str,
    ) -> Answer {
        let cookies = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let cookies = format!("Cookie: {}", cookies.collect::<Vec<_>>().join("; "));
        let mut head = vec![FORM];
        head.extend(origin);
        if !self.cookies.is_empty() {
            head.push(&cookies);
        }
        ask(self.house.at, method, path, &head, form).await
    }

    fn keep(&mut self, answer: &Answer) {
        for line in answer.head.lines() {
            let Some(cookie) = line.strip_prefix("set-cookie: ") else {
                continue;
            };
            assert!(cookie.contains("; httponly; samesite=lax"), "{cookie}");
            let (name, rest) = cookie.split_once('=').unwrap();
            let (value, rest) = rest.split_once(';').unwrap();
            match rest.contains("max-age=0;") {
                true => self.cookies.remove(name),
                false => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
    }

    /// Where the provider is to be asked, once the login has begun.
    pub(crate) async fn begin(&mut self, more: &str) -> String {
        let page = self.get("/login").await.is(200);
        let csrf = hidden(&page, "csrf");
        let page = self
            .post("/login", &format!("csrf={csrf}{more}"))
            .await
            .is(200);
        let (_, rest) = page.body.split_once("content=\"0; url=").unwrap();
        rest.split('"').next().unwrap().replace("&amp;", "&")
    }

    /// Goes through all of it, and gives what the last page answers.
    pub(crate) async fn log_in(&mut self, place: &Place, more: &str) -> Answer {
        let address = self.begin(more).await;
        let back = place.provider.visited(&address);
        let page = self.get(&back).await;
        match page.status {
            200 => self.finish(&page).await,
            _ => page,
        }
    }

    pub(crate) async fn finish(&mut self, page: &Answer) -> Answer {
        let [csrf, code, state] = ["csrf", "code", "state"].map(|name| hidden(page, name));
        let form = format!("csrf={csrf}&code={code}&state={state}");
        self.post("/login/finish", &form).await
    }

    pub(crate) async fn csrf(&mut self) -> String {
        hidden(&self.get("/").await.is(200), "csrf")
    }

    /// Approves what is shown of a proposal.
    pub(crate) async fn approve(&mut self, id: &str) -> Answer {
        let page = self.get(&format!("/proposals/{id}")).await.is(200);
        let (csrf, hash) = (hidden(&page, "csrf"), hidden(&page, "plan_hash"));
        let form = format!("csrf={csrf}&plan_hash={hash}&reason=");
        self.post(&format!("/proposals/{id}/approve"), &form).await
    }
}

/// What a form has in it unseen.
#[track_caller]
pub(crate) fn hidden(page: &Answer, name: &str) -> String {
    let begin = format!("name=\"{name}\" value=\"");
    let found = page.body.split_once(&begin);
    let (_, rest) = found.unwrap_or_else(|| unreachable!("{name}: {page:?}"));
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_logs_in_sees_what_is_open_approves_it_and_logs_out() {
    let place = Place::new().await;
    let asked = place.switch().await;
    let mut ben = place.browser();
    assert!(ben.get("/").await.is(303).head.contains("location: /login"));
    place.provider.log_in("00u2ben", now());
    let path = format!("/proposals/{asked}");
    let first = ben.get(&path).await.is(303);
    assert!(first.head.contains(&format!("location: /login?to={asked}")));
    let arrived = ben.log_in(&place, &format!("&to={asked}")).await.is(303);
    assert!(
        arrived.head.contains(&format!("location: {path}")),
        "{arrived:?}"
    );
    let front = ben.get("/").await.is(200).body;
    for word in [
        "user:ben",
        "identity proven by the issuer corp",
        "switch_lamp",
        "agent:shown",
    ] {
        assert!(front.contains(word), "{word}: {front}");
    }
    let page = ben.get(&path).await.is(200);
    let hash = hidden(&page, "plan_hash");
    assert!(
        page.body.contains(&format!("<code>{hash}</code>")),
        "{page:?}"
    );
    assert!(page.body.contains("&lt;b&gt;dark"), "{page:?}");
    for word in [
        "Would proceed",
        "switch_lamp lamp=1 lit=true",
        "switch_lamp lamp=1 lit=false",
    ] {
        assert!(page.body.contains(word), "{word}: {page:?}");
    }
    for line in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "x-content-type-options: nosniff",
        "cache-control: no-store",
        "referrer-policy: same-origin",
    ] {
        assert!(page.head.contains(line), "{line}: {page:?}");
    }
    ben.approve(&asked).await.is(303);
    let page = ben.get(&path).await.is(200);
    assert!(page.body.contains("user:ben, by oidc"), "{page:?}");
    assert!(page.body.contains("does not need an approval"), "{page:?}");
    assert!(!page.body.contains("/approve"), "{page:?}");
    let state = place.house.journal.state().await.unwrap();
    let status = state.proposal_status(&asked).unwrap();
    let approval = &status.approvals[0];
    assert_eq!(approval.by.proven_by().word(), "oidc");
    assert_eq!(
        approval.attested.as_ref().unwrap().session,
        *state.sessions.keys().next().unwrap()
    );
    // It counts, and is carried out.
    let shown = place.house.token("agent:shown").await.1;
    let execute = format!("/api/v1{path}/execute");
    let done = place.house.post(&execute, &shown, Value::Null).await;
    assert_eq!(done.is(200).json()["phase"], "applied");
    assert_eq!(place.house.sent(), [(1, true)]);
    // Nothing of the secret is anywhere.
    let secret = ben.cookies["operator-session"].clone();
    let entries = place.house.journal.entries(0, 100).await.unwrap();
    assert!(
        !json!(entries.iter().map(|one| &one.record).collect::<Vec<_>>())
            .to_string()
            .contains(&secret)
    );
    let csrf = ben.csrf().await;
    ben.post("/logout", &format!("csrf={csrf}")).await.is(303);
    assert!(!ben.cookies.contains_key("operator-session"));
    ben.cookies.insert("operator-session".to_owned(), secret);
    ben.get("/").await.is(303);
}

/// Whichever gate of a journal somebody comes to: they are logged in there, what they approve counts there,
/// and once they have logged out they are at none.
#[tokio::test]
async fn gates_on_one_journal_share_who_is_logged_in() {
    let place = Place::new().await;
    let asked = place.switch().await;
    let mut ben = place.logged_in("00u2ben").await;
    let other = place.house.beside(place.trust.clone()).await;
    let mut there = Browser {
        house: &other,
        cookies: ben.cookies.clone(),
        origin: format!("http://{}", other.at),
    };
    assert!(there.get("/").await.is(200).body.contains("user:ben"));
    there.approve(&asked).await.is(303);
    let (_, shown) = place.house.token("agent:shown").await;
    let execute = format!("/api/v1/proposals/{asked}/execute");
    let done = place.house.post(&execute, &shown, Value::Null).await;
    assert_eq!(done.is(200).json()["phase"], "applied");
    let csrf = there.csrf().await;
    there.post("/logout", &format!("csrf={csrf}")).await.is(303);
    ben.get("/").await.is(303);
    // One whose key the policy does not list logs nobody in, and nothing that it says counts.
    let mut trust = place.trust.clone();
    trust.session_key = Some(MALLORY.as_bytes().to_vec());
    place.house.gate.trust(&trust).unwrap();
    let refused = place.browser().log_in(&place, "").await;
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(refused.body.contains("lists no gate"), "{refused:?}");
}
