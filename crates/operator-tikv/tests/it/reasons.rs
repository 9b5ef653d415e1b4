//! The reasons: codes, words and headings. `cargo xtask docs --check` holds their page to them.

use std::collections::BTreeSet;

use operator_tikv::REASONS;

use crate::harness::is_code;

#[test]
fn codes_are_unique_and_well_formed() {
    let mut codes = BTreeSet::new();
    for reason in REASONS {
        assert!(codes.insert(reason.code), "{}", reason.code);
        assert!(is_code(reason.code), "{}", reason.code);
        assert!(reason.meaning.ends_with('.') && reason.next.ends_with('.'));
    }
}
