//! Which members of PD take the leadership away again.
//!
//! Each member compares its priority with that of the one that leads etcd, each
//! `leader-priority-check-interval`: `CheckPriority` of `pkg/member/member.go`. PD does not show
//! that interval.

use action_core::Cause;
use pd_client::members::{Member, MemberHealth};

use crate::facts::bounded_text::bounded;

/// The member that takes the lead from another, of those that answer.
pub(crate) fn takes_lead_from(
    name: &str,
    members: &[Member],
    health: &[MemberHealth],
) -> Option<Cause> {
    let priority = members.iter().find(|one| one.name == name)?.leader_priority;
    let answers = |one: &&Member| !health.iter().any(|h| h.name == one.name && !h.health);
    let above = members.iter().filter(|one| one.leader_priority > priority);
    let first = above
        .filter(answers)
        .max_by_key(|one| one.leader_priority)?;
    let text = format!(
        "`{}` becomes the PD leader again, within a minute unless `leader-priority-check-interval` is set: its leader priority is {}, that of `{}` is {priority}",
        bounded(&first.name),
        first.leader_priority,
        bounded(name)
    );
    Some(Cause::new("leader_priority", text))
}
