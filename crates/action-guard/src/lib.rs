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
//! use action_guard::{Guard, JournalFile, Request};
//! use serde_json::json;
//!
//! let guard = Guard::new(registry, JournalFile::open("journal.jsonl")?);
//! let request = Request::new("drain_store", json!({ "store_id": "4" }), "user:on-call");
//! let proposal = guard.propose(request.reason("disk is being replaced")).await?;
//! println!("{:?}", proposal.plan.verdict);
//! let report = guard.execute(&proposal, &mut |_| {}).await?;
//! println!("{}", report.outcome.summary);
//! # Ok(())
//! # }
//! ```
//!
//! This is the first slice: policy, approval, modes, leases and workflows are not here yet.

#![forbid(unsafe_code)]

pub use actor::{Actor, ActorError};
pub use canonical::canonical;
pub use chain::{BadLine, Entry, FORMAT, Hash};
pub use desk::{Decider, Desk, Stop};
pub use error::{Drift, GuardError};
pub use guard::Guard;
pub use journal::{
    CommitError, Decision, Head, Journal, JournalError, Ledger, MemoryJournal, Sealed, Verified,
};
pub use journal_file::{FileError, FileIntent, FileRecord, JournalFile};
pub use plan_hash::{PlanHash, PlanHashError, plan_difference};
pub use policy::Policy;
pub use proposal::{Proposal, Request};
pub use record::{Answer, Approval, Intent, Mode, Record, Ruling};
pub use refusal::Refusal;
pub use report::{Event, Report};
pub use rules::{Rules, Unrestricted};
pub use signature::{KeyError, PrivateKey, Proof, PublicKey, StatementSignature};
pub use state::{Activity, Cancel, Effect, Killed, Life, Phase, State};

mod error;
mod guard;
mod proposal;
mod report;

mod chain;
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

mod follow;
mod journal_file;
mod recover;
