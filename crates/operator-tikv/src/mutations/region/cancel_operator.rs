//! Makes PD forget an operator: `cancel_operator`.
//!
//! No region operator: it asks for the end of one, and waits for what that still does.

// length: it has no operator of its own: what became of the one that was cancelled is read from the
// region.

use action_core::{
    Accepted, Attempt, Attribution, Cause, Effect, Evidence, Mutation, Outcome, Plan, Progress,
    Risk, Sent, Undo, Verdict,
};
use async_trait::async_trait;
use pd_client::operators::{Operator, OperatorReport, OperatorStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::{LATE_EFFECT, SETTLE_MS, accepted};
use crate::facts::operator::{is_by_request, is_running};
use crate::facts::pd_clock::unix_ms;
use crate::facts::region::{RegionFacts, in_joint_state};
use crate::parameters::ids::RegionId;
use crate::pd_rules::refusals::operator_not_found;
use crate::pd_rules::stop::{Checked, Stop, not_asked_for, planned, verdict};

/// Cancels the operator that is running on a region.
///
/// Completed steps stay: a step that TiKV has already received still happens, and PD's checkers may
/// finish or reverse the change. The outcome shows the final state of the region.
///
/// Operators of PD's schedulers and checkers are cancelled only with `others`. The journal shows
/// whether a requested operator was ours.
///
/// PD refuses when no operator is running on the region. Proven by PD no longer running it and the
/// region being stable since. Cannot be taken back, but can be requested again. Takes 15 s, in
/// which a leader may still move.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelOperator {
    /// Region whose operator is cancelled.
    pub region_id: RegionId,
    /// Also cancel operators of PD's own schedulers and checkers.
    #[serde(default)]
    pub others: bool,
}

/// An operator and its region as they were when its cancelling was planned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CancelFacts {
    /// The operator, in PD's words; `None` when there was none.
    pub operator: Option<String>,
    /// What it is known by: what made it, and when by PD's clock.
    pub known_by: Option<String>,
    /// Its region.
    pub region: RegionFacts,
}

#[async_trait]
impl Mutation<Tikv> for CancelOperator {
    const NAME: &'static str = "cancel_operator";
    const RISK: Risk = Risk::Medium;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = false;
    const IDEMPOTENT: bool = true;
    type Before = CancelFacts;

    /// Not the region: what is cancelled may be ours and still be followed.
    fn resources(&self) -> Vec<String> {
        vec![format!("operator/{}", self.region_id)]
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<CancelFacts>, Error> {
        planned(self.planned(tikv).await)
    }

    async fn send(
        &self,
        tikv: &Tikv,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Error> {
        let pd = tikv.sender(attempt);
        accepted(pd.cancel_operator(self.region_id.pd()).await)
    }

    async fn probe(
        &self,
        tikv: &Tikv,
        before: &CancelFacts,
        sent: &Sent,
    ) -> Result<Progress, Error> {
        let id = self.region_id;
        let report = tikv.pd.operator(id.pd()).await.map_err(Error::Read)?;
        let region = tikv.pd.region(id.pd()).await.map_err(Error::Read)?;
        let now = region.as_ref().map(RegionFacts::of).unwrap_or_default();
        let words = report.as_ref().map(|report| report.raw.clone());
        let evidence = vec![
            Evidence::new(format!("GET /pd/api/v1/operators/{id}"), "operator", words),
            Evidence::new(
                format!("GET /pd/api/v1/region/id/{id}"),
                "peers",
                region.as_ref().map(|_| now.peers_text()),
            ),
        ];
        let same = report.as_ref().filter(|report| {
            before.known_by.is_some() && known_by(&report.operator) == before.known_by
        });
        if let Some(report) = same.filter(|report| report.status != OperatorStatus::Cancel) {
            return Ok(not_cancelled(report, sent, evidence));
        }
        let mut peers = region.iter().flat_map(|region| &region.peers);
        let at_rest = sent.elapsed_ms >= LATE_EFFECT_MS && !peers.any(in_joint_state);
        let by_checker = report.as_ref().filter(|report| is_running(report));
        if !at_rest || by_checker.is_some() {
            let stalled = by_checker.map(another_works).into_iter().collect();
            return Ok(Progress::Pending {
                summary: format!("cancelled; the region now has {}", now.peers_text()),
                done: None,
                stalled,
                evidence,
            });
        }
        // PD's 200 says that it has let go of one: not of this one, if the next was cancelled.
        let next = report.as_ref().filter(|_| same.is_none());
        let by = match next.map(|next| &next.status) {
            Some(OperatorStatus::Cancel) => Attribution::Undecided,
            _ => sent.attribution(),
        };
        let peers = now.peers_text();
        let state = if region.is_none() {
            "the region is gone, merged into another".to_owned()
        } else if now == before.region {
            format!("the region is as it was: {peers}")
        } else {
            let leader = now.leader_text().unwrap_or_else(|| "none".to_owned());
            format!("the region has changed: {peers}, leader {leader}")
        };
        let summary = format!("the operator is not running; {state}");
        Ok(Progress::applied(by, summary, evidence))
    }

    fn undo(&self, before: &CancelFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::none(match &before.operator {
            Some(operator) => {
                format!("a cancelled operator is not restored; request it again: {operator}")
            }
            None => "there was no operator".to_owned(),
        })
    }
}

const LATE_EFFECT_MS: u64 = LATE_EFFECT.as_millis() as u64;

impl CancelOperator {
    async fn planned(&self, tikv: &Tikv) -> Checked<Plan<CancelFacts>> {
        let report = tikv.pd.operator(self.region_id.pd()).await;
        let report = report.map_err(Stop::of_first_read)?.filter(is_running);
        let operator = report.as_ref().map(|report| &report.operator);
        let region = tikv.pd.region(self.region_id.pd()).await;
        let region = region.map_err(Error::Read)?;
        let facts = CancelFacts {
            operator: operator.map(|operator| operator.raw.clone()),
            known_by: operator.and_then(known_by),
            region: region.as_ref().map(RegionFacts::of).unwrap_or_default(),
        };
        Ok(
            Plan::new(verdict(self.check_cancel(operator))?, facts.clone())
                .same("operator", facts.known_by)
                .impact("operators", 1, "operators")
                .unknown("which steps are already done, and what PD's checkers do about the rest")
                .takes(
                    1_000,
                    LATE_EFFECT_MS + 2_000,
                    "until TiKV abandons a leader transfer",
                )
                .follow(1_000, SETTLE_MS, 120_000)
                .clock(tikv.clock()),
        )
    }

    /// PD's answer, and ours before it where nobody asked for the operator.
    fn check_cancel(&self, operator: Option<&Operator>) -> Checked<Verdict> {
        let operator = operator.ok_or_else(operator_not_found)?;
        if !self.others && !is_by_request(operator) {
            let desc = &operator.desc;
            let text = format!("`{desc}` was created by PD itself; set `others` to cancel it");
            return Err(not_asked_for("operator_of_pd", text));
        }
        Ok(Verdict::WouldProceed)
    }
}

/// What tells an operator from others on its region.
fn known_by(operator: &Operator) -> Option<String> {
    let created = operator.created.and_then(unix_ms)?;
    Some(format!("{} created at {created}", operator.desc))
}

fn another_works(report: &OperatorReport) -> Cause {
    let text = format!(
        "another operator is running there: {}",
        report.operator.desc
    );
    Cause::new("another_operator", text)
}

/// The operator is still there, or ended by itself.
fn not_cancelled(report: &OperatorReport, sent: &Sent, evidence: Vec<Evidence>) -> Progress {
    if !is_running(report) {
        let text = format!("the operator ended by itself: {}", report.status);
        return Progress::not_applied("operator_ended", text, false, evidence);
    }
    let text = "the operator is still running";
    if sent.elapsed_ms < SETTLE_MS {
        return Progress::pending(text, evidence);
    }
    Progress::not_applied("still_running", text, true, evidence)
}
