//! Drains leaders from a store: `drain_store`; `stop_drain` ends it.

use action_core::{
    Accepted, Attempt, Cause, Done, Effect, Evidence, Mutation, Outcome, Plan, Progress, Quantity,
    Risk, Sent, Settled, Undo, Verdict,
};
use async_trait::async_trait;
use pd_client::schedulers::EvictLeaderConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::{SETTLE_MS, accepted};
use crate::facts::counts::{are_incomplete, incomplete_under};
use crate::facts::drains::{DRAINS, effect, in_force, is_draining};
use crate::facts::pd_clock::unix_ms;
use crate::facts::settings_in_force::{self, NOT_READ};
use crate::facts::store::failure_domain;
use crate::facts::traces::PdProcess;
use crate::mutations::store::drain::proof::{
    confirmed, not_in_force, reported_since, still_draining,
};
use crate::parameters::ids::StoreId;
use crate::pd_rules::drain::{check_drain, no_target, obstacles};
use crate::pd_rules::drain_blockers::blockers;
use crate::pd_rules::leader_silent::{is_silent, leader_silent};
use crate::pd_rules::leader_takers::ReadTakers;
use crate::pd_rules::refusals;
use crate::pd_rules::stop::{Checked, accepted_unless, planned, verdict};
use crate::stop_safety::StayingLeaders;

pub use stop_drain::StopDrain;

mod proof;
mod stop_drain;

/// Drains all leaders from a store and keeps them away until the drain is stopped.
///
/// Leaders move to replicas on other stores; no data moves. The drain stays in force after the
/// store is drained, also when PD restarts, until it is taken back with `stop_drain`. After PD
/// starts it is not sent until PD has loaded its schedulers, because PD would forget the drains of
/// other stores.
///
/// A drained store still holds its replicas: the outcome says whether it is safe to stop, as
/// `safe_to_stop` does.
///
/// PD refuses for an unknown store, and up to 8.5 for one where another scheduler holds leaders or
/// keeps them away. Proven by the drain being in force and the store leading nothing in two
/// readings by one leader of PD, after every store that is up has reported since the drain began
/// and PD knows the leader of every region that the store holds. Takes about 125 ms for each
/// leader, and up to ten seconds until the stores report. Regions whose other voters are down or
/// cannot lead keep their leader: the plan names them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DrainStore {
    /// Store to drain of leaders.
    pub store_id: StoreId,
}

/// A store as it was when a drain was planned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DrainFacts {
    /// Regions it led.
    pub leaders: u64,
    /// Whether it was being drained already.
    pub draining: bool,
    /// Who led PD, where that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pd: Option<PdProcess>,
}

/// PD's scheduler comes round within this time. What the plan did not foresee holds nothing up sooner.
const BEGINS_MS: u64 = 2_000;

#[async_trait]
impl Mutation<Tikv> for DrainStore {
    const NAME: &'static str = "drain_store";
    const RISK: Risk = Risk::High;
    const EFFECT: Effect = Effect::Lasting;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    const SHOWN_AT_ONCE: bool = false;
    type Before = DrainFacts;

    fn resources(&self) -> Vec<String> {
        vec![format!("store/{}", self.store_id)]
    }

    fn lasting_effect(&self) -> Option<String> {
        Some(effect(self.store_id.pd()))
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
        accepted(pd.add_evict_leader_scheduler(self.store_id.pd()).await)
    }

    async fn probe(
        &self,
        tikv: &Tikv,
        before: &DrainFacts,
        sent: &Sent,
    ) -> Result<Progress, Error> {
        let drains = tikv.pd.evict_leader_config().await.map_err(Error::Read)?;
        let drains = drains.as_ref();
        let store = tikv
            .pd
            .store(self.store_id.pd())
            .await
            .map_err(Error::Read)?;
        let draining = is_draining(drains, self.store_id);
        let mut evidence = vec![Evidence::new(DRAINS, "draining", draining)];
        let Some(store) = store else {
            let text = format!("store {} does not exist", self.store_id);
            return Ok(Progress::not_applied("store_gone", text, false, evidence));
        };
        let leaders = store.status.leader_count;
        let source = format!("GET /pd/api/v1/store/{}", self.store_id);
        let heard = store.last_heartbeat.and_then(unix_ms);
        evidence.push(Evidence::new(source.as_str(), "leader_count", leaders));
        evidence.push(Evidence::new(source, "last_heartbeat_unix_ms", heard));
        if !draining {
            return not_in_force(tikv, self.store_id, leaders, sent, evidence).await;
        }
        if leaders == 0 && reported_since(&store, sent) {
            let planned = before.pd.as_ref();
            return confirmed(tikv, self.store_id, planned, sent, evidence).await;
        }
        if leaders == 0 {
            let text = format!(
                "0 leaders still on store {}; waiting for the store's next report",
                self.store_id
            );
            return Ok(self.pending(text, 0, before, Vec::new(), evidence));
        }
        let counts = are_incomplete(tikv).await?;
        let counts = counts.map_or_else(String::new, |text| format!(" ({text})"));
        let is_moving = tikv.last.is_less(self.store_id.pd(), leaders);
        let stalled = match is_moving || sent.elapsed_ms < BEGINS_MS {
            true => Vec::new(),
            false => self.stalled(tikv, leaders, drains, sent).await?,
        };
        let total = before.leaders.max(leaders);
        let moved = total - leaders;
        let summary = format!(
            "{moved} of {total} leaders moved off store {}{counts}",
            self.store_id
        );
        Ok(self.pending(summary, leaders, before, stalled, evidence))
    }

    async fn still_in_force(
        &self,
        tikv: &Tikv,
        _: &DrainFacts,
        _: &Sent,
    ) -> Result<Settled, Error> {
        still_draining(tikv, self.store_id).await
    }

    fn undo(&self, before: &DrainFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        if before.draining {
            return Undo::none("the store was already being drained; that drain is not ours");
        }
        let back = StopDrain {
            store_id: self.store_id,
        };
        Undo::with::<Tikv, _>(&back).expecting("draining", true)
    }
}

impl DrainStore {
    async fn planned(&self, tikv: &Tikv) -> Checked<Plan<DrainFacts>> {
        let store = refusals::store(tikv, self.store_id).await?;
        let config = tikv.pd.config().await.map_err(Error::Read)?;
        let drains = in_force(tikv, &config.schedule).await?;
        let drains = drains.as_ref();
        let stores = tikv.pd.stores().await.map_err(Error::Read)?;
        let pd = PdProcess::read(tikv).await?;
        let counts = incomplete_under(tikv, pd.as_ref(), &stores).await?;
        let overrides = settings_in_force::overrides(tikv).await;
        let over = overrides.as_ref();
        let checked = check_drain(tikv, &store, &config, &stores, drains, over).await;
        let mut takers = None;
        let mut verdict = verdict(checked.map(|(verdict, read)| {
            takers = read;
            verdict
        }))?;
        let mut staying = None;
        if verdict == Verdict::WouldProceed && counts.is_none() {
            let takers = takers.as_ref().map(|takers| takers.among(&stores));
            let read = StayingLeaders::read(tikv, &store, &config, takers.as_ref()).await?;
            verdict = accepted_unless(read.causes.clone());
            staying = Some(read);
        }
        let (draining, leaders) = (
            is_draining(drains, self.store_id),
            store.status.leader_count,
        );
        let served_mib = u64::try_from(store.status.leader_size).unwrap_or(0);
        // Three leaders a round at least, ten rounds a second at best; seen: 12 leaders in 1.5 s.
        let likely_ms = 1_000 + leaders.saturating_mul(125);
        let facts = DrainFacts {
            leaders,
            draining,
            pd,
        };
        // After PD starts, what two intervals do not show is known to be nothing.
        let reported_ms = u64::try_from(tikv.region_heartbeat.as_millis()).unwrap_or(u64::MAX);
        let deadline_ms = leaders.saturating_mul(2_500).saturating_add(120_000);
        let deadline_ms = deadline_ms.saturating_add(reported_ms.saturating_mul(2));
        let counts = counts.map(|text| format!("how many leaders there are: {text}"));
        let not_read = overrides.is_none().then(|| NOT_READ.to_owned());
        let silent = is_silent(&store) && leaders > 0 && verdict.may_be_sent();
        let silent = silent.then(|| leader_silent(&format!("store {}", self.store_id)));
        let unknown = counts.into_iter().chain(not_read).chain(silent);
        let plan = unknown.fold(Plan::new(verdict, facts), Plan::unknown);
        Ok(with_staying(plan, staying)
            .same("draining", draining)
            .impact(Quantity::LEADERS, leaders, "leaders moved off the store")
            .impact("served_mib", served_mib, "MiB served from other stores")
            .touches(failure_domain(self.store_id, Some(&store), &config))
            .takes(
                likely_ms,
                likely_ms.saturating_mul(20),
                "12 leaders in 1.5 s on idle clusters, and a heartbeat of the store",
            )
            .follow(1_000, SETTLE_MS, deadline_ms)
            .clock(tikv.clock()))
    }

    /// What keeps the leaders that are left.
    async fn stalled(
        &self,
        tikv: &Tikv,
        leaders: u64,
        drains: Option<&EvictLeaderConfig>,
        sent: &Sent,
    ) -> Result<Vec<Cause>, Error> {
        let cluster = tikv.last.cluster(&tikv.pd).await?;
        let config = &cluster.config;
        let mut stalled = obstacles(tikv, &config.schedule, drains).await?;
        if sent.elapsed_ms >= SETTLE_MS {
            let takers = ReadTakers::read(tikv, config, drains).await?;
            let takers = takers.among(&cluster.stores);
            stalled.extend(no_target(self.store_id, &takers));
            stalled.extend(blockers(tikv, self.store_id, leaders, &takers).await?);
        }
        Ok(stalled)
    }

    fn pending(
        &self,
        summary: String,
        leaders: u64,
        before: &DrainFacts,
        stalled: Vec<Cause>,
        evidence: Vec<Evidence>,
    ) -> Progress {
        let total = before.leaders.max(leaders);
        Progress::Pending {
            summary,
            done: Some(Done::new(total - leaders, total, "leaders")),
            stalled,
            evidence,
        }
    }
}

/// Adds how many leaders no other store can take, as far as that was read.
fn with_staying(plan: Plan<DrainFacts>, staying: Option<StayingLeaders>) -> Plan<DrainFacts> {
    let Some(staying) = staying else {
        return plan.unknown("whether each region has another healthy voter");
    };
    let unit = "leaders that stay, because no other voter of their region can lead";
    let plan = plan.impact("leaders_staying", staying.found, unit);
    staying.unread.into_iter().fold(plan, Plan::unknown)
}
