//! Empties a store for good, and stops that: `offline_store` and `cancel_offline`.

// length: two actions that undo each other, and a plan that names all that decides.

use action_core::{
    Accepted, Attempt, Effect, Evidence, Mutation, Outcome, Plan, Progress, Quantity, Risk, Sent,
    Undo, Verdict,
};
use async_trait::async_trait;
use pd_client::config::ScheduleConfig;
use pd_client::stores::{Store, StoreState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::{SETTLE_MS, accepted};
use crate::facts::settings_in_force::{self, NOT_READ};
use crate::facts::store::{failure_domain, state_text};
use crate::parameters::ids::StoreId;
use crate::pd_rules::offline::{check_cancel_offline, check_offline};
use crate::pd_rules::offline_blockers::LeftOnStore;
use crate::pd_rules::patrol::{Patrol, led};
use crate::pd_rules::refusals;
use crate::pd_rules::replica_takers::ReplicaTakers;
use crate::pd_rules::room::{self, Room};
use crate::pd_rules::stop::{Checked, accepted_unless, planned, verdict};

mod emptied;

/// That PD empties the store, for the probes to come: what was seen is not called without a trace.
const BEING_EMPTIED: &str = "being_emptied";

/// Empties a store permanently: PD moves its replicas away and makes it a tombstone when none are
/// left.
///
/// Until then `cancel_offline` takes it back. The store continues to serve what it holds. PD raises
/// its limit for removing replicas to 100,000,000 in the meantime.
///
/// PD refuses when fewer stores than replicas would be left, when all others are drained of
/// leaders, and for a store that is gone or was removed by force. It counts stores that are down
/// among those left: the plan says when too few of them are healthy, and names regions that would
/// stay because they have no leader or no majority. Proven by the store being a tombstone. Takes as
/// long as copying its replicas takes, often hours.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfflineStore {
    /// Store to empty.
    pub store_id: StoreId,
}

/// A store as it was when its emptying, or the end of that, was planned.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OfflineFacts {
    /// Where it was in its life, in PD's word; `None` when it was not there.
    pub state: Option<String>,
    /// Replicas it held.
    pub regions: u64,
    /// Replicas per minute that PD removed from it at most.
    pub remove_per_minute: Option<f64>,
}

#[async_trait]
impl Mutation<Tikv> for OfflineStore {
    const NAME: &'static str = "offline_store";
    const RISK: Risk = Risk::High;
    const EFFECT: Effect = Effect::Lasting;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = OfflineFacts;

    fn resources(&self) -> Vec<String> {
        vec![format!("store/{}", self.store_id)]
    }

    fn lasting_effect(&self) -> Option<String> {
        Some(format!("offline/{}", self.store_id))
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<OfflineFacts>, Error> {
        planned(self.planned(tikv).await)
    }

    async fn send(
        &self,
        tikv: &Tikv,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Error> {
        let pd = tikv.sender(attempt);
        accepted(pd.offline_store(self.store_id.pd()).await)
    }

    async fn probe(
        &self,
        tikv: &Tikv,
        before: &OfflineFacts,
        sent: &Sent,
    ) -> Result<Progress, Error> {
        let id = self.store_id;
        let store = tikv.pd.store(id.pd()).await.map_err(Error::Read)?;
        let source = format!("GET /pd/api/v1/store/{id}");
        let state = store.as_ref().map(|store| state_text(&store.state_name));
        let mut evidence = vec![Evidence::new(source.as_str(), "state", state)];
        let Some(store) = store else {
            // Tombstones are forgotten when somebody says so.
            let text = format!("store {id} is gone; its tombstone was removed");
            return Ok(Progress::applied(sent.attribution(), text, evidence));
        };
        let left = store.status.region_count;
        evidence.push(Evidence::new(source.as_str(), "region_count", left));
        match store.state_name {
            StoreState::Tombstone => {
                let text = format!("store {id} holds nothing and is a tombstone");
                Ok(Progress::applied(sent.attribution(), text, evidence))
            }
            StoreState::Offline => {
                evidence.push(Evidence::new(source, BEING_EMPTIED, true));
                emptied::progress(tikv, &store, before.regions, evidence).await
            }
            _ if sent.elapsed_ms < SETTLE_MS => {
                let text = format!("store {id} is not being emptied yet");
                Ok(Progress::pending(text, evidence))
            }
            _ => {
                // Somebody has put it back since, whether we were told that it was accepted or saw it.
                let was_seen = sent.earlier.iter().any(|read| read.fact == BEING_EMPTIED);
                let is_back = sent.accepted.is_some() || was_seen;
                let (code, text) = if is_back {
                    (
                        "taken_back",
                        format!("store {id} is no longer being emptied"),
                    )
                } else {
                    ("no_trace", format!("store {id} is not being emptied"))
                };
                Ok(Progress::not_applied(code, text, !is_back, evidence))
            }
        }
    }

    fn undo(&self, before: &OfflineFacts, _: Option<&Accepted>, outcome: Option<&Outcome>) -> Undo {
        if before.state.as_deref() == Some("Offline") {
            return Undo::none("the store was already being emptied, by somebody else");
        }
        let is_over = outcome.is_some_and(|outcome| {
            let mut states = outcome.evidence.iter().filter(|one| one.fact == "state");
            states.any(|one| one.value == "Tombstone" || one.value.is_null())
        });
        if is_over {
            return Undo::none(
                "a tombstone cannot be taken back; the store must join as a new one",
            );
        }
        let back = CancelOffline {
            store_id: self.store_id,
        };
        Undo::with::<Tikv, _>(&back).expecting("state", "Offline")
    }
}

impl OfflineFacts {
    fn of(store: &Store, config: &ScheduleConfig) -> Self {
        let limit = config.store_limit.get(&store.id);
        Self {
            state: Some(state_text(&store.state_name)),
            regions: store.status.region_count,
            remove_per_minute: limit.map(|limit| limit.remove_peer),
        }
    }
}

impl OfflineStore {
    // length: one read after the other decides, and the plan names them all.
    async fn planned(&self, tikv: &Tikv) -> Checked<Plan<OfflineFacts>> {
        let store = refusals::store(tikv, self.store_id).await?;
        let config = tikv.pd.config().await.map_err(Error::Read)?;
        let stores = tikv.pd.stores().await.map_err(Error::Read)?;
        let overrides = settings_in_force::overrides(tikv).await;
        let checked = check_offline(tikv, &store, &config, &stores, overrides.as_ref()).await;
        let mut verdict = verdict(checked)?;
        let takers = ReplicaTakers::under(&config.schedule, overrides.as_ref());
        let mut begins = Vec::new();
        let mut left = LeftOnStore::default();
        if verdict == Verdict::WouldProceed && store.status.region_count > 0 {
            let rules = room::rules(tikv, &config).await?;
            let cluster = (&config, &stores[..]);
            begins = waits(
                &Room::of(&store, rules.as_deref(), &config, &stores),
                takers,
            );
            left = LeftOnStore::read(tikv, &store, cluster, rules.as_deref(), &[]).await?;
            verdict = accepted_unless(left.staying());
            let silent = left.undecided().into_iter();
            left.not_read.extend(silent.map(|cause| {
                format!(
                    "whether regions move whose leaders do not report: {}",
                    cause.text
                )
            }));
        }
        let facts = OfflineFacts::of(&store, &config.schedule);
        let (regions, leaders) = (facts.regions, store.status.leader_count);
        let size = u64::try_from(store.status.region_size).unwrap_or(0);
        let patrol = Patrol::read(tikv, &config, led(&stores)).await?;
        let waits = patrol.long_round().unwrap_or_default().as_millis();
        let waits_ms = u64::try_from(waits).unwrap_or(u64::MAX);
        let likely_ms = (60_000 + size.saturating_mul(20)).saturating_add(waits_ms);
        let deadline_ms = likely_ms
            .saturating_mul(20)
            .clamp(3_600_000, 7 * 86_400_000);
        let plan = Plan::new(verdict, facts.clone());
        let unknowns = begins.into_iter().chain(left.not_read);
        let mut plan = unknowns.fold(plan, Plan::unknown);
        if overrides.is_none() {
            plan = plan.unknown(NOT_READ);
        }
        Ok(plan
            .same("state", facts.state)
            .impact(Quantity::REGIONS, regions, "regions, one replica of each")
            .impact(Quantity::MOVED_MIB, size, "MiB copied to other stores")
            .impact(Quantity::LEADERS, leaders, "leaders moved off the store")
            .touches(failure_domain(self.store_id, Some(&store), &config))
            .unknown("whether the other stores have space, and how fast replicas are copied")
            .takes(
                likely_ms,
                deadline_ms,
                match waits_ms {
                    0 => "50 MiB/s; at most twenty times as long",
                    _ => {
                        "50 MiB/s, after PD's checkers have visited each region (`patrol-region-interval`); at most twenty times as long"
                    }
                },
            )
            .follow(5_000, SETTLE_MS, deadline_ms)
            .clock(tikv.clock()))
    }
}

/// What keeps some replicas there for now, where others find a place or will within minutes: no reason
/// not to begin.
fn waits(room: &Room<'_>, takers: ReplicaTakers<'_>) -> Vec<String> {
    let texts = room.taken_by_too_few(takers).into_iter();
    texts
        .map(|text| format!("when there is a store for every replica: {text}"))
        .collect()
}

/// Stops emptying a store: it is up again and takes replicas.
///
/// Moved replicas do not return directly; PD balances. PD restores the store's limits from the
/// memory of its leader: after a leader change the limit for removing replicas stays at
/// 100,000,000, and the outcome then says to restore it with `set_store_limit`.
///
/// PD refuses for a store that is gone or was removed by force. Proven by the store's state. Taken
/// back by `offline_store`. In force at once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelOffline {
    /// Store to stop emptying.
    pub store_id: StoreId,
}

/// PD's limit for removing replicas from a store that is being emptied.
pub(crate) const LIFTED: f64 = 100_000_000.0;

#[async_trait]
impl Mutation<Tikv> for CancelOffline {
    const NAME: &'static str = "cancel_offline";
    const RISK: Risk = Risk::High;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = OfflineFacts;

    fn resources(&self) -> Vec<String> {
        vec![format!("store/{}", self.store_id)]
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<OfflineFacts>, Error> {
        planned(self.planned(tikv).await)
    }

    async fn send(
        &self,
        tikv: &Tikv,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Error> {
        let pd = tikv.sender(attempt);
        accepted(pd.cancel_offline(self.store_id.pd()).await)
    }

    async fn probe(&self, tikv: &Tikv, _: &OfflineFacts, sent: &Sent) -> Result<Progress, Error> {
        let id = self.store_id;
        let store = tikv.pd.store(id.pd()).await.map_err(Error::Read)?;
        let config = tikv.pd.schedule_config().await.map_err(Error::Read)?;
        let state = store.as_ref().map(|store| state_text(&store.state_name));
        let limit = config.store_limit.get(&id.pd());
        let limit = limit.map(|limit| limit.remove_peer);
        let evidence = vec![
            Evidence::new(format!("GET /pd/api/v1/store/{id}"), "state", state.clone()),
            Evidence::new(
                "GET /pd/api/v1/config/schedule",
                "remove_peers_per_minute",
                limit,
            ),
        ];
        match store.map(|store| store.state_name) {
            None | Some(StoreState::Tombstone) => {
                let text = format!("store {id} was already empty and is gone");
                Ok(Progress::not_applied("store_gone", text, false, evidence))
            }
            Some(StoreState::Offline) => Ok(if sent.elapsed_ms < SETTLE_MS {
                Progress::pending(format!("store {id} is still being emptied"), evidence)
            } else {
                let text = format!("store {id} is still being emptied");
                Progress::not_applied("still_offline", text, true, evidence)
            }),
            Some(_) => {
                let by = sent.attribution();
                let left_behind = limit.is_some_and(|limit| limit >= LIFTED);
                let summary = if left_behind {
                    format!(
                        "store {id} is up again, but its limit for removing replicas is still 100000000: set it with `set_store_limit` (PD's default is 15)"
                    )
                } else {
                    format!("store {id} is up again")
                };
                Ok(Progress::applied(by, summary, evidence))
            }
        }
    }

    fn undo(&self, before: &OfflineFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        if before.state.as_deref() != Some("Offline") {
            return Undo::none("the store was not being emptied before");
        }
        let back = OfflineStore {
            store_id: self.store_id,
        };
        Undo::with::<Tikv, _>(&back).expecting("state", "Up")
    }
}

impl CancelOffline {
    async fn planned(&self, tikv: &Tikv) -> Checked<Plan<OfflineFacts>> {
        let store = refusals::store(tikv, self.store_id).await?;
        let config = tikv.pd.config().await.map_err(Error::Read)?;
        let verdict = verdict(check_cancel_offline(&store))?;
        let facts = OfflineFacts::of(&store, &config.schedule);
        Ok(Plan::new(verdict, facts.clone())
            .same("state", facts.state)
            .impact("stores", 1, "stores that take replicas again")
            .touches(failure_domain(self.store_id, Some(&store), &config))
            .unknown(
                "whether PD's leader still remembers the previous limit for removing replicas: if the leader changed since, the limit stays at 100,000,000",
            )
            .takes(100, 1_000, "one write of PD's store")
            .follow(1_000, SETTLE_MS, 60_000)
            .clock(tikv.clock()))
    }
}
