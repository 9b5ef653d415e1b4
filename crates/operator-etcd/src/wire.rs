//! What the gateway answers. Integers of 64 bits are decimal text, and what is zero, empty or false
//! is left out. Seen of etcd 3.4.23.

use serde::{Deserialize, Deserializer};

use crate::ids::MemberId;

pub(crate) const LIST: &str = "/v3/cluster/member/list";
pub(crate) const STATUS: &str = "/v3/maintenance/status";

/// Of whom an answer is. `/v3/maintenance/alarm` may leave it out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Header {
    #[serde(deserialize_with = "number")]
    pub(crate) cluster_id: u64,
    #[serde(deserialize_with = "number")]
    pub(crate) member_id: u64,
    /// Of the store of keys.
    #[serde(deserialize_with = "number")]
    pub(crate) revision: u64,
    #[serde(deserialize_with = "number")]
    pub(crate) raft_term: u64,
}

/// `POST /v3/cluster/member/list`, `…/add`, `…/promote` and `…/remove`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct MemberList {
    pub(crate) header: Header,
    pub(crate) members: Vec<Member>,
}

/// A member. One that was added and has not started yet has no name and no client address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Member {
    #[serde(rename = "ID", deserialize_with = "number")]
    pub(crate) id: u64,
    pub(crate) name: String,
    #[serde(rename = "peerURLs")]
    pub(crate) peer_urls: Vec<String>,
    #[serde(rename = "clientURLs")]
    pub(crate) client_urls: Vec<String>,
    pub(crate) is_learner: bool,
}

/// `POST /v3/maintenance/status`. Sizes are bytes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Status {
    pub(crate) header: Header,
    pub(crate) version: String,
    #[serde(deserialize_with = "number")]
    pub(crate) db_size: u64,
    #[serde(deserialize_with = "number")]
    pub(crate) db_size_in_use: u64,
    /// Zero when this member knows of none.
    #[serde(deserialize_with = "number")]
    pub(crate) leader: u64,
    #[serde(deserialize_with = "number")]
    pub(crate) raft_term: u64,
    #[serde(deserialize_with = "number")]
    pub(crate) raft_index: u64,
    #[serde(deserialize_with = "number")]
    pub(crate) raft_applied_index: u64,
    /// What the member says is wrong, such as `etcdserver: no leader`.
    pub(crate) errors: Vec<String>,
}

/// An answer that is a refusal, with a status other than 2xx. Newer versions leave `error` out.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    /// A code of gRPC's.
    pub(crate) code: u32,
}

/// An alarm, of `POST /v3/maintenance/alarm`: `NOSPACE` or `CORRUPT`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Alarm {
    #[serde(rename = "memberID", deserialize_with = "number")]
    pub(crate) member_id: u64,
    pub(crate) alarm: String,
}

impl Member {
    /// Whether its process has ever joined.
    pub(crate) fn is_started(&self) -> bool {
        !self.name.is_empty()
    }

    pub(crate) fn id(&self) -> MemberId {
        MemberId(self.id)
    }
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}
