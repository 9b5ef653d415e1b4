//! What can be told without reading all regions: those of the stores themselves where they are few,
//! else what PD lists as unhealthy, and what follows for all that it does not list.
//!
//! A region in none of the lists has as many replicas as its rules ask for, all of them voters, and
//! none that is down or pending: `RegionStatistics.Observe` of
//! `pkg/statistics/region_collection.go`. PD limits none of the lists, and keeps `offline-peer` and
//! `miss-peer` as of the region's last change: a store that is being emptied, or whose rules have
//! changed since, is told by other figures.

use std::collections::BTreeSet;

use action_core::Cause;
use pd_client::stores::Store;
use pd_client::{RegionId, StoreId};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::counts::Completeness;
use crate::facts::store_regions::StoreRegions;
use crate::stop_safety::answer::{SCAN, StopSafety};
use crate::stop_safety::going::Going;
use crate::stop_safety::lists::Listed;
use crate::stop_safety::snapshot::StopSnapshot;
use crate::stop_safety::verdict::{Basis, Found, unreadable};
use crate::stop_safety::voters::Wanted;

/// So many replicas are read one by one, of all stores of a kind together, and of so many stores.
const FEW: u64 = 1_000;
const FEW_STORES: usize = 64;

impl StopSnapshot {
    /// Whether these stores can go down, as far as a bounded number of reads tells: ten at most,
    /// and one for each store that holds few regions.
    pub(crate) async fn by_lists(
        &mut self,
        tikv: &Tikv,
        asked: BTreeSet<StoreId>,
        most: usize,
    ) -> Result<StopSafety, Error> {
        let going = self.going(asked);
        let mut found = Found::beginning(self, &going, most);
        let taking: Vec<&Store> = self.voting(&going).collect();
        if !matches!(self.counts, Completeness::NotYet(_)) && !taking.is_empty() {
            if holds_few(self.voting(&going)) {
                let mut seen = BTreeSet::new();
                self.read_stores(tikv, &taking, &going, &mut found, &mut seen)
                    .await?;
                found.basis = Basis::RegionsOfTheStores;
            } else {
                found.basis = Basis::Lists;
                self.look_at_lists(tikv, &going, &mut found).await?;
            }
        }
        found.finished(self, tikv, &going).await
    }

    async fn read_stores(
        &self,
        tikv: &Tikv,
        stores: &[&Store],
        going: &Going,
        found: &mut Found,
        seen: &mut BTreeSet<RegionId>,
    ) -> Result<(), Error> {
        for store in stores {
            let StoreRegions { regions, unlisted } = StoreRegions::read(tikv, store).await?;
            found.tally.add_new(&regions, going, seen);
            found.undecided.extend(unlisted.map(|text| {
                let text = format!("{text}: try again; {SCAN}");
                Cause::new("regions_unlisted", text)
            }));
        }
        Ok(())
    }

    async fn look_at_lists(
        &mut self,
        tikv: &Tikv,
        going: &Going,
        found: &mut Found,
    ) -> Result<(), Error> {
        let wanted = Wanted::by(self.rules.as_deref(), &self.config);
        let listed = match self.listed.take() {
            Some(listed) => listed,
            None => Listed::read(tikv, wanted.as_ref()).await?,
        };
        let mut seen = BTreeSet::new();
        found.tally.add_new(&listed.regions, going, &mut seen);
        let is_whole = listed.unread.is_empty();
        found.undecided.extend(listed.unread.iter().cloned());
        if is_whole {
            let unlisted = self.unlisted(going, &listed, wanted.as_ref(), found);
            found.undecided.extend(unlisted);
        }
        self.listed = Some(listed);
        let others = self.stores.iter();
        let others = others.filter(|one| !going.asked.contains(&one.id));
        found.undecided.extend(others.filter_map(unreadable));
        let gone = |store: &&Store| {
            let others = &found.gone;
            others.iter().any(|one| one.store_id.pd() == store.id) && store.status.region_count > 0
        };
        let gone: Vec<&Store> = self.stores.iter().filter(gone).collect();
        if holds_few(gone.iter().copied()) {
            self.read_stores(tikv, &gone, going, found, &mut seen)
                .await?;
        } else {
            let some: Vec<String> = gone
                .iter()
                .take(3)
                .map(|store| store.id.to_string())
                .collect();
            let text = format!(
                "replicas on store {} are counted as gone, and PD does not list which regions have \
                 one there and one on these stores: {SCAN}",
                some.join(", ")
            );
            found.undecided.push(Cause::new("gone_elsewhere", text));
        }
        Ok(())
    }

    /// What is not known of the regions that PD lists nowhere; what is known to be lost of them goes
    /// into what was found.
    fn unlisted(
        &self,
        going: &Going,
        listed: &Listed,
        wanted: Option<&Wanted>,
        found: &mut Found,
    ) -> Vec<Cause> {
        let mut undecided = Vec::new();
        let Some(wanted) = wanted else {
            let text = format!(
                "PD shows neither its placement rules nor how many voters regions have: {SCAN}"
            );
            return vec![Cause::new("no_rules", text)];
        };
        if !wanted.survives(self.voting(going).count() as u64) {
            undecided.extend(self.not_survived(going, listed, wanted, found));
        }
        let held: u64 = self.stores.iter().map(|one| one.status.region_count).sum();
        let asked_for = self.regions.saturating_mul(wanted.least_replicas);
        if held.saturating_add(listed.missing) < asked_for {
            let text = format!(
                "stores hold {held} replicas, rules ask for {asked_for} at least, and PD lists {} \
                 as missing, as after a change of rules: {SCAN}",
                listed.missing
            );
            undecided.push(Cause::new("replicas_missing", text));
        }
        if let Completeness::Overdue(text) = &self.counts {
            let text = format!("{text}: {SCAN}");
            undecided.push(Cause::new("leaders_unknown", text));
        }
        undecided
    }

    /// What is not known where a region may lose too many voters; a store that takes too many from
    /// any region goes into what was found.
    fn not_survived(
        &self,
        going: &Going,
        listed: &Listed,
        wanted: &Wanted,
        found: &mut Found,
    ) -> Option<Cause> {
        let voting: Vec<&Store> = self.voting(going).collect();
        let (least, most) = (*wanted.voters.start(), *wanted.voters.end());
        Some(match voting[..] {
            // Some of its regions are in no list, and have no more voters than that.
            [only] if most <= 2 && only.status.region_count > listed.on(only.id) => {
                let text = format!(
                    "rules require {most} voters, of which none may be missing: regions on store {} would lose their majority",
                    only.id
                );
                found.reasons.push(Cause::new("too_few_voters", text));
                return None;
            }
            [_] => {
                let text = format!(
                    "rules ask for as few as {least} voters for some keys, and PD does not list \
                     which regions of these stores those are: {SCAN}"
                );
                Cause::new("few_voters", text)
            }
            _ => {
                let text = format!(
                    "any region may have replicas on several of these {} stores, and with {least} \
                     voters it would lose its majority: {SCAN}",
                    voting.len()
                );
                Cause::new("may_share_regions", text)
            }
        })
    }
}

pub(super) fn holds_few<'a>(stores: impl Iterator<Item = &'a Store>) -> bool {
    let held: Vec<u64> = stores.map(|store| store.status.region_count).collect();
    held.len() <= FEW_STORES && held.iter().sum::<u64>() <= FEW
}
