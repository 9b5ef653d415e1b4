//! The handle on a cluster, and how one write reaches one member of it.

use action_core::{Accepted, Attempt};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use system_http::Origin;

use crate::client::{Client, For};
use crate::error::Error;
use crate::ids::MemberId;

/// An etcd cluster.
#[derive(Debug, Clone)]
pub struct Etcd {
    pub(crate) client: Client,
}

/// The member that a write is for, kept from plan to probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) cluster_id: u64,
    pub(crate) member_id: MemberId,
    /// Its address.
    pub(crate) at: String,
}

/// The fact of an answer that is the id of the member that was added.
pub(crate) const NEW_MEMBER: &str = "member_id";

impl Etcd {
    /// The cluster that this client reaches.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Sends a write to the member that was to be asked when it was planned, and to nobody else.
    pub(crate) async fn send(
        &self,
        asked: &Asked,
        path: &str,
        body: Value,
        attempt: &Attempt,
    ) -> Result<Accepted, Error> {
        let cluster = format!("{:x}", asked.cluster_id);
        if let Some(expected) = attempt.system.as_ref().filter(|one| **one != cluster) {
            return Err(Error::OtherSystem {
                at: asked.at.clone(),
                expected: format!("one of cluster {expected}"),
                found: format!("one of cluster {cluster}"),
            });
        }
        let at = Origin::parse(&asked.at).map_err(|error| Error::Setup(error.into()))?;
        let to = For {
            at: &at,
            member_id: asked.member_id.0,
            cluster_id: asked.cluster_id,
        };
        let answer: Value = self.client.write(to, path, &body, attempt).await?;
        let accepted = Accepted::new("accepted");
        let id = answer.pointer("/member/ID").and_then(Value::as_str);
        let id = id.and_then(|id| id.parse::<u64>().ok());
        Ok(match id {
            Some(id) => accepted.fact(NEW_MEMBER, format!("{id:x}")),
            None => accepted,
        })
    }
}
