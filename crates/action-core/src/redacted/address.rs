//! Addresses, which hold secrets in more ways than can be told apart.

use std::borrow::Cow;

use crate::redacted::known_forms::REDACTED;

/// An address, or several with commas between them, as it may be shown: whole where each is nothing
/// but a scheme, a host and a port, and else not at all. What a password with a `/`, an `@` or a space
/// makes of an address, nobody can take apart again.
///
/// ```
/// use action_core::shown_address;
///
/// assert_eq!(shown_address("http://pd-0:2379"), "http://pd-0:2379");
/// assert_eq!(shown_address("http://ana:a/b@pd-0:2379"), "[redacted]");
/// ```
#[must_use]
pub fn shown_address(given: &str) -> Cow<'_, str> {
    if given.split(',').all(|one| is_plain(one.trim())) {
        Cow::Borrowed(given)
    } else {
        Cow::Borrowed(REDACTED)
    }
}

fn is_plain(address: &str) -> bool {
    let schemes = ["http://", "https://", "pd://"];
    let rest = (schemes.iter()).find_map(|scheme| address.strip_prefix(scheme));
    let rest = rest.unwrap_or(address);
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (rest, None),
    };
    let is_port = |port: &str| {
        (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
    };
    let in_brackets = (host.strip_prefix('[')).and_then(|host| host.strip_suffix(']'));
    let is_host = match in_brackets {
        Some(six) => six
            .bytes()
            .all(|at| at.is_ascii_hexdigit() || b":.".contains(&at)),
        None => (host.bytes()).all(|at| at.is_ascii_alphanumeric() || b"-._".contains(&at)),
    };
    !host.is_empty() && is_host && port.is_none_or(is_port)
}

/// `scheme://user:password@host` becomes `scheme://[redacted]@host`.
pub(super) fn url_credentials(text: &str) -> Option<String> {
    let (mut clean, mut rest, mut any) = (String::new(), text, false);
    while let Some((before, after)) = rest.split_once("://") {
        let (host, tail) = after.split_at(end_of_host(after));
        clean.push_str(before);
        clean.push_str("://");
        match host.rsplit_once('@') {
            Some((who, at)) if who != REDACTED && !who.is_empty() => {
                clean.push_str(&format!("{REDACTED}@{at}"));
                any = true;
            }
            _ => clean.push_str(host),
        }
        rest = tail;
    }
    clean.push_str(rest);
    any.then_some(clean)
}

/// Where the host of a URL ends, with what may stand before it. A password may hold what ends a host:
/// where there may be one, it is the last `@` that ends it.
fn end_of_host(url: &str) -> usize {
    let ends = |c: char| c.is_whitespace() || "/?#\"'<>`,;".contains(c);
    let authority = url.find(ends).unwrap_or(url.len());
    let ends_word = |c: char| c.is_whitespace() || "\"'<>`".contains(c);
    let word = url.find(ends_word).unwrap_or(url.len());
    let (begin, whole) = (url.get(..authority), url.get(..word));
    match (begin, whole.and_then(|word| word.rfind('@'))) {
        (Some(begin), Some(at)) if begin.contains(':') => {
            let host = url.get(at..).and_then(|host| host.find(ends));
            host.map_or(url.len(), |end| at + end)
        }
        _ => authority,
    }
}

/// `user:password@host` becomes `[redacted]@host`.
pub(super) fn bare_credentials(text: &str) -> Option<String> {
    let (mut clean, mut copied) = (String::new(), 0);
    for (at, _) in text.match_indices('@') {
        let (before, after) = (text.get(copied..at)?, text.get(at + 1..)?);
        let is_edge = |c: char| c.is_whitespace() || "\"'`<>()".contains(c);
        let word = after.find(is_edge).map_or(after, |end| &after[..end]);
        if word.contains('@') {
            // A password may hold one: the last is before the host.
            continue;
        }
        let from = before.rfind(is_edge);
        let from = from.map_or(0, |edge| {
            edge + before[edge..].chars().next().map_or(1, char::len_utf8)
        });
        let word = before.get(from..)?;
        let is_host = after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
        let has_secret = word
            .split_once(':')
            .is_some_and(|(who, secret)| !who.is_empty() && !secret.is_empty());
        if is_host && has_secret && !word.contains("://") && !is_actor(word, after) {
            clean.push_str(before.get(..from)?);
            clean.push_str(REDACTED);
            copied = at;
        }
    }
    if copied == 0 {
        return None;
    }
    clean.push_str(text.get(copied..)?);
    Some(clean)
}

/// Whether this is an actor who is called by a mail address.
fn is_actor(word: &str, after: &str) -> bool {
    let name = word.strip_prefix("user:").or(word.strip_prefix("agent:"));
    let is_name = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
    let ends = after.find(|c: char| !(c.is_ascii_alphanumeric() || ".-".contains(c)));
    let (host, tail) = after.split_at(ends.unwrap_or(after.len()));
    let host = host.trim_end_matches('.');
    let top = host.rsplit_once('.').map(|(_, top)| top);
    name.is_some_and(|name| name.chars().all(is_name))
        && top.is_some_and(|top| top.len() > 1 && top.chars().all(|c| c.is_ascii_alphabetic()))
        && !tail.starts_with('/')
        && !(tail.starts_with(':') && tail[1..].starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_scheme_a_host_and_a_port_are_shown() {
        for plain in [
            "http://127.0.0.1:2379",
            "pd-0:2379",
            "https://pd-0.example.com",
            "pd://pd_0:2379/",
            "http://[::1]:2379",
            "[fe80::1]",
            "http://pd-0:2379,http://pd-1:2379, pd-2",
        ] {
            assert_eq!(shown_address(plain), plain);
        }
        for odd in [
            "",
            "http://",
            "http://ana:pw@pd-0:2379",
            "ana:pw@pd-0",
            "http://ana:pw",
            "http://ana:p/w@pd-0",
            "http://ana:1,2@pd-0",
            "http://pd-0:2379/pw",
            "http://pd-0:2379#pw",
            "http://pd-0:2379?pw",
            "http://ana%3Apw%40pd-0:2379",
            "http://pd 0:2379",
            "ftp://pd-0",
            "http://pd-0:123456",
            "http://pd-0,http://ana:pw@pd-1",
            "http://[::1",
        ] {
            assert_eq!(shown_address(odd), REDACTED, "{odd}");
        }
    }
}
