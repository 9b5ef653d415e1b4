//! Why the last replicas do not leave a store that is being emptied.
//!
//! By `CheckWithFit` and `tryAddOperators` of `pkg/schedule/checker/` (`rule_checker.go`,
//! `checker_controller.go`): a region without a leader and one that has an operator are passed over;
//! the joint-state checker and lost replicas come before a replica on an offline store.

use std::collections::BTreeMap;
use std::slice;

use action_core::Cause;
use pd_client::config::Config;
use pd_client::operators::Operator;
use pd_client::regions::Region;
use pd_client::rules::{RegionFit, Rule};
use pd_client::stores::Store;
use pd_client::{RegionId, StoreId};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded;
use crate::facts::region::in_joint_state;
use crate::facts::store_regions::StoreRegions;
use crate::pd_rules::leader_silent::is_silent;
use crate::pd_rules::majority::majority_lost;
use crate::pd_rules::offline_blockers::unhealthy::listed_as_unhealthy;
use crate::pd_rules::rule_holds::{HoldKind, RuleHold, RuleHolds};

mod unhealthy;

/// PD lists all regions of a store or none: of a store with more they are not asked for.
pub(crate) const MOST_ON_STORE: u64 = 1_000;

/// So many regions are named.
const NAMED: usize = 5;

/// What holds a region where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hold {
    /// PD knows of no leader.
    NoLeader,
    /// PD does not hear of the store that leads it.
    LeaderSilent,
    /// Too few of its voters answer.
    MajorityLost,
    /// It is between two sets of voters.
    JointState,
    /// A replica elsewhere does not answer.
    PeerDown,
    /// A replica lags behind.
    PeerPending,
    /// Placement rules hold a replica there.
    Rule(HoldKind),
    /// An operator is on it that does something else.
    Operator,
    /// An operator moves it off the store.
    Leaving,
}

/// Regions that are held for one reason.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) hold: Hold,
    pub(crate) regions: Vec<RegionId>,
    pub(crate) text: String,
}

/// What is left on a store that is being emptied.
#[derive(Debug, Default)]
pub(crate) struct LeftOnStore {
    pub(crate) held: Vec<Held>,
    /// Regions that nothing was seen to hold.
    pub(crate) free: Vec<RegionId>,
    /// What was not looked at.
    pub(crate) not_read: Vec<String>,
}

impl LeftOnStore {
    /// One read, or four where the store holds many regions; where rules may hold some, up to nine
    /// more.
    pub(crate) async fn read(
        tikv: &Tikv,
        store: &Store,
        (config, stores): (&Config, &[Store]),
        rules: Option<&[Rule]>,
        operators: &[Operator],
    ) -> Result<Self, Error> {
        let mut not_read = Vec::new();
        let regions = if store.status.region_count <= MOST_ON_STORE {
            let StoreRegions { regions, unlisted } = StoreRegions::read(tikv, store).await?;
            not_read.extend(unlisted);
            regions
        } else {
            let id = store.id;
            let text = format!(
                "store {id} holds more than {MOST_ON_STORE} regions, too many to list: only regions that lack a replica, or whose replicas lag or do not respond, were checked"
            );
            not_read.push(text);
            listed_as_unhealthy(tikv, store, &mut not_read).await?
        };
        let mut left = Self::of(&regions, store, stores, operators);
        left.not_read = not_read;
        if left.free.is_empty() {
            return Ok(left);
        }
        let cluster = (config, stores);
        if let Some(holds) = RuleHolds::possible(tikv, store, cluster, rules).await? {
            let mut held = holds.held(left.free_of(&regions));
            holds.confirm(tikv, &mut held).await?;
            left.add(held, store);
        }
        Ok(left)
    }

    /// The same of one region, with how its replicas fit its rules; `None` when rules are switched
    /// off. One read at most.
    pub(crate) async fn of_region(
        tikv: &Tikv,
        store: &Store,
        (config, stores): (&Config, &[Store]),
        (region, fit): (&Region, Option<&RegionFit>),
        operators: &[Operator],
    ) -> Result<Self, Error> {
        let mut left = Self::of(slice::from_ref(region), store, stores, operators);
        let (false, Some(fit)) = (left.free.is_empty(), fit) else {
            return Ok(left);
        };
        let rules: Vec<Rule> = fit.rule_fits.iter().map(|one| one.rule.clone()).collect();
        let cluster = (config, stores);
        if let Some(holds) = RuleHolds::possible(tikv, store, cluster, Some(&rules)).await? {
            let held = holds.found_by_pd(region, fit).into_iter();
            left.add(held.map(|hold| (hold, vec![region])).collect(), store);
        }
        Ok(left)
    }

    /// The regions of these that nothing holds so far.
    pub(crate) fn free_of<'r>(&self, regions: &'r [Region]) -> impl Iterator<Item = &'r Region> {
        let free = self.free.clone();
        regions
            .iter()
            .filter(move |region| free.contains(&region.id))
    }

    /// Regions that rules hold.
    pub(crate) fn add(&mut self, held: BTreeMap<RuleHold, Vec<&Region>>, store: &Store) {
        for (by, regions) in held {
            let ids: Vec<RegionId> = regions.iter().map(|region| region.id).collect();
            self.free.retain(|id| !ids.contains(id));
            self.held.push(Held {
                hold: Hold::Rule(by.kind),
                text: by.text(&named(&ids), store),
                regions: ids,
            });
        }
    }

    /// What holds these regions.
    pub(crate) fn of(
        regions: &[Region],
        store: &Store,
        stores: &[Store],
        operators: &[Operator],
    ) -> Self {
        let mut left = Self::default();
        let mut held: BTreeMap<Hold, Vec<&Region>> = BTreeMap::new();
        for region in regions {
            match hold(region, store, stores, operators) {
                Some(hold) => held.entry(hold).or_default().push(region),
                None => left.free.push(region.id),
            }
        }
        let held = held.into_iter();
        left.held = held
            .map(|(hold, regions)| Held::new(hold, &regions, operators))
            .collect();
        left
    }

    /// What holds them, and what was not looked at, each after a semicolon.
    pub(crate) fn text(&self) -> String {
        let held = self.held.iter().map(|held| &held.text);
        let texts = held.chain(&self.not_read);
        texts.map(|text| format!("; {text}")).collect()
    }

    /// What does not pass by itself, where that is all there is.
    pub(crate) fn stalled(&self) -> Vec<Cause> {
        let is_all = self.free.is_empty() && self.not_read.is_empty();
        if is_all && self.held.iter().all(Held::stays) {
            self.causes(Held::stays)
        } else {
            Vec::new()
        }
    }

    /// What does not pass by itself, whatever PD does.
    pub(crate) fn staying(&self) -> Vec<Cause> {
        self.causes(|held| held.stays() && held.hold != Hold::LeaderSilent)
    }

    /// What may or may not hold them: PD sends to leaders on silent stores as well.
    pub(crate) fn undecided(&self) -> Vec<Cause> {
        self.causes(|held| held.hold == Hold::LeaderSilent)
    }

    fn causes(&self, are_meant: impl Fn(&Held) -> bool) -> Vec<Cause> {
        let meant = self.held.iter().filter(|held| are_meant(held));
        meant
            .map(|held| Cause::new(held.hold.code(), held.text.clone()))
            .collect()
    }
}

impl Hold {
    /// The stable code of the reason.
    fn code(self) -> &'static str {
        match self {
            Self::NoLeader => "region_without_leader",
            Self::LeaderSilent => "leader_silent",
            Self::MajorityLost => "majority_lost",
            Self::JointState => "joint_state",
            Self::PeerDown => "peer_down",
            Self::PeerPending => "peer_pending",
            Self::Rule(kind) => kind.code(),
            Self::Operator | Self::Leaving => "operator_in_the_way",
        }
    }
}

impl Held {
    fn stays(&self) -> bool {
        matches!(
            self.hold,
            Hold::NoLeader | Hold::LeaderSilent | Hold::MajorityLost | Hold::Rule(_)
        )
    }

    fn new(hold: Hold, regions: &[&Region], operators: &[Operator]) -> Self {
        let ids: Vec<RegionId> = regions.iter().map(|region| region.id).collect();
        let named = named(&ids);
        let text = match hold {
            Hold::NoLeader => format!("PD knows no leader of {named}"),
            Hold::LeaderSilent => format!("the store that leads {named} sends no heartbeats"),
            Hold::MajorityLost => format!("{named}: fewer voters respond than a majority"),
            Hold::JointState => format!("{named}: in a joint state between two sets of voters"),
            Hold::PeerDown => format!("{named}: a replica on another store does not respond"),
            Hold::PeerPending => format!("{named}: a replica lags behind"),
            Hold::Rule(_) => named,
            Hold::Operator | Hold::Leaving => {
                let does = match hold {
                    Hold::Leaving => "moves its replica off the store",
                    _ => "is running",
                };
                let on_first = operators
                    .iter()
                    .find(|one| one.region_id == ids.first().copied());
                let what = on_first.map_or_else(String::new, |one| {
                    let such = if ids.len() > 1 { "such as " } else { "" };
                    format!(" ({such}`{}`)", bounded(&one.desc))
                });
                format!("{named}: an operator {does}{what}")
            }
        };
        Self {
            hold,
            regions: ids,
            text,
        }
    }
}

/// Regions as text, such as `region 17` or `3 regions (17, 18, 19)`.
pub(crate) fn named(ids: &[RegionId]) -> String {
    if let [id] = ids {
        return format!("region {id}");
    }
    let some: Vec<String> = ids.iter().take(NAMED).map(ToString::to_string).collect();
    let more = match ids.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{} regions ({}{more})", ids.len(), some.join(", "))
}

fn hold(region: &Region, store: &Store, stores: &[Store], operators: &[Operator]) -> Option<Hold> {
    let Some(leader) = region.leader else {
        return Some(Hold::NoLeader);
    };
    let silent = |one: &Store| one.id == leader.store_id && is_silent(one);
    let has_operator = |one: &&Operator| one.region_id == Some(region.id);
    let elsewhere = |id| id != store.id;
    if stores.iter().any(silent) {
        Some(Hold::LeaderSilent)
    } else if majority_lost(region, stores).is_some() {
        Some(Hold::MajorityLost)
    } else if let Some(operator) = operators.iter().find(has_operator) {
        Some(match moves_off(operator, store.id) {
            true => Hold::Leaving,
            false => Hold::Operator,
        })
    } else if region.peers.iter().any(in_joint_state) {
        Some(Hold::JointState)
    } else if (region.down_peers.iter()).any(|down| elsewhere(down.peer.store_id)) {
        Some(Hold::PeerDown)
    } else if (region.pending_peers.iter()).any(|peer| elsewhere(peer.store_id)) {
        Some(Hold::PeerPending)
    } else {
        None
    }
}

/// Whether an operator takes a replica from the store, by its steps: `RemovePeer` of
/// `pkg/schedule/operator/step.go`. Its brief may name several stores, and where a learner is
/// promoted as well PD exchanges the two (`brief` of `builder.go`).
fn moves_off(operator: &Operator, store: StoreId) -> bool {
    let removes = format!("remove peer on store {store}");
    operator.steps.contains(&removes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An operator of these steps moves something off these stores, and no others.
    #[track_caller]
    fn check(brief: &str, steps: &[&str], expected: &[u64]) {
        let mut operator = Operator::default();
        operator.brief = brief.to_owned();
        operator.steps = steps.iter().map(ToString::to_string).collect();
        let moves = |id: &u64| moves_off(&operator, StoreId::new(*id).unwrap());
        let moved: Vec<u64> = (1..=40).filter(moves).collect();
        assert_eq!(moved, expected, "{brief}");
    }

    #[test]
    fn the_store_that_a_replica_leaves_is_that_of_the_step() {
        check(
            "mv peer: store [3] to [5]",
            &["add learner peer 9 on store 5", "remove peer on store 3"],
            &[3],
        );
        check(
            "mv peer: store [3 4] to [5 6]",
            &["remove peer on store 3", "remove peer on store 4"],
            &[3, 4],
        );
        check("rm peer: store [34]", &["remove peer on store 34"], &[34]);
        // PD's own words name the stores the wrong way round.
        check(
            "promote peer: store [3], rm peer: store [5]",
            &[
                "promote learner peer 9 on store 5 to voter",
                "remove peer on store 3",
            ],
            &[3],
        );
        check(
            "transfer leader: store 3 to 5",
            &["transfer leader from store 3 to store 5"],
            &[],
        );
    }
}
