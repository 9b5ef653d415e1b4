//! Lengths of time, as people write them.

use std::time::Duration;

use jiff::SignedDuration;

/// A length of time, such as `15m`.
pub(crate) fn length(text: &str) -> Result<Duration, String> {
    let wrong = || format!("invalid duration `{text}`: use 90s, 15m or 2h");
    let length: SignedDuration = text.parse().map_err(|_| wrong())?;
    let length = Duration::try_from(length).map_err(|_| wrong())?;
    if length.is_zero() {
        Err(wrong())
    } else {
        Ok(length)
    }
}
