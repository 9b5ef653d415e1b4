//! Whether PD's counts of leaders and regions are complete.
//!
//! PD counts leaders by the regions whose leader it knows. After its process starts it knows none
//! until regions report, and a store that leads a thousand is shown with 0.
//! `docs/decisions/when-are-counts-complete.md` says which reading shows what.

use std::time::SystemTime;

use pd_client::regions::{Region, RoleOnStore};
use pd_client::stores::{Store, StoreState};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded;
use crate::facts::pd_clock::{PdTime, at_unix_ms};
use crate::facts::store_regions::unlisted;
use crate::facts::traces::PdProcess;

/// So many replicas of a store are looked at one by one.
const FEW: u64 = 1_000;

/// So many regions are named.
const NAMED: usize = 3;

/// What PD's counts are made of.
struct Counts<'a> {
    stores: &'a [Store],
    /// Regions whose leader PD knows.
    led: u64,
    regions: u64,
}

impl<'a> Counts<'a> {
    async fn read(tikv: &Tikv, stores: &'a [Store]) -> Result<Self, Error> {
        let regions = tikv.pd.region_count().await.map_err(Error::Read)?;
        let led = stores.iter().map(|store| store.status.leader_count).sum();
        Ok(Self {
            stores,
            led,
            regions,
        })
    }

    fn not_led(&self) -> u64 {
        self.regions.saturating_sub(self.led)
    }

    /// What PD knows no region of, though each key is in one: a region that PD had not written down
    /// before its process ended is unknown to it until its leader reports. One read.
    async fn unknown_ranges(&self, tikv: &Tikv) -> Result<Option<String>, Error> {
        if self.regions == 0 {
            return Ok(Some("PD knows no regions yet".to_owned()));
        }
        let holes = tikv.pd.range_holes().await.map_err(Error::Read)?;
        Ok(holes.first().map(|[from, to]| {
            let (from, to) = (bounded(from), bounded(to));
            format!(
                "PD knows {} regions but none for {} key ranges, such as from `{from}` to `{to}`",
                self.regions,
                holes.len()
            )
        }))
    }

    /// A store that is up, and that PD has not heard of since.
    fn silent_since(&self, since: SystemTime) -> Option<&Store> {
        let mut up = self
            .stores
            .iter()
            .filter(|store| store.state_name == StoreState::Up);
        up.find(|store| is_silent_since(store, since))
    }

    fn text(&self) -> String {
        format!(
            "PD knows the leader of {} of {} regions",
            self.led, self.regions
        )
    }
}

/// Whether PD has not heard of a store since.
pub(crate) fn is_silent_since(store: &Store, since: SystemTime) -> bool {
    let heard = store.last_heartbeat.or(store.status.last_heartbeat_ts);
    heard.is_none_or(|heard| heard < since)
}

/// What is incomplete about PD's counts; `None` when they are complete. Four reads; two once they
/// were complete under the process that leads.
pub(crate) async fn incomplete(tikv: &Tikv, stores: &[Store]) -> Result<Option<String>, Error> {
    let process = PdProcess::read(tikv).await?;
    incomplete_under(tikv, process.as_ref(), stores).await
}

/// The same, without the stores at hand: they are read where that is needed.
pub(crate) async fn are_incomplete(tikv: &Tikv) -> Result<Option<String>, Error> {
    let process = PdProcess::read(tikv).await?;
    if let Some(process) = &process
        && tikv.seen.of(&process.key(), now(tikv)).complete
    {
        return Ok(None);
    }
    let stores = tikv.pd.stores().await.map_err(Error::Read)?;
    incomplete_under(tikv, process.as_ref(), &stores).await
}

/// The same, under the process that leads: two reads, or none.
pub(crate) async fn incomplete_under(
    tikv: &Tikv,
    process: Option<&PdProcess>,
    stores: &[Store],
) -> Result<Option<String>, Error> {
    Ok(match completeness(tikv, process, stores).await? {
        Completeness::Complete => None,
        Completeness::NotYet(text) | Completeness::Overdue(text) => Some(text),
    })
}

/// Whether PD's counts are complete.
pub(crate) enum Completeness {
    Complete,
    /// PD has to hear more first: what.
    NotYet(String),
    /// All regions had the time to report, and some have no leader that PD knows: how many.
    Overdue(String),
}

/// Whether counts are complete, under the process that leads: two reads, or none.
pub(crate) async fn completeness(
    tikv: &Tikv,
    process: Option<&PdProcess>,
    stores: &[Store],
) -> Result<Completeness, Error> {
    let Some(process) = process else {
        let text = "not known yet: no member leads PD".to_owned();
        return Ok(Completeness::NotYet(text));
    };
    if tikv.seen.of(&process.key(), now(tikv)).complete {
        return Ok(Completeness::Complete);
    }
    let counts = Counts::read(tikv, stores).await?;
    let text = counts.text();
    let started = at_unix_ms(process.started_unix_ms);
    let ago = started.and_then(|at| Some(PdTime::now(tikv)?.seconds_since(at)));
    let since = match ago {
        Some(ago) => format!("PD was started {ago} s ago"),
        None => "PD was started".to_owned(),
    };
    if let Some(silent) = started.and_then(|at| counts.silent_since(at)) {
        let id = silent.id;
        let text =
            format!("not known yet: {since} and has had no heartbeat of store {id} since; {text}");
        return Ok(Completeness::NotYet(text));
    }
    let mut text = text;
    if counts.not_led() == 0 {
        let Some(unknown) = counts.unknown_ranges(tikv).await? else {
            tikv.seen.is_complete(&process.key());
            return Ok(Completeness::Complete);
        };
        text = unknown;
    }
    let all_due = tikv.region_heartbeat.as_secs().saturating_mul(2);
    Ok(if ago.is_some_and(|ago| ago >= all_due) {
        Completeness::Overdue(format!(
            "{text}: the others have no leader or have not reported yet"
        ))
    } else {
        Completeness::NotYet(format!("not known yet: {since}; {text}"))
    })
}

fn now(tikv: &Tikv) -> Option<SystemTime> {
    PdTime::now(tikv).map(PdTime::time)
}

/// Whether a store is shown with no leaders because it leads nothing.
pub(crate) enum NoLeaders {
    Proven,
    /// This store has not reported since.
    Silent(pd_client::StoreId),
    /// Why it is not known yet.
    NotYet(String),
}

/// From when on PD hears under the process that leads now: from when we first saw that, if no earlier
/// time is known.
pub(crate) fn hears_since(
    tikv: &Tikv,
    process: &PdProcess,
    since: Option<SystemTime>,
) -> Option<SystemTime> {
    let seen = tikv.seen.of(&process.key(), now(tikv));
    since.or(seen.since)
}

/// Whether it is proven that a store leads nothing, which its count says. `since`: what PD hears
/// after this, it hears under the process that leads now.
pub(crate) async fn leads_nothing(
    tikv: &Tikv,
    store: &Store,
    stores: &[Store],
    since: Option<SystemTime>,
) -> Result<NoLeaders, Error> {
    let now = now(tikv);
    let Some(since) = since else {
        let text = "not known yet: PD's answer has no time".to_owned();
        return Ok(NoLeaders::NotYet(text));
    };
    let counts = Counts::read(tikv, stores).await?;
    if let Some(silent) = counts.silent_since(since) {
        return Ok(NoLeaders::Silent(silent.id));
    }
    // Leaders report once an interval: what nobody has reported after two has none.
    let all_due = since.checked_add(tikv.region_heartbeat.saturating_mul(2));
    let all_reported = all_due.zip(now).is_some_and(|(due, now)| due <= now);
    if all_reported {
        return Ok(NoLeaders::Proven);
    }
    if counts.not_led() == 0 {
        return Ok(match counts.unknown_ranges(tikv).await? {
            None => NoLeaders::Proven,
            Some(text) => NoLeaders::NotYet(format!("not known yet: {text}")),
        });
    }
    let text = format!("not known yet: {}", counts.text());
    if store.status.region_count > FEW {
        return Ok(NoLeaders::NotYet(text));
    }
    let (id, role) = (store.id, RoleOnStore::Follower);
    let held = tikv.pd.regions_of_store_as(id, role).await;
    let held = held.map_err(Error::Read)?;
    // Learners never lead, and are not asked for.
    let counted = store.status.region_count;
    let counted = counted.saturating_sub(store.status.learner_count);
    if let Some(unlisted) = unlisted(store, counted, held.len()) {
        return Ok(NoLeaders::NotYet(format!("{text}; {unlisted}")));
    }
    let unknown: Vec<&Region> = held.iter().filter(|one| one.leader.is_none()).collect();
    if unknown.is_empty() {
        return Ok(NoLeaders::Proven);
    }
    let some = unknown.iter().take(NAMED).map(|one| one.id.to_string());
    let some: Vec<String> = some.collect();
    Ok(NoLeaders::NotYet(format!(
        "{text}; {} of the others have a replica on store {id}, such as {}",
        unknown.len(),
        some.join(", ")
    )))
}
