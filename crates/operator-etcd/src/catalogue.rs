//! The list of actions: the catalogue.

use action_core::{ActionSet, Subject};
use async_trait::async_trait;

use crate::cluster::Etcd;
use crate::error::Error;
use crate::mutations::{
    AddLearnerMember, Compact, DefragmentMember, DisarmAlarm, MoveLeader, PromoteMember,
    RemoveMember,
};
use crate::observations::{
    CheckInvariants, Doctor, ListAlarms, ListMembers, MemberStatus, SafeToStop, Why,
};

#[async_trait]
impl Subject for Etcd {
    const NAME: &'static str = "etcd";
    type Error = Error;

    fn actions() -> ActionSet<Self> {
        ActionSet::new()
            .observation::<ListMembers>()
            .observation::<MemberStatus>()
            .observation::<ListAlarms>()
            .observation::<CheckInvariants>()
            .observation::<Why>()
            .observation::<Doctor>()
            .observation::<SafeToStop>()
            .mutation::<MoveLeader>()
            .mutation::<AddLearnerMember>()
            .mutation::<PromoteMember>()
            .mutation::<RemoveMember>()
            .mutation::<DisarmAlarm>()
            .mutation::<DefragmentMember>()
            .mutation::<Compact>()
    }

    /// Its cluster id, in hexadecimal as etcd's log has it.
    async fn identity(&self) -> Result<String, Error> {
        let list = self.any_list().await?;
        Ok(format!("{:x}", list.header.cluster_id))
    }
}
