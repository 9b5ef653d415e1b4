//! Replicas per minute of a store: `set_store_limit`.

use std::borrow::Cow;

use action_core::{
    Accepted, Attempt, Cause, Effect, Mutation, Outcome, Plan, Progress, Risk, Sent, Undo, Verdict,
};
use async_trait::async_trait;
use pd_client::Capability;
use pd_client::config::ScheduleConfig;
use pd_client::stores::LimitKind;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::{SETTLE_MS, accepted};
use crate::mutations::setting::schedule_setting::{
    SettingFacts, SettingValue, settled, undo_value,
};
use crate::parameters::ids::StoreId;
use crate::pd_rules::refusals;

/// Sets how many replicas per minute PD adds to a store, or removes from it.
///
/// Moves by request do not keep to it. A store that is being emptied has a limit of 100,000,000
/// for removing; after `cancel_offline` and a change of PD's leader it may be left with it.
///
/// PD refuses for a store there is not, and where `store-limit-version` is `v2`. Proven by reading
/// the limit back. Taken back by setting the limit of before, if nobody has changed it since. In
/// force at once, and for good.
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

/// Replicas per minute: 0.001 to 100,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(transparent)]
pub struct ReplicaRate(f64);

const SLOWEST: f64 = 0.001;
const FASTEST: f64 = 100_000_000.0;

impl ReplicaRate {
    /// So many; `None` when out of bounds.
    #[must_use]
    pub fn new(per_minute: f64) -> Option<Self> {
        (SLOWEST..=FASTEST)
            .contains(&per_minute)
            .then_some(Self(per_minute))
    }
}

impl JsonSchema for ReplicaRate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ReplicaRate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": SLOWEST, "maximum": 100_000_000_u64 })
    }
}

impl<'de> Deserialize<'de> for ReplicaRate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rate = f64::deserialize(deserializer)?;
        Self::new(rate).ok_or_else(|| {
            let text = format_args!("{rate} is not a limit: {SLOWEST} to {FASTEST}");
            serde::de::Error::custom(text)
        })
    }
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
        let config = match tikv.pd.schedule_config().await {
            Ok(config) => config,
            Err(error) => {
                let verdict = refusals::unless_not_bootstrapped(error)?;
                return Ok(Plan::new(verdict, SettingFacts { value: None }));
            }
        };
        let now = self.shown(&config);
        let value = now.and_then(SettingValue::number);
        let verdict = self.verdict(tikv, &config, now).await?;
        Ok(Plan::new(
            verdict,
            SettingFacts {
                value: value.clone(),
            },
        )
        .same("value", value.map(serde_json::Value::from))
        .impact("settings", 1, "settings changed")
        .touches(format!("store/{}", self.store_id))
        .takes(100, 1_000, "one write of PD's configuration")
        .follow(500, SETTLE_MS, 60_000)
        .clock(tikv.clock()))
    }

    async fn send(
        &self,
        tikv: &Tikv,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Error> {
        let pd = tikv.sender(attempt);
        let (store, kind) = (self.store_id.pd(), self.what.of_pd());
        accepted(pd.set_store_limit(store, kind, self.per_minute.0).await)
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
        Ok(settled(&self.name(), now, self.per_minute.0, before, sent))
    }

    fn undo(&self, before: &SettingFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        undo_value(&self.name(), self.per_minute.0, before, |rate| {
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

    /// PD's answer, from what it checks, in its order.
    async fn verdict(
        &self,
        tikv: &Tikv,
        config: &ScheduleConfig,
        now: Option<f64>,
    ) -> Result<Verdict, Error> {
        let mut causes = Vec::new();
        if config.store_limit_version.as_deref() == Some("v2") {
            let version = tikv.pd.version().await.map_err(Error::Read)?;
            if version.has(Capability::StoreLimitV2Refused) == Some(true) {
                let text = "current store limit version:v2 not support set limit";
                return Ok(refusals::rejected("store_limit_v2", text));
            }
            let text = "`store-limit-version` is v2, which has no use for it";
            causes.push(Cause::new("store_limit_v2", text));
        }
        let store = tikv.pd.store(self.store_id.pd()).await;
        if store.map_err(Error::Read)?.is_none() {
            return Ok(refusals::store_not_found(self.store_id));
        }
        Ok(if now == Some(self.per_minute.0) {
            let already = format!("`{}` is {}", self.name(), self.per_minute.0);
            Verdict::NoOp { already }
        } else if causes.is_empty() {
            Verdict::WouldProceed
        } else {
            Verdict::AcceptedButWillNotProgress { causes }
        })
    }
}
