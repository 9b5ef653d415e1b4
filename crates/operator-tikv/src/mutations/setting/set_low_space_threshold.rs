//! How full a disk may be: `set_low_space_threshold`.

// length: percent here, a share in PD, and the type between them.

use pd_client::config::ScheduleConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mutations::setting::{Setting, mutation_of_setting};
use crate::parameters::bounded::bounded;
use crate::pd_rules::refusals::low_space_not_above_high;
use crate::pd_rules::stop::Checked;

/// Sets how full a store's disk may be before PD calls it low on space.
///
/// PD gives stores above it no more replicas, and moves replicas off them. The number is percent of
/// the disk in use; PD's own setting `low-space-ratio` is a share, so 80 here is 0.8 there.
///
/// PD refuses a threshold that is not above `high-space-ratio` (0.7 unless set). Proven by reading
/// the value back. Taken back by restoring the previous value, if nobody has changed it since. In
/// force at once, until changed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetLowSpaceThreshold {
    /// Percent of a store's disk in use above which the store is low on space.
    pub percent: UsedPercent,
}

bounded! {
    /// Percent of a disk in use: 1 to 100. What is below 1 is a share by mistake.
    UsedPercent(f64): 1.0 to 100.0, "percent of a disk in use"
}

impl UsedPercent {
    /// PD's way: a share of 1. Moves the point in decimal, as a person would: a division of
    /// binary fractions may be off in the last place.
    #[must_use]
    pub fn ratio(self) -> f64 {
        format!("{}e-2", self.0).parse().unwrap_or(self.0 / 100.0)
    }

    fn of_ratio(ratio: f64) -> Option<Self> {
        let percent = format!("{ratio}e2").parse().ok().and_then(Self::new);
        percent.filter(|percent| percent.ratio() == ratio)
    }
}

mutation_of_setting!(SetLowSpaceThreshold = "set_low_space_threshold", risk: Medium);

impl Setting for SetLowSpaceThreshold {
    const ITEM: &'static str = "low-space-ratio";
    const STORED: fn(&ScheduleConfig) -> f64 = |config| config.low_space_ratio;
    type Value = f64;

    fn wanted(&self) -> f64 {
        self.percent.ratio()
    }

    fn with(ratio: f64) -> Option<Self> {
        UsedPercent::of_ratio(ratio).map(|percent| Self { percent })
    }

    fn check_set(&self, config: &ScheduleConfig) -> Checked {
        if self.wanted() <= config.high_space_ratio {
            return Err(low_space_not_above_high());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_and_shares_are_told_apart_and_converted() {
        assert_eq!(UsedPercent::new(80.0).map(UsedPercent::ratio), Some(0.8));
        assert_eq!(UsedPercent::new(0.8), None);
        for ratio in [0.8, 0.75, 0.7, 0.999, 0.123_456, 1.0, 0.07, 0.29, 0.57] {
            let percent = UsedPercent::of_ratio(ratio).unwrap();
            assert_eq!(percent.ratio(), ratio, "{percent:?}");
        }
        assert_eq!(UsedPercent::of_ratio(0.8), UsedPercent::new(80.0));
    }
}
