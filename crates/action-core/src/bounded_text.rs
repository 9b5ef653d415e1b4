//! Text from a system: data of any length, cut before it reaches anybody.

/// The longest text from a system that is passed on whole, in characters.
const LONGEST: usize = 1_024;

/// A longer word is cut.
const LONGEST_WORD: usize = 64;

/// Text from a system, or its first 1,024 characters with an ellipsis.
#[must_use]
pub fn bounded(text: &str) -> String {
    bounded_to(text, LONGEST)
}

/// Text from a system, or its first `longest` characters with an ellipsis; not cut within a short
/// word.
#[must_use]
pub fn bounded_to(text: &str, longest: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(longest) else {
        return text.to_owned();
    };
    let start = text.get(..end).unwrap_or_default();
    // Not within a word, such as a time, where there is a space to cut at.
    let whole = start.rsplit_once(' ').map(|(whole, _)| whole);
    let whole = whole.filter(|whole| start.len() - whole.len() <= LONGEST_WORD);
    format!("{}…", whole.unwrap_or(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(bounded("tikv-1"), "tikv-1");
        let long = bounded(&"é".repeat(LONGEST + 1));
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert!(long.ends_with('…'));
        let times = bounded(&"2026-11-28 21:07:14 ".repeat(60));
        assert!(
            times.ends_with("21:07:14…") || times.ends_with("2026-11-28…"),
            "{times}"
        );
    }
}
