//! Text from the cluster: data of any length, cut before it reaches anybody.

pub(crate) use action_core::bounded;
use action_core::bounded_to;

/// The longest key that is passed on whole, in hexadecimal digits.
const LONGEST_KEY: usize = 2_048;

/// A key in hexadecimal, or its beginning with an ellipsis.
pub(crate) fn bounded_key(key: &str) -> String {
    bounded_to(key, LONGEST_KEY)
}
