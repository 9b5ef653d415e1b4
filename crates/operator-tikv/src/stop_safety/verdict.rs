//! What was found, and the answer that it gives.

use action_core::{Cause, Safety};
use pd_client::stores::Store;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded;
use crate::facts::counts::Completeness;
use crate::facts::schedulers::NOT_LOADED;
use crate::facts::store::state_text;
use crate::pd_rules::room::Room;
use crate::stop_safety::answer::{AskedStore, GoneStore, StopSafety};
use crate::stop_safety::going::Going;
use crate::stop_safety::hosts::{Beside, beside};
use crate::stop_safety::snapshot::StopSnapshot;
use crate::stop_safety::tally::Tally;

/// Which regions were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Basis {
    /// None: the stores take nothing with them, or PD does not know enough.
    Nothing,
    /// Each that has a replica on one of the stores.
    RegionsOfTheStores,
    /// What PD lists as unhealthy.
    Lists,
    /// All there are.
    AllRegions,
}

/// What was found so far.
pub(super) struct Found {
    pub(super) basis: Basis,
    pub(super) tally: Tally,
    pub(super) reasons: Vec<Cause>,
    pub(super) undecided: Vec<Cause>,
    pub(super) gone: Vec<GoneStore>,
    beside: Beside,
}

impl Found {
    /// What is known before any region is read.
    pub(super) fn beginning(snapshot: &StopSnapshot, going: &Going, most: usize) -> Self {
        let stores = &snapshot.stores;
        let beside = beside(going, stores, &snapshot.members, &snapshot.health);
        let mut undecided = Vec::new();
        if let Completeness::NotYet(text) = &snapshot.counts {
            undecided.push(Cause::new("counts_incomplete", text.clone()));
        }
        if !snapshot.drains.is_known() {
            let text = format!("which other stores are being drained: {NOT_LOADED}");
            undecided.push(Cause::new("drains_unknown", text));
        }
        let asked = stores.iter().filter(|one| going.asked.contains(&one.id));
        undecided.extend(asked.filter_map(unreadable));
        let mut reasons: Vec<Cause> = beside.quorum_lost.iter().cloned().collect();
        let serves = |store: &Store| going.stays(store.id) && !going.is_tiflash(store.id);
        let is_known = !matches!(snapshot.counts, Completeness::NotYet(_));
        if is_known && snapshot.voting(going).next().is_some() && !stores.iter().any(serves) {
            let text = "no serving TiKV store would be left";
            reasons.push(Cause::new("no_store_left", text));
        }
        Self {
            basis: Basis::Nothing,
            tally: Tally::keeping(most),
            reasons,
            undecided,
            gone: going.gone_stores(stores),
            beside,
        }
    }

    /// The answer; two reads.
    pub(super) async fn finished(
        mut self,
        snapshot: &StopSnapshot,
        tikv: &Tikv,
        going: &Going,
    ) -> Result<StopSafety, Error> {
        if !snapshot.is_led_as_before(tikv).await? {
            let text = "the PD leader changed or restarted in the meantime: try again";
            self.undecided.push(Cause::new("pd_leader_changed", text));
        }
        if self.tally.no_leader > 0 {
            let named = self.tally.no_leader_named.iter().map(ToString::to_string);
            let named: Vec<String> = named.collect();
            let text = format!(
                "PD knows no leader of {} regions with a replica on these stores, such as {}: try again when they have reported, or run `why` for one of them",
                self.tally.no_leader,
                named.join(", ")
            );
            self.undecided.push(Cause::new("no_leader", text));
        }
        let answer = if self.tally.lost_total() > 0 || !self.reasons.is_empty() {
            Safety::NotSafe
        } else if self.undecided.is_empty() {
            Safety::Safe
        } else {
            Safety::NotKnown
        };
        let asked = snapshot.stores.iter();
        let asked = asked.filter(|store| going.asked.contains(&store.id));
        let stores: Vec<AskedStore> = asked.map(|store| shown(store, going)).collect();
        let total = self.tally.lost_total();
        Ok(StopSafety {
            answer,
            summary: self.summary(answer),
            stores,
            unsafe_total: total,
            cut: total > self.tally.regions.len() as u64,
            regions_looked_at: self.tally.looked_at,
            regions: snapshot.regions,
            not_replaced: not_replaced(snapshot, going),
            not_looked_at: self.not_looked_at(),
            reasons: self.reasons,
            unsafe_regions: self.tally.regions,
            undecided: self.undecided,
            counted_as_gone: self.gone,
            pd_members: self.beside.members,
            stores_beside: self.beside.stores,
        })
    }

    fn summary(&self, answer: Safety) -> String {
        let looked_at = self.tally.looked_at;
        match answer {
            Safety::NotSafe => {
                let reasons = self.reasons.iter().map(|cause| cause.text.clone());
                let all: Vec<String> = reasons.chain(self.tally.lost_text()).collect();
                format!("not safe: {}", all.join("; "))
            }
            Safety::NotKnown => {
                let first = self.undecided.first();
                let first = first.map_or("", |cause| cause.text.as_str());
                format!("not known: {first}")
            }
            Safety::Safe => match self.basis {
                Basis::Nothing => "safe: these stores hold no voter".to_owned(),
                Basis::RegionsOfTheStores => format!(
                    "safe: each of the {looked_at} regions that these stores hold keeps its majority"
                ),
                Basis::Lists => format!(
                    "safe: none of the {looked_at} regions that PD lists as unhealthy would lose its majority, and the others have all their voters"
                ),
                Basis::AllRegions => {
                    format!("safe: each of {looked_at} regions keeps its majority")
                }
            },
        }
    }

    fn not_looked_at(&self) -> Vec<String> {
        let mut not = vec![
            "later changes, and what stores have not reported yet: stores report every 10 s, regions every minute, also after a change of the PD leader"
                .to_owned(),
            "whether the other stores can carry the load, and queries that only TiFlash can answer"
                .to_owned(),
        ];
        if self.basis == Basis::Lists {
            not.push(
                "regions that PD does not list as unhealthy: they are assumed to satisfy the placement rules"
                .to_owned(),
            );
        }
        if self.beside.loopback {
            not.push(
                "which PD members run on the hosts of stores whose address does not identify a host, such as 127.0.0.1"
                    .to_owned(),
            );
        }
        not
    }
}

/// A store of which PD shows no more than the id that can be read: it may hold anything.
pub(super) fn unreadable(store: &Store) -> Option<Cause> {
    let id = store.id;
    store.is_unreadable().then(|| {
        let text = format!("cannot read PD's data about store {id}, which may hold anything");
        Cause::new("store_unreadable", text)
    })
}

fn shown(store: &Store, going: &Going) -> AskedStore {
    AskedStore {
        store_id: store.id.into(),
        state: bounded(&state_text(&store.state_name)),
        heard: going.hears(store.id),
        tiflash: store.is_tiflash(),
        regions: store.status.region_count,
    }
}

/// Why what the stores hold has no place on those that stay.
fn not_replaced(snapshot: &StopSnapshot, going: &Going) -> Vec<Cause> {
    let others = snapshot.stores.iter().filter(|one| going.stays(one.id));
    let others: Vec<Store> = others.cloned().collect();
    let rules = snapshot.rules.as_deref();
    let mut causes: Vec<Cause> = Vec::new();
    for store in snapshot.voting(going) {
        for cause in Room::of(store, rules, &snapshot.config, &others).lacking() {
            if !causes.contains(&cause) {
                causes.push(cause);
            }
        }
    }
    causes
}
