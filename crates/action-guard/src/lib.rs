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
//! use action_guard::{FileJournal, Guard, Request};
//! use serde_json::json;
//!
//! let guard = Guard::new(registry, FileJournal::open("state")?);
//! let request = Request::new("drain_store", json!({ "store_id": "4" }), "user:on-call");
//! let proposal = guard.propose(request.reason("disk is being replaced")).await?;
//! println!("{:?}", proposal.plan.verdict);
//! let report = guard.execute(&proposal, &mut |_| {}).await?;
//! println!("{}", report.outcome.summary);
//! # Ok(())
//! # }
//! ```
//!
//! Nothing is sent in a new state directory until a person sets its mode to execute; the kill
//! switch stops every process that shares it. Lasting effects carry a lease, and [`Guard::reap`]
//! takes back what is over.

#![forbid(unsafe_code)]

pub use actor::{Actor, ActorError};
pub use break_glass::BrokenGlass;
pub use canonical::canonical;
pub use chain::{BadLine, Entry, FORMAT, Hash};
pub use desk::{Decider, Desk, Stop};
pub use error::{Drift, GuardError};
pub use flow::{
    Due, FlowEvent, FlowRun, Outlook, Patience, StartOptions, StopCode, Stopped, Waiting,
    Workflows, look,
};
pub use guard::Guard;
pub use journal::{
    CommitError, Decision, FileJournal, FileJournalOptions, Head, Journal, JournalError, Ledger,
    MemoryJournal, Sealed, Verified,
};
pub use plan_hash::{PlanHash, PlanHashError, plan_difference};
pub use policy::Policy;
pub use proposal::{Proposal, Request};
pub use reap::Reaped;
pub use record::{Answer, Approval, Intent, Mode, Record, Ruling, StartedFlow, StepEvent};
pub use refusal::Refusal;
pub use report::{Event, Report};
pub use rules::{Rules, Unrestricted};
pub use signature::{KeyError, PrivateKey, Proof, PublicKey, StatementSignature};
pub use state::{
    Activity, Cancel, Effect, Ending, Failure, Flow, Killed, Life, Over, Phase, Stands, State,
    StepState, Tries,
};

mod error;
mod guard;
mod proposal;
mod report;

mod chain;
#[cfg(not(feature = "failpoints"))]
mod failpoint;
#[cfg(feature = "failpoints")]
pub mod failpoint;
mod journal;
mod record;
mod refusal;
mod state;

mod actor;
mod approval;
mod canonical;
mod desk;
mod plan_hash;
pub mod policy;
mod rules;
mod signature;

mod bounds;
mod break_glass;
mod execute;
mod flow;
mod follow;
mod lives;
mod propose;
mod reap;
mod recover;
mod redact;

#[cfg(feature = "testing")]
pub mod testing;
