//! A request, before it is known where it goes.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request};
use serde::Serialize;
use serde_json::json;
use system_http::{BoxError, Origin};

/// A request: method, path and JSON.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

impl Call {
    /// Reads a path, with its query.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, None)
    }

    /// Posts JSON to a path.
    #[must_use]
    pub fn post(path: impl Into<String>, body: &impl Serialize) -> Self {
        Self::new(Method::POST, path, Some(json!(body).to_string()))
    }

    /// Puts JSON at a path.
    #[must_use]
    pub fn put(path: impl Into<String>, body: &impl Serialize) -> Self {
        Self::new(Method::PUT, path, Some(json!(body).to_string()))
    }

    /// Deletes what is at a path.
    #[must_use]
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path, None)
    }

    /// The same with a header, such as `Authorization`.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn new(method: Method, path: impl Into<String>, body: Option<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            body,
        }
    }

    pub(crate) fn to(&self, at: &Origin) -> Result<Request<Bytes>, BoxError> {
        let mut headers = HeaderMap::new();
        if self.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in &self.headers {
            let mut value: HeaderValue = value.parse()?;
            value.set_sensitive(true);
            headers.insert(name.parse::<HeaderName>()?, value);
        }
        let mut request = Request::new(Bytes::from(self.body.clone().unwrap_or_default()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = at.uri(self.path.clone())?;
        *request.headers_mut() = headers;
        Ok(request)
    }
}
