//! A change of one region that PD carries out by an operator: what all of them share.
//!
//! PD gives operators no id and may forget them, so each probe reads both our operator and the
//! region: what the region shows decides, and the operator says whose doing it is and whether more
//! is to come.

use action_core::{
    Attribution, Cause, Evidence, Mutation, Outcome, Plan, Problem, Progress, Sent, Settled, Undo,
};
use pd_client::operators::NewOperator;
use pd_client::regions::Region;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::foreign_operator::ForeignOperator;
use crate::evidence::own_operator::{Absence, Observed, OperatorQuery};
use crate::facts::region::RegionFacts;
use crate::facts::traces::Traces;
use crate::parameters::ids::RegionId;
use crate::pd_rules::stop::Checked;

/// An action that asks PD for one operator. [`mutation_of_region_operator!`] makes a mutation of
/// it.
///
/// What a mutation keeps of the region before is its default where there is none.
pub(crate) trait RegionOperator: Mutation<Tikv, Before: Default> {
    /// Whether the change is ours once our operator was there, even cancelled: so where nothing
    /// but an operator makes it, and nothing that PD's checkers may finish.
    const OURS_EVEN_CANCELLED: bool = false;

    /// Whether nothing but our operator shows that it was done.
    const SHOWN_BY_OPERATOR_ONLY: bool = false;

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

    /// PD's name for operators like it, such as `admin-transfer-leader`.
    fn desc(&self) -> &'static str;

    /// Whether an operator's brief says what was asked for.
    fn is_brief(&self, brief: &str) -> bool;

    fn plan(&self, tikv: &Tikv) -> impl Future<Output = Checked<Plan<Self::Before>>> + Send;

    /// What PD had in memory of the region at planning.
    fn traces<'a>(&self, before: &'a Self::Before) -> Option<&'a Traces>;

    /// What the region, and what others had PD do there since, show of the change.
    fn reading(
        &self,
        tikv: &Tikv,
        before: &Self::Before,
        others: &[ForeignOperator<'_>],
    ) -> impl Future<Output = Result<Reading, Error>> + Send;

    /// Why PD may accept and make no operator: a stable code, and words.
    fn makes_none(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    fn undo(&self, before: &Self::Before, outcome: Option<&Outcome>) -> Undo;
}

/// What a region shows of a change.
pub(crate) enum Shows {
    /// It is so now, and what to say of it.
    Done(String),
    /// It has been so since the plan, and no longer is.
    WasDone(String),
    /// It has not been so since the plan.
    NotDone {
        /// Whether the region is as it was.
        same: bool,
    },
    /// Something in between, and how.
    HalfDone(String),
    /// The region cannot tell whether it has been so.
    Unclear {
        /// Whether the region is as it was.
        same: bool,
    },
    /// The region is gone, merged into another.
    Gone,
}

/// A region as it is by now.
pub(crate) struct Reading {
    pub(crate) shows: Shows,
    /// How it is, as a sentence without its full stop.
    pub(crate) state: String,
    pub(crate) evidence: Vec<Evidence>,
}

impl Reading {
    /// Reads a region, whose leader and replicas show the change.
    pub(crate) async fn of(
        tikv: &Tikv,
        id: RegionId,
        before: &RegionFacts,
        shows: impl FnOnce(&Region, &RegionFacts) -> Shows + Send,
    ) -> Result<Self, Error> {
        let Some(region) = tikv.pd.region(id.pd()).await.map_err(Error::Read)? else {
            return Ok(Self::gone(id));
        };
        let now = RegionFacts::of(&region);
        let leader = now.leader_text().unwrap_or_else(|| "no store".to_owned());
        let same = (now.leader_store_id, &now.peers) == (before.leader_store_id, &before.peers);
        let as_before = if same { " as before" } else { "" };
        let peers = now.peers_text();
        let source = source(id);
        Ok(Self {
            shows: shows(&region, &now),
            state: format!("region {id} has {peers}, leader {leader}{as_before}"),
            evidence: vec![
                Evidence::new(source.as_str(), "leader_store_id", now.leader_text()),
                Evidence::new(source.as_str(), "peers", peers),
                Evidence::new(source.as_str(), "peer_ids", now.peer_ids()),
                Evidence::new(source.as_str(), "conf_ver", now.conf_ver),
                Evidence::new(source, "version", now.version),
            ],
        })
    }

    /// The region is no more.
    pub(crate) fn gone(id: RegionId) -> Self {
        Self {
            shows: Shows::Gone,
            state: format!("region {id} is gone, merged into another"),
            evidence: vec![Evidence::new(source(id), "region", "none")],
        }
    }
}

/// Where a region is read.
pub(crate) fn source(id: RegionId) -> String {
    format!("GET /pd/api/v1/region/id/{id}")
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
    let succeeded = seen.ours_succeeded();
    let then = seen.changed_by();
    let then = then.map_or_else(String::new, |name| format!("; then changed by {name}"));
    let ours_if = |ours| {
        if ours {
            Attribution::Ours
        } else {
            Attribution::Undecided
        }
    };
    let proven = match shows {
        Shows::Done(summary) => {
            let ours = succeeded || (A::OURS_EVEN_CANCELLED && seen.ours_was_begun());
            return Ok(Progress::applied(ours_if(ours), summary, evidence));
        }
        Shows::WasDone(summary) => {
            let summary = format!("{summary}{then}");
            return Ok(Progress::applied(ours_if(succeeded), summary, evidence));
        }
        _ if succeeded => {
            let summary = format!("it was done; by now {state}{then}");
            return Ok(Progress::applied(Attribution::Ours, summary, evidence));
        }
        Shows::Gone => {
            let cause = Cause::new("region_gone", "how it was last cannot be read");
            return Ok(stalled(state, vec![cause], evidence));
        }
        Shows::HalfDone(how) if seen.ours_is_running() => {
            return Ok(Progress::pending(how, evidence));
        }
        Shows::HalfDone(how) => {
            let (code, words) = seen.ending(sent);
            let causes = vec![Cause::new("half_moved", &*how), Cause::new(code, words)];
            return Ok(stalled(how, causes, evidence));
        }
        Shows::NotDone { same } => Ok(same),
        Shows::Unclear { same } => Err(same),
    };
    if !seen.is_over(tikv, sent).await? {
        let summary = format!("{state}, which may still change");
        return Ok(Progress::pending(summary, evidence));
    }
    let (same, (code, words)) = match proven {
        Ok(same) => (same, seen.ending(sent)),
        Err(same) => {
            let none = action.makes_none().filter(|_| sent.accepted.is_some());
            match seen.absence(tikv, sent, none.is_some()).await? {
                Absence::Proven { code, words } => match none.filter(|_| seen.ours.is_none()) {
                    Some((code, words)) => (same, (code, words.to_owned())),
                    None => (same, (code, words)),
                },
                Absence::NotKnown(cause) => {
                    let summary = format!("{state}: whether it was done in between is not known");
                    return Ok(stalled(summary, vec![cause], evidence));
                }
            }
        }
    };
    let code = if same { code } else { "region_changed" };
    let summary = format!("{state}: {words}");
    Ok(Progress::not_applied(code, summary, same, evidence))
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
            let text = format!("changed by {name}: by now {state}");
            Settled::reversed("changed_by_operator", text, evidence)
        }
        None => {
            let text = format!("changed, and PD remembers no operator that did it: by now {state}");
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
        desc: action.desc(),
        brief: &|brief| action.is_brief(brief),
        traces: action.traces(before),
    };
    let seen = Observed::on(tikv, &query, sent).await?;
    let mut reading = action.reading(tikv, before, &seen.others()).await?;
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

/// PD gives each replica that is added 6 s per MiB and at least ten minutes, and the rest a minute.
pub(crate) fn snapshot_deadline_ms(size_mib: u64) -> u64 {
    60_000 + 600_000.max(size_mib.saturating_mul(6_000))
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
                $crate::pd_rules::stop::planned(RegionOperator::plan(self, tikv).await)
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
                RegionOperator::undo(self, before, outcome)
            }
        }
    };
}
pub(crate) use mutation_of_region_operator;
