//! Answers that say yes.

use std::time::SystemTime;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use system_http::BoxError;

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::lenient::by_name;
use crate::transport::Call;

/// PD accepted a write.
///
/// Acceptance is not completion: PD does the work in the background, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Accepted {
    /// PD's words; empty where PD answers `null`.
    pub message: String,
    /// When PD answered, by PD's clock, to the second.
    pub date: Option<SystemTime>,
    /// The endpoint the request was sent to.
    pub endpoint: String,
}

/// A successful answer, read to its end.
pub(crate) struct Answer {
    pub(super) endpoint: Endpoint,
    pub(super) call: Call,
    pub(super) date: Option<SystemTime>,
    pub(super) body: Bytes,
}

impl Answer {
    /// The body as JSON, objects by their names alone.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        by_name::from_str(self.text()?).map_err(|error| self.unreadable(error))
    }

    /// A list that PD counts: what it says is there, and it has to be there.
    pub(crate) fn counted<T>(&self, count: u64, list: Vec<T>) -> Result<Vec<T>, Error> {
        match list.len() as u64 {
            length if length == count => Ok(list),
            length => {
                Err(self.unreadable(format!("its `count` is {count}, but it lists {length}")))
            }
        }
    }

    /// The body as text.
    pub(crate) fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.body).map_err(|error| self.unreadable(error))
    }

    /// The body as the acknowledgement of a write: a JSON string, plain text, or `null`.
    pub(crate) fn accepted(self) -> Result<Accepted, Error> {
        let message = match serde_json::from_slice::<Option<String>>(&self.body) {
            Ok(message) => message.unwrap_or_default(),
            Err(error) => match std::str::from_utf8(&self.body) {
                // The scheduling service answers without quotes.
                Ok(text) if text.starts_with(|c: char| c.is_ascii_alphabetic()) => text.to_owned(),
                _ => return Err(self.unreadable(error)),
            },
        };
        Ok(Accepted {
            message,
            date: self.date,
            endpoint: self.endpoint.to_string(),
        })
    }

    /// An answer of this shape means nothing to us.
    pub(crate) fn unreadable(&self, source: impl Into<BoxError>) -> Error {
        Error::Decode {
            endpoint: self.endpoint.to_string(),
            call: self.call.name(),
            source: source.into(),
        }
    }
}
