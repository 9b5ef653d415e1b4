//! See [`DrainStore`].

use std::time::Duration;

use action_core::{
    Accepted, Attempt, Attribution, Cause, Done, Effect, Evidence, Mutation, Outcome, Plan,
    Progress, Quantity, Risk, Sent, Undo, Verdict,
};
use async_trait::async_trait;
use pd_client::config::{Config, ScheduleConfig};
use pd_client::schedulers::EvictLeaderConfig;
use pd_client::stores::Store;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::admission;
use crate::error::Error;
use crate::ids::StoreId;
use crate::leader_target::other_targets;
use crate::own_operator::{SETTLE_MS, pd_now, pd_time_of_send, unix_ms};
use crate::stop_drain::StopDrain;
use crate::tikv::{Tikv, accepted};

/// Drains all leaders from a store and keeps them away until the drain is stopped.
///
/// Leaders move to replicas on other stores; no data moves. Drained and still in force are two
/// things: the drain stays, also through restarts of PD, until it is taken back with `stop_drain`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DrainStore {
    /// Store that leads nothing afterwards.
    pub store_id: StoreId,
}

/// A store as it was when a drain was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DrainFacts {
    /// Regions it led.
    pub leaders: u64,
    /// Whether it was being drained already.
    pub draining: bool,
}

#[async_trait]
impl Mutation<Tikv> for DrainStore {
    const NAME: &'static str = "drain_store";
    const RISK: Risk = Risk::High;
    const EFFECT: Effect = Effect::Lasting;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = DrainFacts;

    fn resources(&self) -> Vec<String> {
        vec![format!("store/{}", self.store_id)]
    }

    fn lasting_effect(&self) -> Option<String> {
        Some(format!("evict-leader/{}", self.store_id))
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<DrainFacts>, Error> {
        let nothing = DrainFacts {
            leaders: 0,
            draining: false,
        };
        let store = match tikv.pd.store(self.store_id.pd()).await {
            Ok(Some(store)) => store,
            Ok(None) => {
                return Ok(Plan::new(
                    admission::store_not_found(self.store_id),
                    nothing,
                ));
            }
            Err(error) => {
                let verdict = admission::unless_not_bootstrapped(error)?;
                return Ok(Plan::new(verdict, nothing));
            }
        };
        let drains = tikv.pd.evict_leader_config().await.map_err(Error::Read)?;
        let draining = is_draining(drains.as_ref(), self.store_id);
        let leaders = store.status.leader_count;
        let config = tikv.pd.config().await.map_err(Error::Read)?;
        let stores = tikv.pd.stores().await.map_err(Error::Read)?;
        let causes = self.obstacles(&config.schedule, &stores, drains.as_ref());
        let verdict = if draining {
            let already = format!("leaders are being drained from store {}", self.store_id);
            Verdict::NoOp { already }
        } else if causes.is_empty() || leaders == 0 {
            Verdict::WouldProceed
        } else {
            Verdict::AcceptedButWillNotProgress { causes }
        };
        // Three leaders a round at least, ten rounds a second at best; seen: 12 leaders in 1.5 s.
        let likely_ms = 1_000 + leaders.saturating_mul(125);
        Ok(Plan::new(verdict, DrainFacts { leaders, draining })
            .same("draining", draining)
            .impact(Quantity::LEADERS, leaders, "leaders moved off the store")
            .impact(
                "served_mib",
                u64::try_from(store.status.leader_size).unwrap_or(0),
                "MiB served from other stores",
            )
            .touches(self.domain(&store, &config))
            .unknown("whether each region has another healthy voter")
            .unknown("whether an override with a time to live changes the limits in force")
            .takes(
                likely_ms,
                likely_ms.saturating_mul(20),
                "12 leaders in 1.5 s on idle clusters, and a heartbeat of the store",
            )
            .follow(1_000, SETTLE_MS, 120_000 + leaders.saturating_mul(2_500))
            .clock(tikv.clock()))
    }

    async fn send(&self, tikv: &Tikv, attempt: &Attempt) -> Result<Accepted, Error> {
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
        let store = tikv
            .pd
            .store(self.store_id.pd())
            .await
            .map_err(Error::Read)?;
        let draining = is_draining(drains.as_ref(), self.store_id);
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
            return Ok(if sent.elapsed_ms < SETTLE_MS {
                Progress::pending("the drain is not in force yet", evidence)
            } else {
                let text = format!(
                    "store {} is not being drained; {leaders} leaders on it",
                    self.store_id
                );
                Progress::not_applied("not_draining", text, true, evidence)
            });
        }
        if leaders == 0 && reported_since(&store, sent) {
            let by = if sent.accepted.is_some() {
                Attribution::Ours
            } else {
                Attribution::Undecided
            };
            let summary = format!(
                "store {} leads nothing; the drain stays in force",
                self.store_id
            );
            return Ok(Progress::applied(by, summary, evidence));
        }
        let stalled = if leaders > 0 {
            let config = tikv.pd.schedule_config().await.map_err(Error::Read)?;
            let stores = tikv.pd.stores().await.map_err(Error::Read)?;
            self.obstacles(&config, &stores, drains.as_ref())
        } else {
            Vec::new()
        };
        let total = before.leaders.max(leaders);
        let summary = if leaders > 0 {
            format!(
                "{leaders} of {total} leaders left on store {}",
                self.store_id
            )
        } else {
            format!(
                "no leaders left on store {}; waiting for its next report",
                self.store_id
            )
        };
        Ok(Progress::Pending {
            summary,
            done: Some(Done::new(total - leaders, total, "leaders")),
            stalled,
            evidence,
        })
    }

    fn undo(&self, before: &DrainFacts, _: Option<&Outcome>) -> Undo {
        if before.draining {
            return Undo::none("the store was being drained before; that drain is not ours");
        }
        let back = StopDrain {
            store_id: self.store_id,
        };
        Undo::with::<Tikv, _>(&back).expecting("draining", true)
    }
}

/// Where drains are read.
pub(crate) const DRAINS: &str = "GET /pd/api/v1/scheduler-config/evict-leader-scheduler/list";

impl DrainStore {
    /// What keeps a drain from getting on.
    fn obstacles(
        &self,
        config: &ScheduleConfig,
        stores: &[Store],
        drains: Option<&EvictLeaderConfig>,
    ) -> Vec<Cause> {
        let mut causes = switched_off(config);
        if other_targets(stores, self.store_id, drains) == 0 {
            causes.push(Cause::new(
                "no_target",
                "no other store may be given leaders",
            ));
        }
        causes
    }

    fn domain(&self, store: &Store, config: &Config) -> String {
        admission::failure_domain(self.store_id, Some(store), config)
    }
}

fn switched_off(config: &ScheduleConfig) -> Vec<Cause> {
    let mut causes = Vec::new();
    if config.leader_schedule_limit == 0 {
        causes.push(Cause::new(
            "leader_schedule_limit_zero",
            "`leader-schedule-limit` is 0",
        ));
    }
    if config.halt_scheduling {
        causes.push(Cause::new("scheduling_halted", "`halt-scheduling` is on"));
    }
    causes
}

pub(crate) fn is_draining(drains: Option<&EvictLeaderConfig>, store_id: StoreId) -> bool {
    drains.is_some_and(|drains| drains.stores.contains_key(&store_id.pd()))
}

/// Whether PD has heard of the store since the drain was asked for, and lately.
fn reported_since(store: &Store, sent: &Sent) -> bool {
    let Some(heard) = store.last_heartbeat.or(store.status.last_heartbeat_ts) else {
        return false;
    };
    let since = pd_time_of_send(sent).is_none_or(|sent_at| heard >= sent_at);
    let lately = pd_now(sent).is_none_or(|now| {
        now.duration_since(heard)
            .is_ok_and(|silent| silent <= Duration::from_secs(30))
            || heard >= now
    });
    since && lately
}
