//! Whether PD has loaded its schedulers.
//!
//! After PD's process starts, or another member leads, PD runs no scheduler until it knows regions
//! from their heartbeats. Until then a scheduler that is not listed may be one that is not loaded:
//! from its absence nothing follows. The stored configuration lists it all the while.

use pd_client::Client;
use pd_client::config::ScheduleConfig;
use serde_json::Value;

use crate::cluster::Tikv;
use crate::error::Error;

/// Why something about schedulers is not known.
pub(crate) const NOT_LOADED: &str = "not known yet: PD was just started or has a new leader and has not loaded its schedulers; it does so once regions have reported, within a minute or two";

/// Whether PD has loaded its schedulers. One read.
pub(crate) async fn are_loaded(
    pd: &Client,
    schedule: &ScheduleConfig,
) -> Result<bool, pd_client::Error> {
    let running = pd.schedulers().await?;
    Ok(loaded(&running, &stored(schedule)))
}

/// Whether PD has loaded its schedulers, as far as the whole configuration is not at hand: two
/// reads.
pub(crate) async fn are_loaded_now(tikv: &Tikv) -> Result<bool, Error> {
    let schedule = tikv.pd.schedule_config().await.map_err(Error::Read)?;
    are_loaded(&tikv.pd, &schedule).await.map_err(Error::Read)
}

/// Whether those that run show that the stored ones were loaded. One that somebody asks for runs at
/// once, also before: evict-leader and grant-leader alone show nothing.
pub(crate) fn loaded(running: &[String], stored: &[String]) -> bool {
    let asked_for =
        |name: &&String| name.starts_with("evict-leader") || name.starts_with("grant-leader");
    let (by_request, own): (Vec<&String>, Vec<&String>) = stored.iter().partition(asked_for);
    if own.is_empty() {
        by_request.is_empty() || by_request.iter().any(|name| running.contains(name))
    } else {
        own.iter().any(|name| running.contains(name))
    }
}

/// The names of the schedulers that are stored and not switched off, where the name follows from
/// the type.
pub(crate) fn stored(schedule: &ScheduleConfig) -> Vec<String> {
    let listed = schedule.rest.get("schedulers-v2").and_then(Value::as_array);
    let on = |one: &&Value| one.get("disable") != Some(&Value::Bool(true));
    let kind = |one: &Value| one.get("type")?.as_str().map(str::to_owned);
    let kinds = listed.into_iter().flatten().filter(on).filter_map(kind);
    let plain = kinds.filter(|kind| !kind.contains("range"));
    plain.map(|kind| name_of(&kind)).collect()
}

/// The name of a scheduler, by the type that the configuration calls it.
pub(crate) fn name_of(kind: &str) -> String {
    match kind {
        "hot-region" => "balance-hot-region-scheduler".to_owned(),
        kind => format!("{kind}-scheduler"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(running: &[&str], stored: &[&str], expected: bool) {
        let names = |kinds: &[&str]| kinds.iter().map(|kind| name_of(kind)).collect::<Vec<_>>();
        assert_eq!(loaded(&names(running), &names(stored)), expected);
    }

    #[test]
    fn one_of_pds_own_shows_that_all_are_loaded() {
        let stored = ["hot-region", "balance-leader", "evict-leader"];
        check(&["hot-region"], &stored, true);
        check(&["evict-leader"], &stored, false);
        check(&[], &stored, false);
        check(&["evict-leader"], &["evict-leader"], true);
        check(&[], &["evict-leader"], false);
        check(&[], &[], true);
    }
}
