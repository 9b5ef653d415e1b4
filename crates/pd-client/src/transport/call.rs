//! One call of PD's API, before it has an endpoint.

use std::fmt::{self, Write};

use bytes::Bytes;
use http::Method;
use serde::Serialize;
use url::form_urlencoded::byte_serialize;

use crate::error::{Error, InputError};

const API: &str = "/pd/api/v1";
const API_V2: &str = "/pd/api/v2";

/// Method, path, query and body of a call, and what it costs PD.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    method: Method,
    api: &'static str,
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
        Self::new(Method::POST, path, Cost::Write).with_body(body)
    }

    /// Changes something, as the path says.
    pub(crate) fn post_empty(path: &str) -> Self {
        Self::new(Method::POST, path, Cost::Write)
    }

    /// Removes something.
    pub(crate) fn delete(path: &str) -> Self {
        Self::new(Method::DELETE, path, Cost::Write)
    }

    /// The same call of the second version of PD's API.
    pub(crate) fn v2(self) -> Self {
        Self {
            api: API_V2,
            ..self
        }
    }

    /// The same call beside the versions of PD's API.
    pub(crate) fn unversioned(self) -> Self {
        Self { api: "", ..self }
    }

    /// The same question by POST: etcd's gateway takes its questions so.
    pub(crate) fn asked_by_post(self) -> Self {
        Self {
            method: Method::POST,
            ..self
        }
    }

    /// The same call with a JSON body.
    pub(crate) fn with_body(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let body = serde_json::to_vec(body).map_err(|source| InputError::Body {
            call: self.name(),
            source: source.into(),
        })?;
        self.body = Some(Bytes::from(body));
        Ok(self)
    }

    /// Adds a path segment that is a name: of a scheduler, a member, a task.
    ///
    /// PD decodes some of its paths twice and then cleans them, so that a name with a slash, two
    /// dots or a percent sign would call something else.
    pub(crate) fn name_segment(self, what: &'static str, name: &str) -> Result<Self, InputError> {
        let refuse = |problem| InputError::argument(what, name, problem);
        let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() {
            return Err(refuse("it is empty"));
        }
        if name.len() > 128 {
            return Err(refuse("it is longer than 128 bytes"));
        }
        if !name.bytes().all(is_safe) {
            return Err(refuse(
                "use letters, digits, `-`, `_` and `.` only, or PD would read it as another path",
            ));
        }
        if name.bytes().all(|byte| byte == b'.') {
            return Err(refuse("it must not consist of dots only"));
        }
        Ok(self.segment(name))
    }

    /// Adds a path segment. Numbers and our own words only: PD decodes some of its paths twice.
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
        let api = if self.api == API { "" } else { self.api };
        format!("{} {api}{}", self.method, self.path)
    }

    /// The path as PD has it, without the query.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    pub(crate) fn path_and_query(&self) -> String {
        [self.api, &self.path, &self.query].concat()
    }

    /// Whether it changes something.
    pub(crate) fn is_write(&self) -> bool {
        self.cost == Cost::Write
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
            api: API,
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
    fn names_that_are_another_path_are_refused() {
        let delete = |name: &str| Call::delete("/schedulers").name_segment("scheduler", name);
        for wrong in [
            "",
            ".",
            "..",
            "...",
            "a/b",
            "../stores/remove-tombstone",
            "..%2Fstores%2Fremove-tombstone",
            "a%2e",
            "a?force",
            "a#b",
            "a b",
            "a\\b",
            "ä",
            "a\n",
            "a+b",
        ] {
            assert!(delete(wrong).is_err(), "{wrong}");
        }
        let long = "x".repeat(129);
        assert!(delete(&long).is_err());
        let call = delete("balance-leader_1.x").unwrap();
        assert_eq!(
            call.path_and_query(),
            "/pd/api/v1/schedulers/balance-leader_1.x"
        );
    }

    #[test]
    fn the_second_api_shows_in_the_name() {
        let call = Call::point("/maintenance").v2();
        assert_eq!(call.name(), "GET /pd/api/v2/maintenance");
        assert_eq!(call.path_and_query(), "/pd/api/v2/maintenance");
    }

    #[test]
    fn segments_are_appended() {
        assert_eq!(
            Call::delete("/operators").segment(7).path_and_query(),
            "/pd/api/v1/operators/7"
        );
    }
}
