//! The steps of a plan: one change by itself, several in a joint state.

use crate::cluster::Cluster;
use crate::cluster::operator::Kind;
use crate::cluster::plan::{Difference, Plan};
use crate::cluster::region::{Peer, Role};
use crate::cluster::step::{On, Step};
use crate::cluster::store::StoreState;

impl Plan {
    /// At most one peer changes, or joint consensus is off: one change after the other.
    pub(super) fn single_change(
        &self,
        cluster: &Cluster,
        difference: Difference,
        mut kind: Kind,
    ) -> Result<(Vec<Step>, Kind), String> {
        let mut steps = Vec::new();
        let mut leader = self.origin.leader.unwrap_or(0);
        let transfer = |from: u64, to: u64| Step::TransferLeader {
            from,
            to,
            also: self.target_leaders.clone(),
        };
        let goal = self
            .target_leader
            .or_else(|| self.best_leader(cluster, &difference));
        for peer in &difference.add {
            steps.push(Step::AddLearner(peer.into()));
            if peer.is_voter() {
                steps.push(Step::PromoteLearner(peer.into()));
            }
            kind = kind.with(Kind::REGION);
        }
        for peer in &difference.promote {
            steps.push(Step::PromoteLearner(peer.into()));
        }
        // A voter becomes a learner by going and coming back.
        let demoted = difference.demote.iter();
        let gone = difference.remove.iter().chain(demoted.clone());
        for peer in gone {
            if peer.store_id == leader {
                let Some(to) = goal else {
                    return Err(
                        "fail to build operator: plan is empty, maybe no valid leader".to_owned(),
                    );
                };
                steps.push(transfer(leader, to));
                leader = to;
                kind = kind.with(Kind::LEADER);
            }
            steps.push(Step::RemovePeer(peer.into()));
            kind = kind.with(Kind::REGION);
        }
        steps.extend(demoted.map(|peer| Step::AddLearner(peer.into())));
        if let Some(to) = goal
            && to != leader
        {
            steps.push(transfer(leader, to));
            kind = kind.with(Kind::LEADER);
        }
        if steps.is_empty() {
            return Err("no operator step is built".to_owned());
        }
        Ok((steps, kind))
    }

    /// Several peers change: add learners, swap roles in a joint state, remove learners.
    pub(super) fn joint_change(
        &self,
        cluster: &Cluster,
        difference: Difference,
        mut kind: Kind,
    ) -> Result<(Vec<Step>, Kind), String> {
        let goal = self
            .target_leader
            .or_else(|| self.best_leader(cluster, &difference))
            .ok_or("no valid leader")?;
        let origin_leader = self.origin.leader.unwrap_or(0);
        let mut steps: Vec<Step> = difference
            .add
            .iter()
            .map(|peer| Step::AddLearner(peer.into()))
            .collect();
        let promote = with_voters(&difference.promote, &difference.add);
        let demote = with_voters(&difference.demote, &difference.remove);
        if !difference.add.is_empty() || !difference.remove.is_empty() {
            kind = kind.with(Kind::REGION);
        }
        let transfer = (goal != origin_leader).then(|| Step::TransferLeader {
            from: origin_leader,
            to: goal,
            also: self.target_leaders.clone(),
        });
        if transfer.is_some() {
            kind = kind.with(Kind::LEADER);
        }
        let enter = (promote.len() + demote.len() > 0).then(|| Step::EnterJoint {
            promote: promote.clone(),
            demote: demote.clone(),
        });
        let leave =
            (promote.len() + demote.len() > 1).then_some(Step::LeaveJoint { promote, demote });
        let was_voter = self.origin.voter_on(goal).is_some();
        let origin_leader_stays = self
            .target
            .iter()
            .any(|peer| peer.store_id == origin_leader && peer.is_voter());
        if was_voter {
            steps.extend(transfer);
            steps.extend(enter);
            steps.extend(leave);
        } else if origin_leader_stays {
            steps.extend(enter);
            steps.extend(leave);
            steps.extend(transfer);
        } else {
            steps.extend(enter);
            steps.extend(transfer);
            steps.extend(leave);
        }
        let removed = difference.remove.iter();
        steps.extend(removed.map(|peer| Step::RemovePeer(peer.into())));
        Ok((steps, kind))
    }

    /// The store that should lead in the end: an Up one, the current leader, an old voter.
    fn best_leader(&self, cluster: &Cluster, difference: &Difference) -> Option<u64> {
        let mut candidates: Vec<&Peer> = self
            .target
            .iter()
            .filter(|peer| self.may_lead(cluster, peer))
            .collect();
        candidates.sort_unstable_by_key(|peer| {
            let id = peer.store_id;
            let up = cluster
                .stores
                .get(&id)
                .is_some_and(|store| store.state == StoreState::Up);
            let kept = difference
                .promote
                .iter()
                .chain(&difference.add)
                .all(|p| p.store_id != id);
            (!up, self.origin.leader != Some(id), !kept, id)
        });
        candidates.first().map(|peer| peer.store_id)
    }

    pub(super) fn may_lead(&self, cluster: &Cluster, peer: &Peer) -> bool {
        matches!(peer.role, Role::Voter | Role::IncomingVoter)
            && (self.origin.leader == Some(peer.store_id)
                || (cluster.takes_leaders(peer.store_id)
                    && cluster.rules_let_lead(&self.origin, peer.store_id)))
    }
}

/// The peers, and the voters of more, in the order of their stores.
fn with_voters(peers: &[Peer], more: &[Peer]) -> Vec<On> {
    let voters = more.iter().filter(|peer| peer.is_voter());
    let known = peers.iter().chain(voters).filter(|peer| peer.id != 0);
    let mut on: Vec<On> = known.map(On::from).collect();
    on.sort_unstable_by_key(|on| on.store_id);
    on
}
