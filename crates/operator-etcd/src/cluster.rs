//! The handle on a cluster, how it is reached, and how one write reaches one member of it.

use std::time::Duration;

use action_core::{Accepted, Addresses, Attempt, Connect, ConnectError, TlsFiles};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use subject_http::{Call, HttpClient, Origin, Whose};

use crate::error::{ETCD, Error};
use crate::ids::MemberId;
use crate::wire::{STATUS, Status};

/// An etcd cluster.
#[derive(Debug, Clone)]
pub struct Etcd {
    pub(crate) http: HttpClient,
}

/// How an etcd cluster is reached: through the client addresses of its members.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EtcdSettings {
    /// Client addresses of members, separated by commas; the others are found by them.
    #[serde(default = "on_this_machine")]
    #[schemars(extend("x-env" = "ETCDCTL_ENDPOINTS"))]
    pub endpoints: Addresses,
    /// TLS to the members.
    #[serde(default)]
    pub tls: TlsFiles,
}

fn on_this_machine() -> Addresses {
    Addresses("http://127.0.0.1:2379".to_owned())
}

#[async_trait]
impl Connect for Etcd {
    type Settings = EtcdSettings;
    const TITLE: &'static str = "etcd cluster";
    const ANSWERS: &'static str = "etcd";
    const ADDRESS: &'static str = "endpoints";

    async fn connect(settings: EtcdSettings) -> Result<Self, ConnectError> {
        let (endpoints, tls) = (&settings.endpoints, &settings.tls);
        let http = HttpClient::connect(ETCD, Self::ADDRESS, endpoints, tls)?;
        Ok(Self { http })
    }
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
    /// The cluster that these endpoints are of, separated by commas.
    ///
    /// # Errors
    /// When one is no endpoint.
    pub fn at(endpoints: &str) -> Result<Self, Error> {
        let http = HttpClient::new(ETCD, endpoints, Default::default())?;
        Ok(Self { http })
    }

    /// The same, with this much time for the answer to a read and to a write.
    #[must_use]
    pub fn with_timeouts(self, read: Duration, write: Duration) -> Self {
        let http = self.http.with_timeouts(read, write);
        Self { http }
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
        let cluster = attempt.system.as_ref().unwrap_or(&cluster);
        let expected = format!("member {} of cluster {cluster}", asked.member_id);
        let whose = Whose {
            ask: Call::post(STATUS, &json!({})),
            named: |Status { header, .. }: &Status| {
                let (member, cluster) = (header.member_id, header.cluster_id);
                format!("member {member:x} of cluster {cluster:x}")
            },
            expected: Some(&expected),
        };
        let at = Origin::parse(&asked.at).map_err(|error| Error::Setup {
            system: ETCD.name,
            source: error.into(),
        })?;
        let call = Call::post(path, &body);
        let answer: Value = self.http.write(&at, whose, call, attempt).await?;
        let accepted = Accepted::new("accepted");
        let id = answer.pointer("/member/ID").and_then(Value::as_str);
        let id = id.and_then(|id| id.parse::<u64>().ok());
        Ok(match id {
            Some(id) => accepted.fact(NEW_MEMBER, format!("{id:x}")),
            None => accepted,
        })
    }
}
