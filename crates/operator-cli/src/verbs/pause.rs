//! `operator pause` and `operator resume`: nothing is done for an agent meanwhile.

use action_core::{DurationText, printable};
use action_guard::{Actor, Decider, Pause, Sender, State};
use clap::{Arg, ArgMatches, Command};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::arguments::{given_reason, reason};
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::terminal::table::section;
use crate::terminal::values::when;

pub(crate) fn pause() -> Command {
    Command::new("pause")
        .about("Pause an agent: nothing is proposed, started or sent for it, in any process on this state directory")
        .after_help(
            "What was sent goes on and is followed; a workflow that it started stops. A person pauses an \
             agent, or an agent itself; a person ends it (`resume`). It never ends an earlier pause sooner.",
        )
        .arg(agent())
        .arg(
            Arg::new("for")
                .long("for")
                .value_name("TIME")
                .value_parser(clap::value_parser!(DurationText))
                .help("How long, such as `2h` [default: until a person resumes it]"),
        )
        .arg(reason(true))
}

pub(crate) fn resume() -> Command {
    Command::new("resume")
        .about("End the pause of an agent; what it stopped is asked for anew")
        .arg(agent())
        .arg(reason(true))
}

fn agent() -> Arg {
    Arg::new("agent")
        .required(true)
        .value_name("AGENT")
        .help("Which one: `agent:NAME`")
}

/// The agent that is meant.
pub(super) fn named(matches: &ArgMatches) -> Result<Actor, Failure> {
    let given = matches.get_one::<String>("agent");
    let given = given.map_or("", String::as_str);
    let wrong = |why: String| Failure::usage(why).next("name an agent: `agent:NAME`");
    let agent = given.parse::<Actor>();
    let agent = agent.map_err(|error| wrong(error.to_string()))?;
    match agent.as_str().starts_with("agent:") {
        true => Ok(agent),
        false => Err(wrong(format!(
            "`{agent}` is not an agent: only agents can be paused"
        ))),
    }
}

/// How long, in whole seconds.
pub(super) fn seconds(matches: &ArgMatches) -> Result<Option<u32>, Failure> {
    let Some(lasts) = matches.get_one::<DurationText>("for") else {
        return Ok(None);
    };
    let lasts = lasts.duration();
    let whole = lasts.as_secs() + u64::from(lasts.subsec_nanos() > 0);
    match u32::try_from(whole) {
        Ok(whole) if whole > 0 => Ok(Some(whole)),
        _ => {
            Err(Failure::usage("`--for` is zero, or too long")
                .next("use a duration such as 30m or 2h"))
        }
    }
}

pub(crate) async fn main(
    verb: &str,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match verb {
        "pause" => pause_here(matches, global, output).await,
        _ => resume_here(matches, global, output).await,
    }
}

async fn pause_here(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (agent, by) = (named(matches)?, global.state.actor()?);
    let ends = |seconds: u32| {
        let ends = Timestamp::now().checked_add(SignedDuration::from_secs(seconds.into()));
        ends.map_err(|_| Failure::usage("`--for` is too long"))
    };
    let until = seconds(matches)?.map(ends).transpose()?;
    // It only stops something: that takes no policy, and no proof.
    let controls = global.state.bare_controls()?;
    let still_sending = controls
        .pause(&agent, &by, until, given_reason(matches))
        .await?;
    let state = controls.state().await?;
    let pause = state.pause_of(agent.as_str());
    let pause = pause.ok_or_else(|| Failure::refused("refused", "the pause is not there"))?;
    Ok(show(pause, &still_sending, output))
}

async fn resume_here(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (agent, by, key) = (named(matches)?, global.state.actor()?, global.state.key()?);
    let decider = key
        .as_ref()
        .map_or_else(|| Decider::claimed(&by), |key| Decider::with_key(&by, key));
    let controls = global.state.controls()?;
    let reason = given_reason(matches);
    controls.resume(&agent, decider, reason).await?;
    show_resumed(&agent, output);
    Ok(Exit::Done)
}

/// Shows that an agent is paused, and who may still send for it.
pub(super) fn show(pause: &Pause, still_sending: &[Sender], output: &mut Output) -> Exit {
    let json = json!({ "paused": true, "pause": pause, "still_sending": still_sending });
    output.show(&json, || {
        let senders = still_sending.iter();
        let senders = senders.map(|sender| vec![sender.to_string()]).collect();
        let parts = [
            Some(line(pause)),
            section(
                "May still send for it: look at that process, or end it",
                senders,
            ),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
    });
    match still_sending.is_empty() {
        true => Exit::Done,
        false => Exit::Unknown,
    }
}

/// Shows that an agent is not paused any more.
pub(super) fn show_resumed(agent: &Actor, output: &mut Output) {
    let json = json!({ "paused": false, "agent": agent });
    output.show(&json, || {
        format!("{agent} is not paused any more: what is open and approved can be run again")
    });
}

/// The pauses that hold now.
pub(super) fn in_force(state: &State) -> Vec<&Pause> {
    let now = Timestamp::now();
    let pauses = state.pauses.values().filter(|pause| pause.holds_at(now));
    pauses.map(|pause| &**pause).collect()
}

/// One pause, in a line.
pub(super) fn line(pause: &Pause) -> String {
    let (agent, by, reason) = (&pause.agent, &pause.by, printable(&pause.reason));
    let until = match pause.until {
        Some(until) => format!("until {}", when(until)),
        None => "until a person resumes it".to_owned(),
    };
    let proven = by.proven_by();
    format!("{agent} is paused {until}, by {by} ({proven}): {reason}")
}
