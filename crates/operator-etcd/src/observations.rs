//! What can be looked at: one file for each.

pub use list_members::{ListMembers, MemberView, Members};
pub use member_status::{MemberStatus, StatusView};

mod list_members;
mod member_status;
