//! How far a store is with getting empty, and what holds the last replicas on it.

use action_core::{Cause, Done, Evidence, Progress};
use pd_client::StoreId;
use pd_client::stores::Store;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::counts::{are_incomplete, incomplete};
use crate::facts::settings_in_force;
use crate::facts::store_regions::StoreRegions;
use crate::pd_rules::offline::switched_off;
use crate::pd_rules::offline_blockers::{LeftOnStore, MOST_ON_STORE};
use crate::pd_rules::replica_takers::ReplicaTakers;
use crate::pd_rules::room::{self, Room};
use crate::pd_rules::rule_holds::RuleHolds;

/// So few replicas left are looked at one by one, by the follower too.
const FEW: u64 = 32;

/// How far a store is with getting empty, and what holds the last replicas on it.
pub(super) async fn progress(
    tikv: &Tikv,
    store: &Store,
    held_before: u64,
    evidence: Vec<Evidence>,
) -> Result<Progress, Error> {
    let (id, left) = (store.id, store.status.region_count);
    if tikv.last.is_less(id, left) && left > FEW {
        let rest = rate(tikv, id).await?;
        return Ok(pending(
            (id, left),
            held_before,
            &rest,
            Vec::new(),
            evidence,
        ));
    }
    let cluster = tikv.last.cluster(&tikv.pd).await?;
    let (config, stores) = (&cluster.config, &cluster.stores);
    let overrides = settings_in_force::overrides(tikv).await;
    let mut stalled = switched_off(tikv, (config, stores), overrides.as_ref()).await?;
    let rules = match left {
        0 => None,
        _ => room::rules(tikv, config).await?,
    };
    let rules = rules.as_deref();
    let mut waits = String::new();
    if left > 0 {
        let room = Room::of(store, rules, config, stores);
        let takers = ReplicaTakers::under(&config.schedule, overrides.as_ref());
        stalled.extend(room.obstacles(takers));
        if stalled.is_empty() {
            let texts = room.taken_by_too_few(takers).into_iter();
            waits = texts.map(|text| format!("; {text}")).collect();
        }
    }
    let holds = RuleHolds::possible(tikv, store, (config, stores), rules).await?;
    let rest = if (1..=FEW).contains(&left) {
        let (left, counts) = last_ones(tikv, store, stores, holds.as_ref()).await?;
        let stays = left.stalled();
        // What does not pass is told once, as what it stalls for.
        let text = match stays.is_empty() {
            true => left.text(),
            false => String::new(),
        };
        stalled.extend(stays);
        format!("{text}{counts}")
    } else {
        if let (Some(holds), true) = (holds, (1..=MOST_ON_STORE).contains(&left)) {
            let (left, _) = last_ones(tikv, store, stores, Some(&holds)).await?;
            stalled.extend(left.stalled());
        }
        let soon = if left == 0 { BURIED_SOON } else { "" };
        format!("{}{soon}", rate(tikv, id).await?)
    };
    let rest = format!("{rest}{waits}");
    Ok(pending((id, left), held_before, &rest, stalled, evidence))
}

/// How fast a store gets empty, and what is incomplete about how far it is.
async fn rate(tikv: &Tikv, id: StoreId) -> Result<String, Error> {
    let progress = tikv.pd.store_progress(id).await.map_err(Error::Read)?;
    let rate = progress.map_or_else(String::new, |progress| {
        format!(", {:.1} MiB/s", progress.current_speed)
    });
    let counts = are_incomplete(tikv).await?;
    let counts = counts.map_or_else(String::new, |text| format!(" ({text})"));
    Ok(format!("{rate}{counts}"))
}

fn pending(
    (id, left): (StoreId, u64),
    held_before: u64,
    rest: &str,
    stalled: Vec<Cause>,
    evidence: Vec<Evidence>,
) -> Progress {
    let total = held_before.max(left);
    let moved = total - left;
    Progress::Pending {
        summary: format!("{moved} of {total} replicas moved off store {id}{rest}"),
        done: Some(Done::new(moved, total, "replicas")),
        stalled,
        evidence,
    }
}

/// What holds the last replicas on a store, and what is incomplete about their number. Two reads,
/// or four where PD knows of no leader of one.
async fn last_ones(
    tikv: &Tikv,
    store: &Store,
    stores: &[Store],
    holds: Option<&RuleHolds<'_>>,
) -> Result<(LeftOnStore, String), Error> {
    let StoreRegions { regions, unlisted } = StoreRegions::read(tikv, store).await?;
    // PD has heard of all that have a leader.
    if regions.iter().all(|region| region.leader.is_some()) {
        let operators = tikv.pd.operators().await.map_err(Error::Read)?;
        let mut left = LeftOnStore::of(&regions, store, stores, &operators);
        left.not_read.extend(unlisted);
        if let Some(holds) = holds {
            left.add(holds.held(left.free_of(&regions)), store);
        }
        return Ok((left, String::new()));
    }
    let counts = incomplete(tikv, stores).await?;
    let counts = counts.map_or_else(String::new, |text| format!(" ({text})"));
    let mut left = LeftOnStore::of(&regions, store, stores, &[]);
    left.not_read.extend(unlisted);
    Ok((left, counts))
}

/// What comes after the last replica.
const BURIED_SOON: &str = "; PD checks every 10 s and makes an empty store a tombstone";
