//! A change of one region that PD carries out by an operator: what all of them share.
//!
//! PD gives operators no id and may forget them, so each probe reads both our operator and the
//! region: what the region shows decides, and the operator says whose doing it is and whether more
//! is to come.

// length: what all operators on a region share, so that each of them is short.

use action_core::{
    Attribution, Cause, Evidence, Mutation, Outcome, Plan, Problem, Progress, Sent, Settled, Undo,
    Verdict,
};
use pd_client::operators::NewOperator;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::foreign_operator::Since;
use crate::evidence::operator_query::OperatorQuery;
use crate::evidence::own_operator::{Absence, Observed, SETTLE_MS};
use crate::facts::region::RegionFacts;
use crate::facts::traces::KeepsTraces;
use crate::mutations::region::reading::{Reading, Shows};
use crate::parameters::ids::RegionId;
use crate::pd_rules::stop::Checked;

/// An action that asks PD for one operator. [`mutation_of_region_operator!`] makes a mutation of
/// it.
///
/// What a mutation keeps of the region before is its default where there is none.
pub(crate) trait RegionOperator: Mutation<Tikv, Before: Default + KeepsTraces> {
    /// Whether the change is ours once our operator was there, even cancelled: so where nothing
    /// but an operator makes it, and nothing that PD's checkers may finish.
    const OURS_EVEN_CANCELLED: bool = false;

    /// Whether nothing but our operator shows that it was done.
    const SHOWN_BY_OPERATOR_ONLY: bool = false;

    /// Whether our operator's success proves that it was done, beside what the region shows. Of
    /// some PD says success after any change of the region's keys.
    fn success_proves(&self, _: &Shows) -> bool {
        true
    }

    /// Another region that PD has an operator on for this: while that runs, more may come.
    fn other_half(&self) -> Option<RegionId> {
        None
    }

    /// The region that PD's operator is on.
    fn region_id(&self) -> RegionId;

    /// The regions that nothing else of ours may change meanwhile.
    fn regions(&self) -> Vec<RegionId> {
        vec![self.region_id()]
    }

    fn check(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// What PD is asked for.
    fn operator(&self) -> NewOperator;

    fn plan(&self, tikv: &Tikv) -> impl Future<Output = Checked<Plan<Self::Before>>> + Send;

    /// What the region, and what others had PD do there since, show of the change.
    fn reading(
        &self,
        tikv: &Tikv,
        since: &Since<'_, Self::Before>,
    ) -> impl Future<Output = Result<Reading, Error>> + Send;

    /// Why PD may accept and make no operator: a stable code, and words.
    fn makes_none(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    /// What to ask for instead where TiKV did nothing within PD's time.
    fn instead(&self) -> Option<&'static str> {
        None
    }

    fn undo(&self, before: &Self::Before, outcome: Option<&Outcome>) -> Undo;
}

/// Whether the change has happened, is happening, or can no longer happen.
///
/// Which readings prove which end: `docs/decisions/what-does-not-applied-need.md`.
pub(crate) async fn probe<A: RegionOperator>(
    action: &A,
    tikv: &Tikv,
    before: &A::Before,
    sent: &Sent,
) -> Result<Progress, Error> {
    let (seen, reading) = look(action, tikv, before, sent).await?;
    let Reading {
        shows,
        state,
        evidence,
    } = reading;
    let was_done = seen.ours_succeeded() && action.success_proves(&shows);
    let is_gone = matches!(shows, Shows::Gone);
    let (is_proven, same) = match shows {
        Shows::NotDone { same } if !was_done => (true, same),
        Shows::Unclear { same } if !was_done => (false, same),
        Shows::Gone if !was_done => (false, false),
        shows => return Ok(shown::<A>(shows, was_done, &state, &seen, sent, evidence)),
    };
    if !seen.is_over(tikv, sent).await? || other_half_runs(action, tikv, sent).await? {
        let summary = format!("not done yet: {state}");
        return Ok(Progress::pending(summary, evidence));
    }
    if is_gone {
        let cause = Cause::new("region_gone", "its last state cannot be read");
        return Ok(Progress::not_known(state, cause, evidence));
    }
    let (code, words) = if is_proven {
        seen.ending(sent)
    } else {
        let none = action.makes_none().filter(|_| sent.accepted.is_some());
        match seen.absence(tikv, sent, none.is_some()).await? {
            Absence::Proven { code, words } => match none.filter(|_| seen.ours.is_none()) {
                Some((code, words)) => (code, words.to_owned()),
                None => (code, words),
            },
            Absence::NotKnown(cause) => {
                let summary = format!("{state}: whether it was done in between is not known");
                return Ok(Progress::not_known(summary, cause, evidence));
            }
        }
    };
    let code = if same { code } else { "region_changed" };
    let instead = action.instead().filter(|_| code == "operator_timed_out");
    let instead = instead.map_or_else(String::new, |text| format!("; {text}"));
    let summary = format!("{state}: {words}{instead}");
    Ok(Progress::not_applied(code, summary, same, evidence))
}

/// Whether what PD made for this on another region is at work.
async fn other_half_runs<A: RegionOperator>(
    action: &A,
    tikv: &Tikv,
    sent: &Sent,
) -> Result<bool, Error> {
    let Some(region_id) = action.other_half() else {
        return Ok(false);
    };
    let query = OperatorQuery {
        region_id,
        asked: action.operator(),
        traces: None,
    };
    let seen = Observed::on(tikv, &query, sent).await?;
    Ok(seen.ours_is_running())
}

/// What to say where the region or our operator shows that it was done, or is half done.
fn shown<A: RegionOperator>(
    shows: Shows,
    was_done: bool,
    state: &str,
    seen: &Observed,
    sent: &Sent,
    evidence: Vec<Evidence>,
) -> Progress {
    let succeeded = seen.ours_succeeded();
    let then = seen.changed_by();
    let then = then.map_or_else(String::new, |name| format!("; then changed by {name}"));
    // PD gives an operator no id: without its answer, one that is as ours may be another's.
    let may_be_ours = sent.accepted.is_some() && !seen.is_replaced();
    let ours_if = |ours| {
        if ours && may_be_ours {
            Attribution::Ours
        } else {
            Attribution::Undecided
        }
    };
    match shows {
        Shows::Done(summary) => {
            let ours = succeeded || (A::OURS_EVEN_CANCELLED && seen.ours_was_begun());
            Progress::applied(ours_if(ours), summary, evidence)
        }
        Shows::WasDone(summary) => {
            let summary = format!("{summary}{then}");
            Progress::applied(ours_if(succeeded), summary, evidence)
        }
        Shows::HalfDone(how) if seen.ours_is_running() => Progress::pending(how, evidence),
        Shows::HalfDone(how) if !was_done => {
            let (code, words) = seen.ending(sent);
            let waits = "waiting until PD's checkers finish the incomplete change or take it back";
            let causes = vec![Cause::new("half_moved", waits), Cause::new(code, words)];
            stalled(how, causes, evidence)
        }
        _ => {
            let summary = format!("it was done; now {state}{then}");
            Progress::applied(ours_if(true), summary, evidence)
        }
    }
}

/// Whether what was applied is still so, and which operator changed it if not.
pub(crate) async fn settled<A: RegionOperator>(
    action: &A,
    tikv: &Tikv,
    before: &A::Before,
    sent: &Sent,
) -> Result<Settled, Error> {
    let (seen, reading) = look(action, tikv, before, sent).await?;
    let Reading {
        shows,
        state,
        evidence,
    } = reading;
    let by = seen.changed_by();
    if matches!(shows, Shows::Done(_)) || (A::SHOWN_BY_OPERATOR_ONLY && by.is_none()) {
        return Ok(Settled::held(evidence));
    }
    Ok(match by {
        Some(name) => {
            let text = format!("changed by {name}: now {state}");
            Settled::reversed("changed_by_operator", text, evidence)
        }
        None => {
            let text =
                format!("changed, but PD does not remember an operator that did it: now {state}");
            Settled::reversed("changed_since", text, evidence)
        }
    })
}

/// Reads the region's operators, and then the region: it is at least as new as what they say.
async fn look<A: RegionOperator>(
    action: &A,
    tikv: &Tikv,
    before: &A::Before,
    sent: &Sent,
) -> Result<(Observed, Reading), Error> {
    let query = OperatorQuery {
        region_id: action.region_id(),
        asked: action.operator(),
        traces: before.traces(),
    };
    let seen = Observed::on(tikv, &query, sent).await?;
    let others = seen.others();
    let mut reading = action.reading(tikv, &Since { before, others }).await?;
    reading.evidence.extend(seen.evidence());
    Ok((seen, reading))
}

fn stalled(summary: String, stalled: Vec<Cause>, evidence: Vec<Evidence>) -> Progress {
    Progress::Pending {
        summary,
        done: None,
        stalled,
        evidence,
    }
}

/// A plan about a region's replicas, which they and their version must not have changed for.
pub(crate) fn replica_plan(facts: RegionFacts, verdict: Verdict) -> Plan<RegionFacts> {
    let (peers, conf_ver) = (facts.peers_text(), facts.conf_ver);
    Plan::new(verdict, facts)
        .same("peers", peers)
        .same("conf_ver", conf_ver)
}

/// What a plan says where the replica that goes leads.
pub(crate) const LEADER_ELSEWHERE: &str = "which store leads afterwards: this replica is the leader now, so the leader moves first, and an undo restores the replica but not the leader";

/// How long a change takes that copies so much. PD gives each replica that is added 6 s per MiB and
/// at least ten minutes, and the rest a minute.
pub(crate) fn copying<B>(plan: Plan<B>, size_mib: u64) -> Plan<B> {
    let likely_ms = 1_000 + 20 * size_mib;
    let deadline_ms = 60_000 + 600_000.max(size_mib.saturating_mul(6_000));
    let measure = "measured on idle clusters, plus 50 MiB/s; PD's timeout";
    plan.takes(likely_ms, deadline_ms, measure)
        .follow(500, SETTLE_MS, deadline_ms)
}

/// `impl Mutation` for a [`RegionOperator`]: the orphan rule allows no blanket impl of a foreign
/// trait, so this is the one place where its methods are forwarded.
macro_rules! mutation_of_region_operator {
    ($action:ident = $name:literal, before: $before:ident, risk: $risk:ident,
     reversible: $reversible:literal, idempotent: $idempotent:literal) => {
        #[async_trait::async_trait]
        impl action_core::Mutation<$crate::cluster::Tikv> for $action {
            const NAME: &'static str = $name;
            const RISK: action_core::Risk = action_core::Risk::$risk;
            const EFFECT: action_core::Effect = action_core::Effect::OneShot;
            const REVERSIBLE: bool = $reversible;
            const IDEMPOTENT: bool = $idempotent;
            type Before = $before;

            fn check(&self) -> Vec<action_core::Problem> {
                RegionOperator::check(self)
            }

            fn resources(&self) -> Vec<String> {
                let ids = self.regions().into_iter();
                ids.map(|id| format!("region/{id}")).collect()
            }

            async fn plan(
                &self,
                tikv: &$crate::cluster::Tikv,
            ) -> Result<action_core::Plan<Self::Before>, $crate::error::Error> {
                let plan = RegionOperator::plan(self, tikv).await;
                $crate::pd_rules::stop::planned(plan.map(|plan| plan.clock(tikv.clock())))
            }

            async fn send(
                &self,
                tikv: &$crate::cluster::Tikv,
                _: &Self::Before,
                attempt: &action_core::Attempt,
            ) -> Result<action_core::Accepted, $crate::error::Error> {
                let pd = tikv.sender(attempt);
                let answer = pd.add_operator(self.operator()).await;
                $crate::evidence::own_operator::accepted(answer)
            }

            async fn probe(
                &self,
                tikv: &$crate::cluster::Tikv,
                before: &Self::Before,
                sent: &action_core::Sent,
            ) -> Result<action_core::Progress, $crate::error::Error> {
                $crate::mutations::region::region_operator::probe(self, tikv, before, sent).await
            }

            async fn settled(
                &self,
                tikv: &$crate::cluster::Tikv,
                before: &Self::Before,
                sent: &action_core::Sent,
            ) -> Result<action_core::Settled, $crate::error::Error> {
                $crate::mutations::region::region_operator::settled(self, tikv, before, sent).await
            }

            fn undo(
                &self,
                before: &Self::Before,
                _: Option<&action_core::Accepted>,
                outcome: Option<&action_core::Outcome>,
            ) -> action_core::Undo {
                let undo = RegionOperator::undo(self, before, outcome);
                $crate::evidence::own_operator::unless_replaced(undo, outcome)
            }
        }
    };
}
pub(crate) use mutation_of_region_operator;
