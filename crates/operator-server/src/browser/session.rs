//! Whose session a browser brings, and what it must bring besides to change anything.

use std::sync::Arc;

use action_guard::{BrowserSession, Hash, TokenError};
use axum::http::{HeaderMap, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq as _;

use crate::browser::Browsers;
use crate::browser::cookies::Cookie;
use crate::gate::Gate;
use crate::problem::Problem;
use crate::trusted::Trusted;
use crate::who::Asker;

/// Who is logged in, by what, and what their pages bring back.
pub(crate) struct Signed {
    pub(crate) asker: Asker,
    pub(crate) session: Arc<BrowserSession>,
    /// What each form of theirs has in it.
    pub(crate) csrf: String,
}

/// What is known of those who log in; there is something where a page is served.
pub(crate) fn browsers(trusted: &Trusted) -> Result<&Browsers, Problem> {
    trusted.browsers.as_ref().ok_or_else(Problem::not_found)
}

/// Who is logged in, if somebody is.
pub(crate) async fn signed_in(gate: &Gate, headers: &HeaderMap) -> Result<Option<Signed>, Problem> {
    let trusted = gate.trusted();
    let browsers = browsers(&trusted)?;
    let Some(secret) = Cookie::Session.read(headers, browsers.is_tls()) else {
        return Ok(None);
    };
    let session = match gate.controls().session(secret).await {
        Ok(session) => session,
        Err(TokenError::Journal(_)) => {
            let text = "the journal, which records the sessions, cannot be read";
            let (status, code) = (StatusCode::SERVICE_UNAVAILABLE, "unavailable");
            return Err(Problem::new(status, code, text));
        }
        Err(_) => {
            within_rate(gate, "")?;
            return Ok(None);
        }
    };
    let row = browsers.row(&session);
    let Some(row) = row.filter(|_| gate.used().is_in_use(&session, gate.options().session_idle))
    else {
        return Ok(None);
    };
    let asker = Asker::known(&row.known, session.actor.proven_by().clone());
    within_rate(gate, asker.actor.as_str())?;
    let csrf = csrf(secret);
    Ok(Some(Signed {
        asker,
        session,
        csrf,
    }))
}

/// All who are about to log in, whom those who guess secrets do not keep out.
pub(crate) const LOGGING_IN: &str = "login";

/// Refuses who asks too often; those who are not logged in have no name.
pub(crate) fn within_rate(gate: &Gate, who: &str) -> Result<(), Problem> {
    match gate.rates().may(who, gate.options().most_per_minute) {
        true => Ok(()),
        false => Err(Problem::too_many()),
    }
}

/// A time so long from now, without what the journal leaves out of its own: else it would seem to be longer.
pub(crate) fn from_now(length: SignedDuration) -> Option<Timestamp> {
    in_milliseconds(Timestamp::now()).checked_add(length).ok()
}

fn in_milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// What the forms of a browser have in them: it follows from its cookie, and the cookie not from it.
pub(crate) fn csrf(secret: &str) -> String {
    Hash::of(format!("operator form {secret}").as_bytes()).to_string()
}

/// Refuses what does not come from a page of this gate's that this browser was shown.
pub(crate) fn is_from_here(
    browsers: &Browsers,
    headers: &HeaderMap,
    given: &str,
    wanted: &str,
) -> Result<(), Problem> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let is_ours = matches!(
        (origins.next(), origins.next()),
        (Some(only), None) if only.as_bytes() == browsers.origin.as_bytes()
    );
    if !is_ours {
        let text = "the request does not come from a page of this gate";
        return Err(Problem::new(StatusCode::FORBIDDEN, "origin", text));
    }
    if !bool::from(given.as_bytes().ct_eq(wanted.as_bytes())) {
        let text = "the page belongs to an earlier session: open it again";
        return Err(Problem::new(StatusCode::FORBIDDEN, "csrf", text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A journal's time has milliseconds: what begins within one is not longer for that.
    #[test]
    fn what_lasts_from_now_on_is_of_whole_milliseconds() {
        let (begun, written) = ("12:00:00.1239999", "12:00:00.123");
        let at = |text: &str| format!("2026-11-30T{text}Z").parse::<Timestamp>().unwrap();
        assert_eq!(in_milliseconds(at(begun)), at(written));
        let ends = from_now(SignedDuration::from_mins(5)).unwrap();
        assert_eq!(ends.subsec_nanosecond() % 1_000_000, 0);
    }
}
