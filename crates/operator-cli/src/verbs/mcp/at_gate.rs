//! `operator mcp --server`: the tools of a gate, with what proves the agent and nothing else beside it.

use std::path::Path;

use clap::ArgMatches;
use clap::parser::ValueSource;
use operator_mcp::Proxy;

use crate::gate;
use crate::settings::Global;
use crate::settings::file_flags::is_file_flag;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;

/// What may be given beside `--server`.
const BESIDE: [&str; 8] = [
    "address",
    "cluster",
    "token_file",
    "ca_file",
    "client_certificate",
    "client_key",
    "print-config",
    "output",
];

/// The cluster of the gate. What says nothing to one is refused.
pub(super) fn cluster(matches: &ArgMatches) -> Result<&str, Failure> {
    let given = |id: &clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
    let mut given = matches.ids().filter(|id| given(id)).map(clap::Id::as_str);
    // Flattened flags are a group, too, which nobody gives.
    let is_flag = |id: &str| id != "Server" && id != "Global" && id != "State";
    if let Some(other) = given.find(|id| is_flag(id) && !BESIDE.contains(id)) {
        let flag = other.trim_start_matches("setting ").replace('_', "-");
        return Err(Failure::usage(format!("`--{flag}` has no effect with `--server`"))
            .next("leave it out: the gate has its own clusters, policy and journal, and the token says for whom and up to which risk"));
    }
    let cluster = matches.get_one::<String>("cluster");
    cluster
        .map(String::as_str)
        .ok_or_else(|| Failure::usage("no cluster of the gate named").next("give `--cluster NAME`"))
}

pub(super) async fn serve(cluster: &str, global: &Global) -> Result<Exit, Failure> {
    let who = gate::agent(global)?;
    let proxy = Proxy::new(global.server.place()?, cluster, who);
    proxy.serve_stdio().await;
    Ok(Exit::Done)
}

/// The same on a command line that a host runs from anywhere. No secret is in it.
pub(super) fn words(cluster: &str, global: &Global) -> Vec<String> {
    let mut words = Vec::new();
    for (flag, value) in global.server.given() {
        let whole = is_file_flag(flag)
            .then(|| std::path::absolute(Path::new(&value)).ok())
            .flatten();
        let value = whole.map_or(value, |path| path.display().to_string());
        words.extend([flag.to_owned(), value]);
        if flag == "--server" {
            words.extend(["--cluster".to_owned(), cluster.to_owned()]);
        }
    }
    words
}
