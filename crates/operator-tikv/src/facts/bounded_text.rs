//! Text from the cluster: data of any length, cut before it reaches anybody.

/// The longest text from the cluster that is passed on whole, in characters.
const LONGEST: usize = 1_024;

/// The longest key that is passed on whole, in hexadecimal digits.
const LONGEST_KEY: usize = 2_048;

/// A longer word is cut.
const LONGEST_WORD: usize = 64;

/// The text, or its beginning with an ellipsis.
pub(crate) fn bounded(text: &str) -> String {
    cut(text, LONGEST)
}

/// A key in hexadecimal, or its beginning with an ellipsis.
pub(crate) fn bounded_key(key: &str) -> String {
    cut(key, LONGEST_KEY)
}

fn cut(text: &str, longest: usize) -> String {
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
