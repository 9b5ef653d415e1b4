//! One item of how PD schedules, that is set to a number: what the actions that set one share.
//!
//! Items are set by their full names through `POST /config`, which refuses a name it does not
//! know; the section's own path accepts and ignores it. A value that PD accepted and does not
//! show was lost to another change at the same time, which PD up to 8.5 lets happen.

use std::fmt;

use action_core::{
    Accepted, Attempt, Attribution, Evidence, Mutation, Plan, Progress, Sent, Undo, Verdict,
};
use pd_client::config::ScheduleConfig;
use serde::{Deserialize, Serialize};
use serde_json::Number;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::{SETTLE_MS, accepted};
use crate::pd_rules::refusals;

/// An item as it was when a change of it was planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SettingFacts {
    /// Its value; `None` when PD could not be asked.
    pub value: Option<Number>,
}

/// An item: PD's name for it in the schedule section, and where it is shown.
pub(crate) struct Setting<V> {
    pub(crate) name: &'static str,
    pub(crate) shown: fn(&ScheduleConfig) -> V,
}

/// A value of an item.
pub(crate) trait SettingValue: Copy + PartialEq + fmt::Display + Send + Sync {
    fn number(self) -> Option<Number>;
    fn of(number: &Number) -> Option<Self>;
    fn config(self) -> pd_client::config::ConfigValue;
}

impl SettingValue for u64 {
    fn number(self) -> Option<Number> {
        Some(self.into())
    }

    fn of(number: &Number) -> Option<Self> {
        number.as_u64()
    }

    fn config(self) -> pd_client::config::ConfigValue {
        self.into()
    }
}

impl SettingValue for f64 {
    fn number(self) -> Option<Number> {
        Number::from_f64(self)
    }

    fn of(number: &Number) -> Option<Self> {
        number.as_f64()
    }

    fn config(self) -> pd_client::config::ConfigValue {
        self.into()
    }
}

const SOURCE: &str = "GET /pd/api/v1/config/schedule";

impl<V: SettingValue> Setting<V> {
    pub(crate) fn resources(&self) -> Vec<String> {
        vec![format!("config/schedule.{}", self.name)]
    }

    pub(crate) fn lasting_effect(&self) -> Option<String> {
        Some(format!("config/schedule.{}", self.name))
    }

    /// What would happen, where PD takes every value that its type has.
    pub(crate) async fn plan(&self, tikv: &Tikv, wanted: V) -> Result<Plan<SettingFacts>, Error> {
        self.plan_unless(tikv, wanted, |_| None).await
    }

    /// What would happen, where PD may refuse the value for what else is set.
    pub(crate) async fn plan_unless(
        &self,
        tikv: &Tikv,
        wanted: V,
        refused: impl FnOnce(&ScheduleConfig) -> Option<Verdict> + Send,
    ) -> Result<Plan<SettingFacts>, Error> {
        let config = match tikv.pd.schedule_config().await {
            Ok(config) => config,
            Err(error) => {
                let verdict = refusals::unless_not_bootstrapped(error)?;
                return Ok(Plan::new(verdict, SettingFacts { value: None }));
            }
        };
        let now = (self.shown)(&config);
        let verdict = if now == wanted {
            let already = format!("`{}` is {now}", self.name);
            Verdict::NoOp { already }
        } else {
            refused(&config).unwrap_or(Verdict::WouldProceed)
        };
        let value = now.number();
        Ok(Plan::new(
            verdict,
            SettingFacts {
                value: value.clone(),
            },
        )
        .same("value", value.map(serde_json::Value::from))
        .impact("settings", 1, "settings changed")
        .unknown(
            "whether an override with a time to live is in force: PD does not show it, and \
                 refuses the change while it lasts",
        )
        .takes(100, 1_000, "one write of PD's configuration")
        .follow(500, SETTLE_MS, 60_000)
        .clock(tikv.clock()))
    }

    pub(crate) async fn send(
        &self,
        tikv: &Tikv,
        attempt: &Attempt,
        wanted: V,
    ) -> Result<Accepted, Error> {
        let pd = tikv.sender(attempt);
        let key = format!("schedule.{}", self.name);
        accepted(pd.set_config(&key, wanted.config()).await)
    }

    pub(crate) async fn probe(
        &self,
        tikv: &Tikv,
        wanted: V,
        before: &SettingFacts,
        sent: &Sent,
    ) -> Result<Progress, Error> {
        let config = tikv.pd.schedule_config().await.map_err(Error::Read)?;
        let now = (self.shown)(&config);
        Ok(settled(self.name, now, wanted, before, sent))
    }

    /// The value of before, as long as nobody has changed it since.
    pub(crate) fn undo<M: Mutation<Tikv>>(
        &self,
        wanted: V,
        before: &SettingFacts,
        back: impl FnOnce(V) -> Option<M>,
    ) -> Undo {
        undo_value(self.name, wanted, before, back)
    }
}

/// What reading a value back tells about setting it.
pub(crate) fn settled<V: SettingValue>(
    name: &str,
    now: V,
    wanted: V,
    before: &SettingFacts,
    sent: &Sent,
) -> Progress {
    let shown = now.number().map(serde_json::Value::from);
    let evidence = vec![Evidence::new(SOURCE, name, shown)];
    let accepted = sent.accepted.is_some();
    if now == wanted {
        let by = if accepted {
            Attribution::Ours
        } else {
            Attribution::Undecided
        };
        return Progress::applied(by, format!("`{name}` is {now}"), evidence);
    }
    if sent.elapsed_ms < SETTLE_MS {
        return Progress::pending(format!("`{name}` is still {now}"), evidence);
    }
    let untouched = before.value.as_ref().and_then(V::of) == Some(now);
    let (code, text) = match (accepted, untouched) {
        (true, true) => (
            "update_lost",
            format!(
                "PD accepted, and `{name}` is {now} as before: another change at the same time \
                 has put it back"
            ),
        ),
        (false, true) => ("no_trace", format!("`{name}` is {now} as before")),
        (_, false) => (
            "changed_by_another",
            format!("`{name}` is {now}, which is neither the value of before nor {wanted}"),
        ),
    };
    Progress::not_applied(code, text, untouched, evidence)
}

/// The value of before, as long as nobody has changed it since.
pub(crate) fn undo_value<V: SettingValue, M: Mutation<Tikv>>(
    name: &str,
    wanted: V,
    before: &SettingFacts,
    back: impl FnOnce(V) -> Option<M>,
) -> Undo {
    match before.value.as_ref().and_then(V::of) {
        None => Undo::none("its value before is not known"),
        Some(old) if old == wanted => Undo::none(format!("`{name}` was {old} before")),
        Some(old) => match back(old) {
            None => Undo::none(format!(
                "it was {old} before, which this action does not set"
            )),
            Some(back) => Undo::with::<Tikv, _>(&back)
                .expecting("value", wanted.number().map(serde_json::Value::from)),
        },
    }
}
