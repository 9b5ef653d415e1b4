//! Links that log a person in, once.

use action_guard::NewSession;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use maud::{PreEscaped, html};

use crate::browser::forms::{self, ByLink};
use crate::browser::log_in::{Arriving, arriving, end_old, expires_at, logged_in, not_opened};
use crate::browser::page::{MOVE, Page, page as whole, see};
use crate::browser::session::{LOGGING_IN, browsers, csrf, is_from_here, within_rate};
use crate::gate::Gate;
use crate::problem::Problem;

/// A page with a button. The secret stands behind the `#` of its address, which no browser sends: its script
/// puts it into the form and takes it out of the address.
pub(crate) async fn page(State(gate): State<Gate>, headers: HeaderMap) -> Page {
    within_rate(&gate, LOGGING_IN)?;
    let trusted = gate.trusted();
    let browsers = browsers(&trusted)?;
    let is_tls = browsers.is_tls();
    let known = Arriving::read(&headers, is_tls);
    let arriving = known.map_or_else(|| Arriving::new(None), Ok)?;
    let body = html! {
        p { "This link logs you in once. Continue only if you created it yourself on the gate's host." }
        form method="post" action="/link" {
            input type="hidden" name="csrf" value=(csrf(&arriving.secret));
            input type="hidden" name="link" value="";
            button { "Log in" }
        }
        noscript { p class="warning" { "This link needs JavaScript." } }
        script { (PreEscaped(MOVE)) }
    };
    Ok(arriving.kept(whole("Log in by a link", None, &body), is_tls))
}

/// Uses the link up, and opens a session.
pub(crate) async fn consume(State(gate): State<Gate>, headers: HeaderMap, body: Bytes) -> Page {
    within_rate(&gate, LOGGING_IN)?;
    let trusted = gate.trusted();
    let browsers = browsers(&trusted)?;
    let asked: ByLink = forms::read(&headers, &body)?;
    let arriving = arriving(browsers, &headers)?;
    is_from_here(browsers, &headers, &asked.csrf, &csrf(&arriving.secret))?;
    let controls = gate.controls();
    let link = controls.link(&asked.link).await.map_err(|error| {
        let error = action_core::report(&error);
        tracing::warn!(error, "a login link was refused");
        over()
    })?;
    let actor = browsers.of_link(&link).ok_or_else(over)?;
    let new = NewSession {
        actor,
        row: link.row.clone(),
        auth_time: Timestamp::now(),
        expires_at: expires_at(&gate)?,
    };
    let opened = controls
        .open_session_by_link(new, &link, &browsers.key)
        .await;
    let (session, secret) = opened.map_err(not_opened)?;
    end_old(&gate, &headers, &session).await;
    Ok(logged_in(browsers, &gate, see("/"), &secret))
}

/// The same words for what was used, is over, and never was.
fn over() -> Problem {
    let text = "this link was already used, has expired, or is invalid: create another one with `operator link`";
    Problem::new(StatusCode::FORBIDDEN, "no_link", text)
}
