//! The page and the code.

use std::collections::BTreeSet;

use operator_tikv::REASONS;

/// The rows of the page are the reasons of the code, in their order.
#[test]
fn the_page_lists_exactly_the_reasons_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reasons.md");
    let page = std::fs::read_to_string(path).unwrap();
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let expected: Vec<String> = REASONS
        .iter()
        .map(|reason| {
            format!(
                "| `{}` | {} | {} |",
                reason.code, reason.meaning, reason.next
            )
        })
        .collect();
    assert_eq!(rows, expected);
}

#[test]
fn codes_are_unique_and_well_formed() {
    let mut codes = BTreeSet::new();
    for reason in REASONS {
        assert!(codes.insert(reason.code), "{}", reason.code);
        let is_part = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        assert!(reason.code.bytes().all(is_part), "{}", reason.code);
        assert!(reason.meaning.ends_with('.') && reason.next.ends_with('.'));
    }
}
