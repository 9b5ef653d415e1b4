//! What is read once to tell what PD would say to an operator.

use action_core::{Cause, Verdict};
use pd_client::config::Config;
use pd_client::operators::OperatorReport;
use pd_client::regions::{Peer, PeerRole, Region};
use pd_client::rules::Rule;
use pd_client::stores::{Store, StoreState};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::region::{can_lead, is_healthy};
use crate::facts::store::failure_domain;
use crate::parameters::ids::{RegionId, StoreId};
use crate::pd_rules::leadership::LeaderBlockers;
use crate::pd_rules::operator_priority::{self, Level};
use crate::pd_rules::{refusals, replica_change};

/// A region and what decides about operators on it.
pub(crate) struct RegionSnapshot {
    pub(crate) region: Region,
    pub(crate) running: Option<OperatorReport>,
    pub(crate) config: Config,
    /// Those that are not tombstones.
    pub(crate) stores: Vec<Store>,
    /// `None` when rules are switched off.
    pub(crate) rules: Option<Vec<Rule>>,
}

impl RegionSnapshot {
    /// Five reads; or what PD would say because there is no region, or no cluster.
    pub(crate) async fn read(tikv: &Tikv, id: RegionId) -> Result<Result<Self, Verdict>, Error> {
        match refusals::region(tikv, id).await? {
            Ok(region) => Self::around(tikv, region).await.map(Ok),
            Err(verdict) => Ok(Err(verdict)),
        }
    }

    /// Four reads.
    async fn around(tikv: &Tikv, region: Region) -> Result<Self, Error> {
        let rules = match tikv.pd.rules_for_region(region.id).await {
            // Gone since it was read, which the next plan sees.
            Err(error) if error.is_not_found() => None,
            rules => rules.map_err(Error::Read)?,
        };
        Self::under(tikv, region, rules).await
    }

    /// Three reads, when it is known which rules hold.
    pub(crate) async fn under(
        tikv: &Tikv,
        region: Region,
        rules: Option<Vec<Rule>>,
    ) -> Result<Self, Error> {
        Ok(Self {
            running: tikv.pd.operator(region.id).await.map_err(Error::Read)?,
            config: tikv.pd.config().await.map_err(Error::Read)?,
            stores: tikv.pd.stores().await.map_err(Error::Read)?,
            rules,
            region,
        })
    }

    /// A store; one more read when it is not among those that serve.
    pub(crate) async fn store(&self, tikv: &Tikv, id: StoreId) -> Result<Option<Store>, Error> {
        match self.serving(id) {
            Some(store) => Ok(Some(store.clone())),
            None => tikv.pd.store(id.pd()).await.map_err(Error::Read),
        }
    }

    pub(crate) fn serving(&self, id: StoreId) -> Option<&Store> {
        self.stores.iter().find(|store| store.id == id.pd())
    }

    pub(crate) fn leader(&self) -> Option<StoreId> {
        self.region.leader.map(|leader| leader.store_id.into())
    }

    pub(crate) fn occupied(&self, new: Level) -> Option<Verdict> {
        operator_priority::occupied(self.running.as_ref(), new, &self.config.schedule)
    }

    /// What PD says to a region it cannot work on.
    pub(crate) fn not_buildable(&self, may_be_joint: bool) -> Option<Verdict> {
        replica_change::not_buildable(&self.region, self.rules.as_deref(), may_be_joint)
    }

    /// What PD says when these replicas are to be all: whether one may lead. Asks for who keeps
    /// leaders away in no more than `reads`.
    pub(crate) async fn no_valid_leader(
        &self,
        tikv: &Tikv,
        target: &[Peer],
        reads: usize,
    ) -> Result<Option<Verdict>, Error> {
        let leader = self.region.leader.map(|leader| leader.store_id);
        let votes = |peer: &&Peer| peer.role != PeerRole::Learner;
        if !target.iter().any(|peer| votes(&peer)) {
            let text = "cannot create operator: target peers have no voter";
            return Ok(Some(refusals::rejected("no_voter_left", text)));
        }
        let leads_on = |peer: &&Peer| Some(peer.store_id) == leader && can_lead(peer);
        if target.iter().any(|peer| leads_on(&peer)) {
            return Ok(None);
        }
        let leader_blockers = LeaderBlockers::read(tikv, &self.config, reads).await?;
        let rules = self.rules.as_deref();
        Ok(replica_change::no_valid_leader(
            &self.region,
            target,
            &self.config,
            |peer| {
                let store = self.serving(peer.store_id.into());
                leader_blockers.lets_lead(store, rules)
            },
        ))
    }

    /// What keeps an accepted change from getting on: commands go by way of the region's leader,
    /// and snapshots to the target.
    pub(crate) fn obstacles(&self, target: Option<&Store>) -> Vec<Cause> {
        let mut causes = Vec::new();
        if let Some(store) = target.filter(|store| store.state_name != StoreState::Up) {
            let text = format!("store {} is not Up", store.id);
            causes.push(Cause::new("target_not_up", text));
        }
        if let Some(leader) = self.leader() {
            let silent = self.serving(leader).is_none_or(|store| {
                matches!(
                    store.state_name,
                    StoreState::Disconnected | StoreState::Down
                )
            });
            if silent {
                let text = format!("PD does not hear of store {leader}, which leads the region");
                causes.push(Cause::new("leader_silent", text));
            }
        }
        causes
    }

    /// Whether a change that PD accepts gets on.
    pub(crate) fn accepted(&self, new: Level, target: Option<&Store>) -> Verdict {
        if let Some(verdict) = self.occupied(new) {
            return verdict;
        }
        let causes = self.obstacles(target);
        if causes.is_empty() {
            Verdict::WouldProceed
        } else {
            Verdict::AcceptedButWillNotProgress { causes }
        }
    }

    /// What fails together with a store: the largest location label it has, or itself.
    pub(crate) fn domain(&self, id: StoreId) -> String {
        let store = self.serving(id);
        failure_domain(id, store, &self.config)
    }

    /// How many replicas the rules want; `None` when there are no rules.
    pub(crate) fn wanted_replicas(&self) -> Option<usize> {
        let rules = self.rules.as_ref()?;
        let wanted: u64 = rules.iter().map(|rule| rule.count).sum();
        usize::try_from(wanted).ok()
    }

    /// Replicas that do not answer or lag behind, besides one.
    pub(crate) fn unhealthy_besides(&self, id: StoreId) -> usize {
        let others = self.region.peers.iter();
        others
            .filter(|peer| peer.store_id != id.pd() && !is_healthy(&self.region, peer))
            .count()
    }
}
