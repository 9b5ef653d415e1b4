//! How a cluster is reached.

use std::time::Duration;

use action_core::{Addresses, Connect, ConnectError, DurationText, TlsFiles};
use async_trait::async_trait;
use pd_client::{Client, InputError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use subject_http::{read, readable};

use crate::cluster::Tikv;

/// PD has loaded its schedulers this long after its start, where regions report every few seconds.
const WAITS: Duration = Duration::from_secs(20);

/// PD takes 12 to 13 seconds to notice that its leader is gone, and to elect another.
const ELECTION: Duration = Duration::from_secs(20);

/// How a TiKV cluster is reached: through its PD, by the names of pd-ctl.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TikvSettings {
    /// Addresses of PD, separated by commas; with several, reads wait up to 20 s for a new leader.
    #[serde(default = "on_this_machine")]
    #[schemars(extend("x-env" = "PD_ADDR", "x-short" = "u"))]
    pub pd: Addresses,
    /// Where the stores' own numbers are: a Prometheus, or what speaks its API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-env" = "PROMETHEUS_URL"))]
    pub prometheus: Option<Addresses>,
    /// How often regions report to PD, where TiKV's `raftstore.pd-heartbeat-tick-interval` was
    /// changed; a minute where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region_heartbeat: Option<DurationText>,
    /// TLS to PD and to Prometheus.
    #[serde(default)]
    pub tls: TlsFiles,
}

fn on_this_machine() -> Addresses {
    Addresses("http://127.0.0.1:2379".to_owned())
}

#[async_trait]
impl Connect for Tikv {
    type Settings = TikvSettings;
    const TITLE: &'static str = "TiKV cluster";
    const ANSWERS: &'static str = "PD";
    const ADDRESS: &'static str = "pd";

    async fn connect(settings: TikvSettings) -> Result<Self, ConnectError> {
        let mut tikv = Self::new(pd(&settings)?).waiting(WAITS);
        if let Some(interval) = settings.region_heartbeat {
            tikv = tikv.with_region_heartbeat_interval(interval.duration());
        }
        if let Some(prometheus) = prometheus(&settings)? {
            tikv = tikv.with_prometheus(prometheus);
        }
        Ok(tikv)
    }
}

fn pd(settings: &TikvSettings) -> Result<Client, ConnectError> {
    let addresses = &settings.pd;
    let mut builder = Client::builder()
        .endpoints(addresses.as_str())
        .caller_id("operator");
    if addresses.are_several() {
        builder = builder.read_deadline(ELECTION);
    }
    if let Some(path) = &settings.tls.ca {
        builder = builder.ca_file(readable("tls_ca", path)?);
    }
    if let Some((cert, key)) = settings.tls.identity()? {
        let (cert, key) = (readable("tls_cert", cert)?, readable("tls_key", key)?);
        builder = builder.client_identity_files(cert, key);
    }
    builder.build().map_err(|error| match &error {
        pd_client::Error::Input(InputError::Setup(_)) => {
            let setting = settings.tls.ca.as_ref().map_or("tls_cert", |_| "tls_ca");
            ConnectError::setting(setting, error.report())
        }
        pd_client::Error::Input(_) => ConnectError::setting("pd", error.report()),
        _ => ConnectError::Failed(Box::new(error)),
    })
}

fn prometheus(settings: &TikvSettings) -> Result<Option<prom_client::Client>, ConnectError> {
    let Some(address) = &settings.prometheus else {
        return Ok(None);
    };
    let mut builder = prom_client::Client::builder(address.as_str());
    if let Some(path) = &settings.tls.ca {
        builder = builder.ca_pem(read("tls_ca", path)?);
    }
    let client = builder.build();
    client
        .map(Some)
        .map_err(|error| ConnectError::setting("prometheus", action_core::report(&error)))
}
