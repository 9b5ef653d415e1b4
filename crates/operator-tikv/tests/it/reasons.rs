//! The reasons and the outcomes: codes, words and headings. `cargo xtask docs --check` holds their
//! pages to them.

use std::collections::BTreeSet;

use action_core::{ActionKind, Subject};
use operator_tikv::{OUTCOMES, REASONS, Tikv};

fn is_code(code: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    code.bytes().all(is_part)
}

#[test]
fn codes_are_unique_and_well_formed() {
    let mut codes = BTreeSet::new();
    for reason in REASONS {
        assert!(codes.insert(reason.code), "{}", reason.code);
        assert!(is_code(reason.code), "{}", reason.code);
        assert!(reason.meaning.ends_with('.') && reason.next.ends_with('.'));
    }
}

#[test]
fn outcomes_are_of_mutations() {
    let actions = Tikv::actions();
    let mutations: BTreeSet<_> = actions
        .definitions()
        .filter(|one| one.kind == ActionKind::Mutation)
        .map(|one| one.name.as_str())
        .collect();
    let mut rows = BTreeSet::new();
    let mut named = BTreeSet::new();
    for row in OUTCOMES {
        assert!(rows.insert((format!("{:?}", row.end), row.code)), "{row:?}");
        assert!(is_code(row.code), "{row:?}");
        assert!(
            row.meaning.ends_with('.') && row.next.ends_with('.'),
            "{row:?}"
        );
        named.extend(row.mutations.iter().copied());
    }
    assert_eq!(named, mutations, "each mutation can end in other ways");
}
