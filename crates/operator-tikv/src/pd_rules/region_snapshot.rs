//! What is read once to tell what PD would say to an operator.

use std::collections::BTreeSet;

use action_core::{Cause, Plan, Verdict};
use futures_util::future::try_join_all;
use pd_client::config::Config;
use pd_client::operators::OperatorReport;
use pd_client::regions::{Peer, Region};
use pd_client::rules::{RegionFit, Rule};
use pd_client::stores::{Store, StoreState};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::region::{RegionFacts, is_healthy};
use crate::facts::store::failure_domain;
use crate::facts::traces::Traces;
use crate::parameters::ids::{RegionId, StoreId};
use crate::pd_rules::leader_silent::{is_silent, leader_silent};
use crate::pd_rules::majority::{majority_lost, majority_of_rest};
use crate::pd_rules::operator_priority::{Level, check_free};
use crate::pd_rules::placement::rules_of;
use crate::pd_rules::refusals;
use crate::pd_rules::stop::{Checked, accepted_unless, not_asked_for};

/// A region and what decides about operators on it.
pub(crate) struct RegionSnapshot {
    pub(crate) region: Region,
    /// The operator that runs there, or the last that ended.
    pub(crate) running: Option<OperatorReport>,
    pub(crate) config: Config,
    /// Those that hold its replicas or are asked about, unless they are tombstones. Which one of all
    /// is chosen is read where that is asked.
    pub(crate) stores: Vec<Store>,
    /// `None` when rules are switched off.
    pub(crate) rules: Option<Vec<Rule>>,
}

impl RegionSnapshot {
    /// Four reads, and one for each store: for a thousand, `/stores` is a hundred times what a
    /// region's own take.
    pub(crate) async fn read(tikv: &Tikv, id: RegionId, asked: &[StoreId]) -> Checked<Self> {
        let region = refusals::region(tikv, id).await?;
        let rules = match tikv.pd.rules_for_region(region.id).await {
            // Gone since it was read, which the next plan sees.
            Err(error) if error.is_not_found() => None,
            rules => rules.map_err(Error::Read)?,
        };
        Ok(Self::under(tikv, region, rules, asked).await?)
    }

    /// As many reads, with how the replicas fit the rules; `None` when rules are switched off.
    pub(crate) async fn read_with_fit(
        tikv: &Tikv,
        id: RegionId,
    ) -> Checked<(Self, Option<RegionFit>)> {
        let region = refusals::region(tikv, id).await?;
        let fit = tikv.pd.region_fit(region.id).await.map_err(Error::Read)?;
        let snapshot = Self::under(tikv, region, rules_of(fit.as_ref()), &[]).await?;
        Ok((snapshot, fit))
    }

    /// Two reads and those of the stores, when it is known which rules hold.
    async fn under(
        tikv: &Tikv,
        region: Region,
        rules: Option<Vec<Rule>>,
        asked: &[StoreId],
    ) -> Result<Self, Error> {
        let asked = asked.iter().map(|id| id.pd());
        let ids: Vec<_> = region.peers.iter().map(|peer| peer.store_id).collect();
        let mut at = Self {
            running: tikv.pd.operator(region.id).await.map_err(Error::Read)?,
            config: tikv.pd.config().await.map_err(Error::Read)?,
            stores: Vec::new(),
            rules,
            region,
        };
        at.read_stores(tikv, ids.into_iter().chain(asked)).await?;
        Ok(at)
    }

    /// Reads stores that it has not read yet: one read each, all at a time.
    pub(crate) async fn read_stores(
        &mut self,
        tikv: &Tikv,
        ids: impl Iterator<Item = pd_client::StoreId>,
    ) -> Result<(), Error> {
        let new = |id: &pd_client::StoreId| self.serving((*id).into()).is_none();
        let ids: BTreeSet<_> = ids.filter(new).collect();
        let reads = ids.into_iter().map(|id| tikv.pd.store(id));
        let read = try_join_all(reads).await.map_err(Error::Read)?;
        let serves = |store: &Store| store.state_name != StoreState::Tombstone;
        self.stores
            .extend(read.into_iter().flatten().filter(serves));
        Ok(())
    }

    /// What is kept of the region.
    pub(crate) fn facts(&self) -> RegionFacts {
        let there = self.region.peers.iter().map(|peer| peer.store_id.into());
        let removed = there.filter(|id| self.serving(*id).is_none());
        RegionFacts {
            removed_store_ids: removed.collect(),
            ..RegionFacts::of(&self.region).with(Traces::of(self.running.as_ref()))
        }
    }

    /// The same, with who leads PD where it may be sent: two more reads.
    pub(crate) async fn facts_for(
        &self,
        tikv: &Tikv,
        verdict: &Verdict,
    ) -> Result<RegionFacts, Error> {
        let mut traces = Traces::of(self.running.as_ref());
        if verdict.may_be_sent() {
            traces = traces.with_pd(tikv).await?;
        }
        Ok(RegionFacts::of(&self.region).with(traces))
    }

    /// A store; one more read when it is none of those that serve.
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

    /// Whether no operator is in the way of a new one, and what becomes of one that is there.
    pub(crate) fn check_free(&self, new: Level) -> Checked<Verdict> {
        check_free(self.running.as_ref(), new, &self.config.schedule)
    }

    /// What keeps an accepted change from happening: snapshots go to the target, and a majority
    /// decides.
    fn obstacles(&self, target: Option<&Store>) -> Vec<Cause> {
        let mut causes: Vec<_> = target.and_then(learner_only).into_iter().collect();
        causes.extend(majority_lost(&self.region, &self.stores));
        causes
    }

    /// That the store which leads the region is silent.
    fn leader_silent(&self) -> Option<String> {
        let leader = self.leader()?;
        let store = self.serving(leader);
        let is_silent = store.is_none_or(is_silent);
        is_silent.then(|| leader_silent(&format!("store {leader}, which leads the region")))
    }

    /// The end of PD's checks: whether an operator is in the way, and whether the change would get
    /// anywhere.
    pub(crate) fn check_accepted(&self, new: Level, target: Option<&Store>) -> Checked<Verdict> {
        let accepted = self.check_free(new)?;
        let causes = self.obstacles(target);
        if !causes.is_empty() {
            return Ok(accepted_unless(causes));
        }
        Ok(accepted)
    }

    /// The plan, with what is not known where the store that leads the region is silent.
    pub(crate) fn heard<B>(&self, plan: Plan<B>) -> Plan<B> {
        let open = self.leader_silent().filter(|_| plan.verdict.may_be_sent());
        open.into_iter().fold(plan, Plan::unknown)
    }

    /// The same for a change that leaves these replicas, which are to keep a majority: PD looks at
    /// no more than whether one of them may lead.
    pub(crate) fn check_change_accepted(
        &self,
        rest: &[Peer],
        target: Option<&Store>,
    ) -> Checked<Verdict> {
        let accepted = self.check_accepted(Level::Urgent, target)?;
        let lost = majority_of_rest(rest, &self.region, &self.stores);
        match lost.filter(|_| accepted.may_be_sent()) {
            Some(text) => Err(not_asked_for("majority_would_be_lost", text)),
            None => Ok(accepted),
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

/// What becomes of a replica on a store that PD does not hear of: PD looks at no more than whether
/// the store is removed or was silent for ten minutes (`checkStoreState` of
/// `pkg/schedule/handler/handler.go`), and tells the region's leader to add a learner there. One
/// that is being emptied takes what it is given, as long as it is there.
fn learner_only(target: &Store) -> Option<Cause> {
    let id = target.id;
    let then = match target.state_name {
        StoreState::Up | StoreState::Offline => return None,
        // Its first step is sent when it is made, and the store looked at with the second:
        // `validateStore` of `pkg/schedule/operator/step.go`.
        StoreState::Down => "PD abandons the rest at once",
        _ => {
            "it gets no data until the store is back, and PD abandons the rest after ten minutes or more"
        }
    };
    let text = format!(
        "store {id} sends no heartbeats, but PD adds a learner there anyway: {then}; the learner stays until PD's checkers or somebody else removes it"
    );
    Some(Cause::new("target_not_up", text))
}
