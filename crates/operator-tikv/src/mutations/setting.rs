//! Changes of PD's settings, and what those of the schedule section share.
//!
//! Settings are set by their full names through `POST /config`, which refuses a name it does not
//! know; the section's own path accepts and ignores it. A value that PD accepted and does not show
//! was lost to another change at the same time, which PD up to 8.5 lets happen.

use std::fmt;

use action_core::{
    Accepted, Attempt, Evidence, Mutation, Plan, Progress, Sent, Settled, Undo, Verdict,
};
use pd_client::config::{ConfigValue, ScheduleConfig};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::{SETTLE_MS, accepted};
use crate::facts::settings_in_force::{self, OVERRIDABLE, Overrides};
use crate::pd_rules::refusals::overridden;
use crate::pd_rules::stop::{Checked, Stop, nothing_to_do, verdict};

pub use set_leader_schedule_limit::SetLeaderScheduleLimit;
pub use set_low_space_threshold::{SetLowSpaceThreshold, UsedPercent};
pub use set_region_schedule_limit::SetRegionScheduleLimit;
pub use set_replica_schedule_limit::SetReplicaScheduleLimit;
pub use set_store_limit::{LimitedWork, ReplicaRate, SetStoreLimit};

pub(crate) mod set_leader_schedule_limit;
pub(crate) mod set_low_space_threshold;
pub(crate) mod set_region_schedule_limit;
pub(crate) mod set_replica_schedule_limit;
pub(crate) mod set_store_limit;

/// A setting as it was when a change of it was planned.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SettingFacts {
    /// Its value; `None` when PD could not be asked.
    pub value: Option<Number>,
}

/// An action that sets one number of PD's schedule section. [`mutation_of_setting!`] makes a
/// mutation of it.
pub(crate) trait Setting: Sync + Sized {
    /// PD's name for it in the section.
    const ITEM: &'static str;
    const STORED: fn(&ScheduleConfig) -> Self::Value;
    type Value: SettingValue;

    fn wanted(&self) -> Self::Value;

    /// The action that sets this value; `None` when it cannot.
    fn with(value: Self::Value) -> Option<Self>;

    /// Whether PD takes the value, for what else is set.
    fn check_set(&self, _: &ScheduleConfig) -> Checked {
        Ok(())
    }
}

/// What a setting may be.
pub(crate) trait SettingValue:
    Copy + PartialEq + fmt::Display + Into<ConfigValue> + Into<Value> + Send + Sync
{
    fn of(number: &Number) -> Option<Self>;
}

impl SettingValue for u64 {
    fn of(number: &Number) -> Option<Self> {
        number.as_u64()
    }
}

impl SettingValue for f64 {
    fn of(number: &Number) -> Option<Self> {
        number.as_f64()
    }
}

/// What is kept of a value.
pub(crate) fn facts(value: impl Into<Value>) -> SettingFacts {
    let value = match value.into() {
        Value::Number(number) => Some(number),
        _ => None,
    };
    SettingFacts { value }
}

pub(crate) fn key<A: Setting>() -> String {
    format!("config/schedule.{}", A::ITEM)
}

pub(crate) async fn plan<A: Setting>(action: &A, tikv: &Tikv) -> Checked<Plan<SettingFacts>> {
    let config = tikv.pd.schedule_config().await;
    let config = config.map_err(Stop::of_first_read)?;
    let now = (A::STORED)(&config);
    let overrides = settings_in_force::overrides(tikv).await;
    let verdict = verdict(check(action, &config, now, overrides.as_ref()))?;
    let mut plan = Plan::new(verdict, facts(now));
    if overrides.is_none() && OVERRIDABLE.contains(&A::ITEM) {
        plan = plan.unknown(
            "whether a temporary override (TTL) is in force, during which PD rejects the change: cannot read PD's etcd",
        );
    }
    Ok(plan
        .same("value", now)
        .impact("settings", 1, "settings changed")
        .takes(100, 1_000, "one write of PD's configuration")
        .follow(500, SETTLE_MS, 60_000)
        .clock(tikv.clock()))
}

fn check<A: Setting>(
    action: &A,
    config: &ScheduleConfig,
    now: A::Value,
    overrides: Option<&Overrides>,
) -> Checked<Verdict> {
    // PD looks for an override before anything else.
    if overrides.is_some_and(|overrides| overrides.of(A::ITEM).is_some()) {
        return Err(overridden(A::ITEM));
    }
    if now == action.wanted() {
        return Err(nothing_to_do(format!("`{}` is {now}", A::ITEM)));
    }
    action.check_set(config)?;
    Ok(Verdict::WouldProceed)
}

pub(crate) async fn send<A: Setting>(
    action: &A,
    tikv: &Tikv,
    attempt: &Attempt,
) -> Result<Accepted, Error> {
    let (pd, key) = (tikv.sender(attempt), format!("schedule.{}", A::ITEM));
    accepted(pd.set_config(&key, action.wanted()).await)
}

pub(crate) async fn probe<A: Setting>(
    action: &A,
    tikv: &Tikv,
    before: &SettingFacts,
    sent: &Sent,
) -> Result<Progress, Error> {
    let config = tikv.pd.schedule_config().await.map_err(Error::Read)?;
    let now = (A::STORED)(&config);
    Ok(settled(A::ITEM, now, action.wanted(), before, sent))
}

/// What reading a value back tells about setting it.
pub(crate) fn settled<V: SettingValue>(
    name: &str,
    now: V,
    wanted: V,
    before: &SettingFacts,
    sent: &Sent,
) -> Progress {
    let evidence = vec![Evidence::new("GET /pd/api/v1/config/schedule", name, now)];
    let accepted = sent.accepted.is_some();
    if now == wanted {
        let by = sent.attribution();
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
                "PD accepted it, but `{name}` is {now} as before: another change at the same time overwrote it"
            ),
        ),
        (false, true) => ("no_trace", format!("`{name}` is {now} as before")),
        (_, false) => (
            "changed_by_another",
            format!("`{name}` is {now}, which is neither the previous value nor {wanted}"),
        ),
    };
    Progress::not_applied(code, text, untouched, evidence)
}

/// What reading a value back tells, however long after it was set.
pub(crate) fn still_in_force<V: SettingValue>(name: &str, now: V, wanted: V) -> Settled {
    let evidence = vec![Evidence::new("GET /pd/api/v1/config/schedule", name, now)];
    if now == wanted {
        return Settled::held(evidence);
    }
    let text = format!("`{name}` is {now}, not {wanted}");
    Settled::reversed("changed_by_another", text, evidence)
}

/// The value of before, as long as nobody has changed it since.
pub(crate) fn undo<V: SettingValue, M: Mutation<Tikv>>(
    name: &str,
    wanted: V,
    before: &SettingFacts,
    back: impl FnOnce(V) -> Option<M>,
) -> Undo {
    match before.value.as_ref().and_then(V::of) {
        None => Undo::none("its previous value is not known"),
        Some(old) if old == wanted => Undo::none(format!("`{name}` was {old} before")),
        Some(old) => match back(old) {
            None => Undo::none(format!(
                "it was {old} before, a value that this action cannot set"
            )),
            Some(back) => Undo::with::<Tikv, _>(&back).expecting("value", wanted),
        },
    }
}

/// `impl Mutation` for a [`Setting`]: the orphan rule allows no blanket impl of a foreign trait, so
/// this is the one place where its methods are forwarded.
macro_rules! mutation_of_setting {
    ($action:ident = $name:literal, risk: $risk:ident) => {
        #[async_trait::async_trait]
        impl action_core::Mutation<$crate::cluster::Tikv> for $action {
            const NAME: &'static str = $name;
            const RISK: action_core::Risk = action_core::Risk::$risk;
            const EFFECT: action_core::Effect = action_core::Effect::Lasting;
            const REVERSIBLE: bool = true;
            const IDEMPOTENT: bool = true;
            type Before = $crate::mutations::setting::SettingFacts;

            fn resources(&self) -> Vec<String> {
                vec![$crate::mutations::setting::key::<Self>()]
            }

            fn lasting_effect(&self) -> Option<String> {
                Some($crate::mutations::setting::key::<Self>())
            }

            async fn plan(
                &self,
                tikv: &$crate::cluster::Tikv,
            ) -> Result<action_core::Plan<Self::Before>, $crate::error::Error> {
                let plan = $crate::mutations::setting::plan(self, tikv).await;
                $crate::pd_rules::stop::planned(plan)
            }

            async fn send(
                &self,
                tikv: &$crate::cluster::Tikv,
                _: &Self::Before,
                attempt: &action_core::Attempt,
            ) -> Result<action_core::Accepted, $crate::error::Error> {
                $crate::mutations::setting::send(self, tikv, attempt).await
            }

            async fn probe(
                &self,
                tikv: &$crate::cluster::Tikv,
                before: &Self::Before,
                sent: &action_core::Sent,
            ) -> Result<action_core::Progress, $crate::error::Error> {
                $crate::mutations::setting::probe(self, tikv, before, sent).await
            }

            async fn still_in_force(
                &self,
                tikv: &$crate::cluster::Tikv,
                _: &Self::Before,
                _: &action_core::Sent,
            ) -> Result<action_core::Settled, $crate::error::Error> {
                use $crate::mutations::setting::{Setting, still_in_force};
                let config = tikv.pd.schedule_config().await;
                let now = Self::STORED(&config.map_err($crate::error::Error::Read)?);
                Ok(still_in_force(Self::ITEM, now, self.wanted()))
            }

            fn undo(
                &self,
                before: &Self::Before,
                _: Option<&action_core::Accepted>,
                _: Option<&action_core::Outcome>,
            ) -> action_core::Undo {
                use $crate::mutations::setting::{Setting, undo};
                undo(Self::ITEM, self.wanted(), before, Self::with)
            }
        }
    };
}
pub(crate) use mutation_of_setting;
