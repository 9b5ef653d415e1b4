//! How etcd refuses.

pub use subject_http::HttpError as Error;
use subject_http::{Dialect, NotDone};

use crate::wire::Refusal;

/// gRPC's codes of refusals that were decided before anything was done.
const DECIDED: [u32; 9] = [3, 5, 6, 7, 8, 9, 11, 12, 16];

/// Refused before anything is proposed, though its code is that of a time-out.
pub(crate) const UNHEALTHY: &str = "etcdserver: unhealthy cluster";

/// How etcd's gateway answers.
pub(crate) const ETCD: Dialect = Dialect {
    name: "etcd",
    refused: |status, body| match serde_json::from_str::<Refusal>(body) {
        Ok(Refusal { message, code }) if DECIDED.contains(&code) || message == UNHEALTHY => {
            NotDone::refused(&code_of(&message), message)
        }
        Ok(Refusal { message, .. }) => NotDone::unclear(message),
        Err(_) => NotDone::unclear(format!(
            "it answered {status}, which is not an answer of etcd"
        )),
    },
};

/// etcd refuses, in these words.
pub(crate) fn refusal(words: &str) -> Error {
    let (code, text) = (code_of(words), words.to_owned());
    Error::Refused { code, text }
}

/// A stable code for etcd's words: `etcdserver: member not found` is `member_not_found`.
pub(crate) fn code_of(words: &str) -> String {
    let words = words.strip_prefix("etcdserver: ").unwrap_or(words);
    let parts = words.split(|at: char| !at.is_ascii_alphanumeric());
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    parts.join("_").to_ascii_lowercase()
}
