//! Where the system is, and which one it must be.

use std::path::{Path, PathBuf};
use std::time::Duration;

use action_core::{DurationText, REDACTED, shown_address};
use pd_client::{Client, ErrorClass};
use serde::Deserialize;

use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;

const DEFAULT_PD: &str = "http://127.0.0.1:2379";

/// PD takes 12 to 13 seconds to notice that its leader is gone, and to elect another.
const ELECTION: Duration = Duration::from_secs(20);

/// A cluster by a name of its own. It is pinned: another one at its address is refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cluster {
    pub(crate) pd: String,
    pub(crate) cluster_id: String,
    pub(crate) tls_ca: Option<PathBuf>,
    pub(crate) tls_cert: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
}

/// Where PD is, with the flags of pd-ctl.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// Addresses of PD, separated by commas; with several, reads wait up to 20 s for a new leader
    /// [default: http://127.0.0.1:2379]
    #[arg(short = 'u', long, env = "PD_ADDR", value_name = "URLS", global = true)]
    pd: Option<String>,

    /// A cluster that the config file names, with its address and the id it must have
    #[arg(long, env = "OPERATOR_CLUSTER", value_name = "NAME", global = true)]
    cluster: Option<String>,

    /// Certificates to trust, and no others (PEM)
    #[arg(long, value_name = "FILE", global = true)]
    tls_ca: Option<PathBuf>,

    /// Certificate to show to PD (PEM)
    #[arg(long, value_name = "FILE", global = true)]
    tls_cert: Option<PathBuf>,

    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", global = true)]
    tls_key: Option<PathBuf>,

    /// Where the stores' own numbers are: a Prometheus, or what speaks its API
    #[arg(long, env = "PROMETHEUS_URL", value_name = "URL", global = true)]
    prometheus: Option<String>,

    /// How often regions report to PD, where TiKV's `raftstore.pd-heartbeat-tick-interval` was
    /// changed [default: 1m]
    #[arg(long, value_name = "DURATION", global = true)]
    region_heartbeat: Option<DurationText>,

    /// Refuse to work with any other cluster than this
    #[arg(long, value_name = "ID", global = true)]
    pub(crate) cluster_id: Option<String>,

    /// The flags that were given, before the config file filled in the rest.
    #[arg(skip)]
    given: Option<Vec<String>>,
}

impl Connection {
    /// A client for these addresses. Nothing is sent yet.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let mut builder = Client::builder().endpoints(self.pd()).caller_id("operator");
        if self.pd().contains(',') {
            builder = builder.read_deadline(ELECTION);
        }
        if let Some(path) = &self.tls_ca {
            builder = builder.ca_pem(read("--tls-ca", path)?);
        }
        match (&self.tls_cert, &self.tls_key) {
            (Some(cert), Some(key)) => {
                let mut identity = read("--tls-cert", cert)?;
                identity.push(b'\n');
                identity.extend(read("--tls-key", key)?);
                builder = builder.client_identity_pem(identity);
            }
            (None, None) => {}
            _ => {
                return Err(Failure::usage(
                    "`--tls-cert` and `--tls-key` go together, give both",
                ));
            }
        }
        builder.build().map_err(|error| match error.class() {
            ErrorClass::Input => Failure::usage(error.report()),
            _ => Failure::new(Exit::Failed, "client", error.report()),
        })
    }

    /// A client of the Prometheus that was named, if one was. Nothing is sent yet.
    pub(crate) fn prometheus(&self) -> Result<Option<prom_client::Client>, Failure> {
        let client = self.prometheus.as_deref().map(|address| {
            let mut builder = prom_client::Client::builder(address);
            if let Some(path) = &self.tls_ca {
                builder = builder.ca_pem(read("--tls-ca", path)?);
            }
            builder
                .build()
                .map_err(|error| Failure::usage(action_core::report(&error)))
        });
        client.transpose()
    }

    /// How often regions report, if that was said.
    pub(crate) fn region_heartbeat(&self) -> Option<Duration> {
        self.region_heartbeat.map(DurationText::duration)
    }

    /// Refuses a system that is not the one asked for.
    pub(crate) fn check_system(&self, system: &str) -> Result<(), Failure> {
        match &self.cluster_id {
            Some(wanted) if wanted.trim() != system => Err(Failure::refused(
                "wrong_cluster",
                format!(
                    "PD at {} serves cluster {system}, not {wanted}: nothing was sent",
                    shown_address(self.pd())
                ),
            )),
            _ => Ok(()),
        }
    }

    /// The flags that lead another command to the same system.
    pub(crate) fn flags(&self) -> Vec<String> {
        self.given.clone().unwrap_or_else(|| self.as_given())
    }

    fn as_given(&self) -> Vec<String> {
        let path = |path: &PathBuf| path.display().to_string();
        let pd = self.pd.as_deref().filter(|pd| *pd != DEFAULT_PD);
        let pd = pd.map(|pd| shown_address(pd).into_owned());
        // What is left out here is only not asked.
        let prometheus = self.prometheus.as_deref().map(shown_address);
        let prometheus = prometheus.filter(|shown| shown != REDACTED);
        [
            ("--cluster", self.cluster.clone()),
            ("--pd", pd),
            ("--tls-ca", self.tls_ca.as_ref().map(path)),
            ("--tls-cert", self.tls_cert.as_ref().map(path)),
            ("--tls-key", self.tls_key.as_ref().map(path)),
            ("--prometheus", prometheus.map(Into::into)),
            (
                "--region-heartbeat",
                self.region_heartbeat.map(|interval| interval.to_string()),
            ),
            ("--cluster-id", self.cluster_id.clone()),
        ]
        .into_iter()
        .filter_map(|(flag, value)| Some([flag.to_owned(), value?]))
        .flatten()
        .collect()
    }

    /// Where PD is.
    pub(crate) fn pd(&self) -> &str {
        self.pd.as_deref().unwrap_or(DEFAULT_PD)
    }

    /// The named cluster to use: the one that was asked for, else the default one where no address
    /// is given.
    pub(crate) fn choose(&self, default: Option<&str>) -> Option<String> {
        let default = default.filter(|_| self.pd.is_none());
        self.cluster.clone().or_else(|| default.map(str::to_owned))
    }

    /// Refuses a named cluster where no names are known.
    pub(crate) fn check_named(&self, known: &[&str]) -> Result<(), Failure> {
        match &self.cluster {
            Some(name) => Err(self.no_such_cluster(name, known)),
            None => Ok(()),
        }
    }

    pub(crate) fn no_such_cluster(&self, name: &str, known: &[&str]) -> Failure {
        let failure = Failure::usage(format!("the config file names no cluster `{name}`"));
        if known.is_empty() {
            failure.next("a `[clusters.NAME]` in it has the `pd` and the `cluster_id`")
        } else {
            failure.next(format!("it names {}", known.join(", ")))
        }
    }

    /// Fills in what is not given. Its cluster id stays pinned whatever the address.
    pub(crate) fn fill(&mut self, cluster: Cluster) -> Result<(), Failure> {
        self.given = Some(self.as_given());
        if let Some(wanted) = &self.cluster_id
            && *wanted != cluster.cluster_id
        {
            let known = cluster.cluster_id;
            return Err(Failure::usage(format!(
                "`--cluster-id {wanted}` is not the id that the config file pins, {known}"
            )));
        }
        self.cluster_id = Some(cluster.cluster_id);
        self.pd.get_or_insert(cluster.pd);
        let files = [
            (&mut self.tls_ca, cluster.tls_ca),
            (&mut self.tls_cert, cluster.tls_cert),
            (&mut self.tls_key, cluster.tls_key),
        ];
        for (given, configured) in files {
            *given = given.take().or(configured);
        }
        Ok(())
    }
}

fn read(flag: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| {
        Failure::usage(format!(
            "`{flag}`: cannot read `{}`: {error}",
            path.display()
        ))
    })
}
