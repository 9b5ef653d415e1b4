//! The two cookies: that of a session, and that of a browser that is about to log in.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

/// The cookies of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// Who has logged in.
    Session,
    /// Which browser is about to.
    Login,
}

impl Cookie {
    /// What it is called. A browser takes `__Host-` from nobody but this host, and over TLS; without TLS,
    /// which is on this machine only, it would not take it at all.
    fn name(self, is_tls: bool) -> &'static str {
        match (self, is_tls) {
            (Self::Session, true) => "__Host-operator-session",
            (Self::Session, false) => "operator-session",
            (Self::Login, true) => "__Host-operator-login",
            (Self::Login, false) => "operator-login",
        }
    }

    /// What a request has of it. Of two it cannot be told which is ours: then it has none.
    pub(crate) fn read(self, headers: &HeaderMap, is_tls: bool) -> Option<&str> {
        let name = self.name(is_tls);
        let lines = headers.get_all(header::COOKIE).iter();
        let pairs = lines.filter_map(|line| line.to_str().ok());
        let mut found = pairs
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(given, _)| *given == name)
            .map(|(_, value)| value);
        match (found.next(), found.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }

    /// The same answer, which sets it for so many seconds; none are that it is taken away.
    pub(crate) fn set(
        self,
        mut answer: Response,
        is_tls: bool,
        value: &str,
        seconds: u64,
    ) -> Response {
        let name = self.name(is_tls);
        let secure = if is_tls { "; Secure" } else { "" };
        let text =
            format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        if let Ok(value) = HeaderValue::try_from(text) {
            answer.headers_mut().append(header::SET_COOKIE, value);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[&str], found: Option<&str>) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, line.parse().unwrap());
        }
        assert_eq!(Cookie::Session.read(&headers, true), found, "{lines:?}");
    }

    #[test]
    fn over_tls_a_cookie_is_of_this_host_alone() {
        let set = |is_tls| {
            let answer = Cookie::Session.set(Response::default(), is_tls, "x", 60);
            answer.headers()[header::SET_COOKIE]
                .to_str()
                .unwrap()
                .to_owned()
        };
        let rest = "operator-session=x; Path=/; Max-Age=60; HttpOnly; SameSite=Lax";
        assert_eq!(set(true), format!("__Host-{rest}; Secure"));
        assert_eq!(set(false), rest);
    }

    #[test]
    fn of_two_cookies_of_one_name_none_counts() {
        check(&[], None);
        check(&["a=1; __Host-operator-session=x; b=2"], Some("x"));
        check(&["operator-session=x", "__host-operator-session=y"], None);
        check(
            &["__Host-operator-session=x; __Host-operator-session=y"],
            None,
        );
        check(
            &["__Host-operator-session=x", "__Host-operator-session=x"],
            None,
        );
        check(&["__Host-operator-session"], None);
    }
}
