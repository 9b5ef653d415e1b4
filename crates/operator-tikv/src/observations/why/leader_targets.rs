//! The stores that could lead instead, and what would make one of them take leaders.

use std::collections::BTreeMap;

use action_core::Finding;
use pd_client::StoreId;
use pd_client::regions::{Peer, PeerRole, Region};
use pd_client::rules::Rule;
use pd_client::stores::{Store, StoreState};

use crate::facts::region::{is_healthy, named_peers};
use crate::facts::store::named;
use crate::observations::reasons;
use crate::observations::why::snapshot::WhySnapshot;
use crate::observations::why::target::{SLOW, kept_by, refused_label};
use crate::pd_rules::leadership::GRANT_LEADER;
use crate::pd_rules::placement::rules_let_lead;

/// Why a store is given no leaders.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Refusal {
    Silent,
    NotServing,
    TiFlash,
    Drained,
    Busy,
    Slow,
    KeptBy(&'static str),
    Paused,
    Label(String),
    Rules,
}

impl Refusal {
    fn of(snapshot: &WhySnapshot, store: &Store, rules: Option<&[Rule]>) -> Option<Self> {
        match store.state_name {
            StoreState::Up => {}
            StoreState::Disconnected | StoreState::Down => return Some(Self::Silent),
            _ => return Some(Self::NotServing),
        }
        let status = &store.status;
        if store.is_tiflash() {
            Some(Self::TiFlash)
        } else if snapshot.is_draining(store.id) {
            Some(Self::Drained)
        } else if status.is_busy {
            Some(Self::Busy)
        } else if status.slow_score >= SLOW {
            Some(Self::Slow)
        } else if let Some(by) = kept_by(snapshot, store) {
            Some(Self::KeptBy(by))
        } else if status.pause_leader_transfer_in == Some(true) {
            Some(Self::Paused)
        } else if let Some(label) = refused_label(snapshot, store) {
            Some(Self::Label(label))
        } else {
            (!rules_let_lead(rules, store)).then_some(Self::Rules)
        }
    }

    /// What is said of such stores.
    fn text(&self) -> String {
        match self {
            Self::Silent => "no heartbeats".to_owned(),
            Self::NotServing => "offline or gone".to_owned(),
            Self::TiFlash => "TiFlash, never leads".to_owned(),
            Self::Drained => "being drained of leaders".to_owned(),
            Self::Busy => "busy".to_owned(),
            Self::Slow => "high slow score".to_owned(),
            Self::KeptBy(by) => format!("`{by}` keeps leaders away from it"),
            Self::Paused => "a scheduler keeps leaders away from it".to_owned(),
            Self::Label(label) => format!("its label `{label}` refuses leaders"),
            Self::Rules => "the placement rules do not let it lead".to_owned(),
        }
    }

    /// What makes these stores take leaders; `None` where nothing does.
    fn step(&self, stores: &str) -> Option<String> {
        Some(match self {
            Self::Silent => format!("start {stores}"),
            Self::NotServing | Self::TiFlash => return None,
            Self::Drained => format!(
                "find out who drains {stores}, and stop the drain (`stop_drain`) once they are done"
            ),
            Self::Busy => format!("wait until {stores} reports less load"),
            Self::Slow => format!("check the disk of {stores}"),
            Self::KeptBy(GRANT_LEADER) => {
                format!(
                    "find out who granted leaders to {stores}, and whether that is still needed"
                )
            }
            Self::KeptBy(_) => format!("check the disk and the network of {stores}"),
            Self::Paused => {
                format!("find out which scheduler keeps leaders away from {stores}, and why")
            }
            Self::Label(_) => format!("find out who gave {stores} that label"),
            Self::Rules => {
                format!("find out who set the placement rules that keep {stores} from leading")
            }
        })
    }
}

/// Stores that take no leaders, by why.
#[derive(Default)]
struct Refusals(BTreeMap<Refusal, Vec<StoreId>>);

impl Refusals {
    /// Why none of these stores takes leaders; `None` when one does.
    fn of<'a>(
        snapshot: &'a WhySnapshot,
        stores: impl Iterator<Item = (StoreId, Option<&'a Store>)>,
        rules: Option<&[Rule]>,
    ) -> Option<Self> {
        let mut refusals = Self::default();
        for (id, store) in stores {
            let refusal = match store {
                Some(store) => Refusal::of(snapshot, store, rules)?,
                None => Refusal::NotServing,
            };
            refusals.0.entry(refusal).or_default().push(id);
        }
        Some(refusals)
    }

    fn text(&self) -> String {
        let texts = self.0.iter();
        let texts = texts.map(|(refusal, stores)| format!("{}: {}", named(stores), refusal.text()));
        texts.collect::<Vec<_>>().join("; ")
    }

    /// The next step, of what would work; empty when nothing would.
    fn next(&self) -> String {
        let steps = self.0.iter();
        let steps = steps.filter_map(|(refusal, stores)| refusal.step(&named(stores)));
        let steps = steps.collect::<Vec<_>>().join("; ");
        let mut letters = steps.chars();
        match letters.next() {
            Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
            None => steps,
        }
    }
}

/// No other replica of the region may lead it. Replicas that do not answer are told of themselves.
pub(super) fn none_for(
    snapshot: &WhySnapshot,
    region: &Region,
    rules: Option<&[Rule]>,
) -> Option<Finding> {
    let is_well = region.down_peers.is_empty() && region.pending_peers.is_empty();
    if !is_well {
        return None;
    }
    let id = region.id;
    let leads = |peer: &Peer| region.leader.is_some_and(|leader| leader.id == peer.id);
    let may_vote = |peer: &&Peer| {
        let votes = matches!(peer.role, PeerRole::Voter | PeerRole::IncomingVoter);
        !leads(peer) && votes && is_healthy(region, peer)
    };
    let others = region.peers.iter().filter(may_vote);
    let stores = others.map(|peer| (peer.store_id, snapshot.store(peer.store_id)));
    let refusals = Refusals::of(snapshot, stores, rules)?;
    let text = match refusals.text() {
        none if none.is_empty() => format!("region {id} has no other voter"),
        text => format!("no store with another voter of region {id} can lead it ({text})"),
    };
    let all: Vec<&Peer> = region.peers.iter().collect();
    let found = reasons::NO_LEADER_TARGET.found(format!("region/{id}"), text);
    let found = found.next(refusals.next());
    Some(found.seen(
        format!("GET /pd/api/v1/region/id/{id}"),
        "peers",
        named_peers(&all),
    ))
}

/// The leaders of a drained store have nowhere to go.
pub(super) fn none_besides(snapshot: &WhySnapshot, store: &Store) -> Option<Finding> {
    let leaders = store.status.leader_count;
    if leaders == 0 {
        return None;
    }
    let others = snapshot.stores.iter().filter(|other| other.id != store.id);
    let stores = others.map(|other| (other.id, Some(other)));
    let refusals = Refusals::of(snapshot, stores, snapshot.rules.as_deref())?;
    let text = match refusals.text() {
        none if none.is_empty() => "there is no other store".to_owned(),
        text => format!("no other store can take leaders ({text})"),
    };
    let found = reasons::NO_LEADER_TARGET.found(format!("store/{}", store.id), text);
    let source = format!("GET /pd/api/v1/store/{}", store.id);
    Some(
        found
            .next(refusals.next())
            .seen(source, "leader_count", leaders),
    )
}
