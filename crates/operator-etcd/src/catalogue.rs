//! The list of actions: the catalogue.

use action_core::{ActionSet, Subject};
use async_trait::async_trait;

use crate::cluster::Etcd;
use crate::error::Error;
use crate::mutations::MoveLeader;
use crate::observations::{ListMembers, MemberStatus};

#[async_trait]
impl Subject for Etcd {
    const NAME: &'static str = "etcd";
    type Error = Error;

    fn actions() -> ActionSet<Self> {
        ActionSet::new()
            .observation::<ListMembers>()
            .observation::<MemberStatus>()
            .mutation::<MoveLeader>()
    }

    /// Its cluster id, in hexadecimal as etcd's log has it.
    async fn identity(&self) -> Result<String, Error> {
        let list = self.any_list().await?;
        Ok(format!("{:x}", list.header.cluster_id))
    }
}
