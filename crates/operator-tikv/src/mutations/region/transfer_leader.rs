//! Moves a region's leader: `transfer_leader`.

use action_core::{
    Accepted, Attempt, Attribution, Effect, Evidence, Mutation, Outcome, Plan, Progress, Quantity,
    Risk, Sent, Undo, Verdict,
};
use async_trait::async_trait;
use pd_client::regions::PeerRole;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::{Observed, OperatorQuery, SETTLE_MS, accepted};
use crate::facts::region::{RegionFacts, can_lead, is_healthy};
use crate::mutations::region::region_operator::gone;
use crate::parameters::ids::{RegionId, StoreId};
use crate::pd_rules::leadership::{LeaderBlockers, MayLead};
use crate::pd_rules::operator_priority::Level;
use crate::pd_rules::refusals;
use crate::pd_rules::region_snapshot::RegionSnapshot;

/// Moves a region's leader to another store that already holds a voter of it.
///
/// PD does the work in the background: acceptance is not completion. It takes well under a second
/// in an idle cluster. Schedulers may move the leader again afterwards.
///
/// PD refuses when the store holds no voter or one that lags or does not answer, when the store may
/// not lead (not Up, busy, drained, granted or slow by a scheduler, refused by labels or rules), and
/// when a request or a drain is at work on the region. Proven by the region's leader or by the
/// success of our own operator. Taken back by moving the leader back, while it is still there.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferLeader {
    /// Region whose leader moves.
    pub region_id: RegionId,
    /// Store that leads the region afterwards.
    pub to_store_id: StoreId,
}

#[async_trait]
impl Mutation<Tikv> for TransferLeader {
    const NAME: &'static str = "transfer_leader";
    const RISK: Risk = Risk::Medium;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = RegionFacts;

    fn resources(&self) -> Vec<String> {
        vec![format!("region/{}", self.region_id)]
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<RegionFacts>, Error> {
        let snapshot = match RegionSnapshot::read(tikv, self.region_id).await? {
            Ok(snapshot) => snapshot,
            Err(verdict) => return Ok(Plan::new(verdict, RegionFacts::of(None))),
        };
        let facts = RegionFacts::of(Some(&snapshot.region));
        let leader = facts.leader_store_id;
        let verdict = self.verdict(tikv, &snapshot).await?;
        let mut plan = Plan::new(verdict, facts.clone());
        if let Some(leader) = leader {
            plan = plan.touches(snapshot.domain(leader));
        }
        Ok(plan
            .touches(snapshot.domain(self.to_store_id))
            .same("leader_store_id", leader.map(|id| id.to_string()))
            .same("conf_ver", facts.conf_ver)
            .impact(Quantity::LEADERS, 1, "leaders")
            .impact(
                "served_mib",
                facts.size_mib,
                "MiB served from another store",
            )
            .unknown("whether TiKV follows: it may refuse while the target lags behind")
            .takes(
                200,
                10_000,
                "idle clusters of four PD versions; TiKV gives up after an election time-out",
            )
            .follow(300, SETTLE_MS, 90_000)
            .clock(tikv.clock()))
    }

    async fn send(
        &self,
        tikv: &Tikv,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Error> {
        let pd = tikv.sender(attempt);
        accepted(
            pd.add_transfer_leader_operator(self.region_id.pd(), self.to_store_id.pd())
                .await,
        )
    }

    async fn probe(
        &self,
        tikv: &Tikv,
        before: &RegionFacts,
        sent: &Sent,
    ) -> Result<Progress, Error> {
        // The operator first: the region is then at least as new as what its operator says.
        let ends = format!(" to {}", self.to_store_id);
        let query = OperatorQuery {
            region_id: self.region_id,
            desc: "admin-transfer-leader",
            brief: &|brief| brief.starts_with("transfer leader: ") && brief.ends_with(&ends),
        };
        let observed = Observed::on(tikv, &query, sent).await?;
        let region = tikv
            .pd
            .region(self.region_id.pd())
            .await
            .map_err(Error::Read)?;
        let source = format!("GET /pd/api/v1/region/id/{}", self.region_id);
        let Some(region) = region else {
            return Ok(gone(
                self.region_id,
                vec![observed.evidence(self.region_id)],
            ));
        };
        let now = RegionFacts::of(Some(&region));
        let leader = now.leader_store_id.map(|id| id.to_string());
        let evidence = vec![
            Evidence::new(source.as_str(), "leader_store_id", leader.clone()),
            Evidence::new(source, "conf_ver", now.conf_ver),
            observed.evidence(self.region_id),
        ];
        let leader = leader.map_or_else(|| "no store".to_owned(), |id| format!("store {id}"));
        if observed.ours_succeeded() {
            let summary = if now.leader_store_id == Some(self.to_store_id) {
                format!("{leader} leads region {}", self.region_id)
            } else {
                format!(
                    "store {} led region {}; by now {leader} does",
                    self.to_store_id, self.region_id
                )
            };
            return Ok(Progress::applied(Attribution::Ours, summary, evidence));
        }
        if now.leader_store_id == Some(self.to_store_id) {
            let by = if observed.ours.is_some() {
                Attribution::Ours
            } else {
                Attribution::Undecided
            };
            let summary = format!("{leader} leads region {}", self.region_id);
            return Ok(Progress::applied(by, summary, evidence));
        }
        if !observed.is_over(tikv, sent).await? {
            let summary = format!(
                "{leader} leads region {}, which may still change",
                self.region_id
            );
            return Ok(Progress::pending(summary, evidence));
        }
        let (code, words) = observed.ending(sent);
        let held = before.leader_store_id == now.leader_store_id;
        let held = if held { "still " } else { "" };
        let text = format!("{leader} {held}leads region {}: {words}", self.region_id);
        Ok(Progress::not_applied(code, text, true, evidence))
    }

    fn undo(&self, before: &RegionFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        let Some(leader) = before.leader_store_id else {
            return Undo::none("no store led the region before");
        };
        let back = Self {
            region_id: self.region_id,
            to_store_id: leader,
        };
        Undo::with::<Tikv, _>(&back).expecting("leader_store_id", self.to_store_id.to_string())
    }
}

impl TransferLeader {
    /// PD's answer, from what it checks, in its order.
    async fn verdict(&self, tikv: &Tikv, snapshot: &RegionSnapshot) -> Result<Verdict, Error> {
        let to = self.to_store_id;
        let peer = snapshot.region.peer_on(to.pd());
        let Some(voter) = peer.filter(|peer| peer.role != PeerRole::Learner) else {
            let text = format!("region has no voter in store {to}");
            return Ok(refusals::rejected("no_voter", text));
        };
        if let Some(verdict) = snapshot.not_buildable(true) {
            return Ok(verdict);
        }
        if !is_healthy(&snapshot.region, voter) {
            let text = format!("cannot transfer leader to {to}: unhealthy");
            return Ok(refusals::rejected("target_unhealthy", text));
        }
        let not_allowed = "cannot create operator: target leader is not allowed";
        if !can_lead(voter) {
            return Ok(refusals::rejected("target_not_allowed", not_allowed));
        }
        if snapshot.leader() == Some(to) {
            let already = format!("store {to} leads region {}", self.region_id);
            return Ok(Verdict::NoOp { already });
        }
        let leader_blockers = LeaderBlockers::read(tikv, &snapshot.config, 5).await?;
        match leader_blockers.lets_lead(snapshot.serving(to), snapshot.rules.as_deref()) {
            MayLead::Yes => Ok(snapshot
                .occupied(Level::Urgent)
                .unwrap_or(Verdict::WouldProceed)),
            MayLead::No => Ok(refusals::rejected("target_not_allowed", not_allowed)),
            MayLead::NotShown(causes) => Ok(Verdict::Undecided { causes }),
        }
    }
}
