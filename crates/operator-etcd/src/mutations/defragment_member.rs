//! Gives free space of a member's database back to its disk: `defragment_member`.

use action_core::{
    Accepted, Attempt, Effect, Evidence, Mutation, Outcome, Plan, Progress, Risk, Sent, Undo,
    Verdict,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cluster::{Asked, Etcd};
use crate::error::Error;
use crate::facts::{NOT_FOUND, STATUS, Seen, no_asked, refused, source, will_not};
use crate::ids::MemberId;

/// Writes a member's database anew, without what is free in it. Until that is done the member
/// answers nobody, which takes seconds for each gigabyte: one member at a time, the leader last.
///
/// Proven by etcd's answer, or by the size of the database.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefragmentMember {
    /// The member, as `list_members` gives it.
    pub member_id: MemberId,
}

/// A member's database when it was planned to be defragmented.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseFacts {
    /// The member itself; `None` when it is silent.
    pub(crate) asked: Option<Asked>,
    /// Size on disk, bytes.
    pub(crate) db_size: u64,
}

#[async_trait]
impl Mutation<Etcd> for DefragmentMember {
    const NAME: &'static str = "defragment_member";
    const RISK: Risk = Risk::Medium;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = false;
    const IDEMPOTENT: bool = true;
    type Before = DatabaseFacts;

    fn resources(&self) -> Vec<String> {
        // Two members at a time may cost the quorum.
        vec!["defragmentation".to_owned()]
    }

    async fn plan(&self, etcd: &Etcd) -> Result<Plan<DatabaseFacts>, Error> {
        let seen = etcd.seen().await?;
        let status = seen
            .answer_of(self.member_id)
            .ok()
            .map(|(_, status)| status);
        let before = DatabaseFacts {
            asked: seen.asked(self.member_id),
            db_size: status.map_or(0, |status| status.db_size),
        };
        let free = status.map_or(0, |status| {
            status.db_size.saturating_sub(status.db_size_in_use)
        });
        let plan = Plan::new(self.verdict(&seen), before)
            .same("leads", seen.leader == Some(self.member_id))
            .at_least("spare_voters", seen.spare_without(&[self.member_id]))
            .impact("freed_mib", free / (1 << 20), "MiB")
            .touches(format!("member/{}", self.member_id))
            .follow(1_000, 15_000, 600_000);
        Ok(match seen.leader == Some(self.member_id) {
            true => {
                plan.unknown("whether another member becomes leader while this one does not answer")
            }
            false => plan,
        })
    }

    async fn send(&self, etcd: &Etcd, b: &DatabaseFacts, a: &Attempt) -> Result<Accepted, Error> {
        let asked = b.asked.as_ref().ok_or_else(no_asked)?;
        let path = "/v3/maintenance/defragment";
        etcd.send(asked, path, json!({}), a).await
    }

    async fn probe(&self, etcd: &Etcd, b: &DatabaseFacts, sent: &Sent) -> Result<Progress, Error> {
        let seen = etcd.seen().await?;
        let size = seen
            .answer_of(self.member_id)
            .ok()
            .map(|(_, status)| status.db_size);
        let evidence = vec![Evidence::new(source(STATUS), "db_size", json!(size))];
        let text = match size {
            Some(size) => format!("its database has {size} bytes, {} before", b.db_size),
            None => format!("member {} does not answer", self.member_id),
        };
        let is_done = sent.accepted.is_some() || size.is_some_and(|size| size < b.db_size);
        Ok(match is_done {
            true => Progress::applied(sent.attribution(), text, evidence),
            false => seen.not_seen(b.asked.as_ref(), sent, "not_smaller", text, evidence),
        })
    }

    fn undo(&self, _: &DatabaseFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::none("no data has changed")
    }
}

impl DefragmentMember {
    fn verdict(&self, seen: &Seen) -> Verdict {
        let Some(one) = seen.member(self.member_id) else {
            return refused(NOT_FOUND);
        };
        let Some((_, status)) = &one.answer else {
            return will_not(
                "member_silent",
                format!("member {} does not answer", self.member_id),
            );
        };
        if status.db_size <= status.db_size_in_use {
            let already = "there is no free space in its database".to_owned();
            return Verdict::NoOp { already };
        }
        match one.member.is_learner || seen.spare_without(&[self.member_id]) >= 0 {
            true => Verdict::WouldProceed,
            false => Verdict::NotAskedFor {
                code: "quorum".to_owned(),
                text:
                    "it does not answer during defragmentation, and without it there is no quorum"
                        .to_owned(),
            },
        }
    }
}
