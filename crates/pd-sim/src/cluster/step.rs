//! The steps operators are made of: their text, their time limit, when they are finished.

use std::fmt::{self, Write as _};
use std::time::Duration;

use crate::cluster::region::{Key, Peer, Region, Role};

/// A peer named in a step: its id and its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct On {
    pub(crate) peer_id: u64,
    pub(crate) store_id: u64,
}

impl From<&Peer> for On {
    fn from(peer: &Peer) -> Self {
        Self {
            peer_id: peer.id,
            store_id: peer.store_id,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    TransferLeader {
        from: u64,
        to: u64,
        /// Other stores that are as good, where the scheduler names several.
        also: Vec<u64>,
    },
    AddLearner(On),
    PromoteLearner(On),
    EnterJoint {
        promote: Vec<On>,
        demote: Vec<On>,
    },
    LeaveJoint {
        promote: Vec<On>,
        demote: Vec<On>,
    },
    RemovePeer(On),
    Split {
        start_key: Key,
        end_key: Key,
        policy: SplitPolicy,
        keys: Vec<String>,
    },
    /// `passive` is the side that grows.
    Merge {
        source: u64,
        target: u64,
        target_start: Key,
        target_end: Key,
        passive: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SplitPolicy {
    Scan,
    Approximate,
    UseKey,
}

impl SplitPolicy {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "SCAN" => Some(Self::Scan),
            "APPROXIMATE" => Some(Self::Approximate),
            "USEKEY" => Some(Self::UseKey),
            _ => None,
        }
    }
}

impl fmt::Display for SplitPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scan => "SCAN",
            Self::Approximate => "APPROXIMATE",
            Self::UseKey => "USEKEY",
        })
    }
}

impl Step {
    /// How long the step may take on a region of `size` MiB.
    pub(crate) fn timeout(&self, size: i64) -> Duration {
        let size = u64::try_from(size).unwrap_or(0);
        let fast = Duration::from_secs((size * 6 / 10).max(60));
        let slow = Duration::from_secs((size * 6).max(600));
        match self {
            Self::AddLearner(_) => slow,
            Self::EnterJoint { promote, demote } | Self::LeaveJoint { promote, demote } => {
                let changes = u32::try_from(promote.len() + demote.len()).unwrap_or(u32::MAX);
                fast.saturating_mul(changes.saturating_add(1))
            }
            Self::Merge { .. } => fast * 10,
            _ => fast,
        }
    }

    pub(crate) fn is_finished(&self, region: &Region) -> bool {
        let voter = |on: &On| {
            region
                .voter_on(on.store_id)
                .is_some_and(|peer| peer.id == on.peer_id)
        };
        match self {
            Self::TransferLeader { to, also, .. } => region
                .leader
                .is_some_and(|leader| leader == *to || also.contains(&leader)),
            Self::AddLearner(on) => {
                region
                    .peer_on(on.store_id)
                    .is_some_and(|peer| peer.id == on.peer_id && peer.role == Role::Learner)
                    && !region.pending.contains(&on.store_id)
            }
            Self::PromoteLearner(on) => voter(on) && !region.pending.contains(&on.store_id),
            Self::EnterJoint { promote, demote } => {
                promote
                    .iter()
                    .all(|on| has_role(region, on, &[Role::Voter, Role::IncomingVoter]))
                    && demote
                        .iter()
                        .all(|on| has_role(region, on, &[Role::Learner, Role::DemotingVoter]))
            }
            Self::LeaveJoint { promote, demote } => {
                promote
                    .iter()
                    .all(|on| has_role(region, on, &[Role::Voter]))
                    && demote
                        .iter()
                        .all(|on| has_role(region, on, &[Role::Learner]))
                    && !region.in_joint_state()
            }
            Self::RemovePeer(on) => region.peer_on(on.store_id).is_none(),
            Self::Split {
                start_key, end_key, ..
            } => region.start_key != *start_key || region.end_key != *end_key,
            Self::Merge {
                target_start,
                target_end,
                passive,
                ..
            } => *passive && (region.start_key != *target_start || region.end_key != *target_end),
        }
    }

    /// By how much the step, as far as it got, has raised `conf_ver`.
    pub(crate) fn conf_ver_changed(&self, region: &Region) -> u64 {
        let changes = |promote: &[On], demote: &[On]| (promote.len() + demote.len()) as u64;
        match self {
            Self::TransferLeader { .. } | Self::Split { .. } | Self::Merge { .. } => 0,
            Self::AddLearner(on) => u64::from(
                region
                    .peer_on(on.store_id)
                    .is_some_and(|peer| peer.id == on.peer_id),
            ),
            Self::PromoteLearner(on) => u64::from(has_role(region, on, &[Role::Voter])),
            Self::EnterJoint { promote, demote } => {
                let entered = promote
                    .iter()
                    .all(|on| has_role(region, on, &[Role::Voter, Role::IncomingVoter]))
                    && demote.iter().all(|on| {
                        region.peer_on(on.store_id).is_none()
                            || has_role(region, on, &[Role::Learner, Role::DemotingVoter])
                    });
                if entered { changes(promote, demote) } else { 0 }
            }
            Self::LeaveJoint { promote, demote } => {
                let left = promote
                    .iter()
                    .all(|on| has_role(region, on, &[Role::Voter]))
                    && demote.iter().all(|on| {
                        region.peer_on(on.store_id).is_none()
                            || has_role(region, on, &[Role::Learner])
                    });
                if left { changes(promote, demote) } else { 0 }
            }
            Self::RemovePeer(on) => u64::from(
                region
                    .peer_on(on.store_id)
                    .is_none_or(|peer| peer.id != on.peer_id),
            ),
        }
    }

    /// Whether the region no longer is what the step was made for.
    pub(crate) fn is_stale(&self, region: &Region) -> bool {
        match self {
            Self::TransferLeader { to, .. } => region.voter_on(*to).is_none(),
            Self::AddLearner(on) => region
                .peer_on(on.store_id)
                .is_some_and(|peer| peer.id != on.peer_id || peer.role != Role::Learner),
            Self::PromoteLearner(on) => region
                .peer_on(on.store_id)
                .is_none_or(|peer| peer.id != on.peer_id),
            Self::EnterJoint { promote, demote } | Self::LeaveJoint { promote, demote } => {
                promote.iter().chain(demote).any(|on| {
                    region
                        .peer_on(on.store_id)
                        .is_none_or(|peer| peer.id != on.peer_id)
                })
            }
            Self::RemovePeer(on) => region.leader == Some(on.store_id),
            Self::Split { .. } | Self::Merge { .. } => false,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TransferLeader { from, to, .. } => {
                write!(f, "transfer leader from store {from} to store {to}")
            }
            Self::AddLearner(on) => {
                write!(
                    f,
                    "add learner peer {} on store {}",
                    on.peer_id, on.store_id
                )
            }
            Self::PromoteLearner(on) => write!(
                f,
                "promote learner peer {} on store {} to voter",
                on.peer_id, on.store_id
            ),
            Self::EnterJoint { promote, demote } => {
                f.write_str("use joint consensus")?;
                f.write_str(&joint_changes(promote, demote))
            }
            Self::LeaveJoint { promote, demote } => {
                f.write_str("leave joint state")?;
                f.write_str(&joint_changes(promote, demote))
            }
            Self::RemovePeer(on) => write!(f, "remove peer on store {}", on.store_id),
            Self::Split { policy, .. } => write!(f, "split region with policy {policy}"),
            Self::Merge { source, target, .. } => {
                write!(f, "merge region {source} into region {target}")
            }
        }
    }
}

fn has_role(region: &Region, on: &On, roles: &[Role]) -> bool {
    region
        .peer_on(on.store_id)
        .is_some_and(|peer| peer.id == on.peer_id && roles.contains(&peer.role))
}

fn joint_changes(promote: &[On], demote: &[On]) -> String {
    let mut text = String::new();
    for on in promote {
        let _ = write!(
            text,
            ", promote learner peer {} on store {} to voter",
            on.peer_id, on.store_id
        );
    }
    for on in demote {
        let _ = write!(
            text,
            ", demote voter peer {} on store {} to learner",
            on.peer_id, on.store_id
        );
    }
    text
}
