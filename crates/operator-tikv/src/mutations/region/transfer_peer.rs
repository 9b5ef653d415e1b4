//! Moves a region's replica: `transfer_peer`.

use action_core::{
    Accepted, Attempt, Effect, Mutation, Outcome, Plan, Problem, Progress, Quantity, Risk, Sent,
    Undo, Verdict,
};
use async_trait::async_trait;
use pd_client::regions::Region;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::{OperatorQuery, SETTLE_MS, accepted};
use crate::facts::region::{RegionFacts, is_healthy};
use crate::mutations::region::region_operator::snapshot_deadline_ms;
use crate::mutations::region::replica_change::ReplicaChange;
use crate::parameters::ids::{RegionId, StoreId};
use crate::pd_rules::operator_priority::Level;
use crate::pd_rules::region_snapshot::RegionSnapshot;
use crate::pd_rules::{refusals, replica_change};

/// Moves a region's replica from one store to another. Its role is kept.
///
/// PD does the work in the background, with a snapshot of the region: acceptance is not
/// completion. Once begun it may be finished or taken back by PD's own checkers even after it was
/// cancelled or replaced.
///
/// PD refuses when the source holds no replica, the target holds one or is gone or silent for ten
/// minutes, the region has no leader or is in a joint state, no other replica could lead, or a
/// request or a drain is at work on it. Proven by the replicas: the target holds a healthy one,
/// the source none. Taken back by moving it back. Takes about 20 ms per MiB on an idle cluster;
/// PD gives up after ten minutes or 6 s per MiB.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferPeer {
    /// Region whose replica moves.
    pub region_id: RegionId,
    /// Store that gives its replica up.
    pub from_store_id: StoreId,
    /// Store that holds the replica afterwards; it must not hold one yet.
    pub to_store_id: StoreId,
}

#[async_trait]
impl Mutation<Tikv> for TransferPeer {
    const NAME: &'static str = "transfer_peer";
    const RISK: Risk = Risk::High;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = false;
    type Before = RegionFacts;

    fn check(&self) -> Vec<Problem> {
        if self.from_store_id == self.to_store_id {
            return vec![Problem::combination(
                "/to_store_id",
                self.to_store_id,
                "another store than `from_store_id`",
            )];
        }
        Vec::new()
    }

    fn resources(&self) -> Vec<String> {
        vec![format!("region/{}", self.region_id)]
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<RegionFacts>, Error> {
        let snapshot = match RegionSnapshot::read(tikv, self.region_id).await? {
            Ok(snapshot) => snapshot,
            Err(verdict) => return Ok(Plan::new(verdict, RegionFacts::of(None))),
        };
        let facts = RegionFacts::of(Some(&snapshot.region));
        let verdict = self.verdict(tikv, &snapshot).await?;
        let leads = facts.leader_store_id == Some(self.from_store_id);
        let size = facts.size_mib;
        let deadline_ms = snapshot_deadline_ms(size);
        Ok(Plan::new(verdict, facts.clone())
            .same("peers", facts.peers_text())
            .same("conf_ver", facts.conf_ver)
            .same("from_role", facts.role_on(self.from_store_id))
            .impact(Quantity::REGIONS, 1, "regions, one replica of each")
            .impact(Quantity::MOVED_MIB, size, "MiB copied to the target store")
            .impact(Quantity::LEADERS, leads.into(), "leaders")
            .touches(snapshot.domain(self.from_store_id))
            .touches(snapshot.domain(self.to_store_id))
            .unknown("whether TiKV follows, and how fast it copies the snapshot")
            .takes(
                1_000 + 20 * size,
                deadline_ms,
                "idle clusters of four PD versions plus 50 MiB/s; PD's time-out",
            )
            .follow(500, SETTLE_MS, deadline_ms)
            .clock(tikv.clock()))
    }

    async fn send(
        &self,
        tikv: &Tikv,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Error> {
        let (region, from, to) = (self.region_id, self.from_store_id, self.to_store_id);
        let pd = tikv.sender(attempt);
        let answer = pd.add_transfer_peer_operator(region.pd(), from.pd(), to.pd());
        accepted(answer.await)
    }

    async fn probe(
        &self,
        tikv: &Tikv,
        before: &RegionFacts,
        sent: &Sent,
    ) -> Result<Progress, Error> {
        let (from, to) = (self.from_store_id, self.to_store_id);
        let brief = format!("mv peer: store [{from}] to [{to}]");
        let done = |region: &Region, now: &RegionFacts| {
            let target = region.peer_on(to.pd())?;
            let whole = is_healthy(region, target) && before.role_on(from) == now.role_on(to);
            (whole && now.role_on(from).is_none())
                .then(|| format!("store {to} holds the replica, store {from} none"))
        };
        let half_done = |now: &RegionFacts| {
            let state = |store: StoreId| now.role_on(store).unwrap_or("nothing").to_owned();
            let added = now.role_on(to).is_some() && before.role_on(to).is_none();
            added.then(|| {
                format!(
                    "half moved: store {from} holds {}, store {to} holds {}",
                    state(from),
                    state(to)
                )
            })
        };
        let change = ReplicaChange {
            query: OperatorQuery {
                region_id: self.region_id,
                desc: "admin-move-peer",
                brief: &|text| text == brief,
            },
            done: &done,
            half_done: &half_done,
        };
        change.probe(tikv, before, sent).await
    }

    fn undo(&self, before: &RegionFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        let Some(role) = before.role_on(self.from_store_id) else {
            return Undo::none(format!(
                "store {} held no replica before",
                self.from_store_id
            ));
        };
        let back = Self {
            region_id: self.region_id,
            from_store_id: self.to_store_id,
            to_store_id: self.from_store_id,
        };
        Undo::with::<Tikv, _>(&back).expecting("from_role", role)
    }
}

impl TransferPeer {
    /// PD's answer, from what it checks, in its order.
    async fn verdict(&self, tikv: &Tikv, snapshot: &RegionSnapshot) -> Result<Verdict, Error> {
        let (from, to) = (self.from_store_id, self.to_store_id);
        let region = &snapshot.region;
        let Some(old) = region.peer_on(from.pd()) else {
            return Ok(refusals::no_peer(from));
        };
        let target = snapshot.store(tikv, to).await?;
        if let Some(verdict) = refusals::unusable_target(to, target.as_ref(), tikv.clock()) {
            return Ok(verdict);
        }
        if let Some(verdict) = snapshot.not_buildable(false) {
            return Ok(verdict);
        }
        // Its id is PD's to give; nothing here looks at it.
        let mut new = *old;
        new.store_id = to.pd();
        if let Some(there) = region.peer_on(to.pd()) {
            return Ok(replica_change::peer_exists(&new, there));
        }
        let stay = region
            .peers
            .iter()
            .filter(|peer| peer.store_id != from.pd());
        let wanted: Vec<_> = stay.copied().chain([new]).collect();
        if let Some(verdict) = snapshot.no_valid_leader(tikv, &wanted, 4).await? {
            return Ok(verdict);
        }
        Ok(snapshot.accepted(Level::Urgent, target.as_ref()))
    }
}
