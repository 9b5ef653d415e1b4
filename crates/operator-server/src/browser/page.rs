//! How pages look, and what a browser is told about each of them.

use std::sync::LazyLock;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::browser::session::Signed;
use crate::problem::Problem;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;\
padding:0 1rem;color:#222}table{border-collapse:collapse}td,th{text-align:left;vertical-align:top;\
padding:.2rem 1rem .2rem 0}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f4f4;\
padding:.5rem}code{overflow-wrap:anywhere}form{margin:1rem 0}nav form{display:inline}\
button{font:inherit;padding:.3rem 1rem}.warning{border-left:.3rem solid #b00;padding-left:.7rem}";

/// Sends the one form of a page by itself.
pub(crate) const SEND: &str = "document.forms[0].submit()";

/// Moves what stands behind the `#` of the address into the form, also of another link in the same tab.
pub(crate) const MOVE: &str = "const move=()=>{if(location.hash){\
document.forms[0].link.value=location.hash.slice(1);history.replaceState(null,\"\",\"/link\")}};\
addEventListener(\"hashchange\",move);move()";

/// Whoever asks for a page of a session, and what is wrong with that.
pub(crate) struct Shown(Problem);

pub(crate) type Page = Result<Response, Shown>;

impl<E> From<E> for Shown
where
    Problem: From<E>,
{
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl axum::response::IntoResponse for Shown {
    fn into_response(self) -> Response {
        of_problem(&self.0)
    }
}

/// A whole page.
pub(crate) fn page(title: &str, signed: Option<&Signed>, body: &Markup) -> Response {
    let whole = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) " – operator" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                @if let Some(signed) = signed {
                    nav {
                        a href="/" { "Proposals" } " · " a href="/reference" { "API" } " · "
                        (signed.asker.actor.as_str()) " "
                        form method="post" action="/logout" {
                            input type="hidden" name="csrf" value=(signed.csrf);
                            button { "Log out" }
                        }
                    }
                }
                h1 { (title) }
                (body)
            }
        }
    };
    Html(whole.into_string()).into_response()
}

/// A page that sends its one form by itself where scripts run, and by its button where none do.
pub(crate) fn sending(title: &str, body: &Markup) -> Response {
    let body = html! { (body) script { (PreEscaped(SEND)) } };
    page(title, None, &body)
}

/// What went wrong, for people.
pub(crate) fn of_problem(problem: &Problem) -> Response {
    let (status, code, detail, more) = problem.parts();
    let title = status.canonical_reason().unwrap_or("Refused");
    let body = html! {
        p class="warning" { (detail) " (" code { (code) } ")" }
        @for (name, value) in more {
            h2 { (name) }
            pre { (indented(value)) }
        }
        p { a href="/" { "Back to the proposals" } }
    };
    problem.headed(with_status(status, page(title, None, &body)))
}

pub(crate) fn with_status(status: StatusCode, mut answer: Response) -> Response {
    *answer.status_mut() = status;
    answer
}

/// A value for people to read, without what acts on them unseen.
pub(crate) fn indented(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let lines = text.lines().map(action_core::printable);
    lines.collect::<Vec<_>>().join("\n")
}

/// Another page of this gate, which is asked for anew.
pub(crate) fn see(place: &str) -> Response {
    let mut answer = StatusCode::SEE_OTHER.into_response();
    if let Ok(place) = HeaderValue::try_from(place) {
        answer.headers_mut().insert(header::LOCATION, place);
    }
    answer
}

static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}' 'sha256-{}'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'",
        hash(STYLE),
        hash(SEND),
        hash(MOVE),
    )
});

/// The same answer: nothing but the page's own style and script runs, nobody frames it, nothing keeps it.
/// Its own forms say where they come from, which `no-referrer` would keep them from.
pub(crate) fn shielded(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    let lines = [
        (header::CONTENT_SECURITY_POLICY, POLICY.as_str()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in lines {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a page has inline is what its policy lets run, to the byte.
    #[test]
    fn the_policy_names_the_style_and_the_scripts_of_a_page() {
        let body = html! { script { (PreEscaped(SEND)) } script { (PreEscaped(MOVE)) } };
        let style = html! { style { (PreEscaped(STYLE)) } }.into_string();
        let whole = format!("{style}{}", body.into_string());
        let mut inline = 0;
        for tag in ["style", "script"] {
            for part in whole.split(&format!("<{tag}>")).skip(1) {
                let text = part.split("</").next().unwrap();
                let hash = STANDARD.encode(Sha256::digest(text));
                assert!(POLICY.contains(&format!("{tag}-src 'sha256-")), "{tag}");
                assert!(POLICY.contains(&format!("'sha256-{hash}'")), "{text}");
                inline += 1;
            }
        }
        assert_eq!(inline, 3);
    }
}
