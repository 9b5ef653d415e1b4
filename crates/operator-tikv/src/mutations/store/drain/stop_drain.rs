//! Stops draining leaders from a store: `stop_drain`.

use action_core::{
    Accepted, Attempt, Effect, Evidence, Mutation, Outcome, Plan, Progress, Risk, Sent, Undo,
    Verdict,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::{SETTLE_MS, accepted};
use crate::facts::drains::{DRAINS, ShownDrains, in_force, is_draining};
use crate::facts::schedulers::NOT_LOADED;
use crate::mutations::store::drain::{DrainFacts, DrainStore};
use crate::parameters::ids::StoreId;
use crate::pd_rules::stop::{Checked, Stop, planned};

/// What PD does not tell of a drain: of the scheduler it shows the stores, and nothing else.
const SET_ANEW: &str =
    "whether somebody removed the drain and set it again: PD shows neither when nor who";

/// Stops draining leaders from one store. Drains of other stores stay.
///
/// Leaders can then move to the store again; PD's balancing moves leaders back gradually, not
/// necessarily of the same regions.
///
/// PD refuses, without a message, when the store is not being drained. Proven by PD not listing its
/// drain. Taken back by `drain_store`. In force at once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StopDrain {
    /// Store to stop draining.
    pub store_id: StoreId,
}

#[async_trait]
impl Mutation<Tikv> for StopDrain {
    const NAME: &'static str = "stop_drain";
    const RISK: Risk = Risk::Medium;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    const SHOWN_AT_ONCE: bool = false;
    type Before = DrainFacts;

    fn resources(&self) -> Vec<String> {
        vec![format!("store/{}", self.store_id)]
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<DrainFacts>, Error> {
        planned(self.planned(tikv).await)
    }

    async fn send(
        &self,
        tikv: &Tikv,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Error> {
        let pd = tikv.sender(attempt);
        accepted(pd.remove_evict_leader(self.store_id.pd()).await)
    }

    async fn probe(&self, tikv: &Tikv, _: &DrainFacts, sent: &Sent) -> Result<Progress, Error> {
        let drains = tikv.pd.evict_leader_config().await.map_err(Error::Read)?;
        let draining = is_draining(drains.as_ref(), self.store_id);
        let evidence = vec![Evidence::new(DRAINS, "draining", draining)];
        if !draining && !ShownDrains::read(tikv).await?.is_known() {
            return Ok(Progress::pending(NOT_LOADED, evidence));
        }
        if !draining {
            let by = sent.attribution();
            let summary = format!("store {} may lead again", self.store_id);
            return Ok(Progress::applied(by, summary, evidence));
        }
        if sent.elapsed_ms < SETTLE_MS {
            return Ok(Progress::pending("the drain is still in force", evidence));
        }
        let text = format!("store {} is still being drained", self.store_id);
        Ok(Progress::not_applied(
            "still_draining",
            text,
            true,
            evidence,
        ))
    }

    fn undo(&self, before: &DrainFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        if !before.draining {
            return Undo::none("the store was not being drained before");
        }
        let back = DrainStore {
            store_id: self.store_id,
        };
        Undo::with::<Tikv, _>(&back).expecting("draining", false)
    }
}

impl StopDrain {
    async fn planned(&self, tikv: &Tikv) -> Checked<Plan<DrainFacts>> {
        let store = tikv.pd.store(self.store_id.pd()).await;
        let store = store.map_err(Stop::of_first_read)?;
        let schedule = tikv.pd.schedule_config().await.map_err(Error::Read)?;
        let drains = in_force(tikv, &schedule).await?;
        let draining = is_draining(drains.as_ref(), self.store_id);
        let leaders = store.map_or(0, |store| store.status.leader_count);
        let verdict = if draining {
            Verdict::WouldProceed
        } else {
            let already = format!("leaders are not being drained from store {}", self.store_id);
            Verdict::NoOp { already }
        };
        let facts = DrainFacts {
            leaders,
            draining,
            pd: None,
        };
        Ok(Plan::new(verdict, facts)
            .same("draining", draining)
            .impact("drains", draining.into(), "drains taken back")
            .unknown("when and which leaders return: PD balances them")
            .unknown(SET_ANEW)
            .takes(100, 1_000, "one write of PD's configuration")
            .follow(500, SETTLE_MS, 60_000)
            .clock(tikv.clock()))
    }
}
