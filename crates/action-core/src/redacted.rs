//! Takes secrets out of free text: passwords, tokens and credentials that somebody wrote into it.

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

pub use address::shown_address;
use address::{bare_credentials, url_credentials};
pub use known_forms::REDACTED;
use known_forms::{hints, joins_things, without_encoded, without_known_forms};

use crate::printable::is_unprintable;

mod address;
mod known_forms;

/// Names that mean a secret, alone or after an underscore.
const SECRET_NAMES: &[&str] = &[
    "access_key",
    "api_key",
    "apikey",
    "authorization",
    "cookie",
    "credential",
    "credentials",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "pw",
    "pwd",
    "secret",
    "secret_key",
    "token",
];

/// What is in every name that means a secret, and what else stands before one or behind it.
const SIGNS: &[&str] = &[
    "%",
    "@",
    "authorization",
    "bearer",
    "cookie",
    "credential",
    "key",
    "pass",
    "pw",
    "secret",
    "token",
];

/// Finds one of those, or of the known forms' hints, in whatever case: one look at a text, where most
/// have none.
static ANY_SIGN: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let mut builder = AhoCorasick::builder();
    let signs = SIGNS.iter().copied().chain(hints());
    builder.ascii_case_insensitive(true).build(signs).ok()
});

/// Whether a text may hold a secret: what has no sign of one is not searched.
fn has_a_sign(text: &str) -> bool {
    ANY_SIGN.as_ref().is_none_or(|signs| signs.is_match(text))
}

/// Words that say how somebody is authorized, before what does it.
const SCHEMES: &[&str] = &["basic", "bearer", "digest", "negotiate", "token"];

/// Whether a name, as of a member, a header or an option, means a secret: `password`, `Auth-Token`,
/// `accessToken`.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    may_be_secret(name) && is_secret_in_snake_case(name)
}

/// Most names have no sign of a secret in them, and are not written anew.
fn may_be_secret(name: &str) -> bool {
    !is_plain(name) || has_a_sign(name)
}

fn is_secret_in_snake_case(name: &str) -> bool {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut lower_before = false;
    for character in name.chars().filter(|at| !is_invisible(*at)) {
        if character.is_ascii_uppercase() && lower_before {
            snake.push('_');
        }
        lower_before = character.is_ascii_lowercase();
        snake.push(match character {
            '-' => '_',
            other => other.to_ascii_lowercase(),
        });
    }
    SECRET_NAMES.iter().any(|secret| {
        let before = snake.strip_suffix(secret);
        before.is_some_and(|before| before.is_empty() || before.ends_with('_'))
    })
}

/// The text without secrets, as far as they can be told:
///
/// - what follows a name that means one: `password=…`, `?access_token=…`, `token: "…"`, `--password …`;
/// - what follows `Bearer`, and `Authorization:` of whatever kind;
/// - what stands before the `@` of a host, with a scheme or without: `http://ana:…@pd`, `ana:…@pd`.
///   `user:ana@example.com`, as an actor may be called, stays;
/// - the same percent-encoded: `password%3D…`;
/// - what looks like a secret: tokens of GitHub (`ghp_…`), GitLab (`glpat-…`) and Slack (`xoxb-…`), key
///   ids of AWS, our own tokens of agents (`opgt_…`), keys of models' makers (`sk-…`), JSON web tokens, private keys as PEM;
/// - what a command is given to log in with: `curl -u ana:…`, `--user ana:…`, `mysql -p…`,
///   `sshpass -p …`, `redis-cli -a …`;
/// - all cookies of a header, and all that a digest is made of;
/// - an object or a list after such a name, as a whole;
/// - `the password is …` before what is no ordinary word;
/// - all of this with characters in it that nobody sees, which go along.
///
/// It takes out too much rather than too little. Doing it twice changes nothing more.
#[must_use]
pub fn redacted(text: &str) -> Cow<'_, str> {
    let clean = as_it_stands(text);
    if is_plain(&clean) || !clean.chars().any(is_invisible) {
        return clean;
    }
    let visible: String = clean.chars().filter(|at| !is_invisible(*at)).collect();
    let seen = match as_it_stands(&visible) {
        Cow::Owned(seen) => seen,
        Cow::Borrowed(_) => return clean,
    };
    Cow::Owned(seen)
}

/// Whether it is of ASCII characters that are seen, and spaces.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Whether a character is within a word and not seen there.
fn is_invisible(character: char) -> bool {
    is_unprintable(character) && !character.is_whitespace()
}

/// The same of what is there, seen or not.
fn as_it_stands(text: &str) -> Cow<'_, str> {
    if !has_a_sign(text) {
        return Cow::Borrowed(text);
    }
    searched(text)
}

fn searched(text: &str) -> Cow<'_, str> {
    let mut clean = match without_known_forms(text) {
        Some(cleaned) => Cow::Owned(cleaned),
        None => Cow::Borrowed(text),
    };
    if !joins_things(text) {
        return clean;
    }
    for pass in [
        url_credentials,
        bare_credentials,
        encoded_secrets,
        named_secrets,
    ] {
        if let Some(cleaned) = pass(&clean) {
            clean = Cow::Owned(cleaned);
        }
    }
    clean
}

fn encoded_secrets(text: &str) -> Option<String> {
    without_encoded(text, |name| {
        is_secret_name(name) || is_secret_variable(name)
    })
}

/// `password=x` becomes `password=[redacted]`, and the like.
fn named_secrets(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_word = |at: usize| {
        let byte = bytes.get(at);
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
    };
    let (mut clean, mut copied, mut at) = (String::new(), 0, 0);
    while at < bytes.len() {
        if !is_word(at) {
            at += 1;
            continue;
        }
        let start = at;
        while is_word(at) {
            at += 1;
        }
        let Some((from, to)) = secret_after(text, start, at) else {
            continue;
        };
        clean.push_str(text.get(copied..from)?);
        clean.push_str(REDACTED);
        (copied, at) = (to, to);
    }
    if copied == 0 {
        return None;
    }
    clean.push_str(text.get(copied..)?);
    Some(clean)
}

/// Where the secret is that belongs to the word from `start` to `end`, if it names one.
fn secret_after(text: &str, start: usize, end: usize) -> Option<(usize, usize)> {
    let word = text.get(start..end)?;
    let name = word.trim_start_matches('-');
    let rest = text.get(end..)?;
    let value = if let Some(value) = rest.strip_prefix('=')
        && (is_secret_variable(name) || is_pass(name, value))
    {
        value
    } else if name.eq_ignore_ascii_case("bearer") {
        let value = rest.trim_start();
        (value.len() < rest.len()).then_some(value)?
    } else if is_secret_name(name) {
        let spaced = after_quote(rest).trim_start_matches([' ', '\t']);
        match spaced.strip_prefix(['=', ':']) {
            // What a URL calls its scheme is no name.
            Some(value) if value.starts_with("//") => return None,
            Some(value) => value.trim_start_matches(['=', '>', ' ', '\t']),
            None if word.starts_with("--") && spaced.len() < rest.len() => spaced,
            None => return None,
        }
    } else {
        return None;
    };
    let (from, to) = span(text.len() - value.len(), value);
    let said = text.get(from..to)?;
    if SCHEMES
        .iter()
        .any(|scheme| said.eq_ignore_ascii_case(scheme))
    {
        let after = text.get(to..)?;
        let value = after.trim_start_matches([' ', '\t']);
        if value.len() < after.len() && !value.is_empty() {
            return fresh(text, span(text.len() - value.len(), value));
        }
    }
    fresh(text, (from, to))
}

/// Whether what is assigned to this name is a secret, as in an environment: `PGPASSWORD=…`.
fn is_secret_variable(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let ends = [
        "apikey", "passwd", "password", "_pass", "pwd", "secret", "token",
    ];
    ends.iter().any(|end| name.ends_with(end))
}

/// Whether this is said to be a pass that is no count and no verdict: `pass=2` and `pass=true` stay.
fn is_pass(name: &str, value: &str) -> bool {
    let (from, to) = span(0, value);
    let said = value.get(from..to).unwrap_or_default();
    let said = said.trim_end_matches([',', ';', '.']);
    let is_verdict = ["false", "no", "ok", "true", "yes"].contains(&said);
    let is_count = |c: char| c.is_ascii_digit() || ".%/".contains(c);
    name.eq_ignore_ascii_case("pass") && !is_verdict && !said.chars().all(is_count)
}

/// The rest behind the quote that ends a name.
fn after_quote(rest: &str) -> &str {
    let quotes = ["\\\"", "\"", "'", "`"];
    let found = quotes.iter().find_map(|quote| rest.strip_prefix(quote));
    found.unwrap_or(rest)
}

/// From where to where a value is: within its quotes or its brackets, or up to a space.
fn span(at: usize, value: &str) -> (usize, usize) {
    if let Some(length) = bracketed(value) {
        return (at, at + length);
    }
    for quote in ["\\\"", "\"", "'", "`"] {
        if let Some(inner) = value.strip_prefix(quote) {
            let from = at + quote.len();
            return (from, from + inner.find(quote).unwrap_or(inner.len()));
        }
    }
    let ends = |c: char| c.is_whitespace() || "&\"'`<>".contains(c);
    (at, at + value.find(ends).unwrap_or(value.len()))
}

/// How long an object or a list is that a text begins with: to its end, or to that of the text.
fn bracketed(text: &str) -> Option<usize> {
    if !text.starts_with(['{', '[']) || text.starts_with(REDACTED) {
        return None;
    }
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '{' | '[' => depth += 1,
            '}' | ']' if depth == 1 => return Some(at + 1),
            '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Some(text.len())
}

/// The place of a value, unless there is none or it was taken out before.
fn fresh(text: &str, (from, to): (usize, usize)) -> Option<(usize, usize)> {
    let value = text.get(from..to)?;
    (!value.is_empty() && !value.starts_with(REDACTED)).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(given: &str, kept: &str) {
        assert_eq!(redacted(given), kept);
        assert_eq!(redacted(kept), kept, "it is done once");
    }

    #[test]
    fn what_a_name_says_is_secret_goes() {
        check("password=hunter2", "password=[redacted]");
        check(
            "it was PASSWORD = hunter2, sorry",
            "it was PASSWORD = [redacted] sorry",
        );
        check(
            "GET /x?access_token=abc&b=1",
            "GET /x?access_token=[redacted]&b=1",
        );
        check(
            r#"{"accessToken": "a b", "n": 1}"#,
            r#"{"accessToken": "[redacted]", "n": 1}"#,
        );
        check(
            r#"\"api_key\":\"a\", x"#,
            r#"\"api_key\":\"[redacted]\", x"#,
        );
        check("token = 'a b'", "token = '[redacted]'");
        check(
            "run with --password hunter2 -v",
            "run with --password [redacted] -v",
        );
        check("--auth-token=abc", "--auth-token=[redacted]");
        check("PGPASSWORD=x psql", "PGPASSWORD=[redacted] psql");
        check("DB_PASS='x y'", "DB_PASS='[redacted]'");
        check("X-Api-Key: 12345", "X-Api-Key: [redacted]");
        check(
            "pw: hunter2, root_pw=x",
            "pw: [redacted] root_pw=[redacted]",
        );
        check("user=ana pass=Hunter2", "user=ana pass=[redacted]");
        check("pass='a b' or so", "pass='[redacted]' or so");
        check(
            r#"{"password": {"v": ["a", {"b": "x"}]}, "n": 1}"#,
            r#"{"password": [redacted], "n": 1}"#,
        );
        check(
            r#"{\"token\":[\"a\"],\"n\":1}"#,
            r#"{\"token\":[redacted],\"n\":1}"#,
        );
        check("secret: {a", "secret: [redacted]");
    }

    proptest! {
        #[test]
        fn no_name_of_a_secret_is_filtered_out(pieces in prop::collection::vec(prop::sample::select(vec![
            "password", "Pass", "word", "passwd", "api", "Api", "key", "Key", "KEY", "token", "TOKEN", "_", "-",
            "access", "secret", "Secret", "pw", "pwd", "cookie", "credential", "s", "authorization", "phrase", "a",
            "private", "B", "9", " ", "\u{200b}", "\u{0}", "\u{e9}",
        ]), 0..6)) {
            let name = pieces.concat();
            prop_assert_eq!(is_secret_name(&name), is_secret_in_snake_case(&name));
        }
    }

    proptest! {
        /// What is not searched would have lost nothing.
        #[test]
        fn what_has_no_sign_of_a_secret_holds_none(pieces in prop::collection::vec(prop::sample::select(vec![
            "pass", "word", "PassWord", "pwd", "pw", "api", "Api", "key", "Key", "token", "access", "secret", "s", "d",
            "cookie", "credential", "authorization", "Bearer", "basic", "digest", "sk-", "ghp_", "eyJ", "xoxb-", "AKIA",
            "opgt_", "mysql", "curl", "sshpass", "--user", "redis-cli", "-p", "-a", "-u", "is", "was", "BEGIN", "PRIVATE",
            "-----", "abcdefghij0123456789", "Hunter3", "x", "ana", "pd-0", ":", "=", "@", "%", "%3D", "//", "\"", "'",
            "{", "}", "[", ",", ";", " ", "\t", "_", "-", ".", "\u{200b}", "\u{e9}",
        ]), 0..9)) {
            let text = pieces.concat();
            if !has_a_sign(&text) {
                prop_assert_eq!(searched(&text), text.as_str());
            }
        }
    }

    #[test]
    fn every_name_of_a_secret_has_a_sign() {
        assert!(ANY_SIGN.is_some());
        for name in SECRET_NAMES {
            assert!(has_a_sign(name), "{name}");
        }
        let variables = [
            "apikey", "passwd", "password", "_pass", "pwd", "secret", "token",
        ];
        assert!(
            variables
                .iter()
                .all(|name| is_secret_variable(name) && has_a_sign(name))
        );
    }

    #[test]
    fn characters_that_nobody_sees_hide_nothing() {
        check("pass\u{200b}word=hunter2", "password=[redacted]");
        check(
            "p\u{ad}wd: hun\u{2060}ter2 \u{feff}now",
            "pwd: [redacted] now",
        );
        check("gh\u{200d}p_Hunter3abcdefghij0123", "[redacted]");
        check("\u{1b}[31mpassword=x", "\u{1b}[31mpassword=[redacted]");
        check("to\u{0}ken=x", "token=[redacted]");
        assert!(is_secret_name("pass\u{200b}word"));
        for text in ["a\u{200b}b", "\u{1f468}\u{200d}\u{1f469} look", "\u{1b}[2J"] {
            check(text, text);
        }
    }

    #[test]
    fn what_authorizes_goes() {
        check("Bearer abc.def", "Bearer [redacted]");
        check(
            "Authorization: Bearer abc",
            "Authorization: Bearer [redacted]",
        );
        check(
            "authorization: Basic dXNlcjp4",
            "authorization: Basic [redacted]",
        );
        check("authorization=abc", "authorization=[redacted]");
    }

    #[test]
    fn credentials_before_a_host_go() {
        check(
            "at http://ana:pw@pd-0:2379/pd, then https://pd-1",
            "at http://[redacted]@pd-0:2379/pd, then https://pd-1",
        );
        check("look at ana:pw@pd-0:2379", "look at [redacted]@pd-0:2379");
        check(
            "(ana:pw@pd-0) user:pw@pd-0",
            "([redacted]@pd-0) [redacted]@pd-0",
        );
        check(
            "user:pw@pd-0.example.com:2379",
            "[redacted]@pd-0.example.com:2379",
        );
        for password in ["p/w", "p#w", "p?w", "p,w", "p@w", "1/w", "p/w?a=b#c,d"] {
            check(
                &format!("at http://ana:{password}@pd-0:2379/pd, or"),
                "at http://[redacted]@pd-0:2379/pd, or",
            );
            check(
                &format!("at ana:{password}@pd-0:2379"),
                "at [redacted]@pd-0:2379",
            );
        }
    }

    #[test]
    fn other_text_stays() {
        for text in [
            "",
            "mail ana@example.org",
            "http://a/b@c",
            "asked by user:alice@example.com.",
            "`agent:night@example.com` waits",
            "3 tokens: 4, 5",
            "token",
            "the second pass: 3 of 4",
            "bypass=1 and pass=2",
            "pass=true, pass='no', pass=3/4; pass=ok.",
            "at 12:30 in zone=z1, start_key=7480",
            "limit 4 => 11 (balance-leader: on)",
            "tok\u{e9}n=\u{e9}",
        ] {
            check(text, text);
        }
    }
}
