//! One call of PD's API, before it has an endpoint.

use std::fmt::{self, Write};

use bytes::Bytes;
use http::Method;
use serde::Serialize;
use url::form_urlencoded::byte_serialize;

use crate::error::{Error, InputError};

const API: &str = "/pd/api/v1";

/// Method, path, query and body of a call, and what it costs PD.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    method: Method,
    path: String,
    query: String,
    body: Option<Bytes>,
    cost: Cost,
}

/// How long an answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cost {
    /// One thing, or a few.
    Point,
    /// As many things as the cluster has.
    List,
    /// A change.
    Write,
}

impl Call {
    /// Reads one thing, or a few.
    pub(crate) fn point(path: &str) -> Self {
        Self::new(Method::GET, path, Cost::Point)
    }

    /// Reads as many things as the cluster has.
    pub(crate) fn list(path: &str) -> Self {
        Self::new(Method::GET, path, Cost::List)
    }

    /// Changes something, as the body says.
    pub(crate) fn post(path: &str, body: &impl Serialize) -> Result<Self, Error> {
        let mut call = Self::new(Method::POST, path, Cost::Write);
        let body = serde_json::to_vec(body).map_err(|source| InputError::Body {
            call: call.name(),
            source: source.into(),
        })?;
        call.body = Some(Bytes::from(body));
        Ok(call)
    }

    /// Removes something.
    pub(crate) fn delete(path: &str) -> Self {
        Self::new(Method::DELETE, path, Cost::Write)
    }

    /// Adds a path segment. Numbers only: PD decodes some of its paths twice.
    pub(crate) fn segment(mut self, id: impl fmt::Display) -> Self {
        // Writing to a String cannot fail.
        let _ = write!(self.path, "/{id}");
        self
    }

    /// Adds a parameter to the query. The value may be any bytes.
    pub(crate) fn query(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.query
            .push(if self.query.is_empty() { '?' } else { '&' });
        self.query.push_str(name);
        self.query.push('=');
        self.query.extend(byte_serialize(value.as_ref()));
        self
    }

    /// Method and path for people. Without the query, which may hold keys.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub(crate) fn method(&self) -> Method {
        self.method.clone()
    }

    pub(crate) fn path_and_query(&self) -> String {
        format!("{API}{}{}", self.path, self.query)
    }

    pub(crate) fn has_body(&self) -> bool {
        self.body.is_some()
    }

    pub(crate) fn body(&self) -> Bytes {
        self.body.clone().unwrap_or_default()
    }

    pub(crate) fn cost(&self) -> Cost {
        self.cost
    }

    fn new(method: Method, path: &str, cost: Cost) -> Self {
        Self {
            method,
            path: path.to_owned(),
            query: String::new(),
            body: None,
            cost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_fit_into_a_query() {
        let call = Call::list("/regions/key")
            .query("key", [0x74, 0, 0xff, b'/', b' ', b'&'])
            .query("limit", "1");
        assert_eq!(
            call.path_and_query(),
            "/pd/api/v1/regions/key?key=t%00%FF%2F+%26&limit=1"
        );
        assert_eq!(call.name(), "GET /regions/key");
    }

    #[test]
    fn segments_are_appended() {
        assert_eq!(
            Call::delete("/operators").segment(7).path_and_query(),
            "/pd/api/v1/operators/7"
        );
    }
}
