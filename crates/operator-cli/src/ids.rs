//! Ids as people read and type them: their beginning, as long as it takes to differ.

use action_guard::State;

/// Digits of an id that people are shown at least: in ids that begin with their time, all of the
/// time, so that no later id begins with the same.
const SHOWN: usize = 12;

/// The fewest digits that stand for an id.
pub(crate) const SHORTEST: usize = 8;

/// Before which digits of a UUID there is a dash.
const DASHES: [usize; 4] = [8, 12, 16, 20];

/// The beginning of an id that none of the others has, without dashes.
pub(crate) fn short<'a>(id: &str, others: impl IntoIterator<Item = &'a str>) -> String {
    let id = digits(id);
    let shared = |other: &str| {
        let other = digits(other);
        let pairs = id.chars().zip(other.chars());
        pairs.take_while(|(one, other)| one == other).count()
    };
    let others = others.into_iter().map(shared);
    let shared = others.filter(|shared| *shared < id.len()).max();
    let length = SHOWN.max(shared.map_or(0, |shared| shared + 1));
    id.chars().take(length).collect()
}

/// The same for a proposal, among all that are known.
pub(crate) fn short_of(id: &str, state: &State) -> String {
    short(id, known(state))
}

/// The ids of all proposals that a state knows.
pub(crate) fn known(state: &State) -> impl Iterator<Item = &str> {
    let known = state.open.values().chain(&state.ended);
    let known = known.map(|status| status.proposal.id.as_str());
    known.chain(state.effects.keys().map(String::as_str))
}

/// Whether it has fewer digits than stand for an id.
pub(crate) fn is_too_short(given: &str) -> bool {
    digits(given).len() < SHORTEST
}

/// The beginning of a UUID as the journal writes it; `None` where it is that of none.
pub(crate) fn with_dashes(given: &str) -> Option<String> {
    let digits = digits(given);
    let are_digits = digits.chars().all(|digit| digit.is_ascii_hexdigit());
    if !are_digits || is_too_short(given) || digits.len() > 32 {
        return None;
    }
    let mut written = String::new();
    for (at, digit) in digits.to_ascii_lowercase().chars().enumerate() {
        if DASHES.contains(&at) {
            written.push('-');
        }
        written.push(digit);
    }
    Some(written)
}

/// Whether an id is meant by its beginning or its end, with dashes or without.
pub(crate) fn fits(id: &str, given: &str) -> bool {
    let (whole, given) = (digits(id), digits(given));
    given.len() >= SHORTEST && (whole.starts_with(&given) || whole.ends_with(&given))
}

fn digits(id: &str) -> String {
    id.chars().filter(|character| *character != '-').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "0199f3c2-a7b4-7c11-8d2e-000000000001";
    const SAME_TIME: &str = "0199f3c2-a7b4-7c12-8d2e-000000000002";
    const LATER: &str = "0199f3c2-a7b5-7c11-8d2e-000000000003";

    #[test]
    fn a_short_id_is_as_long_as_it_takes_to_differ() {
        assert_eq!(short(ONE, []), "0199f3c2a7b4");
        assert_eq!(short(ONE, [ONE, LATER]), "0199f3c2a7b4");
        assert_eq!(short(ONE, [SAME_TIME, LATER]), "0199f3c2a7b47c11");
        assert!(fits(ONE, &short(ONE, [SAME_TIME])) && !fits(SAME_TIME, &short(ONE, [SAME_TIME])));
    }

    #[test]
    fn the_beginning_of_an_id_has_its_dashes() {
        for (given, written) in [
            ("0199f3c2", Some("0199f3c2")),
            ("0199F3C2a", Some("0199f3c2-a")),
            ("0199f3c2a7b47c118d2e000000000001", Some(ONE)),
            (ONE, Some(ONE)),
            ("0199f3c", None),
            ("0199f3c2x", None),
            ("0199f3c2a7b47c118d2e0000000000011", None),
        ] {
            assert_eq!(with_dashes(given).as_deref(), written, "{given}");
        }
    }

    #[test]
    fn an_id_is_meant_by_its_beginning_or_its_end() {
        for given in [ONE, "0199f3c2a7b4", "0199f3c2-a7b4-7c11", "000000000001"] {
            assert!(fits(ONE, given), "{given}");
        }
        for given in [
            "",
            "0199",
            "0199f3c2a7b5",
            "000000000002",
            "nothing-like-it",
        ] {
            assert!(!fits(ONE, given), "{given}");
        }
    }
}
