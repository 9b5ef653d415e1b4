//! Where requests go: scheme, host and port.

use std::fmt;
use std::sync::Arc;

use http::Uri;
use http::uri::{InvalidUri, PathAndQuery};
use url::Url;

/// Scheme, host and port of one server, and nothing else. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(Arc<Address>);

#[derive(Debug, PartialEq, Eq)]
struct Address {
    name: String,
    /// With the path `/`.
    uri: Uri,
}

/// Something that is no origin.
#[derive(Debug, thiserror::Error)]
#[error("invalid address `{given}`: {problem}")]
#[non_exhaustive]
pub struct OriginError {
    /// What was given, where it can hold no secret.
    pub given: String,
    /// What is wrong, and what is right.
    pub problem: &'static str,
}

impl Origin {
    /// Reads `http://host:2379`, `https://…` or `host:2379`, which is HTTP.
    ///
    /// # Errors
    /// When it is something else, or holds more than that.
    pub fn parse(given: &str) -> Result<Self, OriginError> {
        let given = given.trim();
        let refuse = |problem| OriginError {
            given: shown(given),
            problem,
        };
        if given.is_empty() {
            return Err(refuse("it is empty: use `host:port` or `http://host:port`"));
        }
        let address = match given.split_once("://") {
            Some(("http" | "https", _)) => given.to_owned(),
            Some(_) => return Err(refuse("the scheme must be `http` or `https`")),
            None => format!("http://{given}"),
        };
        let base = Url::parse(&address)
            .map_err(|_| refuse("use `host:port`, `http://host:port` or `https://host:port`"))?;
        if base.host_str().is_none_or(str::is_empty) {
            return Err(refuse("it has no host: use `host:port`"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(refuse(
                "it contains credentials: use a client certificate instead",
            ));
        }
        if base.path() != "/" || base.query().is_some() || base.fragment().is_some() {
            return Err(refuse("leave out the path: use `host:port` only"));
        }
        if base.port() == Some(0) {
            return Err(refuse("port 0 cannot be connected to"));
        }
        let name = base.as_str().trim_end_matches('/');
        let uri = name.parse();
        let uri = uri.map_err(|_| refuse("its host cannot be written into a request"))?;
        let name = name.to_owned();
        Ok(Self(Arc::new(Address { name, uri })))
    }

    /// `http://host:port`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.name
    }

    /// The host: a name, or an address, which has brackets where it is one of IPv6.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.uri.host().unwrap_or_default()
    }

    /// Whether it is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.uri.scheme_str() == Some("https")
    }

    /// The URI of a path with its query.
    ///
    /// # Errors
    /// When that is no path.
    pub fn uri(&self, path_and_query: String) -> Result<Uri, InvalidUri> {
        let mut parts = self.0.uri.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(path_and_query)?);
        // The parts that were there make a URI with every path.
        Ok(Uri::from_parts(parts).unwrap_or_default())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name)
    }
}

/// What may be shown of an address that was refused: all where it is of letters, digits and dots with
/// a port, and else nothing. What a password makes of an address, nobody can take apart again.
fn shown(given: &str) -> String {
    let rest = match given.split_once("://") {
        Some(("http" | "https", rest)) => rest,
        _ => given,
    };
    let (host, port) = rest.split_once(':').unwrap_or((rest, ""));
    let is_plain = host
        .bytes()
        .all(|at| at.is_ascii_alphanumeric() || b"-._".contains(&at))
        && port.bytes().all(|at| at.is_ascii_digit());
    if is_plain && given.len() <= 200 {
        given.to_owned()
    } else {
        "[redacted]".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads_as(given: &str, endpoint: &str) {
        assert_eq!(Origin::parse(given).unwrap().as_str(), endpoint);
    }

    #[track_caller]
    fn refused(given: &str, problem: &str) {
        let error = Origin::parse(given).unwrap_err().to_string();
        assert!(error.contains(problem), "{given}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn schemes_are_filled_in() {
        reads_as("127.0.0.1:2379", "http://127.0.0.1:2379");
        reads_as(" http://pd-0:2379/ ", "http://pd-0:2379");
        reads_as(
            "https://pd-0.example.com:2379",
            "https://pd-0.example.com:2379",
        );
        reads_as("localhost:2379", "http://localhost:2379");
        reads_as("[::1]:2379", "http://[::1]:2379");
    }

    #[test]
    fn what_is_not_an_endpoint_is_refused_with_what_is_right() {
        refused("", "empty");
        refused("secret://pd:2379", "`http` or `https`");
        refused("ftp://pd:2379", "`http` or `https`");
        refused("http://user:secret@pd:2379", "client certificate");
        refused("user:secret@pd:2379", "client certificate");
        refused("http://user:sec/secret@pd:2379", "");
        refused("http://user:s#secret@pd:2379", "");
        refused("http://user:secret", "`host:port`");
        refused("http://pd:2379/secret", "leave out the path");
        refused("http://pd:2379#secret", "leave out the path");
        refused("http://pd%40secret:2379", "");
        refused("http://pd:2379/pd/api/v1", "leave out the path");
        refused("http://pd:2379?x=1", "leave out the path");
        refused("http://pd:notaport", "`host:port`");
        refused("http://", "`host:port`");
        refused("pd:0", "port 0");
    }
}
