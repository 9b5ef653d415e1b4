//! Nothing is sent before its intent is on disk, and every send ends in a known outcome or says
//! why not.
//!
//! A [`Guard`] owns the registry: whoever holds the guard, and only they, can change something.
//! What it does to a mutation, in order: plan; compare with the plan that was shown; write and
//! sync the intent; send once; write the answer; follow by probing; write the outcome. After a
//! crash [`Guard::recover`] goes on with what is open, and sends nothing.
//!
//! ```no_run
//! # async fn example(registry: action_core::ActionRegistry) -> Result<(), action_guard::GuardError> {
//! use action_guard::{FileJournal, Guard, Request, Standing};
//! use serde_json::json;
//!
//! let guard = Guard::new(registry, FileJournal::open("state")?);
//! let request = Request::new("drain_store", json!({ "store_id": "4" }), "user:on-call");
//! match guard.propose(request.reason("disk is being replaced")).await? {
//!     Standing::Allowed(proposal) => {
//!         let by = proposal.requester()?;
//!         let standing = guard.execute(&proposal, &by, &mut |_| {}).await?;
//!         println!("{standing}");
//!     }
//!     // It waits for people, the rules deny it, or its plan says that nothing is to be sent.
//!     standing => println!("{standing}"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Nothing is sent in a new state directory until a person sets its mode to execute; the kill
//! switch stops every process that shares it. Lasting effects carry a lease, and [`Guard::reap`]
//! takes back what is over.

#![forbid(unsafe_code)]

pub use guard::{
    Asked, BrokenGlass, Controls, Decider, Draft, GUARD_OUTCOMES, Guard, GuardError,
    MakeTokenError, ModeError, NewSession, Reaped, Stop, TokenError,
};
pub use identity::{
    Actor, ActorError, AgentToken, BrowserSecret, BrowserSession, KeyError, LoginLink, NameClash,
    NoRandomness, PrivateKey, Proof, ProvenBy, PublicKey, StatementSignature, Target, TokenGrant,
    TokenSecret, canonical,
};
pub use journal::{
    Batch, Checking, Clock, ClockNote, ClockReading, CommitError, Decision, FileJournal,
    FileJournalOptions, Head, Journal, JournalError, Ledger, MemoryJournal, Replies, Reply, Sealed,
    SendLock, SendLockFile, Sender, Verified, WaitingDecision,
};
pub use policy::{Policy, PolicyFile, Rules, SignedRequest, Unrestricted};
pub use proposal::{
    Answer, Approval, Attested, ChangedBy, Drift, Event, Intent, Mode, OutdatedBy, Phase, PlanHash,
    PlanHashError, Proposal, Refusal, Report, Request, Requester, Ruled, Ruling, Standing, Waits,
    plan_difference,
};
pub use records::{BadLine, Entry, FORMAT, Hash, Record, StartedFlow, StepEvent};
pub use state::{
    ActiveEffect, Activity, AttemptState, Attempts, Cancel, Clusters, Enabled, Ended, Ending,
    Failure, Flow, InForce, Killed, OpenGate, OpenProposals, Pause, ProposalStatus, SentLately,
    State, StepState, Switch, TakenBack, TakenOver, TokenStatus,
};
pub use workflows::{
    FlowEvent, FlowRun, NextSteps, PlannedStep, Ready, StartOptions, StopCode, Stopped, WaitPolicy,
    Waiting, Workflows, next_steps,
};

// From the bottom up: each may use those above it, and none below.
mod identity;
mod proposal;
mod state;

mod records;

pub mod policy;

mod fold;
mod journal;

mod guard;

mod workflows;

#[cfg(not(feature = "failpoints"))]
mod failpoint;
#[cfg(feature = "failpoints")]
pub mod failpoint;
#[cfg(feature = "testing")]
pub mod testing;

/// What the README shows is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
