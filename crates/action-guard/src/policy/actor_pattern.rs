//! Patterns over actors: which can match somebody, and what is wrong with the others.

use crate::policy::pattern::Pattern;
use crate::policy::problem::did_you_mean;

/// The longest name of an actor.
const LONGEST_NAME: usize = 128;

/// The kinds of actors that have names.
const KINDS: [&str; 2] = ["agent", "user"];

impl Pattern {
    /// Whether it stands for all of a kind, or for everybody: who that is need not be known.
    pub(super) fn is_whole_kind(&self) -> bool {
        let name = self
            .text
            .split_once(':')
            .map_or(&*self.text, |(_, name)| name);
        self.text == "system" || name.bytes().all(|byte| byte == b'*')
    }
}

/// What is wrong with a pattern that is to match actors; `None` when it can match one.
pub(super) fn problem(text: &str) -> Option<String> {
    if let Some(odd) = text.chars().find(|character| !character.is_ascii()) {
        let code = u32::from(odd);
        return Some(format!(
            "`{text}` matches nobody: names cannot contain `{odd}` (U+{code:04X}), only ASCII"
        ));
    }
    if text == "system" || text.bytes().all(|byte| byte == b'*') {
        return None;
    }
    let Some((kind, name)) = text.split_once(':') else {
        return Some(format!("`{text}` matches nobody{}", other_separator(text)));
    };
    if !KINDS.contains(&kind) {
        let lower = kind.to_ascii_lowercase();
        let hint = match did_you_mean(&lower, &KINDS) {
            Some(_) if kind.contains(['*', '?']) => WRITE,
            Some(hint) => return Some(format!("unknown kind of actor `{kind}`{hint}")),
            None if lower == "system" => "; `system` takes no name",
            None => WRITE,
        };
        return Some(format!("unknown kind of actor `{kind}`{hint}"));
    }
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._@/+=:-*?".contains(&byte);
    if name.is_empty() {
        return Some(format!(
            "`{text}` matches nobody: the name is empty; use `{text}*` for all"
        ));
    }
    if !name.bytes().all(is_allowed) {
        return Some(format!(
            "`{text}` matches nobody: a name may contain ASCII letters, digits and `._@/+=:-`"
        ));
    }
    if name.bytes().filter(|byte| *byte != b'*').count() > LONGEST_NAME {
        return Some("it matches nobody: a name has at most 128 characters".to_owned());
    }
    None
}

const WRITE: &str = "; use `agent:NAME`, `user:NAME`, `system`, or `*` for everybody";

/// What was probably meant by text without a colon, as the end of a sentence.
fn other_separator(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    if lower == "system" {
        return "; did you mean `system`?".to_owned();
    }
    let meant = KINDS.iter().find_map(|kind| {
        let rest = lower.strip_prefix(kind)?;
        let rest = rest.trim_start_matches(|c: char| !c.is_ascii_alphanumeric() && c != '*');
        let rest = if rest.is_empty() { "*" } else { rest };
        Some(format!("; did you mean `{kind}:{rest}`?"))
    });
    meant.unwrap_or_else(|| WRITE.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_match_somebody_is_right() {
        for text in [
            "*",
            "system",
            "agent:*",
            "user:Ana",
            "agent:night-?",
            "user:*@example.com",
        ] {
            assert_eq!(problem(text), None, "{text}");
        }
    }

    #[track_caller]
    fn check(text: &str, says: &str) {
        let said = problem(text).unwrap_or_default();
        assert!(said.contains(says), "{text}: {said}");
    }

    #[test]
    fn a_name_is_as_long_as_an_actors_may_be() {
        let named = |length: usize| format!("agent:{}", "x".repeat(length));
        assert_eq!(problem(&named(LONGEST_NAME)), None);
        assert_eq!(problem(&format!("{}*", named(LONGEST_NAME))), None);
        check(&named(LONGEST_NAME + 1), "128 characters");
    }

    #[test]
    fn what_matches_nobody_is_told() {
        check("systems:x", "use `agent:NAME`");
        check("system:x", "`system` takes no name");
        check("agen?:x", "use `agent:NAME`");
        check("agnet:*", "did you mean `agent`?");
        check("Agent:*", "did you mean `agent`?");
        check("agent/*", "did you mean `agent:*`?");
        check("agent-night", "did you mean `agent:night`?");
        check("System", "did you mean `system`?");
        check("system:x", "takes no name");
        check("\u{430}gent:*", "U+0430");
        check("agent:n\u{456}ght", "U+0456");
        check("agent:", "empty");
        check("agent:a b", "ASCII letters");
        check("*:night", "unknown kind of actor");
        check("ana", "use `agent:NAME`");
        check(&format!("user:{}", "x".repeat(129)), "128");
    }
}
