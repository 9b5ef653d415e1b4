//! What is wrong with a cluster, and what was left behind: shared by `why`, `doctor` and
//! `check_invariants`.

use std::collections::BTreeSet;

use action_core::{Finding, bounded};
use schemars::JsonSchema;
use serde::Serialize;

use crate::alarms::ALARM;
use crate::cluster::Etcd;
use crate::facts::{LIST, STATUS, Seen, SeenMember, source};
use crate::mutations::{DefragmentMember, PromoteMember};

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Findings {
    /// What is not as it should be; empty when nothing was found.
    pub findings: Vec<Finding>,
    /// What could not be read, and may be wrong all the same.
    pub unknown: Vec<String>,
}

/// More of a log than a member has to apply when all is well.
const LAGGING: u64 = 5_000;

/// Less than this is not worth a defragmentation: 100 MiB.
const FREE: u64 = 100 << 20;

impl Findings {
    /// What keeps the cluster from taking writes, or soon may.
    pub(crate) async fn in_the_way(etcd: &Etcd, seen: &Seen) -> Self {
        let mut found = Self::default();
        if seen.leader.is_none() {
            let finding =
                Finding::new("no_leader", "cluster", "there is no leader, so writes fail")
                    .seen(source(STATUS), "leader", None::<String>)
                    .next("start members that do not answer, until a majority of voters answers");
            found.findings.push(finding);
        }
        found.alarms(etcd, seen).await;
        found.each(seen, |one| match &one.answer {
            _ if !one.member.is_started() => None,
            None => Some(
                Finding::new("member_silent", about(one), "it does not answer")
                    .seen(source(LIST), "name", bounded(&one.member.name))
                    .next("check its process and its network"),
            ),
            Some((_, status)) => {
                let behind = status.raft_index.saturating_sub(status.raft_applied_index);
                let text = format!("it is {behind} log entries behind");
                (behind > LAGGING).then(|| {
                    Finding::new("member_lags", about(one), text)
                        .seen(
                            source(STATUS),
                            "raft_applied_index",
                            status.raft_applied_index,
                        )
                        .next("check its disk")
                })
            }
        });
        found
    }

    /// What somebody began and did not end, or forgot.
    pub(crate) async fn left_behind(etcd: &Etcd, seen: &Seen) -> Self {
        let mut found = Self::default();
        found.alarms(etcd, seen).await;
        found.each(seen, |one| {
            let started = one.member.is_started();
            let (code, text, next) = match one.member.is_learner {
                _ if !started => (
                    "not_started",
                    "it has never started",
                    "start it or remove it",
                ),
                true => (
                    "learner",
                    "it has no vote",
                    "promote it once it has caught up",
                ),
                false => return None,
            };
            let finding = Finding::new(code, about(one), text)
                .seen(source(LIST), "started", started)
                .next(next);
            let member_id = one.member.id();
            Some(match started {
                true => finding.fixed_by::<Etcd, _>(&PromoteMember { member_id }),
                false => finding,
            })
        });
        found.each(seen, |one| {
            let (_, status) = one.answer.as_ref()?;
            let free = status.db_size.saturating_sub(status.db_size_in_use);
            let text = format!("{} MiB of its database are free", free >> 20);
            let member_id = one.member.id();
            (free > FREE && free > status.db_size_in_use).then(|| {
                Finding::new("fragmented", about(one), text)
                    .seen(source(STATUS), "db_size", status.db_size)
                    .next("defragment it at a time when it may be unavailable for a while")
                    .fixed_by::<Etcd, _>(&DefragmentMember { member_id })
            })
        });
        found.versions(seen);
        found
    }

    async fn alarms(&mut self, etcd: &Etcd, seen: &Seen) {
        let alarms = match etcd.alarms(seen).await {
            Ok(alarms) => alarms,
            Err(error) => {
                let why = action_core::report(&error);
                return self.unknown.push(format!("which alarms are active: {why}"));
            }
        };
        for alarm in alarms {
            let about = format!("member/{:x}", alarm.member_id);
            let word = bounded(&alarm.alarm);
            let finding = Finding::new("alarm", about, format!("alarm {word} is active"))
                .seen(source(ALARM), "alarm", word)
                .next("NOSPACE: compact, defragment each member, then disarm_alarm");
            self.findings.push(finding);
        }
    }

    fn versions(&mut self, seen: &Seen) {
        let answers = seen.members.iter().filter_map(|one| one.answer.as_ref());
        let versions: BTreeSet<_> = answers
            .map(|(_, status)| bounded(&status.version))
            .collect();
        if versions.len() > 1 {
            let versions: Vec<String> = versions.into_iter().collect();
            let text = format!("members have different versions: {}", versions.join(", "));
            let finding = Finding::new("mixed_versions", "cluster", text)
                .seen(source(STATUS), "versions", versions)
                .next("finish the upgrade");
            self.findings.push(finding);
        }
    }

    fn each(&mut self, seen: &Seen, look: impl Fn(&SeenMember) -> Option<Finding>) {
        self.findings.extend(seen.members.iter().filter_map(look));
    }
}

fn about(one: &SeenMember) -> String {
    format!("member/{}", one.member.id())
}
