//! Logging in and out.

use action_guard::{BrowserSecret, BrowserSession, NewSession};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::browser::Browsers;
use crate::browser::cookies::Cookie;
use crate::browser::forms::{self, Begin, Callback, Finish, Only, To, id};
use crate::browser::oidc::{Attempt, NotArrived, Provider};
use crate::browser::page::{Page, page as whole, see, sending};
use crate::browser::session::{
    LOGGING_IN, browsers, csrf, from_now, is_from_here, signed_in, within_rate,
};
use crate::gate::Gate;
use crate::input::Filter;
use crate::jwks::Pace;
use crate::problem::Problem;

/// How long a login may take, in seconds.
const LOGIN_SECONDS: u64 = 600;

/// No session lasts longer.
const LONGEST_SESSION: SignedDuration = SignedDuration::from_hours(24);

/// The cookie of a browser that is about to log in: a secret, and the proposal that it came for.
pub(crate) struct Arriving {
    pub(crate) secret: String,
    to: Option<String>,
}

impl Arriving {
    pub(crate) fn new(to: Option<&str>) -> Result<Self, Problem> {
        let mut bits = [0; 32];
        SystemRandom::new().fill(&mut bits).map_err(|_| {
            let text = "cannot get random numbers from the operating system";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no_randomness", text)
        })?;
        let secret = bits.iter().map(|byte| format!("{byte:02x}")).collect();
        let to = to.map(str::to_owned);
        Ok(Self { secret, to })
    }

    pub(crate) fn read(headers: &HeaderMap, is_tls: bool) -> Option<Self> {
        let text = Cookie::Login.read(headers, is_tls)?;
        let (secret, to) = text.split_once('.').unwrap_or((text, ""));
        let is_one = secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_one.then(|| Self {
            secret: secret.to_owned(),
            to: id(to).map(str::to_owned),
        })
    }

    pub(crate) fn kept(&self, answer: Response, is_tls: bool) -> Response {
        let text = match &self.to {
            Some(to) => format!("{}.{to}", self.secret),
            None => self.secret.clone(),
        };
        Cookie::Login.set(answer, is_tls, &text, LOGIN_SECONDS)
    }
}

/// Where somebody begins to log in.
pub(crate) async fn page(
    State(gate): State<Gate>,
    headers: HeaderMap,
    Filter(asked): Filter<To>,
) -> Page {
    within_rate(&gate, LOGGING_IN)?;
    let trusted = gate.trusted();
    let browsers = browsers(&trusted)?;
    let (is_tls, to) = (browsers.is_tls(), id(&asked.to));
    let known = Arriving::read(&headers, is_tls);
    let arriving = known.map_or_else(|| Arriving::new(to), Ok)?;
    let body = html! {
        @if let Some(provider) = &browsers.provider {
            form method="post" action="/login" {
                input type="hidden" name="csrf" value=(csrf(&arriving.secret));
                input type="hidden" name="to" value=(to.unwrap_or_default());
                input type="hidden" name="fresh" value=(asked.fresh);
                button { "Log in at " (provider.name) }
            }
        }
        @if browsers.has_links() { p { "On the gate's host, " code { "operator link" } " creates a link that logs you in once." } }
        (without_tls(browsers))
    };
    Ok(arriving.kept(whole("Log in", None, &body), is_tls))
}

/// What a page says where others on this machine could take its cookie.
fn without_tls(browsers: &Browsers) -> Markup {
    html! {
        @if !browsers.is_tls() {
            p class="warning" {
                "This gate is reached without TLS, on this machine only: other programs of this machine that \
                 serve pages are not kept from its cookies."
            }
        }
    }
}

/// Sends a browser to the provider. A page does that and no redirect, which a form may not follow to
/// elsewhere.
pub(crate) async fn begin(State(gate): State<Gate>, headers: HeaderMap, body: Bytes) -> Page {
    within_rate(&gate, LOGGING_IN)?;
    let trusted = gate.trusted();
    let browsers = browsers(&trusted)?;
    let asked: Begin = forms::read(&headers, &body)?;
    let arriving = arriving(browsers, &headers)?;
    is_from_here(browsers, &headers, &asked.csrf, &csrf(&arriving.secret))?;
    let provider = provider(browsers)?;
    let arriving = Arriving::new(id(&asked.to))?;
    let address = provider.address(&Attempt::of(&arriving.secret), asked.fresh);
    let body = html! {
        meta http-equiv="refresh" content={ "0; url=" (address) };
        p { a rel="noreferrer" href=(address) { "Go on at " (provider.name) } }
    };
    let answer = whole("Log in", None, &body);
    Ok(arriving.kept(answer, browsers.is_tls()))
}

/// What the provider sends a browser back with. Changes nothing: the page sends it on.
pub(crate) async fn callback(
    State(gate): State<Gate>,
    headers: HeaderMap,
    Filter(back): Filter<Callback>,
) -> Page {
    within_rate(&gate, LOGGING_IN)?;
    let trusted = gate.trusted();
    let browsers = browsers(&trusted)?;
    let provider = provider(browsers)?;
    let arriving = arriving(browsers, &headers)?;
    let (Some(code), Some(state), None) = (back.code, back.state, back.error) else {
        tracing::warn!(provider = provider.name, "the provider refused a login");
        let text = "the provider did not log you in";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_logged_in", text).into());
    };
    if back.iss.is_some_and(|iss| iss != provider.issuer) {
        tracing::warn!(
            provider = provider.name,
            "a login was answered by another issuer"
        );
        return Err(not_logged_in().into());
    }
    is_state_of(&arriving, &state)?;
    let body = html! {
        form method="post" action="/login/finish" {
            input type="hidden" name="csrf" value=(csrf(&arriving.secret));
            input type="hidden" name="code" value=(code);
            input type="hidden" name="state" value=(state);
            button { "Go on" }
        }
    };
    Ok(sending("Log in", &body))
}

/// Exchanges the code, and opens a session that has nothing of the one before.
pub(crate) async fn finish(State(gate): State<Gate>, headers: HeaderMap, body: Bytes) -> Page {
    within_rate(&gate, LOGGING_IN)?;
    let trusted = gate.trusted();
    let browsers = browsers(&trusted)?;
    let provider = provider(browsers)?;
    let back: Finish = forms::read(&headers, &body)?;
    let arriving = arriving(browsers, &headers)?;
    is_from_here(browsers, &headers, &back.csrf, &csrf(&arriving.secret))?;
    is_state_of(&arriving, &back.state)?;
    if !gate.came().is_new(&format!("login {}", back.state)) {
        tracing::warn!(provider = provider.name, "a login `state` was used twice");
        return Err(not_logged_in().into());
    }
    let options = gate.options();
    let pace = Pace {
        fresh_for: options.keys_fresh_for,
        at_most_every: options.keys_at_most_every,
    };
    let attempt = Attempt::of(&arriving.secret);
    let arrived = provider.arrived(&attempt, &back.code, pace).await;
    let arrived = arrived.map_err(not_arrived)?;
    let found = browsers.of_subject(&provider.issuer, &arrived.sub);
    let (row, actor) = found.ok_or_else(|| {
        let sub = &*action_core::redacted(&arrived.sub).into_owned();
        tracing::warn!(
            provider = provider.name,
            sub,
            "a login was refused: its `sub` is not listed"
        );
        not_logged_in()
    })?;
    let new = NewSession {
        actor,
        row: row.to_owned(),
        // Not said is long ago.
        auth_time: arrived.auth_time.unwrap_or(Timestamp::UNIX_EPOCH),
        expires_at: expires_at(&gate)?,
    };
    let opened = gate.controls().open_session(new, &browsers.key).await;
    let (session, secret) = opened.map_err(not_opened)?;
    end_old(&gate, &headers, &session).await;
    let place = arriving.to.map(|to| format!("/proposals/{to}"));
    Ok(logged_in(
        browsers,
        &gate,
        see(place.as_deref().unwrap_or("/")),
        &secret,
    ))
}

/// The same answer, with the cookie of a session, and without that of who is about to log in.
pub(crate) fn logged_in(
    browsers: &Browsers,
    gate: &Gate,
    answer: Response,
    secret: &BrowserSecret,
) -> Response {
    let (is_tls, life) = (browsers.is_tls(), gate.options().session_life.as_secs());
    let answer = Cookie::Session.set(answer, is_tls, secret.reveal(), life);
    Cookie::Login.set(answer, is_tls, "", 0)
}

/// Ends the session that a browser had before.
pub(crate) async fn end_old(gate: &Gate, headers: &HeaderMap, new: &BrowserSession) {
    if let Ok(Some(old)) = signed_in(gate, headers).await {
        let (controls, by) = (gate.controls(), &new.actor);
        let ended = controls.end_session(&old.session.id, by, "logged in again");
        // What cannot be ended now ends by itself, and its cookie is replaced.
        let _ = ended.await;
    }
}

/// Until when a session lasts that is opened now.
pub(crate) fn expires_at(gate: &Gate) -> Result<Timestamp, Problem> {
    let life = SignedDuration::try_from(gate.options().session_life);
    let life = life.unwrap_or(LONGEST_SESSION).min(LONGEST_SESSION);
    from_now(life).ok_or_else(|| {
        Problem::invalid("cannot compute the expiry of the session: check the clock of the gate")
    })
}

/// What keeps a session from being opened is for who keeps the gate.
pub(crate) fn not_opened(error: action_guard::MakeTokenError) -> Problem {
    match error {
        action_guard::MakeTokenError::Commit(error) => error.into(),
        other => {
            let (status, code) = (StatusCode::INTERNAL_SERVER_ERROR, "no_randomness");
            Problem::new(status, code, other.to_string())
        }
    }
}

/// Ends a session.
pub(crate) async fn out(State(gate): State<Gate>, headers: HeaderMap, body: Bytes) -> Page {
    let trusted = gate.trusted();
    let browsers = browsers(&trusted)?;
    let asked: Only = forms::read(&headers, &body)?;
    let Some(signed) = signed_in(&gate, &headers).await? else {
        return Ok(see("/login"));
    };
    is_from_here(browsers, &headers, &asked.csrf, &signed.csrf)?;
    let (controls, by) = (gate.controls(), &signed.asker.actor);
    controls
        .end_session(&signed.session.id, by, "logged out")
        .await?;
    let answer = see("/login");
    Ok(Cookie::Session.set(answer, browsers.is_tls(), "", 0))
}

/// The browser that is about to log in: that it is the same throughout.
pub(crate) fn arriving(browsers: &Browsers, headers: &HeaderMap) -> Result<Arriving, Problem> {
    let found = Arriving::read(headers, browsers.is_tls());
    found.ok_or_else(|| {
        let text = "this browser has not started this login, or the login timed out: open the login page again";
        Problem::new(StatusCode::FORBIDDEN, "no_login", text)
    })
}

fn provider(browsers: &Browsers) -> Result<&Provider, Problem> {
    browsers.provider.as_ref().ok_or_else(Problem::not_found)
}

/// Refuses what a provider sent back to somebody else.
fn is_state_of(arriving: &Arriving, given: &str) -> Result<(), Problem> {
    match Attempt::of(&arriving.secret).state == given {
        true => Ok(()),
        false => {
            tracing::warn!("a login `state` belongs to another login");
            Err(not_logged_in())
        }
    }
}

/// That the provider is down is no secret.
fn not_arrived(why: NotArrived) -> Problem {
    match why {
        NotArrived::NoAnswer => {
            let text = "the provider did not answer: try again later; if this continues, contact the administrator of the gate";
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "provider_unavailable",
                text,
            )
        }
        NotArrived::Unproven => not_logged_in(),
    }
}

/// The same words whatever was wrong: what that is, is in the log.
fn not_logged_in() -> Problem {
    let text =
        "the login failed: try again; if this continues, contact the administrator of the gate";
    Problem::new(StatusCode::FORBIDDEN, "not_logged_in", text)
}
