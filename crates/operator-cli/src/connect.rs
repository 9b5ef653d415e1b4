//! Where the system is, and which one it must be.

use std::path::{Path, PathBuf};

use pd_client::{Client, ErrorClass};

use crate::exit::Exit;
use crate::failure::Failure;

const DEFAULT_PD: &str = "http://127.0.0.1:2379";

/// Where PD is, with the flags of pd-ctl.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// Addresses of PD, separated by commas
    #[arg(short = 'u', long, env = "PD_ADDR", default_value = DEFAULT_PD, global = true)]
    pub(crate) pd: String,

    /// Certificates to trust, and no others (PEM)
    #[arg(long, value_name = "FILE", global = true)]
    cacert: Option<PathBuf>,

    /// Certificate to show to PD (PEM)
    #[arg(long, value_name = "FILE", global = true)]
    cert: Option<PathBuf>,

    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", global = true)]
    key: Option<PathBuf>,

    /// Refuse to work with any other cluster than this
    #[arg(long, value_name = "ID", global = true)]
    pub(crate) cluster_id: Option<String>,
}

impl Connection {
    /// A client for these addresses. Nothing is sent yet.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let mut builder = Client::builder().endpoints(&self.pd).caller_id("operator");
        if let Some(path) = &self.cacert {
            builder = builder.ca_pem(read("--cacert", path)?);
        }
        match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => {
                let mut identity = read("--cert", cert)?;
                identity.push(b'\n');
                identity.extend(read("--key", key)?);
                builder = builder.client_identity_pem(identity);
            }
            (None, None) => {}
            _ => {
                return Err(Failure::usage(
                    "`--cert` and `--key` go together, give both",
                ));
            }
        }
        builder.build().map_err(|error| match error.class() {
            ErrorClass::Input => Failure::usage(error.report()),
            _ => Failure::new(Exit::Failed, "client", error.report()),
        })
    }

    /// Refuses a system that is not the one asked for.
    pub(crate) fn check_system(&self, system: &str) -> Result<(), Failure> {
        match &self.cluster_id {
            Some(wanted) if wanted.trim() != system => Err(Failure::refused(
                "wrong_cluster",
                format!(
                    "PD at {} serves cluster {system}, not {wanted}: nothing was sent",
                    self.pd
                ),
            )),
            _ => Ok(()),
        }
    }

    /// The flags that lead another command to the same system.
    pub(crate) fn flags(&self) -> Vec<String> {
        let path = |path: &PathBuf| path.display().to_string();
        let pd = (self.pd != DEFAULT_PD).then(|| self.pd.clone());
        [
            ("--pd", pd),
            ("--cacert", self.cacert.as_ref().map(path)),
            ("--cert", self.cert.as_ref().map(path)),
            ("--key", self.key.as_ref().map(path)),
            ("--cluster-id", self.cluster_id.clone()),
        ]
        .into_iter()
        .filter_map(|(flag, value)| Some([flag.to_owned(), value?]))
        .flatten()
        .collect()
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
