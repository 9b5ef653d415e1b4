//! Text from the cluster, made safe for a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with everything that could act on a terminal written as an escape: control
/// characters, line ends included, and characters that are invisible or turn text around.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_unsafe(character) {
            // Writing to a `String` cannot fail. Every unsafe character is below U+10000, so that
            // this is also how JSON escapes it.
            let _ = write!(safe, "\\u{:04x}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// The same for text of several lines, which stay lines.
pub(crate) fn printable_lines(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(printable).collect();
    lines.join("\n")
}

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        )
}

#[cfg(test)]
mod tests {
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
}
