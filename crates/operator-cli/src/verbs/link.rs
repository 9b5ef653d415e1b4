//! `operator link`: a link that logs in to the gate of this machine with a browser, once.

use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::{Output, note};

/// How long the gate may take.
const WITHIN: Duration = Duration::from_secs(10);

/// How long its answer is at most, in bytes.
const LONGEST: u64 = 64 * 1024;

pub(crate) fn command() -> Command {
    Command::new("link")
        .about("Create a one-time link that logs a browser in to the gate of this machine")
        .after_help(
            "The gate asks the kernel which user you are, and makes links for those that `[[serve.local_user]]` \
             of its config file lists. The link counts for five minutes and once: give it to nobody.",
        )
        .arg(
            Arg::new("socket")
                .long("socket")
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .help("The gate's `link_socket`; `link.sock` in its state directory unless given"),
        )
}

/// What the gate answers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Made(Made),
    Refused { error: String },
}

#[derive(Serialize, Deserialize)]
struct Made {
    url: String,
    actor: String,
    expires_at: String,
}

pub(crate) fn main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let socket = match matches.get_one::<PathBuf>("socket") {
        Some(socket) => socket.clone(),
        None => global.state.directory()?.join("link.sock"),
    };
    let answer = asked(&socket).map_err(|error| {
        let text = format!("cannot ask the gate at `{}`: {error}", socket.display());
        let failure = Failure::new(Exit::Failed, "link", text);
        failure.next(
            "is `operator serve` running, and may you open its socket? `--socket FILE` names it",
        )
    })?;
    let made = match serde_json::from_slice(&answer) {
        Ok(Answer::Made(made)) => made,
        Ok(Answer::Refused { error }) => {
            return Err(Failure::new(Exit::Refused, "link", error));
        }
        Err(_) => {
            let text = "the gate's answer is not understood";
            return Err(Failure::new(Exit::Failed, "link", text));
        }
    };
    note(&format!(
        "logs {} in once, until {}: open it in your browser, and give it to nobody",
        made.actor, made.expires_at
    ));
    output.secret(
        &made.url,
        |url| json!({"url": url, "actor": made.actor, "expires_at": made.expires_at}),
    );
    Ok(Exit::Done)
}

/// Whether a socket belongs to who keeps its directory, or to root: in `/tmp` anybody could make one.
fn is_of_a_gate(owner: u32, of_directory: u32) -> bool {
    owner == of_directory || owner == 0
}

fn asked(socket: &Path) -> io::Result<Vec<u8>> {
    let directory = socket.parent().filter(|parent| parent.as_os_str() != "");
    let directory = std::fs::metadata(directory.unwrap_or(Path::new(".")))?;
    if !is_of_a_gate(std::fs::symlink_metadata(socket)?.uid(), directory.uid()) {
        let text = "its owner is neither that of its directory nor root: it may be no gate's";
        return Err(io::Error::other(text));
    }
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(WITHIN))?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_of_somebody_else_is_no_gates() {
        assert!(is_of_a_gate(1000, 1000) && is_of_a_gate(0, 1000));
        assert!(!is_of_a_gate(1001, 0) && !is_of_a_gate(1001, 1000));
    }
}
