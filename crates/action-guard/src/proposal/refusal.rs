//! Why a record is not written.

// length: a table, one row for each reason.

use jiff::Timestamp;

use crate::identity::{Actor, NameClash};
use crate::proposal::phase::Phase;
use crate::proposal::ruling::{denied, of, subject_of, to};

/// Why nothing was written or sent: in `GuardError::Refused` and `CommitError::Refused`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such proposal, or it ended long ago.
    #[error("no open proposal `{id}`")]
    UnknownProposal {
        /// What was asked for.
        id: String,
    },

    /// The proposal is not in a state in which this can happen.
    #[error("proposal `{id}` is {phase}: it cannot be {wanted}")]
    Phase {
        /// The proposal.
        id: String,
        /// How it stands.
        phase: Phase,
        /// What was to happen.
        wanted: &'static str,
    },

    /// The proposal, or every agreement to it, is too old.
    #[error("{what} of proposal `{id}` expired: propose it again")]
    Expired {
        /// The proposal.
        id: String,
        /// What is too old.
        what: &'static str,
    },

    /// Nobody agrees to their own proposal.
    #[error("`{by}` requested proposal `{id}`: somebody else must approve it")]
    OwnProposal {
        /// The proposal.
        id: String,
        /// Who asked.
        by: String,
    },

    /// Who answers for an agent does not agree to what it asks for.
    #[error("`{by}` is the owner of `{agent}`: somebody else must approve proposal `{id}`")]
    OwnedBy {
        /// The proposal.
        id: String,
        /// Who is at it.
        agent: String,
        /// Their owner.
        by: Actor,
    },

    /// The token does not count, or not for this.
    #[error("token `{id}`: {why}")]
    Token {
        /// The token.
        id: String,
        /// Why not.
        why: String,
    },

    /// Nobody agrees twice.
    #[error("`{by}` has already approved proposal `{id}`")]
    ApprovedTwice {
        /// The proposal.
        id: String,
        /// Who.
        by: String,
    },

    /// The agreement is to another plan.
    #[error("the approval is for plan `{approved}`, but proposal `{id}` has plan `{found}`")]
    OtherPlan {
        /// The proposal.
        id: String,
        /// What was agreed to.
        approved: String,
        /// What the proposal has.
        found: String,
    },

    /// The rules want somebody else to agree.
    #[error("`{by}` may not approve proposal `{id}`; approvers are `{}`", among.join("`, `"))]
    NotAmongApprovers {
        /// The proposal.
        id: String,
        /// Who tried.
        by: Actor,
        /// Who may, as patterns.
        among: Vec<String>,
    },

    /// Who it was is claimed, and must be proven.
    #[error("the identity of `{by}` is not proven: {why}")]
    NotProven {
        /// Who it is said to be.
        by: Actor,
        /// What is missing.
        why: &'static str,
    },

    /// A name stays with its system, and a system with its name.
    #[error(transparent)]
    Name(NameClash),

    /// Everything is stopped, or all of one system.
    #[error("{}stopped by `{by}`: {reason}; a person must reset it", subject_of(cluster.as_deref()))]
    Killed {
        /// The system that is stopped; `None` for all.
        cluster: Option<String>,
        /// Who stopped it.
        by: String,
        /// Why.
        reason: String,
    },

    /// Nothing is stopped.
    #[error("the kill switch is not set")]
    NotKilled,

    /// An agent that is at it is paused.
    #[error("`{agent}` is paused by `{by}`{why}; a person can resume it")]
    Paused {
        /// The agent.
        agent: String,
        /// Who paused it.
        by: String,
        /// Until when, and why.
        why: String,
    },

    /// A pause never ends an earlier one sooner.
    #[error("`{agent}` is paused{until} already: a person resumes it first")]
    PausedLonger {
        /// The agent.
        agent: String,
        /// Until when.
        until: String,
    },

    /// There is no pause to end.
    #[error("`{agent}` is not paused")]
    NotPaused {
        /// The agent.
        agent: String,
    },

    /// In this mode nothing is sent.
    #[error("nothing is sent, because the mode is observe: a person can set it to execute")]
    Observing,

    /// The same, for one system.
    #[error(
        "nothing is sent to cluster `{cluster}`, because its mode is observe: a person can set it to execute"
    )]
    ClusterObserving {
        /// What the system is called.
        cluster: String,
    },

    /// The mode is execute, and a guard that takes nobody's word cannot verify who set it.
    #[error(
        "nothing is sent{}, because {by} set the mode to execute and that is not proven ({why}): a person must set it again",
        to(.cluster.as_deref())
    )]
    NotEnabled {
        /// The cluster whose mode it is; `None` when it is that of all.
        cluster: Option<String>,
        /// Who is said to have set it.
        by: String,
        /// Why that is not proven.
        why: String,
    },

    /// The clock was set back, or another host's is ahead: what has expired would be valid again.
    #[error(
        "the clock shows {now}, which is before the last record ({last}): nothing is decided until then; stops still work"
    )]
    ClockBehind {
        /// When the last record was written.
        last: Timestamp,
        /// What the clock shows.
        now: Timestamp,
    },

    /// The clock was set back since this machine was started: what has expired would be valid again.
    #[error(
        "the clock shows {found}, but by the uptime of this machine it should be {expected}: nothing is decided until a person confirms the time; stops still work"
    )]
    ClockSetBack {
        /// What it should show, by the time that passed.
        expected: Timestamp,
        /// What it shows.
        found: Timestamp,
    },

    /// The clock leapt: leases and budgets would end that have not.
    #[error(
        "the clock shows {found}, but it should be {expected}: nothing is decided until a person confirms the time; stops still work"
    )]
    ClockAhead {
        /// What it should show, by the time that passed.
        expected: Timestamp,
        /// What it shows.
        found: Timestamp,
    },

    /// Something else changes the same thing.
    #[error("proposal `{holder}` is changing `{resource}`: wait until it has ended")]
    ResourceHeld {
        /// What both would change.
        resource: String,
        /// Who is at it.
        holder: String,
    },

    /// More wait already than may.
    #[error(
        "{most} proposals {}are open, which is the maximum: run or cancel some, or wait until they expire",
        of(.by.as_deref())
    )]
    TooManyOpen {
        /// Whose; `None` when it is those of all.
        by: Option<String>,
        /// How many may wait.
        most: usize,
    },

    /// The same one has asked for the same: that proposal stands for both.
    #[error("the same request is already proposal `{id}`")]
    AskedBefore {
        /// The proposal that there is.
        id: String,
    },

    /// The key of a request stands for another one.
    #[error("the idempotency key belongs to another request (proposal `{id}`): use a new one")]
    KeyUsed {
        /// The proposal of that request.
        id: String,
    },

    /// What was planned is not so any more, by what was done since.
    #[error(
        "the plan of proposal `{id}` is outdated, because proposal `{by}` changed or takes back the same resource: propose it again"
    )]
    PlanOutdated {
        /// The proposal.
        id: String,
        /// The one that outdates it.
        by: String,
    },

    /// What was allowed to one is carried out by nobody else.
    #[error(
        "only `{requester}`, who requested proposal `{id}`, can run it; `{by}` can propose the same"
    )]
    NotRequester {
        /// The proposal.
        id: String,
        /// Who asked for it.
        requester: String,
        /// Who wanted to carry it out.
        by: Actor,
    },

    /// An undo is at it: how it ended is for the undo's follower to say.
    #[error("proposal `{id}` is being taken back by proposal `{by}`")]
    TakenOver {
        /// The proposal.
        id: String,
        /// The undo.
        by: String,
    },

    /// Who takes it back while it is in flight neither asked for it nor is a person.
    #[error(
        "`{by}` cannot take back proposal `{id}` while it is in progress: only the requester `{owner}` or a person can"
    )]
    UndoNotTheirs {
        /// The proposal.
        id: String,
        /// Who tried.
        by: Actor,
        /// Who asked for it.
        owner: String,
    },

    /// Another process is at it.
    #[error("proposal `{id}` belongs to instance `{owner}`")]
    NotOwner {
        /// The proposal.
        id: String,
        /// Its owner.
        owner: String,
    },

    /// It takes a person.
    #[error("`{by}` cannot {wanted}: only a person (`user:…`) can")]
    NotAPerson {
        /// Who tried.
        by: String,
        /// What.
        wanted: &'static str,
    },

    /// The rules say no.
    #[error("{}", denied(rule, reason))]
    Denied {
        /// The rule.
        rule: String,
        /// Why.
        reason: String,
    },

    /// A newer version of the rules is wrong: what it was to forbid may be what the older one allows.
    #[error("{problem}; nothing is sent until this is fixed")]
    RulesWrong {
        /// Which rules, and what is wrong with them.
        problem: String,
    },

    /// Another gate on the same journal works by another policy: which one is meant is not known.
    #[error(
        "another gate on this journal, `{gate}`, works by policy {theirs}, and this one by {ours}: nothing \
         is proposed or sent before both have the same"
    )]
    OtherPolicy {
        /// The other one, by its instance.
        gate: String,
        /// The beginning of the hash of its policy.
        theirs: String,
        /// The same of this one.
        ours: String,
    },

    /// Who releases it neither asked for it nor is a person.
    #[error(
        "`{by}` cannot release the effect of proposal `{id}`: only the requester `{owner}` or a person can"
    )]
    NotTheirs {
        /// The proposal that brought it about.
        id: String,
        /// Who tried.
        by: Actor,
        /// Who asked for it.
        owner: String,
    },

    /// The rules would not let what takes it back be sent when its lease ends.
    #[error(
        "the lease would have no effect, because rule `{rule}` does not let `system` take it back: {reason}"
    )]
    LeaseNotReaped {
        /// The rule.
        rule: String,
        /// Why.
        reason: String,
    },

    /// What is to be taken back is not ours, or no longer.
    #[error("proposal `{id}` has no lasting effect in force")]
    NotOurs {
        /// The proposal.
        id: String,
    },

    /// Its request was not answered, so what is in force may be another's: no lease, workflow or
    /// agent decides whose it is.
    #[error(
        "the request of proposal `{id}` got no answer and somebody else may have asked for the same, so it is unknown whose effect it is: a person must decide, with `undo {id}`"
    )]
    WhoseUnknown {
        /// The proposal that asked for it.
        id: String,
    },

    /// Its parameters held a secret, which is written nowhere.
    #[error(
        "the parameters of proposal `{id}` contain a secret, which only the process that proposed it knows: propose it again"
    )]
    Redacted {
        /// The proposal.
        id: String,
    },

    /// There is no such workflow, or it ended long ago.
    #[error("no workflow `{id}`")]
    UnknownFlow {
        /// What was asked for.
        id: String,
    },

    /// The workflow does not allow it as it stands.
    #[error("workflow `{id}`: {why}")]
    Flow {
        /// The workflow.
        id: String,
        /// Why not.
        why: String,
    },

    /// A record that can never be right here.
    #[error("invalid record: {what}")]
    InvalidRecord {
        /// What is wrong with it.
        what: String,
    },
}

impl Refusal {
    /// A stable word for it, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Observing | Self::ClusterObserving { .. } | Self::NotEnabled { .. } => {
                "observing"
            }
            Self::Killed { .. } => "killed",
            Self::NotKilled => "not_killed",
            Self::OtherPolicy { .. } => "other_policy",
            Self::Paused { .. } => "paused",
            Self::NotPaused { .. } => "not_paused",
            Self::Denied { .. } => "denied",
            Self::RulesWrong { .. } => "policy",
            Self::NotProven { .. } => "not_proven",
            Self::NotAPerson { .. } => "not_a_person",
            Self::UnknownProposal { .. } => "unknown_proposal",
            Self::KeyUsed { .. } => "key_used",
            Self::ClockAhead { .. } => "clock_ahead",
            Self::ClockSetBack { .. } => "clock_set_back",
            Self::ClockBehind { .. } => "clock_behind",
            Self::WhoseUnknown { .. } => "whose_unknown",
            Self::Name(_) => "wrong_cluster",
            Self::ResourceHeld { .. } => "resource_held",
            Self::TooManyOpen { .. } => "too_many_open",
            Self::PlanOutdated { .. } => "plan_outdated",
            _ => "refused",
        }
    }

    /// The one cluster that it is about, where it is about the mode or the stop of one.
    #[must_use]
    pub fn cluster(&self) -> Option<&str> {
        match self {
            Self::ClusterObserving { cluster } => Some(cluster),
            Self::Killed { cluster, .. } | Self::NotEnabled { cluster, .. } => cluster.as_deref(),
            _ => None,
        }
    }

    /// Whether the same may be possible a little later, when others are through.
    pub(crate) fn ends_by_itself(&self) -> bool {
        matches!(self, Self::ResourceHeld { .. } | Self::TooManyOpen { .. })
    }
}
