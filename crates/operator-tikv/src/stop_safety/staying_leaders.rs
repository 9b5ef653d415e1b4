//! Which leaders a drain would leave on a store, because no voter elsewhere can lead.
//!
//! Read as `safe_to_stop` reads: the store's own regions where they are few, else what PD lists as
//! unhealthy, and what follows for all that it does not list (`listed.rs`).

use std::collections::BTreeMap;

use action_core::Cause;
use pd_client::RegionId;
use pd_client::config::Config;
use pd_client::regions::Region;
use pd_client::rules::{Rule, RuleRole};
use pd_client::stores::Store;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded;
use crate::facts::store_regions::StoreRegions;
use crate::pd_rules::drain_blockers::{NoTaker, no_taker};
use crate::pd_rules::leader_takers::LeaderTakers;
use crate::pd_rules::offline_blockers::named;
use crate::stop_safety::answer::SCAN;
use crate::stop_safety::listed::holds_few;
use crate::stop_safety::lists::Listed;
use crate::stop_safety::voters::Wanted;

/// What a drain would leave.
#[derive(Default)]
pub(crate) struct StayingLeaders {
    /// Why they stay, with the regions.
    pub(crate) causes: Vec<Cause>,
    /// How many were found.
    pub(crate) found: u64,
    /// What was not looked at, and may matter.
    pub(crate) unread: Vec<String>,
}

impl StayingLeaders {
    /// One read where the store holds few regions, eight where it holds many, and none where it
    /// leads nothing: then nobody has to take anything.
    pub(crate) async fn read(
        tikv: &Tikv,
        store: &Store,
        config: &Config,
        takers: Option<&LeaderTakers<'_>>,
    ) -> Result<Self, Error> {
        let Some(takers) = takers else {
            return Ok(Self::default());
        };
        let rules = takers.rules;
        let mut staying = if holds_few([store].into_iter()) {
            let StoreRegions { regions, unlisted } = StoreRegions::read(tikv, store).await?;
            let mut staying = Self::among(&regions, store, takers);
            staying.unread.extend(unlisted);
            staying
        } else {
            let wanted = Wanted::by(rules, config);
            let listed = Listed::read(tikv, wanted.as_ref()).await?;
            let mut staying = Self::among(&listed.regions, store, takers);
            let unread = listed.unread.into_iter();
            staying.unread.extend(unread.map(|cause| cause.text));
            let holds = |one: &&Store| one.id != store.id && one.status.region_count > 0;
            let others = takers.stores.iter().filter(|one| !one.is_tiflash());
            let others = others.filter(holds);
            let refusing = others.filter(|one| !takers.take_any(one.id)).count() as u64;
            staying.unread.extend(unlisted(wanted.as_ref(), refusing));
            staying.unread.extend(never_lead(rules));
            staying
        };
        staying.unread.extend(takers.unshown());
        Ok(staying)
    }

    /// Those among some regions.
    fn among(regions: &[Region], store: &Store, takers: &LeaderTakers<'_>) -> Self {
        let leads = |region: &&Region| region.leader.is_some_and(|one| one.store_id == store.id);
        let mut held: BTreeMap<NoTaker, Vec<RegionId>> = BTreeMap::new();
        for region in regions.iter().filter(leads) {
            if let Some(why) = no_taker(region, store.id, takers) {
                held.entry(why).or_default().push(region.id);
            }
        }
        Self {
            found: held.values().map(Vec::len).sum::<usize>() as u64,
            causes: held.iter().map(|(why, ids)| cause(*why, ids)).collect(),
            unread: Vec::new(),
        }
    }
}

fn cause(why: NoTaker, ids: &[RegionId]) -> Cause {
    let what = match why {
        NoTaker::NoOtherVoter => "no voter on another store",
        NoTaker::Unhealthy => "the voters on other stores lag or do not respond",
        NoTaker::TakeNone => "the voters on other stores are on stores that take no leaders",
    };
    Cause::new(why.code(), format!("{}: {what}", named(ids)))
}

/// What is not known of regions that are in none of PD's lists: they have all the voters that rules
/// ask for, and none is down or pending. One of those elsewhere has to be where leaders may go.
fn unlisted(wanted: Option<&Wanted>, refusing: u64) -> Option<String> {
    let least = wanted.map_or(0, |wanted| {
        (*wanted.voters.start()).min(wanted.least_holders)
    });
    let others = least.saturating_sub(1);
    (others <= refusing).then(|| {
        format!(
            "whether regions that PD does not list as unhealthy have another voter that may lead: \
             rules ask for as few as {least} voters, and {refusing} other stores take no leaders; \
             {SCAN}"
        )
    })
}

/// Voters that rules keep from leading.
fn never_lead(rules: Option<&[Rule]>) -> Option<String> {
    let mut rules = rules.into_iter().flatten();
    let rule = rules.find(|rule| rule.role == RuleRole::Follower)?;
    let name = bounded(&format!("{}/{}", rule.group_id, rule.id));
    Some(format!(
        "which voters on other stores may lead: those of rule `{name}` may not"
    ))
}
