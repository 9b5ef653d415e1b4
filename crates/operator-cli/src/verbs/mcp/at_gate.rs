//! `operator mcp --server`: the tools of a gate, with a token and nothing else beside the agent.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use action_core::report;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use operator_mcp::Proxy;

use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;

/// Where the token is, unless it is in a file: on a command line, whoever lists processes sees it.
const TOKEN: &str = "OPERATOR_TOKEN";

/// How long a file with a token may be, in bytes: a JWT may be long.
const LONGEST_TOKEN: u64 = 64 * 1024;

/// What may be given beside `--server`.
const BESIDE: [&str; 6] = [
    "server",
    "cluster",
    "token-file",
    "ca-file",
    "print-config",
    "output",
];

pub(super) fn with_arguments(command: Command) -> Command {
    let file = |name: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .requires("server")
    };
    command
        .arg(
            Arg::new("server")
                .long("server")
                .value_name("URL")
                .help("Offer the tools of the gate at this address (`serve`), for a token, of the cluster `--cluster`"),
        )
        .arg(file("token-file").help("The token for the gate, in a file [default: from OPERATOR_TOKEN]"))
        .arg(file("ca-file").help("Trust the certificates in it, and no others, at the gate [default: the system's]"))
}

/// Whether a command line is about a gate: then nothing of this machine counts, its config file neither.
pub(crate) fn is_asked_for(matches: &ArgMatches) -> bool {
    matches.contains_id("server")
}

/// One cluster of a gate, as it was asked for.
pub(super) struct AtGate<'m> {
    server: &'m str,
    cluster: &'m str,
    token_file: Option<&'m Path>,
    ca_file: Option<&'m Path>,
}

impl<'m> AtGate<'m> {
    pub(super) fn of(matches: &'m ArgMatches) -> Result<Option<Self>, Failure> {
        let Some(server) = matches.get_one::<String>("server") else {
            return Ok(None);
        };
        let given =
            |id: &clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
        let mut given = matches.ids().filter(|id| given(id)).map(clap::Id::as_str);
        if let Some(other) = given.find(|id| !BESIDE.contains(id)) {
            let flag = other.trim_start_matches("setting ").replace('_', "-");
            return Err(Failure::usage(format!("`--{flag}` says nothing to a gate"))
                .next("leave it out: the gate has its clusters, policy and journal, and the token says who asks and up to which risk"));
        }
        let cluster = matches.get_one::<String>("cluster");
        let cluster = cluster.ok_or_else(|| {
            Failure::usage("which cluster of the gate?").next("name it: `--cluster NAME`")
        })?;
        let file = |name: &str| matches.get_one::<PathBuf>(name).map(PathBuf::as_path);
        Ok(Some(Self {
            server,
            cluster,
            token_file: file("token-file"),
            ca_file: file("ca-file"),
        }))
    }

    pub(super) async fn serve(&self) -> Result<Exit, Failure> {
        let ca_file = self.ca_file.map(Path::to_path_buf);
        let proxy = Proxy::new(self.server, self.cluster, &self.token()?, ca_file);
        let proxy =
            proxy.map_err(|error| Failure::usage(format!("`--server`: {}", report(&error))))?;
        proxy.serve_stdio().await;
        Ok(Exit::Done)
    }

    fn token(&self) -> Result<String, Failure> {
        let token = match self.token_file {
            None => std::env::var(TOKEN).unwrap_or_default(),
            Some(path) => read(path).map_err(|error| {
                let path = path.display();
                Failure::usage(format!("`--token-file`: cannot read `{path}`: {error}"))
            })?,
        };
        match token.trim() {
            "" => Err(
                Failure::usage("a gate serves who has a token, and there is none").next(format!(
                    "give it in a file, `--token-file FILE`, or in {TOKEN}"
                )),
            ),
            token => Ok(token.to_owned()),
        }
    }

    /// The same on a command line that a host runs from anywhere. No secret is in it.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = vec!["--server".to_owned(), self.server.to_owned()];
        words.extend(["--cluster".to_owned(), self.cluster.to_owned()]);
        for (flag, path) in [
            ("--token-file", self.token_file),
            ("--ca-file", self.ca_file),
        ] {
            if let Some(path) = path {
                let whole = std::path::absolute(path);
                let whole = whole.as_deref().unwrap_or(path).display().to_string();
                words.extend([flag.to_owned(), whole]);
            }
        }
        words
    }
}

/// What a file holds, which is short.
fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let most = LONGEST_TOKEN + 1;
    File::open(path)?.take(most).read_to_string(&mut text)?;
    if text.len() as u64 == most {
        return Err(io::Error::other("it is longer than a token is"));
    }
    Ok(text)
}
