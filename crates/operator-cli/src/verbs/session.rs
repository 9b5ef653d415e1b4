//! `operator session`: who is logged in at a gate with a browser.

use action_guard::BrowserSession;
use clap::{Arg, ArgMatches, Command};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::arguments::{given_reason, reason};
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::terminal::table::{self, Column};
use crate::terminal::values::when;

/// A session as it is shown: nothing of its secret.
#[derive(Serialize, Deserialize)]
pub(super) struct Session {
    id: String,
    actor: String,
    proven_by: String,
    auth_time: Timestamp,
    expires_at: Timestamp,
}

impl From<&BrowserSession> for Session {
    fn from(session: &BrowserSession) -> Self {
        Self {
            id: session.id.clone(),
            actor: session.actor.as_str().to_owned(),
            proven_by: session.actor.proven_by().word().to_owned(),
            auth_time: session.auth_time,
            expires_at: session.expires_at,
        }
    }
}

pub(crate) fn command() -> Command {
    Command::new("session")
        .about("List and end browser sessions of people at a gate")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Command::new("list").about("List who is logged in with a browser"))
        .subcommand(
            Command::new("end")
                .about("End a browser session at once, at all gates of the journal")
                .arg(
                    Arg::new("id")
                        .required(true)
                        .value_name("ID")
                        .help("Id of the session, as `session list` shows it"),
                )
                .arg(reason(true)),
        )
}

pub(crate) async fn main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let controls = global.state.bare_controls()?;
    match matches.subcommand() {
        Some(("end", matches)) => {
            let id = given_id(matches);
            let by = global.state.actor()?;
            controls.end_session(id, &by, given_reason(matches)).await?;
            let state = controls.state().await?;
            ended(id, &state.approved_in(id), output);
        }
        _ => {
            let state = controls.state().await?;
            let now = Timestamp::now();
            let open = state.sessions.values();
            let open = open.filter(|session| session.expires_at > now);
            show(
                &open.map(|one| Session::from(&**one)).collect::<Vec<_>>(),
                output,
            );
        }
    }
    Ok(Exit::Done)
}

pub(super) fn given_id(matches: &ArgMatches) -> &str {
    matches.get_one::<String>("id").map_or("", String::as_str)
}

/// Says that a session is over, and what was approved in it and is not sent.
pub(super) fn ended(id: &str, approved: &[&str], output: &mut Output) {
    let json = json!({"id": id, "ended": true, "approved": approved});
    output.show(&json, || {
        let ended = format!("session {id} is ended: its cookie is refused from now on");
        match approved {
            [] => ended,
            ids => format!(
                "{ended}\napproved in it and not sent; `reject` what its person did not approve: {}",
                ids.join(", ")
            ),
        }
    });
}

/// Shows the sessions.
pub(super) fn show(sessions: &[Session], output: &mut Output) {
    output.show_list("sessions", sessions, || {
        if sessions.is_empty() {
            return "Nobody is logged in with a browser".to_owned();
        }
        let rows = sessions.iter().map(|session| {
            vec![
                session.id.clone(),
                session.actor.clone(),
                session.proven_by.clone(),
                when(session.auth_time),
                when(session.expires_at),
            ]
        });
        let columns = [
            Column::new("id"),
            Column::new("person").whole(),
            Column::new("authenticated by").whole(),
            Column::new("logged in").whole(),
            Column::new("expires").whole(),
        ];
        table::list(columns.into(), rows.collect())
    });
}
