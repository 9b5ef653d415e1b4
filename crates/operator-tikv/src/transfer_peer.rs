//! See [`TransferPeer`].

use action_core::{
    Accepted, Attempt, Attribution, Cause, Effect, Evidence, Mutation, Outcome, Plan, Problem,
    Progress, Risk, Sent, Undo, Verdict,
};
use async_trait::async_trait;
use pd_client::regions::{PeerRole, Region};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::admission;
use crate::error::Error;
use crate::ids::{RegionId, StoreId};
use crate::own_operator::{Asked, SETTLE_MS, Seen};
use crate::region_facts::{RegionFacts, in_joint_state, is_healthy, role_name};
use crate::tikv::{Tikv, accepted};

/// Moves a region's replica from one store to another. Its role is kept.
///
/// PD does the work in the background, with a snapshot of the region: acceptance is not
/// completion. Once begun it may be finished or taken back by PD's own checkers even after it was
/// cancelled or replaced.
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

/// What the region's replicas show of a move.
enum Place {
    /// The replica is where it should be.
    Moved,
    /// The replicas are those of before.
    Untouched,
    /// Something in between.
    HalfMoved(String),
    /// The replicas have become others.
    Elsewhere,
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
        let region = match admission::region(tikv, self.region_id).await? {
            Ok(region) => region,
            Err(verdict) => return Ok(Plan::new(verdict, RegionFacts::of(None))),
        };
        let facts = RegionFacts::of(Some(&region));
        let verdict = self.verdict(tikv, &region).await?;
        let leads = facts.leader_store_id == Some(self.from_store_id);
        let size = facts.size_mib;
        // PD gives each replica 6 s per MiB and at least ten minutes, and the rest a minute.
        let deadline_ms = 60_000 + 600_000.max(size.saturating_mul(6_000));
        Ok(Plan::new(verdict, facts.clone())
            .same("peers", facts.peers_text())
            .same("conf_ver", facts.conf_ver)
            .impact("replicas", 1, "replicas")
            .impact("snapshot", size, "MiB copied to the target store")
            .impact("leaders", leads.into(), "leaders")
            .unknown("whether TiKV follows, and how fast it copies the snapshot")
            .takes(
                1_000 + 20 * size,
                deadline_ms,
                "idle clusters of four PD versions plus 50 MiB/s; PD's time-out",
            )
            .follow(500, SETTLE_MS, deadline_ms)
            .clock(tikv.clock()))
    }

    async fn send(&self, tikv: &Tikv, attempt: &Attempt) -> Result<Accepted, Error> {
        let pd = tikv.sender(attempt);
        accepted(
            pd.add_transfer_peer_operator(
                self.region_id.pd(),
                self.from_store_id.pd(),
                self.to_store_id.pd(),
            )
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
        let brief = format!(
            "mv peer: store [{}] to [{}]",
            self.from_store_id, self.to_store_id
        );
        let asked = Asked {
            region_id: self.region_id,
            desc: "admin-move-peer",
            brief: &|text| text == brief,
        };
        let seen = Seen::on(tikv, &asked, sent).await?;
        let region = tikv
            .pd
            .region(self.region_id.pd())
            .await
            .map_err(Error::Read)?;
        let source = format!("GET /pd/api/v1/region/id/{}", self.region_id);
        let Some(region) = region else {
            return Ok(Progress::Pending {
                summary: format!("region {} is gone, merged into another", self.region_id),
                done: None,
                stalled: vec![Cause::new(
                    "region_gone",
                    "where its replicas were last cannot be read",
                )],
                evidence: vec![
                    Evidence::new(source, "region", "none"),
                    seen.evidence(self.region_id),
                ],
            });
        };
        let now = RegionFacts::of(Some(&region));
        let evidence = vec![
            Evidence::new(source.as_str(), "peers", now.peers_text()),
            Evidence::new(source, "conf_ver", now.conf_ver),
            seen.evidence(self.region_id),
        ];
        let (from, to) = (self.from_store_id, self.to_store_id);
        let place = self.place(before, &region, &now);
        if let Place::Moved = place {
            // Once ours has begun, PD's checkers may finish it: then it cannot be told whose it was.
            let by = if seen.ours_succeeded() {
                Attribution::Ours
            } else {
                Attribution::Undecided
            };
            let summary = format!("store {to} holds the replica, store {from} none");
            return Ok(Progress::applied(by, summary, evidence));
        }
        if seen.ours_succeeded() {
            let summary = format!(
                "the replica moved; by now the region has {}",
                now.peers_text()
            );
            return Ok(Progress::applied(Attribution::Ours, summary, evidence));
        }
        if let Place::HalfMoved(how) = place {
            let stalled = if seen.ours.is_some() && seen.is_running() {
                Vec::new()
            } else {
                let (code, words) = seen.ending(sent);
                vec![Cause::new("half_moved", &*how), Cause::new(code, words)]
            };
            return Ok(Progress::Pending {
                summary: how,
                done: None,
                stalled,
                evidence,
            });
        }
        if !seen.is_over(tikv, sent).await? {
            let summary = format!(
                "the region has {}, which may still change",
                now.peers_text()
            );
            return Ok(Progress::pending(summary, evidence));
        }
        let (code, words) = seen.ending(sent);
        Ok(if let Place::Untouched = place {
            let text = format!("the region has {} as before: {words}", now.peers_text());
            Progress::not_applied(code, text, true, evidence)
        } else {
            let text = format!("the replicas have become {}: {words}", now.peers_text());
            Progress::not_applied("region_changed", text, false, evidence)
        })
    }

    fn undo(&self, before: &RegionFacts, _: Option<&Outcome>) -> Undo {
        if before.role_on(self.from_store_id).is_none() {
            return Undo::none(format!(
                "store {} held no replica before",
                self.from_store_id
            ));
        }
        Undo::with::<Tikv, _>(&Self {
            region_id: self.region_id,
            from_store_id: self.to_store_id,
            to_store_id: self.from_store_id,
        })
    }
}

impl TransferPeer {
    /// PD's answer, from what it checks, in its order.
    async fn verdict(&self, tikv: &Tikv, region: &Region) -> Result<Verdict, Error> {
        let (from, to) = (self.from_store_id, self.to_store_id);
        let Some(old) = region.peer_on(from.pd()) else {
            let text = format!("region has no peer in store {from}");
            return Ok(admission::rejected("no_peer", text));
        };
        let store = tikv.pd.store(to.pd()).await.map_err(Error::Read)?;
        let ahead_ms = tikv.clock().map_or(0, |clock| clock.ahead_ms);
        if let Some(verdict) = admission::unfit_store(to, store.as_ref(), ahead_ms) {
            return Ok(verdict);
        }
        if let Some(verdict) = admission::unworkable(region, false) {
            return Ok(verdict);
        }
        if let Some(there) = region.peer_on(to.pd()) {
            let learner = if old.role == PeerRole::Learner {
                "role:Learner "
            } else {
                ""
            };
            let role = match there.role {
                PeerRole::Voter => String::new(),
                role => format!("role:{} ", role_name(role)),
            };
            // As Go prints the two, a space after each field.
            let text = format!(
                "cannot add peer store_id:{to} {learner}: already have peer id:{} store_id:{to} {role}",
                there.id
            );
            return Ok(admission::rejected("peer_exists", text));
        }
        let occupied = admission::occupied(tikv, self.region_id).await?;
        if let Some(verdict) = occupied {
            return Ok(verdict);
        }
        let causes = self.obstacles(tikv, region, store.as_ref()).await?;
        Ok(if causes.is_empty() {
            Verdict::WouldProceed
        } else {
            Verdict::AcceptedButWillNotProgress { causes }
        })
    }

    /// What keeps an accepted move from getting on: commands go by way of the region's leader,
    /// and the snapshot to the target.
    async fn obstacles(
        &self,
        tikv: &Tikv,
        region: &Region,
        target: Option<&pd_client::stores::Store>,
    ) -> Result<Vec<Cause>, Error> {
        use pd_client::stores::StoreState::Up;

        let mut causes = Vec::new();
        if target.is_some_and(|store| store.state_name != Up) {
            let text = format!("store {} is not Up", self.to_store_id);
            causes.push(Cause::new("target_not_up", text));
        }
        if let Some(leader) = &region.leader {
            let store = tikv.pd.store(leader.store_id).await.map_err(Error::Read)?;
            if store.is_none_or(|store| {
                matches!(
                    store.state_name,
                    pd_client::stores::StoreState::Disconnected
                        | pd_client::stores::StoreState::Down
                )
            }) {
                let text = format!(
                    "PD does not hear of store {}, which leads the region",
                    leader.store_id
                );
                causes.push(Cause::new("leader_silent", text));
            }
        }
        Ok(causes)
    }

    fn place(&self, before: &RegionFacts, region: &Region, now: &RegionFacts) -> Place {
        let (from, to) = (self.from_store_id, self.to_store_id);
        let source = region.peer_on(from.pd());
        let target = region.peer_on(to.pd());
        let joint = region.peers.iter().any(in_joint_state);
        let complete = target.is_some_and(|target| {
            is_healthy(region, target) && before.role_on(from) == now.role_on(to)
        });
        if complete && source.is_none() && !joint && now.conf_ver > before.conf_ver {
            return Place::Moved;
        }
        if now.peers == before.peers {
            return Place::Untouched;
        }
        let was_on_target = before.role_on(to).is_some();
        if joint || (target.is_some() && !was_on_target) {
            let state = |store: StoreId| now.role_on(store).unwrap_or("nothing").to_owned();
            return Place::HalfMoved(format!(
                "half moved: store {from} holds {}, store {to} holds {}",
                state(from),
                state(to)
            ));
        }
        Place::Elsewhere
    }
}
