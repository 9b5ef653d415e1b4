//! A gate, where a command is given to one: where it is, and what proves who asks.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use action_core::report;
use gate_client::{Certificates, Identity, Pem, Place};

use crate::terminal::failure::Failure;

/// Where the token is, unless it is in a file: on a command line, whoever lists processes sees it.
const TOKEN: &str = "OPERATOR_TOKEN";

/// How long a file with a token may be, in bytes: a JWT may be long.
const LONGEST_TOKEN: u64 = 64 * 1024;

/// The flags that say nothing of who asks.
const ANYBODY: [&str; 2] = ["--server", "--ca-file"];

/// A gate.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Gate")]
pub(crate) struct Server {
    /// Address of a gate (`serve`) to send the command to; it has its own clusters, policy and
    /// journal
    #[arg(
        long = "server",
        value_name = "URL",
        env = "OPERATOR_SERVER",
        global = true
    )]
    address: Option<String>,

    /// File with the token for the gate [default: from OPERATOR_TOKEN]
    #[arg(long, value_name = "FILE", global = true, requires = "address")]
    token_file: Option<PathBuf>,

    /// File of the only CA certificates to trust for the gate [default: the system's]
    #[arg(long, value_name = "FILE", global = true, requires = "address")]
    ca_file: Option<PathBuf>,

    /// Your certificate for the gate (PEM)
    #[arg(long, value_name = "FILE", global = true, requires = "client_key")]
    client_certificate: Option<PathBuf>,

    /// The key of your certificate (PEM)
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        requires = "client_certificate"
    )]
    client_key: Option<PathBuf>,
}

impl Server {
    /// Whether a command is given to a gate.
    pub(crate) fn is_given(&self) -> bool {
        self.address.is_some()
    }

    /// Where it is.
    pub(crate) fn place(&self) -> Result<Place, Failure> {
        let both = self.client_certificate.clone().zip(self.client_key.clone());
        let identity = both.map(|(certificate, key)| Identity::Files { certificate, key });
        let certificates = Certificates {
            ca: self.ca_file.clone().map(Pem::File),
            identity,
            ..Certificates::default()
        };
        let place = Place::new(self.address.as_deref().unwrap_or_default(), certificates);
        place.map_err(|error| Failure::usage(format!("`--server`: {}", report(&error))))
    }

    /// Whether a certificate proves who asks.
    pub(crate) fn has_certificate(&self) -> bool {
        self.client_certificate.is_some()
    }

    /// The token, if there is one.
    pub(crate) fn token(&self) -> Result<Option<String>, Failure> {
        let token = match &self.token_file {
            None => std::env::var(TOKEN).unwrap_or_default(),
            Some(path) => read(path).map_err(|error| {
                let path = path.display();
                Failure::usage(format!("`--token-file`: cannot read `{path}`: {error}"))
            })?,
        };
        let token = token.trim();
        Ok((!token.is_empty()).then(|| token.to_owned()))
    }

    /// That there is nothing by which somebody could be proven.
    pub(crate) fn no_token() -> Failure {
        Failure::usage("no token for the gate")
            .next(format!("give it with `--token-file FILE` or in {TOKEN}"))
    }

    /// What was given of it, without secrets.
    pub(crate) fn given(&self) -> impl Iterator<Item = (&'static str, String)> {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let flags = [
            ("--server", self.address.clone()),
            ("--token-file", path(&self.token_file)),
            ("--ca-file", path(&self.ca_file)),
            ("--client-certificate", path(&self.client_certificate)),
            ("--client-key", path(&self.client_key)),
        ];
        flags
            .into_iter()
            .filter_map(|(flag, value)| Some((flag, value?)))
    }

    /// The flags that lead another command to the same gate: for who gives this one, or for anybody.
    pub(crate) fn flags(&self, for_anybody: bool) -> Vec<String> {
        let given = self.given();
        let given = given.filter(|(flag, _)| !for_anybody || ANYBODY.contains(flag));
        given
            .flat_map(|(flag, value)| [flag.to_owned(), value])
            .collect()
    }
}

/// What a file holds, which is short.
fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let most = LONGEST_TOKEN + 1;
    File::open(path)?.take(most).read_to_string(&mut text)?;
    if text.len() as u64 == most {
        return Err(io::Error::other("it is too long for a token"));
    }
    Ok(text)
}
