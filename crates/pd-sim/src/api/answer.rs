//! The shapes PD's answers come in.

use serde::Serialize;
use serde_json::Serializer;

use crate::api::go_json::GoFormatter;

/// One HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

const JSON: &str = "application/json; charset=UTF-8";
const TEXT: &str = "text/plain; charset=utf-8";

impl Answer {
    /// The ordinary JSON helper: indented, with a newline, safe to embed in HTML.
    pub(crate) fn json(status: u16, value: &impl Serialize) -> Self {
        let mut body = Vec::new();
        let mut serializer = Serializer::with_formatter(&mut body, GoFormatter::default());
        // Writing to memory fails only for map keys that are no texts; there are none.
        let _ = value.serialize(&mut serializer);
        body.push(b'\n');
        Self::of(status, Some(JSON), body)
    }

    pub(crate) fn ok(value: &impl Serialize) -> Self {
        Self::json(200, value)
    }

    /// A JSON string: how PD says most things, good and bad.
    pub(crate) fn message(status: u16, text: &str) -> Self {
        Self::json(status, &text)
    }

    /// Region bodies: compact, typed as bytes.
    pub(crate) fn data(value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).unwrap_or_default();
        Self::of(200, Some("application/octet-stream"), body)
    }

    /// What the second version of the API writes: compact, no newline.
    pub(crate) fn compact(status: u16, value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).unwrap_or_default();
        Self::of(status, Some("application/json; charset=utf-8"), body)
    }

    /// What routers and redirectors write: text and a newline.
    pub(crate) fn text(status: u16, text: &str) -> Self {
        let mut answer = Self::of(status, Some(TEXT), format!("{text}\n").into_bytes());
        answer
            .headers
            .push(("X-Content-Type-Options", "nosniff".to_owned()));
        answer
    }

    /// Text without a newline: what a few handlers answer.
    pub(crate) fn plain(status: u16, text: &str) -> Self {
        let content_type = "text/plain; charset=UTF-8";
        Self::of(status, Some(content_type), text.as_bytes().to_vec())
    }

    pub(crate) fn not_found() -> Self {
        Self::text(404, "404 page not found")
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::empty(405)
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::of(status, None, Vec::new())
    }

    /// A redirect as Go writes it; only reads get a body.
    pub(crate) fn redirect(status: u16, location: &str, is_read: bool) -> Self {
        let mut answer = if is_read {
            let reason = match status {
                301 => "Moved Permanently",
                _ => "Temporary Redirect",
            };
            let body = format!("<a href=\"{location}\">{reason}</a>.\n\n");
            Self::of(status, Some("text/html; charset=utf-8"), body.into_bytes())
        } else {
            Self::empty(status)
        };
        answer.headers.push(("Location", location.to_owned()));
        answer
    }

    /// A caught panic; the stack is abbreviated.
    pub(crate) fn panicked(text: &str) -> Self {
        Self::of(500, Some(TEXT), format!("{text}…stack…").into_bytes())
    }

    /// The error object of what went wrong inside, with the stack's addresses.
    pub(crate) fn internal_error(message: &str) -> Self {
        #[derive(Serialize)]
        struct Internal<'a> {
            code: &'a str,
            msg: &'a str,
            data: Nothing,
            stack: [u64; 3],
        }
        let mut answer = Self::json(
            500,
            &Internal {
                code: "internal",
                msg: message,
                data: Nothing {},
                stack: [33_554_432, 37_748_736, 41_943_040],
            },
        );
        let code = ("TiDB-Error-Code", "internal".to_owned());
        answer.headers.push(code);
        answer
    }

    /// The error object of bad input, with its code in a header.
    pub(crate) fn error_object(code: &'static str, message: &str, data: impl Serialize) -> Self {
        #[derive(Serialize)]
        struct ErrorObject<'a, D> {
            code: &'a str,
            msg: &'a str,
            data: D,
        }
        let mut answer = Self::json(
            400,
            &ErrorObject {
                code,
                msg: message,
                data,
            },
        );
        answer.headers.push(("TiDB-Error-Code", code.to_owned()));
        answer
    }

    pub(crate) fn of(status: u16, content_type: Option<&str>, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type: content_type.map(str::to_owned),
            headers: Vec::new(),
            body,
        }
    }
}

/// A list that Go may hold as nil: empty is `null` or `[]`.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct GoList<T>(Option<Vec<T>>);

impl<T> GoList<T> {
    pub(crate) fn new(items: Vec<T>, empty_is_null: bool) -> Self {
        Self((!empty_is_null || !items.is_empty()).then_some(items))
    }
}

/// An object without fields.
#[derive(Debug, Serialize)]
pub(crate) struct Nothing {}
