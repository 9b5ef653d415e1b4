//! What proves that a drained store leads nothing.

use std::time::{Duration, SystemTime};

use action_core::{Evidence, Progress, Safety, Sent, Settled};
use pd_client::stores::{Store, StoreState};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::SETTLE_MS;
use crate::facts::counts::{NoLeaders, hears_since, is_silent_since, leads_nothing};
use crate::facts::drains::{DRAINS, ShownDrains};
use crate::facts::pd_clock::{pd_now, pd_time_of_send};
use crate::facts::schedulers::NOT_LOADED;
use crate::facts::traces::PdProcess;
use crate::parameters::ids::StoreId;
use crate::stop_safety::{NAMED, StopSnapshot, all_stores};

/// A second reading, by the same leader of PD as the one before it, that is complete.
pub(super) async fn confirmed(
    tikv: &Tikv,
    id: StoreId,
    planned: Option<&PdProcess>,
    sent: &Sent,
    mut evidence: Vec<Evidence>,
) -> Result<Progress, Error> {
    let first = PdProcess::read(tikv).await?;
    // By the process that leads since before it was sent, or one that we saw later.
    let since = first.as_ref().and_then(|process| {
        let is_planned = planned == Some(process);
        let sent = is_planned.then(|| pd_time_of_send(sent)).flatten();
        hears_since(tikv, process, sent)
    });
    if let Some(silent) = still_silent(tikv, id, since).await? {
        return Ok(Progress::pending(not_reported(silent), evidence));
    }
    let stores = all_stores(tikv).await?;
    let store = stores.iter().find(|store| store.id == id.pd());
    let left = store.map(|store| store.status.leader_count);
    evidence.push(Evidence::new(
        "GET /pd/api/v1/stores",
        "leader_count_again",
        left,
    ));
    let known = match (&first, store) {
        (Some(_), Some(store)) if left == Some(0) => {
            Some(leads_nothing(tikv, store, &stores, since).await?)
        }
        _ => None,
    };
    let second = tikv.pd.leader().await.map_err(Error::Read)?;
    let second = second.map(|leader| leader.name);
    let by = "GET /pd/api/v1/leader";
    evidence.push(Evidence::new(by, "pd_leader", second.clone()));
    match known {
        Some(NoLeaders::Silent(silent)) => {
            tikv.last.now_waits_for(id.pd(), Some(silent));
            Ok(Progress::pending(not_reported(silent), evidence))
        }
        Some(NoLeaders::NotYet(text)) => Ok(Progress::pending(text, evidence)),
        Some(NoLeaders::Proven) if first.as_ref().map(|one| &one.leader) == second.as_ref() => {
            let (answer, text) = may_stop(tikv, id, first, stores).await;
            evidence.push(Evidence::new("safe_to_stop", "safe_to_stop", answer));
            let summary = format!("store {id} leads nothing; the drain stays in force; {text}");
            Ok(Progress::applied(sent.attribution(), summary, evidence))
        }
        _ => {
            let text = "no leaders in the first reading; waiting for a second reading by the same PD leader";
            Ok(Progress::pending(text, evidence))
        }
    }
}

/// The store that had to report first at the last look, while it has not: one read, where all stores
/// would be read for it.
async fn still_silent(
    tikv: &Tikv,
    id: StoreId,
    since: Option<SystemTime>,
) -> Result<Option<pd_client::StoreId>, Error> {
    let (Some(silent), Some(since)) = (tikv.last.waits_for(id.pd()), since) else {
        return Ok(None);
    };
    let store = tikv.pd.store(silent).await.map_err(Error::Read)?;
    let is_silent =
        |store: &Store| store.state_name == StoreState::Up && is_silent_since(store, since);
    if store.as_ref().is_some_and(is_silent) {
        return Ok(Some(silent));
    }
    tikv.last.now_waits_for(id.pd(), None);
    Ok(None)
}

fn not_reported(silent: pd_client::StoreId) -> String {
    format!("not known yet: store {silent} has not reported since")
}

/// Whether the store can go down now: it leads nothing, and holds its replicas still. What cannot
/// be read of that takes nothing from the drain's proof.
async fn may_stop(
    tikv: &Tikv,
    id: StoreId,
    process: Option<PdProcess>,
    stores: Vec<Store>,
) -> (&'static str, String) {
    let look = async {
        let mut snapshot = StopSnapshot::of(tikv, process, stores).await?;
        snapshot.by_lists(tikv, [id.pd()].into(), NAMED).await
    };
    match look.await {
        Ok(found) => (found.answer.as_str(), found.of_one()),
        Err(error) => {
            let text = format!("cannot read whether it is safe to stop: {error}");
            (Safety::NotKnown.as_str(), text)
        }
    }
}

/// What is known of a drain that PD does not show.
pub(super) async fn not_in_force(
    tikv: &Tikv,
    id: StoreId,
    leaders: u64,
    sent: &Sent,
    evidence: Vec<Evidence>,
) -> Result<Progress, Error> {
    if sent.elapsed_ms < SETTLE_MS {
        let text = "the drain is not in force yet";
        return Ok(Progress::pending(text, evidence));
    }
    if !ShownDrains::read(tikv).await?.is_known() {
        return Ok(Progress::pending(NOT_LOADED, evidence));
    }
    let text = format!("store {id} is not being drained; {leaders} leaders on it");
    Ok(Progress::not_applied("not_draining", text, true, evidence))
}

/// Whether a drain is shown, however long after it was asked for. Three reads: what it has moved is
/// not asked for.
pub(super) async fn still_draining(tikv: &Tikv, id: StoreId) -> Result<Settled, Error> {
    let shown = ShownDrains::read(tikv).await?.of(id);
    let evidence = vec![Evidence::new(DRAINS, "draining", shown)];
    Ok(match shown {
        Some(true) => Settled::held(evidence),
        Some(false) => {
            let text = format!("store {id} is not being drained");
            Settled::reversed("not_draining", text, evidence)
        }
        None => Settled::not_known("schedulers_not_loaded", NOT_LOADED),
    })
}

/// Whether PD has heard of the store since the drain was asked for, and lately.
pub(super) fn reported_since(store: &Store, sent: &Sent) -> bool {
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

#[cfg(test)]
mod tests {
    use action_core::{Attempt, ClockOffset};

    use super::*;
    use crate::facts::pd_clock::at_unix_ms;

    const SENT_MS: u64 = 1_000_000_000;

    fn store(heard_ms: Option<u64>) -> Store {
        let shown = serde_json::json!({"id": 1, "state_name": "Up"});
        let mut store: Store = serde_json::from_value(shown).unwrap();
        store.last_heartbeat = heard_ms.and_then(at_unix_ms);
        store
    }

    /// Asked for a minute ago by PD's clock.
    fn reported(heard_ms: Option<u64>) -> bool {
        let store = store(heard_ms);
        let attempt = Attempt::new("a", SENT_MS, Some(ClockOffset::new(0, 0)));
        reported_since(&store, &Sent::new(attempt, None, 60_000))
    }

    #[test]
    fn a_store_has_reported_since_when_it_did_so_after_the_send_and_in_the_last_half_minute() {
        let now = SENT_MS + 60_000;
        for (heard, expected) in [
            (None, false),
            (Some(SENT_MS - 1), false),
            (Some(SENT_MS), false),
            (Some(now - 30_001), false),
            (Some(now - 30_000), true),
            (Some(now), true),
            (Some(now + 500), true),
        ] {
            assert_eq!(reported(heard), expected, "{heard:?}");
        }
        let sent = Attempt::new("a", SENT_MS, Some(ClockOffset::new(0, 0)));
        let sent = Sent::new(sent, None, 5_000);
        for (heard, expected) in [(SENT_MS - 1, false), (SENT_MS, true), (SENT_MS + 1, true)] {
            assert_eq!(
                reported_since(&store(Some(heard)), &sent),
                expected,
                "{heard}"
            );
        }
    }
}
