//! Text made safe to show to people and models.
//!
//! Here because every front end and every view of a journal shows such text, and none of them
//! knows another.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with everything that could act on a terminal, or that people do not see and a model
/// reads, written as an escape: control characters, line ends included, and characters that are
/// invisible or turn text around.
///
/// ```
/// assert_eq!(action_core::printable("\u{1b}[2Jtikv-1"), r"\u001b[2Jtikv-1");
/// ```
///
/// The escapes are JSON's, so that text escaped inside of a JSON string still means itself.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_unprintable(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a `String` cannot fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// The same for text of several lines, which stay lines.
#[must_use]
pub fn printable_lines(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(printable).collect();
    lines.join("\n")
}

/// Whether [`printable`] escapes this character.
///
/// What Unicode calls default ignorable is invisible. The tags among it (U+E0000 and on) spell
/// whole sentences that only programs read.
#[must_use]
pub fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
                | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, safe: &str) {
        assert_eq!(printable(text), safe);
    }

    #[test]
    fn nothing_reaches_the_terminal_that_acts_on_it() {
        check("\u{1b}[2J", "\\u001b[2J");
        check("a\r\nb\tc", "a\\u000d\\u000ab\\u0009c");
        check("\u{7f}\u{9b}31m", "\\u007f\\u009b31m");
        check(
            "\u{202e}evil\u{2066}\u{200b}\u{feff}",
            "\\u202eevil\\u2066\\u200b\\ufeff",
        );
        check("\0\u{7}", "\\u0000\\u0007");
    }

    #[test]
    fn nothing_reaches_a_model_that_people_do_not_see() {
        check("zone\u{e0041}\u{e0042}", "zone\\udb40\\udc41\\udb40\\udc42");
        check("a\u{fe0f}\u{3164}", "a\\ufe0f\\u3164");
    }

    #[test]
    fn other_text_is_left_alone() {
        for text in [
            "",
            "tikv-1.example:20160",
            "[PD:operator:ErrAddOperator]",
            "Zürich 東京 👍",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(printable_lines("a\nb\u{1b}c\n"), "a\nb\\u001bc\n");
    }

    proptest! {
        #[test]
        fn whatever_comes_in_only_printable_text_comes_out(text in any::<String>()) {
            prop_assert!(!printable(&text).chars().any(is_unprintable));
            let lines = printable_lines(&text);
            prop_assert_eq!(lines.matches('\n').count(), text.matches('\n').count());
            prop_assert!(lines.chars().all(|character| character == '\n' || !is_unprintable(character)));
        }

        #[test]
        fn escaping_twice_is_escaping_once(text in any::<String>()) {
            let once = printable(&text).into_owned();
            prop_assert_eq!(printable(&once), once.as_str());
        }

        #[test]
        fn inside_of_json_the_text_still_means_itself(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            let back: String = serde_json::from_str(&printable(&json)).unwrap();
            prop_assert_eq!(back, text);
        }
    }
}
