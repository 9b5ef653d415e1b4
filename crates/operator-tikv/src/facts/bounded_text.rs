//! Text from the cluster: data of any length, cut before it reaches anybody.

/// The longest text from the cluster that is passed on whole, in characters.
const LONGEST: usize = 1_024;

/// The longest key that is passed on whole, in hexadecimal digits.
const LONGEST_KEY: usize = 2_048;

/// The text, or its beginning with an ellipsis.
pub(crate) fn bounded(text: &str) -> String {
    cut(text, LONGEST)
}

/// A key in hexadecimal, or its beginning with an ellipsis.
pub(crate) fn bounded_key(key: &str) -> String {
    cut(key, LONGEST_KEY)
}

fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
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
    }
}
