//! Replicas that placement rules hold on a store that is being emptied.
//!
//! By `CheckWithFit` of `pkg/schedule/checker/rule_checker.go`, which goes on with the next rule where
//! one could not be put in order. A replica that a rule has is replaced by that rule, unless it lacks
//! others: then `addRulePeer` looks for a store for one, and nothing else of that rule is looked at.
//! A replica that no rule has goes once all have theirs (`fixOrphanPeers`).

use std::collections::BTreeMap;

use pd_client::config::Config;
use pd_client::regions::{Peer, Region};
use pd_client::rules::{RegionFit, Rule};
use pd_client::stores::{Store, StoreState};
use pd_client::{Capability, RegionId, StoreId};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::pd_rules::placement::holding_for;
use crate::pd_rules::placement_fit::PlacementFit;
use crate::pd_rules::room::{Room, Wanted};

/// What holds a replica, and the rule that does.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RuleHold {
    pub(crate) kind: HoldKind,
    rule: String,
}

/// How a rule holds a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HoldKind {
    /// The rule that wants the replica lacks one that no other store may hold.
    Short,
    /// No rule wants the replica, and one lacks one that no other store may hold.
    Unwanted,
    /// No other store may hold the replica.
    NoPlace,
}

impl HoldKind {
    /// The stable code of the reason.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Short | Self::Unwanted => "rule_unsatisfiable",
            Self::NoPlace => "no_free_store",
        }
    }
}

impl RuleHold {
    /// What holds these regions, which are named, on a store.
    pub(crate) fn text(&self, named: &str, store: &Store) -> String {
        let (rule, id) = (&self.rule, store.id);
        match self.kind {
            HoldKind::Short => format!(
                "{named}: {rule} lacks a replica that no other store may hold, and until it has one, PD moves none of its replicas"
            ),
            HoldKind::Unwanted => format!(
                "{named}: no rule requires the replica on store {id}, but PD keeps it while {rule} lacks a replica that no other store may hold"
            ),
            HoldKind::NoPlace => {
                format!("{named}: no other store may hold the replica that {rule} requires")
            }
        }
    }
}

/// What decides whether rules hold what a store has.
pub(crate) struct RuleHolds<'a> {
    leaving: &'a Store,
    stores: &'a [Store],
    rules: &'a [Rule],
    /// Whether PD makes place by exchanging a replica of another rule (`swap-fit`).
    swaps: bool,
}

/// So many kinds of what holds are compared with what PD says of a region.
const MOST_CONFIRMED: usize = 8;

impl<'a> RuleHolds<'a> {
    /// `None` where rules hold nothing: they are off, or the others have place for all that is asked
    /// for; and where they have none for what the store holds, which is told of all of it. One read
    /// at most.
    pub(crate) async fn possible(
        tikv: &Tikv,
        leaving: &'a Store,
        (config, stores): (&'a Config, &'a [Store]),
        rules: Option<&'a [Rule]>,
    ) -> Result<Option<Self>, Error> {
        let Some(rules) = rules else {
            return Ok(None);
        };
        let room = Room::of(leaving, Some(rules), config, stores);
        if room.is_ample() || !room.lacking().is_empty() {
            return Ok(None);
        }
        let version = tikv.pd.version().await.map_err(Error::Read)?;
        Ok(Some(Self {
            leaving,
            stores,
            rules,
            swaps: version.has(Capability::SwapFit).unwrap_or(true),
        }))
    }

    /// The regions of which rules hold the replica on the store.
    pub(crate) fn held<'r>(
        &self,
        regions: impl Iterator<Item = &'r Region>,
    ) -> BTreeMap<RuleHold, Vec<&'r Region>> {
        let mut held: BTreeMap<RuleHold, Vec<&Region>> = BTreeMap::new();
        for region in regions {
            if let Some(hold) = self.hold(region) {
                held.entry(hold).or_default().push(region);
            }
        }
        held
    }

    /// Leaves out what PD finds otherwise of the first such region. A read for each kind, of eight.
    pub(crate) async fn confirm(
        &self,
        tikv: &Tikv,
        held: &mut BTreeMap<RuleHold, Vec<&Region>>,
    ) -> Result<(), Error> {
        let mut wrong = Vec::new();
        for (place, (hold, regions)) in held.iter().enumerate() {
            let Some(region) = regions.first().filter(|_| place < MOST_CONFIRMED) else {
                continue;
            };
            let fit = match tikv.pd.region_fit(region.id).await {
                // Gone since it was listed.
                Err(error) if error.is_not_found() => None,
                fit => fit.map_err(Error::Read)?,
            };
            let found = fit.and_then(|fit| self.found_by_pd(region, &fit));
            if found.as_ref() != Some(hold) {
                wrong.push(region.id);
            }
        }
        let is_wrong = |regions: &[&Region]| {
            let first = regions.first().map(|region| region.id);
            first.is_some_and(|first: RegionId| wrong.contains(&first))
        };
        held.retain(|_, regions| !is_wrong(regions));
        Ok(())
    }

    /// What holds the replica of a region whose fit PD has told.
    pub(crate) fn found_by_pd(&self, region: &Region, fit: &RegionFit) -> Option<RuleHold> {
        Fitted::by_pd(self, region, fit).hold()
    }

    fn hold(&self, region: &Region) -> Option<RuleHold> {
        let leader = region.leader?.store_id.into();
        let rules = holding_for(self.rules, region);
        let fit = PlacementFit::of_region(region, rules, self.stores, leader)?;
        Fitted::by_us(self, region, &fit).hold()
    }
}

/// A region beside its rules, and the stores.
struct Fitted<'a> {
    region: &'a Region,
    taken: Vec<Taken<'a>>,
    /// Replicas that no rule has.
    orphans: Vec<&'a Peer>,
    by: &'a RuleHolds<'a>,
}

/// The replicas that a rule has.
struct Taken<'a> {
    rule: &'a Rule,
    peers: Vec<&'a Peer>,
    are_as_wanted: bool,
}

impl Taken<'_> {
    fn missing(&self) -> u64 {
        self.rule.count.saturating_sub(self.peers.len() as u64)
    }
}

impl<'a> Fitted<'a> {
    fn by_us(by: &'a RuleHolds<'a>, region: &'a Region, fit: &PlacementFit<'a>) -> Self {
        let taken = fit.rules().iter().map(|one| Taken {
            rule: one.rule,
            peers: one.peers.clone(),
            are_as_wanted: one.with_other_role.is_empty(),
        });
        Self {
            region,
            taken: taken.collect(),
            orphans: fit.orphans().to_vec(),
            by,
        }
    }

    fn by_pd(by: &'a RuleHolds<'a>, region: &'a Region, fit: &'a RegionFit) -> Self {
        let taken = fit.rule_fits.iter().map(|one| Taken {
            rule: &one.rule,
            peers: one.peers.iter().collect(),
            are_as_wanted: one.peers_different_role.is_empty(),
        });
        Self {
            region,
            taken: taken.collect(),
            orphans: fit.orphan_peers.iter().collect(),
            by,
        }
    }

    fn hold(&self) -> Option<RuleHold> {
        let peer = self.region.peer_on(self.by.leaving.id)?;
        let has = |one: &&Taken<'_>| one.peers.iter().any(|has| has.id == peer.id);
        let (kind, by) = match self.taken.iter().find(has) {
            Some(own) if own.missing() > 0 => {
                let stays = self.stays_short(own);
                stays.then_some((HoldKind::Short, own))?
            }
            Some(own) => {
                // What no rule has goes first, and balancing moves what others have.
                let may_come = !self.orphans.is_empty() || self.may_swap(own);
                let is_held = self.places(own, Some(peer)) == 0 && !may_come;
                is_held.then_some((HoldKind::NoPlace, own))?
            }
            None => {
                let short = self.taken.iter().find(|one| self.stays_short(one))?;
                let is_held = !self.is_spare(peer);
                is_held.then_some((HoldKind::Unwanted, short))?
            }
        };
        Some(RuleHold {
            kind,
            rule: Wanted::by_rule(by.rule).name,
        })
    }

    /// Whether PD finds no way to give the rule all its replicas.
    fn stays_short(&self, of: &Taken<'_>) -> bool {
        self.places(of, None) < of.missing() && !(self.by.swaps && self.may_swap(of))
    }

    /// How many stores are free for replicas of the rule, or for the next place of one that it has:
    /// `SelectStoreToAdd` and `SelectStoreToFix` of `replica_strategy.go`.
    fn places(&self, of: &Taken<'_>, instead_of: Option<&Peer>) -> u64 {
        let wanted = Wanted::by_rule(of.rule);
        let is_other = |peer: &&&Peer| {
            // A single one is kept apart from where it was, too.
            of.peers.len() == 1 || instead_of.is_none_or(|old| old.id != peer.id)
        };
        let others = of.peers.iter().filter(is_other);
        let others: Vec<&Store> = others.filter_map(|one| self.store(one.store_id)).collect();
        let is_apart = |store: &Store| {
            let place = wanted.place(store);
            place.is_none() || others.iter().all(|other| wanted.place(other) != place)
        };
        let is_free = |store: &&Store| {
            store.state_name == StoreState::Up
                && store.id != self.by.leaving.id
                && self.region.peer_on(store.id).is_none()
                && wanted.takes(store)
                && is_apart(store)
        };
        let free: Vec<&Store> = self.by.stores.iter().filter(is_free).collect();
        wanted.kept_apart(&free)
    }

    /// Whether a replica that another rule has goes elsewhere, so that this one may have its place.
    fn may_swap(&self, short: &Taken<'_>) -> bool {
        let wanted = Wanted::by_rule(short.rule);
        let is_satisfied = |one: &&Taken<'_>| one.missing() == 0 && one.are_as_wanted;
        let mut satisfied = self.taken.iter().filter(is_satisfied);
        satisfied.any(|one| {
            let stores = one
                .peers
                .iter()
                .map(|peer| (peer, self.store(peer.store_id)));
            let mut taken = stores.filter(|(_, at)| at.is_some_and(|store| wanted.takes(store)));
            taken.any(|(peer, _)| self.places(one, Some(peer)) > 0)
        })
    }

    /// Whether PD removes a replica that no rule has because the region has more than all rules ask
    /// for, as it is or once rules have got what they can: it keeps the first such replica.
    fn is_spare(&self, peer: &Peer) -> bool {
        let lacking = self.taken.iter().map(|one| {
            let missing = one.missing();
            missing - missing.min(self.places(one, None))
        });
        let lacking: u64 = lacking.sum();
        let extra = (self.orphans.len() as u64).saturating_sub(lacking);
        let place = self.orphans.iter().position(|one| one.id == peer.id);
        let place = place.unwrap_or(0) as u64;
        place > 0 && place <= extra
    }

    fn store(&self, id: StoreId) -> Option<&'a Store> {
        self.by.stores.iter().find(|store| store.id == id)
    }
}
