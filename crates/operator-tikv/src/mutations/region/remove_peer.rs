//! See [`RemovePeer`].

use action_core::{
    Accepted, Attempt, Effect, Mutation, Outcome, Plan, Progress, Quantity, Risk, Sent, Undo,
    Verdict,
};
use async_trait::async_trait;
use pd_client::operators::NewOperator;
use pd_client::regions::Region;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::{Asked, SETTLE_MS, accepted};
use crate::facts::region::RegionFacts;
use crate::mutations::region::replica_change::PeerChange;
use crate::mutations::region::replicas::{AddPeer, NewPeerRole};
use crate::parameters::ids::{RegionId, StoreId};
use crate::pd_rules::operator_priority::Level;
use crate::pd_rules::region_snapshot::Scene;

/// Removes a region's replica from a store.
///
/// The region has a replica less until PD makes a new one, which it does, on a store of its own
/// choice, when its rules want one. If the replica leads, another leads first.
///
/// PD refuses when the store holds none, when no voter or nobody who may lead would be left, when
/// the region has no leader or is in a joint state, and when a request or a drain is at work on
/// it. Proven by the replicas. Taken back by `add_peer`, by then possibly one too many. Takes
/// about a second; PD gives up after a minute.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemovePeer {
    /// Region that loses a replica.
    pub region_id: RegionId,
    /// Store that holds it.
    pub store_id: StoreId,
}

#[async_trait]
impl Mutation<Tikv> for RemovePeer {
    const NAME: &'static str = "remove_peer";
    const RISK: Risk = Risk::High;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = RegionFacts;

    fn resources(&self) -> Vec<String> {
        vec![format!("region/{}", self.region_id)]
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<RegionFacts>, Error> {
        let scene = match Scene::read(tikv, self.region_id).await? {
            Ok(scene) => scene,
            Err(verdict) => return Ok(Plan::new(verdict, RegionFacts::of(None))),
        };
        let facts = RegionFacts::of(Some(&scene.region));
        let store = self.store_id;
        let leads = facts.leader_store_id == Some(store);
        let mut plan = Plan::new(self.verdict(tikv, &scene).await?, facts.clone());
        let unwell = scene.unwell_besides(store);
        if unwell > 0 {
            plan = plan.unknown(format!(
                "whether the region still serves without it: {unwell} of the other replicas lag \
                 or do not answer"
            ));
        }
        Ok(plan
            .same("peers", facts.peers_text())
            .same("conf_ver", facts.conf_ver)
            .same("role", facts.role_on(store))
            .at_most("unwell_others", unwell as u64)
            .impact(Quantity::REGIONS, 1, "regions, one replica of each")
            .impact(Quantity::LEADERS, leads.into(), "leaders")
            .touches(scene.domain(store))
            .unknown("when and where PD makes a new replica, if its rules want one")
            .takes(1_000, 60_000, "idle clusters; PD's time-out")
            .follow(500, SETTLE_MS, 120_000)
            .clock(tikv.clock()))
    }

    async fn send(&self, tikv: &Tikv, attempt: &Attempt) -> Result<Accepted, Error> {
        let (region_id, store_id) = (self.region_id.pd(), self.store_id.pd());
        let operator = NewOperator::RemovePeer {
            region_id,
            store_id,
        };
        accepted(tikv.sender(attempt).add_operator(operator).await)
    }

    async fn probe(
        &self,
        tikv: &Tikv,
        before: &RegionFacts,
        sent: &Sent,
    ) -> Result<Progress, Error> {
        let store = self.store_id;
        let brief = format!("rm peer: store [{store}]");
        let done = |_: &Region, now: &RegionFacts| {
            let gone = now.role_on(store).is_none();
            gone.then(|| format!("store {store} holds no replica of the region"))
        };
        let begun = |now: &RegionFacts| {
            let role = now.role_on(store)?;
            (before.role_on(store) != Some(role))
                .then(|| format!("half removed: store {store} holds a {role}"))
        };
        let change = PeerChange {
            asked: Asked {
                region_id: self.region_id,
                desc: "admin-remove-peer",
                // Leaving one replica of two takes a joint state, and other words.
                brief: &|text| text == brief || text.ends_with(&format!(", {brief}")),
            },
            done: &done,
            begun: &begun,
        };
        change.probe(tikv, before, sent).await
    }

    fn undo(&self, before: &RegionFacts, _: Option<&Outcome>) -> Undo {
        let role = match before.role_on(self.store_id) {
            Some("Voter") => NewPeerRole::Voter,
            Some("Learner") => NewPeerRole::Learner,
            Some(role) => {
                return Undo::none(format!("store {} held a {role} before", self.store_id));
            }
            None => {
                return Undo::none(format!("store {} held no replica before", self.store_id));
            }
        };
        let back = AddPeer {
            region_id: self.region_id,
            store_id: self.store_id,
            role,
        };
        Undo::with::<Tikv, _>(&back).expecting("role", None::<String>)
    }
}

impl RemovePeer {
    /// PD's answer, from what it checks, in its order.
    async fn verdict(&self, tikv: &Tikv, scene: &Scene) -> Result<Verdict, Error> {
        let store = self.store_id;
        let region = &scene.region;
        if region.peer_on(store.pd()).is_none() {
            let already = format!("store {store} holds no replica of the region");
            return Ok(Verdict::NoOp { already });
        }
        if let Some(verdict) = scene.unworkable(false) {
            return Ok(verdict);
        }
        let left = region
            .peers
            .iter()
            .filter(|peer| peer.store_id != store.pd());
        let left: Vec<_> = left.copied().collect();
        if let Some(verdict) = scene.leaderless(tikv, &left, 4).await? {
            return Ok(verdict);
        }
        Ok(scene.accepted(Level::Urgent, None))
    }
}
