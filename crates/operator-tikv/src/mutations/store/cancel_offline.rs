//! See [`CancelOffline`].

use action_core::{
    Accepted, Attempt, Attribution, Effect, Evidence, Mutation, Outcome, Plan, Progress, Risk,
    Sent, Undo, Verdict,
};
use async_trait::async_trait;
use pd_client::stores::StoreState;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::{SETTLE_MS, accepted};
use crate::mutations::store::offline::{OfflineFacts, OfflineStore, beyond_help};
use crate::parameters::ids::StoreId;
use crate::pd_rules::leadership::state_text;
use crate::pd_rules::refusals;
use crate::pd_rules::region_snapshot;

/// Stops emptying a store: it is up again and takes replicas.
///
/// What was moved away does not come back by itself; PD balances. PD sets the store's limits back
/// from the memory of its leader: after a change of leader the limit for removing replicas stays at
/// 100,000,000, which the outcome then says, with the limit to set by `set_store_limit`.
///
/// PD refuses for a store that is gone or was given up by force. Proven by the store's state. Taken
/// back by `offline_store`. In force at once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelOffline {
    /// Store that is up again afterwards.
    pub store_id: StoreId,
}

/// PD's limit for removing replicas from a store that is being emptied.
const LIFTED: f64 = 100_000_000.0;

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
        let id = self.store_id;
        let store = match tikv.pd.store(id.pd()).await {
            Ok(Some(store)) => store,
            Ok(None) => {
                let verdict = refusals::store_not_found(id);
                return Ok(Plan::new(verdict, OfflineFacts::nothing()));
            }
            Err(error) => {
                let verdict = refusals::unless_not_bootstrapped(error)?;
                return Ok(Plan::new(verdict, OfflineFacts::nothing()));
            }
        };
        let config = tikv.pd.config().await.map_err(Error::Read)?;
        let verdict = beyond_help(id, &store).unwrap_or(match store.state_name {
            StoreState::Offline => Verdict::WouldProceed,
            _ => Verdict::NoOp {
                already: format!("store {id} is not being emptied"),
            },
        });
        let facts = OfflineFacts::of(&store, &config.schedule);
        Ok(Plan::new(verdict, facts.clone())
            .same("state", facts.state)
            .impact("stores", 1, "stores that take replicas again")
            .touches(region_snapshot::failure_domain(id, Some(&store), &config))
            .unknown(
                "whether PD's leader still remembers the limit for removing replicas of before: \
                 if it has changed since, the limit stays at 100,000,000",
            )
            .takes(100, 1_000, "one write of PD's store")
            .follow(1_000, SETTLE_MS, 60_000)
            .clock(tikv.clock()))
    }

    async fn send(&self, tikv: &Tikv, attempt: &Attempt) -> Result<Accepted, Error> {
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
                let text = format!("store {id} was empty before that and is gone");
                Ok(Progress::not_applied("store_gone", text, false, evidence))
            }
            Some(StoreState::Offline) => Ok(if sent.elapsed_ms < SETTLE_MS {
                Progress::pending(format!("store {id} is still being emptied"), evidence)
            } else {
                let text = format!("store {id} is still being emptied");
                Progress::not_applied("still_offline", text, true, evidence)
            }),
            Some(_) => {
                let by = if sent.accepted.is_some() {
                    Attribution::Ours
                } else {
                    Attribution::Undecided
                };
                let left_behind = limit.is_some_and(|limit| limit >= LIFTED);
                let summary = if left_behind {
                    format!(
                        "store {id} is up again; its limit for removing replicas was left at \
                         100000000: set it with `set_store_limit`, 15 unless it was another"
                    )
                } else {
                    format!("store {id} is up again")
                };
                Ok(Progress::applied(by, summary, evidence))
            }
        }
    }

    fn undo(&self, before: &OfflineFacts, _: Option<&Outcome>) -> Undo {
        if before.state.as_deref() != Some("Offline") {
            return Undo::none("the store was not being emptied before");
        }
        let back = OfflineStore {
            store_id: self.store_id,
        };
        Undo::with::<Tikv, _>(&back).expecting("state", "Up")
    }
}
