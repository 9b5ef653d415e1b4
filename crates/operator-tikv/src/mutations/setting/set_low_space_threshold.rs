//! How full a disk may be: `set_low_space_threshold`.

use std::borrow::Cow;

use action_core::{Accepted, Attempt, Effect, Mutation, Outcome, Plan, Progress, Risk, Sent, Undo};
use async_trait::async_trait;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::mutations::setting::schedule_setting::{Setting, SettingFacts};
use crate::pd_rules::refusals;

/// Sets how full a store's disk may be before PD calls it low on space.
///
/// Stores above it are given no more replicas and are emptied by balancing. The number is percent
/// of the disk in use; PD's own setting `low-space-ratio` is a share, so 80 here is 0.8 there.
///
/// PD refuses a threshold that is not above `high-space-ratio` (0.7 unless set), and any while an
/// override with a time to live is in force, which it does not show. Proven by reading the value
/// back. Taken back by setting the value of before, if nobody has changed it since. In force at
/// once, and for good.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetLowSpaceThreshold {
    /// Percent of a store's disk in use above which the store is low on space.
    pub percent: UsedPercent,
}

/// Percent of a disk in use: 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(transparent)]
pub struct UsedPercent(f64);

impl UsedPercent {
    /// So many percent; `None` below 1, which is a share by mistake, and above 100.
    #[must_use]
    pub fn new(percent: f64) -> Option<Self> {
        (1.0..=100.0).contains(&percent).then_some(Self(percent))
    }

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

impl JsonSchema for UsedPercent {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "UsedPercent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 1, "maximum": 100 })
    }
}

impl<'de> Deserialize<'de> for UsedPercent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let percent = f64::deserialize(deserializer)?;
        Self::new(percent).ok_or_else(|| {
            let text = format_args!("{percent} is not percent of a disk in use: 1 to 100");
            serde::de::Error::custom(text)
        })
    }
}

const SETTING: Setting<f64> = Setting {
    name: "low-space-ratio",
    shown: |config| config.low_space_ratio,
};

#[async_trait]
impl Mutation<Tikv> for SetLowSpaceThreshold {
    const NAME: &'static str = "set_low_space_threshold";
    const RISK: Risk = Risk::Medium;
    const EFFECT: Effect = Effect::Lasting;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = SettingFacts;

    fn resources(&self) -> Vec<String> {
        SETTING.resources()
    }

    fn lasting_effect(&self) -> Option<String> {
        SETTING.lasting_effect()
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<SettingFacts>, Error> {
        let wanted = self.percent.ratio();
        SETTING
            .plan_unless(tikv, wanted, |config| {
                (wanted <= config.high_space_ratio).then(|| {
                    let text = "low-space-ratio should be larger than high-space-ratio";
                    refusals::rejected("not_above_high_space_ratio", text)
                })
            })
            .await
    }

    async fn send(
        &self,
        tikv: &Tikv,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Error> {
        SETTING.send(tikv, attempt, self.percent.ratio()).await
    }

    async fn probe(
        &self,
        tikv: &Tikv,
        before: &SettingFacts,
        sent: &Sent,
    ) -> Result<Progress, Error> {
        SETTING
            .probe(tikv, self.percent.ratio(), before, sent)
            .await
    }

    fn undo(&self, before: &SettingFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        SETTING.undo(self.percent.ratio(), before, |ratio| {
            let percent = UsedPercent::of_ratio(ratio)?;
            Some(Self { percent })
        })
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
