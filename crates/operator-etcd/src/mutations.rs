//! What can be changed: one file for each. `send` is one request; `plan` and `probe` only read.

pub use add_learner_member::AddLearnerMember;
pub use compact::Compact;
pub use defragment_member::{DatabaseFacts, DefragmentMember};
pub use disarm_alarm::DisarmAlarm;
pub use move_leader::MoveLeader;
pub use promote_member::PromoteMember;
pub use remove_member::RemoveMember;

mod add_learner_member;
mod compact;
mod defragment_member;
mod disarm_alarm;
mod move_leader;
mod promote_member;
mod remove_member;
