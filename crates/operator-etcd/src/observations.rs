//! What can be looked at: one file for each.

pub use check_invariants::{CheckInvariants, Invariants};
pub use doctor::Doctor;
pub use findings::Findings;
pub use list_alarms::{AlarmView, AlarmsView, ListAlarms};
pub use list_members::{ListMembers, MemberView, Members};
pub use member_status::{MemberStatus, StatusView};
pub use safe_to_stop::{SafeToStop, StopSafety};
pub use why::Why;

mod check_invariants;
mod doctor;
mod findings;
mod list_alarms;
mod list_members;
mod member_status;
mod safe_to_stop;
mod why;
