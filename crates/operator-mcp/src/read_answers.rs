//! What the tools answer that only look: a plan, a list of proposals, what the policy says.

use action_core::Risk;
use action_guard::policy::{WeighedBudget, WeighedRule};
use action_guard::{Draft, Phase, ProposalStatus};
use jiff::Timestamp;
use rmcp::model::CallToolResult;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::answer;

/// What would become of a mutation.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PlanAnswer {
    action: String,
    #[schemars(with = "Map<String, Value>")]
    arguments: Value,
    /// What it would do, and what the system would refuse.
    #[schemars(with = "Map<String, Value>")]
    plan: Value,
    /// What would take it back.
    #[schemars(with = "Map<String, Value>")]
    undo: Value,
    /// What it would leave in force.
    lasting_effect: Option<String>,
    /// What the rules say of it.
    #[schemars(with = "Map<String, Value>")]
    policy: Value,
}

/// Some proposals of an actor.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ProposalsAnswer {
    pub(crate) proposals: Vec<InShort>,
    /// From where to go on.
    pub(crate) next_cursor: Option<String>,
}

/// One of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct InShort {
    proposal_id: String,
    action: String,
    #[schemars(with = "Map<String, Value>")]
    arguments: Value,
    #[schemars(with = "String")]
    phase: Phase,
    #[schemars(with = "String")]
    proposed_at: Timestamp,
    /// How it ended.
    summary: Option<String>,
}

/// What the policy says to an actor.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct PolicyAnswer {
    pub(crate) actor: String,
    /// Which policy: the hash of its text.
    pub(crate) policy_hash: Option<String>,
    /// What keeps everything from being sent now.
    pub(crate) in_the_way: Vec<InTheWay>,
    pub(crate) actions: Vec<ActionRuling>,
    pub(crate) budgets: Vec<BudgetLeft>,
    /// All rules, of one mutation.
    pub(crate) rules: Vec<RuleWeighed>,
    /// Why one mutation cannot be planned with these arguments.
    pub(crate) unplanned: Option<String>,
}

/// Something that keeps everything from being sent.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct InTheWay {
    /// `kill_switch`, `mode` or `policy`.
    pub(crate) what: &'static str,
    pub(crate) why: String,
}

/// What the rules say of one mutation.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ActionRuling {
    pub(crate) action: String,
    #[schemars(with = "Option<String>")]
    pub(crate) risk: Option<Risk>,
    /// What they say.
    #[schemars(with = "Map<String, Value>")]
    pub(crate) policy: Value,
    /// Whether they say so whatever it is given, at any time and in any mode.
    pub(crate) always_denied: bool,
}

/// How a bound of a budget would stand.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct BudgetLeft {
    budget: String,
    what: String,
    /// How much it would be with one more.
    would_be: u64,
    most: u64,
    /// How much is left after that.
    left: u64,
}

/// A rule, and whether it is about the mutation.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RuleWeighed {
    rule: String,
    line: usize,
    matches: bool,
    /// Why not.
    because: Option<String>,
}

impl PlanAnswer {
    pub(crate) fn of(draft: &Draft) -> Self {
        let proposal = draft.proposal();
        Self {
            action: proposal.request.action.clone(),
            arguments: proposal.request.parameters.clone(),
            plan: answer::plan(proposal),
            undo: serde_json::to_value(&proposal.undo).unwrap_or_default(),
            lasting_effect: proposal.lasting_effect.clone(),
            policy: serde_json::to_value(draft.ruling()).unwrap_or_default(),
        }
    }
}

impl InShort {
    pub(crate) fn of(status: &ProposalStatus, now: Timestamp) -> Self {
        let proposal = &status.proposal;
        let summary = status.outcome.as_ref().map(|outcome| &outcome.summary);
        Self {
            proposal_id: proposal.id.clone(),
            action: proposal.request.action.clone(),
            arguments: proposal.request.parameters.clone(),
            phase: status.phase_at(now),
            proposed_at: status.proposed_at,
            summary: summary.cloned(),
        }
    }
}

impl From<WeighedBudget> for BudgetLeft {
    fn from(weighed: WeighedBudget) -> Self {
        Self {
            left: weighed.most.saturating_sub(weighed.would_be),
            budget: weighed.name,
            what: weighed.what,
            would_be: weighed.would_be,
            most: weighed.most,
        }
    }
}

impl From<WeighedRule> for RuleWeighed {
    fn from(weighed: WeighedRule) -> Self {
        Self {
            rule: weighed.name,
            line: weighed.line,
            matches: weighed.matches,
            because: weighed.because,
        }
    }
}

/// An answer as the result of a call.
pub(crate) fn into_result(answer: &impl Serialize, most: usize) -> CallToolResult {
    answer::structured(serde_json::to_value(answer).unwrap_or_default(), most)
}
