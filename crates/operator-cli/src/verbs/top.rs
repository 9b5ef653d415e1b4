//! `operator top`: the system at a glance, what is open and what is in force, live. It only looks.
//!
//! What a system shows at a glance its subject declares: the observations of role `overview`.

mod draw;
mod fit;
mod look;
mod panel;
mod screen;
mod seen;
mod view;

use std::future::pending;
use std::io::{IsTerminal as _, stdin, stdout};
use std::pin::pin;
use std::time::{Duration, Instant};

use action_core::{ActionDefinition, Role};
use clap::{Arg, ArgMatches, Command};

#[cfg(feature = "proxy")]
use crate::gate::Gate;
use crate::settings::Global;
use crate::settings::connection::Connection;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::interrupt::interrupted;
use crate::terminal::lengths::length;
use crate::terminal::style::has_colour;

use self::look::{Look, look_around};
use self::screen::{Screen, keys};
use self::seen::Seen;
use self::view::{Next, View};

/// How often ages are shown anew.
const TICK: Duration = Duration::from_secs(1);

pub(crate) fn command() -> Command {
    Command::new("top")
        .about("Show the system, what is open and what is in force, live; changes nothing")
        .after_help(format!("Keys:\n{}", view::KEYS.join("\n")))
        .arg(
            Arg::new("every")
                .long("every")
                .value_name("DURATION")
                .value_parser(length)
                .default_value("2s")
                .help("Look again this long after each look"),
        )
}

pub(crate) async fn main(matches: &ArgMatches, global: &Global) -> Result<Exit, Failure> {
    let definitions = definitions(&global.connection)?;
    check_terminal()?;
    let look = look::Here::new(global, definitions).await?;
    show(&look, definitions, matches).await
}

/// The same of a gate's cluster.
#[cfg(feature = "proxy")]
pub(crate) async fn main_at_gate(
    gate: &Gate,
    matches: &ArgMatches,
    global: &Global,
) -> Result<Exit, Failure> {
    gate.cluster(global)?;
    let definitions = definitions(&global.connection)?;
    check_terminal()?;
    show(&look::There { gate, global }, definitions, matches).await
}

/// All actions of the kind of system that is meant.
fn definitions(connection: &Connection) -> Result<&'static [ActionDefinition], Failure> {
    let definitions = connection.kind()?.definitions();
    match definitions.iter().any(is_shown) {
        true => Ok(definitions),
        false => Err(Failure::usage(
            "this kind of system declares nothing that is shown at a glance",
        )),
    }
}

fn is_shown(definition: &ActionDefinition) -> bool {
    definition.role == Some(Role::Overview)
}

fn check_terminal() -> Result<(), Failure> {
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if stdin().is_terminal() && stdout().is_terminal() && !is_dumb {
        return Ok(());
    }
    Err(
        Failure::usage("`top` needs a terminal that it can draw on, on stdin and stdout")
            .next("in a pipe, `run ACTION --watch -o jsonl` looks again and again"),
    )
}

async fn show(
    look: &impl Look,
    definitions: &'static [ActionDefinition],
    matches: &ArgMatches,
) -> Result<Exit, Failure> {
    let every = matches.get_one::<Duration>("every").copied();
    let every = every.unwrap_or(Duration::from_secs(2));
    let shown: Vec<_> = definitions
        .iter()
        .filter(|definition| is_shown(definition))
        .collect();
    // What is wrong on this machine is said before the screen is taken.
    let journal = look.journal().await?;
    let mut seen = Seen::new(look.place(), every, journal);
    let mut view = View::new(has_colour(&stdout()));
    let failed = |error: std::io::Error| {
        Failure::new(
            Exit::Failed,
            "terminal",
            format!("cannot draw on the terminal: {error}"),
        )
    };
    let mut screen = Screen::open().map_err(failed)?;
    let mut keys = keys();
    let mut end = pin!(interrupted());
    let mut looking = Some(Box::pin(look_around(look, &shown)));
    let mut again = Instant::now();
    loop {
        screen
            .draw(|buffer| draw::draw(&seen, &mut view, buffer))
            .map_err(failed)?;
        let looked = async {
            match &mut looking {
                Some(looking) => looking.await,
                None => pending().await,
            }
        };
        let wait = again.saturating_duration_since(Instant::now()).min(TICK);
        tokio::select! {
            biased;
            () = &mut end => return Ok(Exit::Interrupted),
            key = keys.recv() => match key.map(|event| view.take(&event, seen.panels())) {
                Some(Next::Stay) => {}
                Some(Next::Interrupt) => return Ok(Exit::Interrupted),
                // The terminal is gone, or nobody wants to look any more.
                Some(Next::Quit) | None => return Ok(Exit::Done),
            },
            round = looked => {
                seen.take(round);
                looking = None;
                again = Instant::now() + every;
            }
            () = tokio::time::sleep(wait) => {
                if looking.is_none() && Instant::now() >= again {
                    looking = Some(Box::pin(look_around(look, &shown)));
                }
            }
        }
    }
}
