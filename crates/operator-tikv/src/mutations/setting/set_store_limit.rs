//! Replicas per minute of a store: `set_store_limit`.

// length: a value of a store and a kind of work, not of one name: what `Setting` gives the others
// is written out.

use action_core::{
    Accepted, Attempt, Cause, Effect, Mutation, Outcome, Plan, Progress, Risk, Sent, Settled, Undo,
    Verdict,
};
use async_trait::async_trait;
use pd_client::Capability;
use pd_client::config::ScheduleConfig;
use pd_client::stores::LimitKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::{SETTLE_MS, accepted};
use crate::mutations::setting::{SettingFacts, facts, settled, still_in_force, undo};
use crate::parameters::bounded::bounded;
use crate::parameters::ids::StoreId;
use crate::pd_rules::refusals::{limit_of_version_2, store_not_found};
use crate::pd_rules::stop::{Checked, Stop, accepted_unless, nothing_to_do, planned, verdict};
use crate::pd_rules::version;

/// Sets how many replicas per minute PD adds to a store, or removes from it.
///
/// Requested moves ignore it. A store that is being emptied has a limit of 100,000,000 for
/// removing; after `cancel_offline` and a PD leader change it may keep that limit.
///
/// PD refuses for an unknown store, and if `store-limit-version` is `v2`. Proven by reading the
/// limit back. Taken back by restoring the previous limit, if nobody has changed it since. In force
/// at once, until changed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetStoreLimit {
    /// Store whose limit is set.
    pub store_id: StoreId,
    /// What is limited.
    pub what: LimitedWork,
    /// Replicas per minute, more than 0.
    pub per_minute: ReplicaRate,
}

/// What a store's limit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum LimitedWork {
    /// Adding replicas.
    AddPeer,
    /// Removing replicas.
    RemovePeer,
}

impl LimitedWork {
    fn of_pd(self) -> LimitKind {
        match self {
            Self::AddPeer => LimitKind::AddPeer,
            Self::RemovePeer => LimitKind::RemovePeer,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::AddPeer => "add-peer",
            Self::RemovePeer => "remove-peer",
        }
    }
}

bounded! {
    /// Replicas per minute: 0.001 to 100,000,000.
    ReplicaRate(f64): 0.001 to 100_000_000.0, "a limit"
}

#[async_trait]
impl Mutation<Tikv> for SetStoreLimit {
    const NAME: &'static str = "set_store_limit";
    const RISK: Risk = Risk::Medium;
    const EFFECT: Effect = Effect::Lasting;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = SettingFacts;

    fn resources(&self) -> Vec<String> {
        vec![format!("config/{}", self.name())]
    }

    fn lasting_effect(&self) -> Option<String> {
        Some(format!("config/{}", self.name()))
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<SettingFacts>, Error> {
        planned(self.planned(tikv).await)
    }

    async fn send(
        &self,
        tikv: &Tikv,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Error> {
        let pd = tikv.sender(attempt);
        let (store, kind) = (self.store_id.pd(), self.what.of_pd());
        accepted(pd.set_store_limit(store, kind, self.per_minute.get()).await)
    }

    async fn probe(
        &self,
        tikv: &Tikv,
        before: &SettingFacts,
        sent: &Sent,
    ) -> Result<Progress, Error> {
        let config = tikv.pd.schedule_config().await.map_err(Error::Read)?;
        // A store without a limit of its own has none that could have been set.
        let now = self.shown(&config).unwrap_or(0.0);
        Ok(settled(
            &self.name(),
            now,
            self.per_minute.get(),
            before,
            sent,
        ))
    }

    async fn still_in_force(
        &self,
        tikv: &Tikv,
        _: &SettingFacts,
        _: &Sent,
    ) -> Result<Settled, Error> {
        let config = tikv.pd.schedule_config().await.map_err(Error::Read)?;
        let now = self.shown(&config).unwrap_or(0.0);
        let wanted = self.per_minute.get();
        Ok(still_in_force(&self.name(), now, wanted))
    }

    fn undo(&self, before: &SettingFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        undo(&self.name(), self.per_minute.get(), before, |rate| {
            let per_minute = ReplicaRate::new(rate)?;
            Some(Self {
                per_minute,
                ..self.clone()
            })
        })
    }
}

impl SetStoreLimit {
    fn name(&self) -> String {
        format!("store-limit.{}.{}", self.store_id, self.what.word())
    }

    fn shown(&self, config: &ScheduleConfig) -> Option<f64> {
        let limit = config.store_limit.get(&self.store_id.pd())?;
        Some(match self.what {
            LimitedWork::AddPeer => limit.add_peer,
            LimitedWork::RemovePeer => limit.remove_peer,
        })
    }

    async fn planned(&self, tikv: &Tikv) -> Checked<Plan<SettingFacts>> {
        let config = tikv.pd.schedule_config().await;
        let config = config.map_err(Stop::of_first_read)?;
        let now = self.shown(&config);
        let verdict = verdict(self.check_set(tikv, &config, now).await)?;
        Ok(Plan::new(verdict, facts(now))
            .same("value", now)
            .impact("settings", 1, "settings changed")
            .touches(format!("store/{}", self.store_id))
            .takes(100, 1_000, "one write of PD's configuration")
            .follow(500, SETTLE_MS, 60_000)
            .clock(tikv.clock()))
    }

    /// PD's answer, from what it checks, in its order.
    async fn check_set(
        &self,
        tikv: &Tikv,
        config: &ScheduleConfig,
        now: Option<f64>,
    ) -> Checked<Verdict> {
        let mut causes = Vec::new();
        if config.store_limit_version.as_deref() == Some("v2") {
            if version::has(tikv, Capability::StoreLimitV2Refused).await? {
                return Err(limit_of_version_2());
            }
            let text = "`store-limit-version` is v2, which ignores this limit";
            causes.push(Cause::new("store_limit_v2", text));
        }
        let store = tikv.pd.store(self.store_id.pd()).await;
        if store.map_err(Error::Read)?.is_none() {
            return Err(store_not_found(self.store_id));
        }
        let wanted = self.per_minute.get();
        if now == Some(wanted) {
            return Err(nothing_to_do(format!("`{}` is {wanted}", self.name())));
        }
        Ok(accepted_unless(causes))
    }
}
