//! Versions that differ, and clocks that do.

use std::collections::BTreeSet;

use pd_client::config::Config;
use pd_client::members::Members;
use pd_client::stores::Store;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded;
use crate::observations::doctor::leftovers::Leftovers;
use crate::observations::findings::silent_members;
use crate::observations::reasons;

/// A difference that no network explains, milliseconds.
const SKEW_MS: u64 = 2_000;

/// How many versions are named.
const MOST_NAMED: usize = 8;

pub(super) async fn find(
    tikv: &Tikv,
    stores: &[Store],
    config: &Config,
    members: &Members,
    found: &mut Leftovers,
) -> Result<(), Error> {
    let health = tikv.pd.health().await.map_err(Error::Read)?;
    found.findings.extend(silent_members(&health));
    let of_members = members
        .members
        .iter()
        .map(|one| one.binary_version.as_str());
    differ("members of PD", "GET /pd/api/v1/members", of_members, found);
    let of_stores = stores.iter().map(|store| store.version.as_str());
    differ("stores", "GET /pd/api/v1/stores", of_stores, found);

    let version = tikv.pd.version().await.map_err(Error::Read)?;
    if !version.is_supported() {
        let text = format!("PD reports version `{}`", bounded(version.as_str()));
        let unknown = reasons::VERSION_UNKNOWN.found("cluster", text);
        let seen = unknown.seen(
            "GET /pd/api/v1/version",
            "version",
            bounded(version.as_str()),
        );
        let cluster = config.cluster_version.as_deref().map(bounded);
        found
            .findings
            .push(seen.seen("GET /pd/api/v1/config", "cluster-version", cluster));
    }
    if let Some(clock) = tikv.clock() {
        let ahead_ms = clock.ahead_ms.unsigned_abs();
        if ahead_ms > clock.uncertainty_ms.saturating_add(SKEW_MS) {
            let way = if clock.ahead_ms < 0 {
                "behind"
            } else {
                "ahead of"
            };
            let text = format!("PD's clock is {ahead_ms} ms {way} the local clock");
            let skew = reasons::CLOCK_SKEW.found("cluster", text);
            found.findings.push(
                skew.seen("the Date of PD's answers", "ahead_ms", clock.ahead_ms)
                    .seen(
                        "the Date of PD's answers",
                        "uncertainty_ms",
                        clock.uncertainty_ms,
                    ),
            );
        }
    }
    Ok(())
}

fn differ<'a>(
    whose: &str,
    source: &str,
    versions: impl Iterator<Item = &'a str>,
    found: &mut Leftovers,
) {
    // Some write the `v`, some do not, and some say nothing.
    let bare = versions.map(|version| version.strip_prefix('v').unwrap_or(version));
    let distinct: BTreeSet<&str> = bare.filter(|version| !version.is_empty()).collect();
    if distinct.len() > 1 {
        let named: Vec<String> = distinct.into_iter().take(MOST_NAMED).map(bounded).collect();
        let text = format!("{whose} have versions {}", named.join(", "));
        let mixed = reasons::VERSION_MISMATCH.found("cluster", text);
        found.findings.push(mixed.seen(source, "versions", named));
    }
}
