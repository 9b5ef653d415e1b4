//! What a mutation passes through, as data: plan, attempt, progress, outcome, undo.

mod attempt;
mod evidence;
mod facts;
mod finding;
mod outcome;
mod permit;
mod plan;
mod precondition;
mod progress;
mod safety;
mod settled;
mod undo;
mod verdict;

pub use attempt::{Accepted, Attempt, Sent};
pub use evidence::{Attribution, Evidence};
pub use facts::Facts;
pub use finding::{Finding, Fix};
pub use outcome::{Outcome, OutcomeKind};
pub use permit::{NotPermitted, SendPermit, SendPermits};
pub use plan::{ClockOffset, Estimate, Follow, Plan, Quantity};
pub use precondition::{Comparison, Precondition};
pub use progress::{Done, Progress};
pub use safety::Safety;
pub use settled::{Settled, SettledState};
pub use undo::Undo;
pub use verdict::{Cause, Verdict};
