//! Patterns over names, with `*` and `?`.

/// Text in which `*` stands for any text and `?` for one character. Case counts nowhere: people
/// write one name in more than one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) text: String,
    /// Where it is in the file.
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Pattern {
    pub(super) fn matches(&self, text: &str) -> bool {
        glob(self.text.as_bytes(), text.as_bytes())
    }
}

/// Whether any of the patterns matches; none at all match everything.
pub(super) fn any_matches(patterns: &[Pattern], text: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(text))
}

/// Whether any of the patterns matches a system, by its id or by its name.
pub(super) fn is_of_system(patterns: &[Pattern], system: &str, cluster: Option<&str>) -> bool {
    any_matches(patterns, system) || cluster.is_some_and(|name| any_matches(patterns, name))
}

/// Whether a pattern that was written down earlier matches an actor.
pub(crate) fn matches_actor(pattern: &str, actor: &str) -> bool {
    glob(pattern.as_bytes(), actor.as_bytes())
}

/// Goes back to the last `*` only, which is enough and keeps hostile patterns cheap.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(from) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted.eq_ignore_ascii_case(byte) => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((starred, taken)) => {
                    at = starred + 1;
                    from = taken + 1;
                    star = Some((starred, from));
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, matches: bool) {
        assert_eq!(
            glob(pattern.as_bytes(), text.as_bytes()),
            matches,
            "{pattern} {text}"
        );
    }

    #[test]
    fn patterns_match_whole_names() {
        check("transfer_*", "transfer_leader", true);
        check("transfer_*", "transfer_", true);
        check("*_store", "drain_store", true);
        check("drain_store", "drain_stores", false);
        check("drain", "drain_store", false);
        check("*", "", true);
        check("", "", true);
        check("", "x", false);
        check("?rain*e", "drain_store", true);
        check("a*b*c", "a_b_bc", true);
        check("a*b*c", "a_b_b", false);
        check("agent:Night*", "AGENT:nightShift", true);
    }

    proptest! {
        #[test]
        fn a_pattern_says_the_same_as_trying_every_split(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
            fn slow(pattern: &[u8], text: &[u8]) -> bool {
                match pattern.split_first() {
                    None => text.is_empty(),
                    Some((b'*', rest)) => (0..=text.len()).any(|at| slow(rest, &text[at..])),
                    Some((wanted, rest)) => text.split_first().is_some_and(|(byte, text)| {
                        (*wanted == b'?' || wanted == byte) && slow(rest, text)
                    }),
                }
            }
            let expected = slow(pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), expected);
        }
    }
}
