//! How a cluster is reached.

use std::fs::File;
use std::path::PathBuf;

use action_core::{Addresses, Connect, ConnectError, FilePath, TlsFiles};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use system_http::{Certificates, Identity, Pem};

use crate::client::Client;
use crate::cluster::Etcd;

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
        let mut certificates = Certificates::default();
        if let Some(path) = &settings.tls.ca {
            certificates.ca = Some(Pem::File(readable("tls_ca", path)?));
        }
        if let Some((cert, key)) = settings.tls.identity()? {
            certificates.identity = Some(Identity::Files {
                certificate: readable("tls_cert", cert)?,
                key: readable("tls_key", key)?,
            });
        }
        let client = Client::new(settings.endpoints.as_str(), certificates);
        let client = client
            .map_err(|error| ConnectError::setting("endpoints", action_core::report(&error)))?;
        Ok(Self::new(client))
    }
}

fn readable(setting: &str, path: &FilePath) -> Result<PathBuf, ConnectError> {
    let path = path.as_path();
    match File::open(path) {
        Ok(_) => Ok(path.to_owned()),
        Err(error) => {
            let problem = format!("cannot read `{}`: {error}", path.display());
            Err(ConnectError::setting(setting, problem))
        }
    }
}
