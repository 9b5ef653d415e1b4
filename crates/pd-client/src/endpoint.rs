//! Addresses of PD members.

use system_http::Origin;

use crate::error::InputError;

/// One PD address: scheme, host and port, and nothing else. Cheap to clone.
pub(crate) type Endpoint = Origin;

/// Reads `http://host:2379`, `https://…`, `pd://…` or `host:2379`.
pub(crate) fn parse(given: &str) -> Result<Endpoint, InputError> {
    let given = given.trim();
    let address = match given.strip_prefix("pd://") {
        Some(rest) => &format!("http://{rest}"),
        None => given,
    };
    Origin::parse(address).map_err(|error| InputError::Endpoint {
        given: error.given,
        problem: error.problem,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn pds_own_scheme_is_http() {
        let read = |given| parse(given).unwrap().as_str().to_owned();
        assert_eq!(read(" pd://pd-0:2379"), "http://pd-0:2379");
        assert_eq!(read("https://pd-0:2379"), "https://pd-0:2379");
    }

    #[test]
    fn what_is_not_an_endpoint_is_refused_without_a_secret() {
        let error = parse("pd://user:secret@pd:2379").unwrap_err().to_string();
        assert_eq!(
            error,
            "invalid PD endpoint `[redacted]`: it contains credentials: use a client certificate \
             instead"
        );
    }
}
