//! Makes PD forget its tombstones: `remove_tombstones`.

use action_core::{
    Accepted, Attempt, Effect, Evidence, Mutation, Outcome, Plan, Progress, Risk, Sent, Undo,
    Verdict,
};
use async_trait::async_trait;
use pd_client::stores::{Store, StoreLife};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::{SETTLE_MS, accepted};
use crate::parameters::ids::StoreId;
use crate::pd_rules::refusals::tombstones_hold_replicas;
use crate::pd_rules::stop::{Checked, Stop, nothing_to_do, planned, verdict};

/// Removes all tombstones, the permanently removed stores, from PD.
///
/// PD lets no process of a store with a tombstone join again. Once the tombstone is removed, PD
/// accepts such a process as a new store with the old id: make sure first that they are gone. PD
/// after 6.5 removes a tombstone by itself 30 days after the last heartbeat of the store.
///
/// PD refuses when a region still has a replica on one of them, and names those; it still removes
/// the others. Proven by PD no longer listing them. Cannot be taken back. In force at once.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveTombstones {}

/// The tombstones that there were when their removal was planned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TombstoneFacts {
    /// Their ids, the lowest first.
    pub store_ids: Vec<StoreId>,
}

#[async_trait]
impl Mutation<Tikv> for RemoveTombstones {
    const NAME: &'static str = "remove_tombstones";
    const RISK: Risk = Risk::High;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = false;
    const IDEMPOTENT: bool = true;
    type Before = TombstoneFacts;

    fn resources(&self) -> Vec<String> {
        vec!["tombstones".to_owned()]
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<TombstoneFacts>, Error> {
        planned(removal(tikv).await)
    }

    async fn send(
        &self,
        tikv: &Tikv,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Error> {
        let answer = tikv.sender(attempt).remove_tombstones().await;
        accepted(answer).map_err(of_some)
    }

    async fn probe(
        &self,
        tikv: &Tikv,
        before: &TombstoneFacts,
        sent: &Sent,
    ) -> Result<Progress, Error> {
        let now = ids(&read(tikv).await.map_err(Error::Read)?);
        let was_there = |id: &StoreId| before.store_ids.contains(id);
        let left: Vec<StoreId> = now.into_iter().filter(was_there).collect();
        let evidence = vec![Evidence::new(SOURCE, "tombstones_left", text(&left))];
        let (all, gone) = (before.store_ids.len(), before.store_ids.len() - left.len());
        if left.is_empty() {
            let summary = format!("PD keeps no tombstone of store {}", text(&before.store_ids));
            return Ok(Progress::applied(sent.attribution(), summary, evidence));
        }
        let summary = format!(
            "{gone} of {all} tombstones are gone, PD keeps those of store {}",
            text(&left)
        );
        Ok(if sent.elapsed_ms < SETTLE_MS {
            Progress::pending(summary, evidence)
        } else if gone == 0 && sent.accepted.is_none() {
            Progress::not_applied("no_trace", summary, true, evidence)
        } else {
            Progress::not_applied("tombstones_left", summary, true, evidence)
        })
    }

    fn undo(&self, _: &TombstoneFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::none("PD keeps no data about a removed store")
    }
}

const SOURCE: &str = "GET /pd/api/v1/stores?state=2";

async fn read(tikv: &Tikv) -> Result<Vec<Store>, pd_client::Error> {
    let mut stores = tikv.pd.stores_in(&[StoreLife::Tombstone]).await?;
    stores.sort_by_key(|store| store.id);
    Ok(stores)
}

fn ids<'a>(stores: impl IntoIterator<Item = &'a Store>) -> Vec<StoreId> {
    let ids = stores.into_iter().map(|store| store.id.into());
    ids.collect()
}

fn text(ids: &[StoreId]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.join(", ")
}

async fn removal(tikv: &Tikv) -> Checked<Plan<TombstoneFacts>> {
    let tombstones = read(tikv).await.map_err(Stop::of_first_read)?;
    let verdict = verdict(check(&tombstones))?;
    let store_ids = ids(&tombstones);
    let count = store_ids.len() as u64;
    Ok(Plan::new(
        verdict,
        TombstoneFacts {
            store_ids: store_ids.clone(),
        },
    )
    .same("tombstones", text(&store_ids))
    .impact("tombstones", count, "tombstones removed, all of them")
    .unknown(
        "whether a process of one of these stores still runs, which could then join again with the old id",
    )
    .unknown(
        "whether a region has a replica on one of them that PD does not count: after its start PD shows 0 until regions report",
    )
    .takes(
        100,
        5_000,
        "one write in PD for each, and one of its configuration",
    )
    .follow(500, SETTLE_MS, 60_000)
    .clock(tikv.clock()))
}

/// PD's answer. It goes through all of them before it names those that it keeps.
fn check(tombstones: &[Store]) -> Checked<Verdict> {
    let held = tombstones
        .iter()
        .filter(|store| store.status.region_count > 0);
    let held = ids(held);
    if !held.is_empty() {
        return Err(tombstones_hold_replicas(&text(&held)));
    }
    if tombstones.is_empty() {
        return Err(nothing_to_do("PD keeps no tombstone"));
    }
    Ok(Verdict::WouldProceed)
}

/// A refusal that names some of them says nothing of the others: those are gone.
fn of_some(error: Error) -> Error {
    match error {
        Error::Send(cause) => {
            let names_some =
                |answer: &pd_client::PdError| answer.message.starts_with("failed stores: ");
            if cause.answer().is_some_and(names_some) {
                Error::RefusedForSome(cause)
            } else {
                Error::Send(cause)
            }
        }
        other => other,
    }
}
