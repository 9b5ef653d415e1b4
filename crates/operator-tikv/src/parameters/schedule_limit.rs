//! How many operators of a kind may run at a time, as a parameter.

use crate::parameters::bounded::bounded;

/// PD reads numbers as 64-bit floats: larger ones become others.
const LARGEST: u64 = (1 << 53) - 1;

bounded! {
    /// How many operators of a kind PD's schedulers run at a time: 0 to 2^53 − 1, and 0 is none.
    ScheduleLimit(u64): 0 to LARGEST, "a limit"
}
