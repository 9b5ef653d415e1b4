//! Secrets that can be told by how they look, whatever stands before them.

use std::borrow::Cow;
use std::sync::{LazyLock, OnceLock};

use regex::Regex;

/// What stands where a secret was.
pub const REDACTED: &str = "[redacted]";

/// One form.
struct Form {
    /// One of these, in lower case, is in every text that has it, in whatever case: what lacks them is
    /// not searched.
    hints: &'static [&'static str],
    /// Whether it can be in a text that [joins nothing](joins_things).
    alone: bool,
    pattern: &'static str,
    /// What stands there instead.
    instead: &'static str,
    /// When it is first needed.
    compiled: OnceLock<Option<Regex>>,
}

/// One of these is in every text that one of the forms is in, in whatever case.
pub(super) fn hints() -> impl Iterator<Item = &'static str> {
    FORMS.iter().flat_map(|form| form.hints).copied()
}

impl Form {
    fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| regex(self.pattern)).as_ref()
    }
}

static FORMS: [Form; 20] = [
    // Tokens of GitHub, GitLab and Slack, and key ids of AWS.
    whole(
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        r"gh[pousr]_[A-Za-z0-9_]{16,}",
    ),
    whole(&["github_pat_"], r"github_pat_[A-Za-z0-9_]{16,}"),
    whole(&["glpat-"], r"glpat-[A-Za-z0-9_.-]{16,}"),
    whole(&["xox"], r"xox[abeprs]-[A-Za-z0-9-]{10,}"),
    whole(&["akia"], r"AKIA[A-Z0-9]{16,}"),
    // Tokens of agents, browser sessions and links, which a gate makes.
    whole(&["opgt_", "opgs_", "opgl_"], r"opg[tsl]_[A-Za-z0-9]{16,}"),
    // Keys of models' makers: `sk-ant-…`, `sk-proj-…`, `sk-…`, but not `task-…` or `disk-…`.
    Form {
        hints: &["sk-"],
        alone: true,
        pattern: r"(^|[^A-Za-z]|%(?:25)*[0-9A-Fa-f]{2})sk-(?:(?:ant|proj|svcacct|admin|or)-[A-Za-z0-9_-]{10,}|[A-Za-z0-9]{20,})",
        instead: "${1}[redacted]",
        compiled: OnceLock::new(),
    },
    // A JSON web token: its first part is JSON, which begins with `{"`.
    whole(&["eyj"], r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){2,4}"),
    // A private key, to its end or to that of the text.
    whole(
        &["private key"],
        r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)",
    ),
    // What authorizes, and what stands before a host, percent-encoded.
    Form {
        hints: &["%"],
        alone: false,
        pattern: r#"(?i)(bearer%(?:25)*20)[^\s&"'`<>]+"#,
        instead: "${1}[redacted]",
        compiled: OnceLock::new(),
    },
    Form {
        hints: &["%"],
        alone: false,
        pattern: r#"(?i)(%(?:25)*2f%(?:25)*2f)[^\s%/&"'`<>]+%(?:25)*3a[^\s%/&"'`<>]+(%(?:25)*40)"#,
        instead: "${1}[redacted]${2}",
        compiled: OnceLock::new(),
    },
    // All cookies of a header, and all that a digest is made of: the names are anybody's.
    Form {
        hints: &["ookie"],
        alone: false,
        pattern: r#"(?i)(\b(?:set-)?cookies?["']?\s*[:=]\s*["']?)[^\s=;,"'`<>\[]+=[^\s;"'`<>]*(?:;\s*[^\s=;"'`<>]+(?:=[^\s;"'`<>]*)?)*"#,
        instead: "${1}[redacted]",
        compiled: OnceLock::new(),
    },
    Form {
        hints: &["igest"],
        alone: false,
        pattern: r#"(?i)(\bdigest\s+)[a-z]+=(?:\\?"[^"]*"|[^\s,"'`]*)(?:\s*,\s*[a-z]+=(?:\\?"[^"]*"|[^\s,"'`]*))*"#,
        instead: "${1}[redacted]",
        compiled: OnceLock::new(),
    },
    // `mysql -uroot -p…`, `mariadb -p…`, `sshpass -p …`: elsewhere `-p` means something else.
    Form {
        hints: &["mysql", "mariadb"],
        alone: false,
        pattern: r#"(\b(?:mysql|mariadb)[a-z_-]*(?:\s+-\S+(?:\s+[^\s-]\S*)?)*?\s+-p)(?:"[^"]*"|'[^']*'|[^\s"'`]+)"#,
        instead: "${1}[redacted]",
        compiled: OnceLock::new(),
    },
    // With a space that is a prompt and a database: what is no ordinary word is a mistake.
    Form {
        hints: &["mysql", "mariadb"],
        alone: false,
        pattern: r#"(\b(?:mysql|mariadb)[a-z_-]*(?:\s+-\S+(?:\s+[^\s-]\S*)?)*?\s+-p\s+)(?:"[^"]+"|'[^']+'|[a-z'.,;:!?()\[\]-]*[^\sa-z'.,;:!?()\[\]-]\S*)"#,
        instead: "${1}[redacted]",
        compiled: OnceLock::new(),
    },
    Form {
        hints: &["sshpass"],
        alone: false,
        pattern: r#"(\bsshpass\s+-p\s*)(?:"[^"]*"|'[^']*'|[^\s"'`]+)"#,
        instead: "${1}[redacted]",
        compiled: OnceLock::new(),
    },
    // `curl -u ana:…`: elsewhere `-u` means something else.
    Form {
        hints: &["curl"],
        alone: false,
        pattern: r#"(\bcurl(?:\s+\S+)*?\s+(?:-[A-Za-z]*[uU]\s*|--(?:proxy-)?user(?:=|\s+)))(?:"[^":]*:[^"]+"|'[^':]*:[^']+'|[^\s"'`:]*:[^\s"'`]+)"#,
        instead: "${1}[redacted]",
        compiled: OnceLock::new(),
    },
    // Also where nothing says what it is an option of, but for `--user 1000:1000`.
    Form {
        hints: &["-user"],
        alone: false,
        pattern: r#"(--(?:proxy-|http-)?user(?:=|\s+))(?:"[^":]*:[^"]+"|'[^':]*:[^']+'|[^\s"'`:]*:[^\s"'`]*[^\s"'`0-9:][^\s"'`]*)"#,
        instead: "${1}[redacted]",
        compiled: OnceLock::new(),
    },
    Form {
        hints: &["redis-cli"],
        alone: false,
        pattern: r#"(\bredis-cli(?:\s+\S+)*?\s+(?:-a|--pass)\s+)(?:"[^"]*"|'[^']*'|[^\s"'`]+)"#,
        instead: "${1}[redacted]",
        compiled: OnceLock::new(),
    },
    // What is no ordinary word: `the password is Hunter2`, but not `the password is wrong`.
    Form {
        hints: &["pass", "pwd", "token", "secret", "api"],
        alone: false,
        pattern: r#"((?i:\b(?:password|passphrase|passwd|pwd|token|secret|api[ _-]?key)\s+(?:is|was)(?:\s+now)?:?)\s+)(?:"[^"]+"|'[^']+'|`[^`]+`|[a-z'.,;:!?()\[\]-]*[^\sa-z'.,;:!?()\[\]-]\S*)"#,
        instead: "${1}[redacted]",
        compiled: OnceLock::new(),
    },
];

const fn whole(hints: &'static [&'static str], pattern: &'static str) -> Form {
    Form {
        hints,
        alone: true,
        pattern,
        instead: REDACTED,
        compiled: OnceLock::new(),
    }
}

/// A pattern of ours: a test shows that each is one. Spaces and the edges of words are those of ASCII, as for
/// what looks at names: a secret does not end at a space that is within it.
fn regex(pattern: &str) -> Option<Regex> {
    let pattern = pattern.replace(r"\S", r"[^\t-\r ]");
    let pattern = pattern.replace(r"\s", r"[\t-\r ]");
    let pattern = pattern.replace(r"\b", r"(?-u:\b)");
    Regex::new(&pattern).ok()
}

/// The length of the shortest secret that is told by its form alone: `eyJ`, eight characters and two dots.
const SHORTEST_ALONE: usize = 13;

/// The text without what looks like a secret.
pub(super) fn without_known_forms(text: &str) -> Option<String> {
    let is_alone = !joins_things(text);
    if is_alone && text.len() < SHORTEST_ALONE {
        return None;
    }
    let mut clean = Cow::Borrowed(text);
    // No form needs what another one puts there.
    let lower = text.to_ascii_lowercase();
    for form in &FORMS {
        if is_alone && !form.alone {
            continue;
        }
        if form.hints.iter().any(|hint| lower.contains(hint))
            && let Some(regex) = form.regex()
            && let Cow::Owned(cleaned) = regex.replace_all(&clean, form.instead)
        {
            clean = Cow::Owned(cleaned);
        }
    }
    (clean != text).then(|| clean.into_owned())
}

/// Whether a text holds a space, a quote or anything else that joins a secret to its name, to whoever logs in, or to
/// a host. In one that does not, as an id or a word, only what is told by its form alone can be a secret.
pub(super) fn joins_things(text: &str) -> bool {
    let joins = |byte: u8| !byte.is_ascii_graphic() || b"=:@%\"'`".contains(&byte);
    text.bytes().any(joins)
}

/// A name and what assigns to it, percent-encoded: `&access_token%3D`, `%26token%22%3A`.
static ENCODED_NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(
        r"(?i)(?:%(?:25)*[0-9a-f]{2})?([a-z0-9_-]+)(?:%(?:25)*2[27])?%(?:25)*3[ad](?:%(?:25)*2[027])*",
    )
});

/// What ends a value there: a space, a quote, `&`, or one of the latter two percent-encoded.
static ENCODED_END: LazyLock<Option<Regex>> =
    LazyLock::new(|| regex(r#"[\s&"'`<>]|%(?:25)*2[267]"#));

/// `password%3Dx` becomes `password%3D[redacted]`, for names that mean a secret.
pub(super) fn without_encoded(text: &str, is_secret: impl Fn(&str) -> bool) -> Option<String> {
    if !text.contains('%') {
        return None;
    }
    let (mut clean, mut copied) = (String::new(), 0);
    for found in ENCODED_NAME.as_ref()?.captures_iter(text) {
        let (whole, name) = (found.get(0)?, found.get(1)?);
        let value = text.get(whole.end()..)?;
        if whole.start() < copied || !is_secret(name.as_str()) || value.starts_with(REDACTED) {
            continue;
        }
        let end = ENCODED_END.as_ref()?.find(value);
        let length = end.map_or(value.len(), |end| end.start());
        if length > 0 {
            clean.push_str(text.get(copied..whole.end())?);
            clean.push_str(REDACTED);
            copied = whole.end() + length;
        }
    }
    if copied == 0 {
        return None;
    }
    clean.push_str(text.get(copied..)?);
    Some(clean)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::redacted::{
        bare_credentials, encoded_secrets, named_secrets, redacted, url_credentials,
    };

    #[track_caller]
    fn check(given: &str, kept: &str) {
        assert_eq!(redacted(given), kept);
        assert_eq!(redacted(kept), kept, "it is done once");
    }

    #[test]
    fn every_form_is_a_pattern() {
        assert!(FORMS.iter().all(|form| form.regex().is_some()));
        assert!(ENCODED_NAME.is_some() && ENCODED_END.is_some());
    }

    #[test]
    fn what_looks_like_a_secret_goes_wherever_it_stands() {
        for secret in [
            "ghp_Hunter3abcdefghij0123456789ABCDEFGHI",
            "gho_Hunter3abcdefghij0123456789ABCDEFGHI",
            "github_pat_11ABCDEFG0Hunter3_abcdefghijklmnopqrstuvwxyz",
            "glpat-Hunter3-abcdefghij_k",
            "opgt_Hunter3abcdef0123456789",
            "xoxb-123456789012-Hunter3",
            "xoxp-123456789012-Hunter3",
            "AKIAHUNTER3EXAMPLE00",
            "sk-ant-api03-Hunter3_abcdefghijklmnopqrstuvwxyz-0123456789AA",
            "sk-proj-Hunter3abcdefghij",
            "sk-Hunter3abcdefghijABCDEFGHIJ0123456789abcdefghijkl",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodW50ZXIifQ.c2lnbmF0dXJl-_",
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiJodW50ZXIifQ.",
            "-----BEGIN PRIVATE KEY-----Hunter3-----END PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----\nHunter3\nabc=\n-----END RSA PRIVATE KEY-----",
        ] {
            check(&format!("it is {secret}"), "it is [redacted]");
            check(&format!("({secret})"), "([redacted])");
            check(
                &format!("curl http://x/?a%3D{secret}&b"),
                "curl http://x/?a%3D[redacted]&b",
            );
        }
        check("-----BEGIN EC PRIVATE KEY-----X", "[redacted]");
        // As short as one can be.
        check("eyJhbGciOiJ..", "[redacted]");
        check(
            "key -----BEGIN OPENSSH PRIVATE KEY-----\nX\nY",
            "key [redacted]",
        );
    }

    proptest! {
        /// What is skipped in a text that joins nothing would have found nothing there.
        #[test]
        fn what_is_not_alone_is_in_no_text_that_joins_nothing(pieces in prop::collection::vec(prop::sample::select(vec![
            "password", "token", "secret", "bearer", "cookie", "digest", "mysql", "sshpass", "curl", "redis-cli",
            "--user", "--password", "-p", "-u", "is", "BEGIN", "PRIVATE", "KEY", "-----", "//", ",", ";",
            "[", "]", "{", "}", "a", "Hunter3", "9", "_", "-", ".", "/", "sk-", "ghp_", "eyJ", "xoxb-", "AKIA", "sk-or-", "glpat-", "opgt_",
        ]), 0..9)) {
            let text = pieces.concat();
            prop_assert!(!joins_things(&text));
            for form in FORMS.iter().filter(|form| !form.alone) {
                let is_found = form.regex().unwrap().is_match(&text);
                prop_assert!(!is_found, "{} in {}", form.pattern, text);
            }
            for form in FORMS.iter().filter(|form| form.alone) {
                let found = form.regex().unwrap().find(&text);
                prop_assert!(found.is_none_or(|found| found.len() >= SHORTEST_ALONE), "{} in {}", form.pattern, text);
            }
            let passes = [url_credentials, bare_credentials, encoded_secrets, named_secrets];
            prop_assert!(passes.iter().all(|pass| pass(&text).is_none()), "{}", text);
        }
    }

    #[test]
    fn what_is_percent_encoded_goes_too() {
        check("access_token%3DHunter3", "access_token%3D[redacted]");
        check(
            "GET /x%3Fa%3D1%26password%3dHunter%213%26b%3D2 failed",
            "GET /x%3Fa%3D1%26password%3d[redacted]%26b%3D2 failed",
        );
        check("%2526apikey%253DHunter3", "%2526apikey%253D[redacted]");
        check(
            "%7B%22token%22%3A%22Hunter3%22%7D",
            "%7B%22token%22%3A%22[redacted]%22%7D",
        );
        check(
            "Authorization%3A%20Bearer%20Hunter3",
            "Authorization%3A%20[redacted]",
        );
        check("Bearer%20Hunter3", "Bearer%20[redacted]");
        check("password%3D\u{a0}Hunter3 x", "password%3D[redacted] x");
        check(
            "http%3A%2F%2Fana%3AHunter3%40pd-0%3A2379",
            "http%3A%2F%2F[redacted]%40pd-0%3A2379",
        );
    }

    #[test]
    fn what_is_said_to_be_a_password_goes() {
        check("the password is Hunter3", "the password is [redacted]");
        check("PASSWORD IS HUNTER3", "PASSWORD IS [redacted]");
        check(
            "Password was hunter3, sorry",
            "Password was [redacted] sorry",
        );
        check(
            "the api key is: 'open sesame'",
            "the api key is: [redacted]",
        );
        check(
            "mysql -h pd-0 -uroot -pHunter3 mysql",
            "mysql -h pd-0 -uroot -p[redacted] mysql",
        );
        check("`mysqldump -p'a b' x`", "`mysqldump -p[redacted] x`");
        check(
            "mysql -u root -p Hunter3 x",
            "mysql -u root -p [redacted] x",
        );
        check("mariadb -p 'a b'", "mariadb -p [redacted]");
    }

    #[test]
    fn what_a_command_is_given_to_log_in_with_goes() {
        check(
            "curl -u root:Hunter3 http://pd-0:2379",
            "curl -u [redacted] http://pd-0:2379",
        );
        check("ran `curl -sSu 'ana:a b'`", "ran `curl -sSu [redacted]`");
        check(
            "curl -s -X POST -uana:Hunter3 pd-0",
            "curl -s -X POST -u[redacted] pd-0",
        );
        check(
            "curl --proxy-user \"ana:x y\" -v",
            "curl --proxy-user [redacted] -v",
        );
        check("curl --user=ana:123456 x", "curl --user=[redacted] x");
        check("curl -U :Hunter3 x", "curl -U [redacted] x");
        check(
            "it took --user ana:Hunter3, sorry",
            "it took --user [redacted] sorry",
        );
        check("mariadb -h x -pHunter3", "mariadb -h x -p[redacted]");
        check("mariadb-dump -p\"a b\" x", "mariadb-dump -p[redacted] x");
        check(
            "sshpass -p Hunter3 ssh tikv-1",
            "sshpass -p [redacted] ssh tikv-1",
        );
        check(
            "redis-cli -h x -a Hunter3 ping",
            "redis-cli -h x -a [redacted] ping",
        );
    }

    #[test]
    fn a_header_goes_whole() {
        check("Cookie: theme=dark; sid=Hunter3; x", "Cookie: [redacted]");
        check("COOKIE: SID=HUNTER3", "COOKIE: [redacted]");
        check(
            "-H 'Set-Cookie: sid=Hunter3; Path=/' pd-0",
            "-H 'Set-Cookie: [redacted]' pd-0",
        );
        check(
            r#"Authorization: Digest username="ana", realm="x", response="Hunter3" was sent"#,
            "Authorization: Digest [redacted] was sent",
        );
        check(
            "the digest is 9f86d081, cookies are off",
            "the digest is 9f86d081, cookies are off",
        );
    }

    #[test]
    fn ordinary_words_stay() {
        for text in [
            "the password is wrong",
            "the token is expired.",
            "the passphrase was not set: ask",
            "the password is case-sensitive",
            "password [redacted]",
            "mysql -P 3306 -h pd-0 is down",
            "mysql is slow, tar -pxf later",
            "mkdir -p/tmp/x and ssh -p22",
            "mariadb -P 3306 is down, mysql -p asks",
            "curl -u ana asks, curl -s http://pd-0:2379/pd/api/v1/stores?a=b:c",
            "docker run -u 1000:1000 --user 1000:1000 pd",
            "curl --user-agent x/1:2 pd-0",
            "sort -u a:b, then diff -u a:1 b:2",
            "task-0123456789abcdefghij0123 and disk-0123456789abcdefghij0123",
            "sk-learn, sk-balance-hot-region-scheduler, risk-ant-0123456789",
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "at 8be3a1105c8ab5d0e4d6a0e5f9e3a1b2c3d4e5f6 of main",
            "region 7 [7480000000000000FF5F728000000000FF01, 7480000000000000FF6100000000000000F8)",
            "store 4 at tikv-4:20160, ba7816bf-8f01-4fea-9141-40de5dae2223",
            "user:NAME@example.com and agent:night",
            "0190f2b4-7c3e-7d11-8a55-2f0c9f1f6a3b",
            "store 4 => 11, region 7480000000000000FF5F72",
            "zone=z1 key=value start_key=7480 tokens=3",
            "zone%3Dz1%26start_key%3D7480%20at%2010%3A30",
            "http%3A%2F%2Fpd-0%3A2379%2Fa%40b",
            "100% done, 3%",
            "ghp_ and glpat- and xoxb- begin tokens, AKIA key ids",
            "eyJ begins a token. So it does. Always.",
            "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----",
        ] {
            check(text, text);
        }
    }

    proptest! {
        #[test]
        fn doing_it_twice_changes_nothing(pieces in prop::collection::vec(prop::sample::select(vec![
            "password", "token", "secret", " is ", "=", "%3D", "%253A", "%22", "%26", ": ", " ", "Hunter3", "x", "'",
            "\"", "//", "%2F%2F", "%40", "@", "a:b", "mysql", " -p", "curl", " -u", " --user", "sk-", "sk-ant-api03-a0b1c2d3e4",
            "pass\u{200b}word", "\u{feff}", "\u{1b}", "Bearer", "%20", "[redacted]", ",", "é", "[", "]",
            "eyJhbGciOiJI", ".", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "AKIAHUNTER3EXAMPLE00",
        ]), 0..14)) {
            let once = redacted(&pieces.concat()).into_owned();
            prop_assert_eq!(redacted(&once), once.as_str());
        }
    }
}
