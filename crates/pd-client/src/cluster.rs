//! The cluster as a whole.

use std::time::SystemTime;

use serde::Deserialize;

use crate::client::Client;
use crate::error::Error;
use crate::ids::ClusterId;
use crate::time::{deserialize_rfc3339, deserialize_unix_s};
use crate::transport::Call;
use crate::version::Version;

impl Client {
    /// Which cluster this is. Works before bootstrap. A client that was not told of a cluster yet
    /// holds to this one, see [`with_cluster_id`](Self::with_cluster_id).
    ///
    /// `GET /cluster`, all versions.
    pub async fn cluster(&self) -> Result<Cluster, Error> {
        let cluster: Cluster = self.read(Call::point("/cluster")).await?.json()?;
        // A read says what it reads, whatever came before.
        let _ = self.hold_to(cluster.id);
        Ok(cluster)
    }

    /// Whether the cluster is bootstrapped, and since when.
    ///
    /// `GET /cluster/status`, all versions.
    pub async fn cluster_status(&self) -> Result<ClusterStatus, Error> {
        self.read(Call::point("/cluster/status")).await?.json()
    }

    /// What PD was built from, and since when it runs: its leader up to 8.5.4, later the member
    /// that is asked.
    ///
    /// `GET /status`, all versions.
    pub async fn status(&self) -> Result<Status, Error> {
        self.read(Call::point("/status")).await?.json()
    }

    /// The version of PD: of its leader up to 8.5.4, later of the member that is asked.
    ///
    /// `GET /version`, all versions.
    pub async fn version(&self) -> Result<Version, Error> {
        let answer: VersionAnswer = self.read(Call::point("/version")).await?.json()?;
        Ok(Version::parse(answer.version))
    }
}

/// Which cluster this is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Cluster {
    /// Its id.
    pub id: ClusterId,
    /// Replicas of each region, where no rule says otherwise.
    #[serde(default)]
    pub max_peer_count: u32,
}

/// Whether a cluster is bootstrapped.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ClusterStatus {
    /// Whether the first store has joined and regions are known.
    pub is_initialized: bool,
    /// When the first store joined, by PD's clock.
    #[serde(default, deserialize_with = "deserialize_rfc3339")]
    pub raft_bootstrap_time: Option<SystemTime>,
    /// How replication between data centres is; empty unless it is configured.
    #[serde(default)]
    pub replication_status: String,
}

/// What PD was built from, and since when it runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Status {
    /// When it was built, as PD says it.
    #[serde(default)]
    pub build_ts: String,
    /// Its version, such as `v8.5.7`.
    pub version: String,
    /// What it was built from.
    #[serde(default)]
    pub git_hash: String,
    /// When it was started, by its own clock.
    #[serde(rename = "start_timestamp", deserialize_with = "deserialize_unix_s")]
    pub started: Option<SystemTime>,
    /// `Classic` or `NextGen`; only PD after 8.5 says.
    #[serde(default)]
    pub kernel_type: Option<String>,
}

#[derive(Deserialize)]
struct VersionAnswer {
    version: String,
}
