//! Has another member of PD lead: `transfer_pd_leader`.

use action_core::{
    Accepted, Attempt, Effect, Evidence, Mutation, Outcome, Plan, Problem, Progress, Risk, Sent,
    Undo, Verdict,
};
use async_trait::async_trait;
use pd_client::members::MemberHealth;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::accepted;
use crate::pd_rules::leader_priority::takes_lead_from;
use crate::pd_rules::refusals::{member_does_not_answer, no_such_member};
use crate::pd_rules::stop::{Checked, nothing_to_do, verdict};

/// Makes another PD member the leader.
///
/// The memory of the old leader is lost: running operators and their records, pauses of schedulers,
/// hot spots, and limits to restore when emptying a store is cancelled. Drains and settings stay.
/// For some seconds PD does not answer, and TiDB gets no timestamps.
///
/// PD refuses for an unknown member, and after five seconds for one that does not answer. Proven by
/// PD's leader. Taken back by transferring back. Takes a few seconds; up to 13 were seen when a
/// leader was lost.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferPdLeader {
    /// Name of the new leader.
    pub member: String,
}

/// Who led PD when a change of leader was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PdLeaderFacts {
    /// The member that led; `None` when there was none.
    pub leader: Option<String>,
}

/// After a send, how long a change of leader may take.
const ELECTION_MS: u64 = 30_000;

#[async_trait]
impl Mutation<Tikv> for TransferPdLeader {
    const NAME: &'static str = "transfer_pd_leader";
    const RISK: Risk = Risk::High;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = PdLeaderFacts;

    fn check(&self) -> Vec<Problem> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if self.member.is_empty() || self.member.len() > 128 || !self.member.bytes().all(fits) {
            let expected = "a member's name: letters, digits, `-`, `_` and `.`";
            return vec![Problem::combination("/member", &self.member, expected)];
        }
        Vec::new()
    }

    fn resources(&self) -> Vec<String> {
        vec!["pd/leader".to_owned()]
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<PdLeaderFacts>, Error> {
        let members = tikv.pd.members().await.map_err(Error::Read)?;
        let leader = members.leader.map(|leader| leader.name);
        let is_known = members.members.iter().any(|one| one.name == self.member);
        let health = tikv.pd.health().await.map_err(Error::Read)?;
        let verdict = verdict(self.check_transfer(&health, leader.as_deref(), is_known))?;
        let taken = takes_lead_from(&self.member, &members.members, &health);
        let taken = taken.filter(|_| verdict.may_be_sent());
        let facts = PdLeaderFacts { leader };
        let plan = Plan::new(verdict, facts.clone())
            .same("leader", facts.leader)
            .touches(format!("pd/{}", self.member));
        let plan = match taken {
            Some(cause) => plan.reversed_by(&cause.code, cause.text),
            None => plan,
        };
        let plan = match (tikv.pd.operators().await, tikv.pd.paused_schedulers().await) {
            (Ok(operators), Ok(paused)) => plan
                .impact(
                    "operators_lost",
                    operators.len() as u64,
                    "running operators",
                )
                .impact("pauses_lost", paused.len() as u64, "pauses of schedulers"),
            // Before there is a cluster PD has neither.
            _ => plan.unknown("how many operators and pauses will be lost"),
        };
        Ok(plan
            .unknown("how long PD will not answer")
            .takes(
                3_000,
                ELECTION_MS,
                "three members on one machine, 13 s at most",
            )
            .follow(1_000, ELECTION_MS, 60_000)
            .clock(tikv.clock()))
    }

    async fn send(
        &self,
        tikv: &Tikv,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Error> {
        let pd = tikv.sender(attempt);
        accepted(pd.transfer_pd_leader(&self.member).await)
    }

    async fn probe(&self, tikv: &Tikv, _: &PdLeaderFacts, sent: &Sent) -> Result<Progress, Error> {
        let leader = tikv.pd.leader().await.map_err(Error::Read)?;
        let leader = leader.map(|leader| leader.name);
        let source = "GET /pd/api/v1/leader";
        let evidence = vec![Evidence::new(source, "leader", leader.clone())];
        if leader.as_ref() == Some(&self.member) {
            let by = sent.attribution();
            let text = format!("`{}` is the PD leader", self.member);
            return Ok(Progress::applied(by, text, evidence));
        }
        let leads = leader.map_or_else(|| "nobody".to_owned(), |name| format!("`{name}`"));
        let text = format!("{leads} is the PD leader");
        Ok(if sent.elapsed_ms < ELECTION_MS {
            Progress::pending(text, evidence)
        } else {
            Progress::not_applied("another_leads", text, true, evidence)
        })
    }

    fn undo(&self, before: &PdLeaderFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        match &before.leader {
            None => Undo::none("there was no leader before"),
            Some(leader) if *leader == self.member => Undo::none("it was the leader before"),
            Some(leader) => {
                let back = Self {
                    member: leader.clone(),
                };
                Undo::with::<Tikv, _>(&back).expecting("leader", self.member.as_str())
            }
        }
    }
}

impl TransferPdLeader {
    /// PD's answer, from what it checks, in its order.
    fn check_transfer(
        &self,
        health: &[MemberHealth],
        leader: Option<&str>,
        is_known: bool,
    ) -> Checked<Verdict> {
        if leader == Some(self.member.as_str()) {
            return Err(nothing_to_do(format!("`{}` is the PD leader", self.member)));
        }
        if !is_known {
            return Err(no_such_member());
        }
        let mut known = health.iter();
        if known.any(|one| one.name == self.member && !one.health) {
            return Err(member_does_not_answer());
        }
        Ok(Verdict::WouldProceed)
    }
}
