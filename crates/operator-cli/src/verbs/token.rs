//! `operator token`: secrets by which a server knows an agent.

use std::collections::BTreeMap;
use std::sync::Arc;

use action_core::{DurationText, Risk, report};
use action_guard::{AgentToken, TokenGrant, TokenSecret, TokenStatus};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::arguments::{given_reason, reason};
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::{Output, note};
use crate::terminal::table::{self, Column};
use crate::terminal::values::when;
use crate::verbs::session;

pub(crate) fn command() -> Command {
    Command::new("token")
        .about("Create, list and revoke tokens by which a gate recognises agents")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("create")
                .about("Create a token for the agent in `--actor`; it is shown once, on stdout")
                .after_help(
                    "You are responsible for requests made with it, and cannot approve them. It is signed with your key (`--sign-with`), which the policy must list. `--actor` names the agent, `--cluster` the one cluster of the config file that it is for.",
                )
                .arg(
                    Arg::new("expires")
                        .long("expires")
                        .value_name("TIME")
                        .required(true)
                        .value_parser(clap::value_parser!(DurationText))
                        .help("Lifetime, such as `30d`; 366d at most"),
                )
                .arg(
                    Arg::new("up-to")
                        .long("up-to")
                        .value_name("RISK")
                        .required(true)
                        .value_parser(["low", "medium", "high"])
                        .help("Highest risk that can be requested with it"),
                ),
        )
        .subcommand(Command::new("list").about("List the tokens, without their secrets"))
        .subcommand(
            Command::new("revoke")
                .about("Revoke a token at once; nothing requested with it is sent any more")
                .arg(
                    Arg::new("id")
                        .required(true)
                        .value_name("ID")
                        .help("Id of the token, as `token list` shows it"),
                )
                .arg(reason(true)),
        )
}

pub(crate) async fn main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match matches.subcommand() {
        Some(("create", matches)) => create(matches, global, output).await,
        Some(("revoke", matches)) => revoke(matches, global, output).await,
        _ => list(global, output).await,
    }
}

async fn create(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (made, secret) = signed(matches, global)?;
    let controls = global.state.controls()?;
    controls.add_token(made.clone()).await?;
    created(&made, &secret, output);
    Ok(Exit::Done)
}

/// A token as it is asked for, signed by who makes it.
pub(super) fn signed(
    matches: &ArgMatches,
    global: &Global,
) -> Result<(AgentToken, TokenSecret), Failure> {
    if matches.value_source("actor") != Some(ValueSource::CommandLine) {
        let text = "no agent named for the token";
        return Err(Failure::usage(text).next("give `--actor agent:NAME`"));
    }
    let agent = global.state.actor()?;
    if !agent.as_str().starts_with("agent:") {
        let text = format!("`{agent}` is not an agent, and a token is for one");
        return Err(Failure::usage(text).next("give `--actor agent:NAME`"));
    }
    let Some(cluster) = global.connection.cluster_given() else {
        let text = "no cluster named for the token";
        return Err(Failure::usage(text).next("give `--cluster NAME` of the config file"));
    };
    let by = global.state.actor_without_flag()?;
    let Some(key) = global.state.key()? else {
        let text = "no key to sign the token with";
        return Err(Failure::usage(text).next("give your key with `--sign-with FILE`"));
    };
    let up_to = match matches.get_one::<String>("up-to").map(String::as_str) {
        Some("high") => Risk::High,
        Some("medium") => Risk::Medium,
        _ => Risk::Low,
    };
    let lasts = matches.get_one::<DurationText>("expires").copied();
    let lasts = SignedDuration::try_from(lasts.unwrap_or(DurationText::from_mins(0)).duration());
    let expires_at = lasts
        .ok()
        .and_then(|lasts| Timestamp::now().checked_add(lasts).ok());
    let expires_at = expires_at.ok_or_else(|| Failure::usage("`--expires` is too long"))?;
    let grant = TokenGrant::new(agent, expires_at, cluster, up_to);
    let made = AgentToken::signed(grant, &by, Timestamp::now(), &key);
    made.map_err(|error| Failure::new(Exit::Failed, "token", report(&error)))
}

/// Shows a token that was made, this once with its secret.
pub(super) fn created(made: &AgentToken, secret: &TokenSecret, output: &mut Output) {
    note(&format!(
        "{} is for {} on {} until {}; {} is responsible for it. The secret is shown only now: keep it in a file that only the agent can read",
        made.id,
        made.grant.actor,
        made.grant.clusters.join(", "),
        when(made.grant.expires_at),
        made.by
    ));
    output.secret(
        secret.reveal(),
        |secret| json!({"id": made.id, "grant": made.grant, "by": made.by, "secret": secret}),
    );
}

async fn list(global: &Global, output: &mut Output) -> Result<Exit, Failure> {
    global.state.must_exist()?;
    let state = global.state.bare_controls()?.state().await?;
    show(&state.tokens, output);
    Ok(Exit::Done)
}

/// Shows the tokens.
pub(super) fn show(tokens: &BTreeMap<String, Arc<TokenStatus>>, output: &mut Output) {
    let now = Timestamp::now();
    let shown: Vec<Value> = (tokens.values()).map(|status| shown(status, now)).collect();
    output.show_list("tokens", &shown, || {
        if shown.is_empty() {
            return "No tokens".to_owned();
        }
        let rows = tokens.values().map(|status| {
            let grant = &status.made.grant;
            vec![
                status.made.id.clone(),
                grant.actor.to_string(),
                stands(status, now),
                grant.clusters.join(", "),
                grant.up_to.to_string(),
                when(grant.expires_at),
                status.made.by.to_string(),
            ]
        });
        let columns = [
            Column::new("id"),
            Column::new("agent").whole(),
            Column::new("state").whole(),
            Column::new("clusters"),
            Column::new("up to").whole(),
            Column::new("expires").whole(),
            Column::new("created by"),
        ];
        table::list(columns.into(), rows.collect())
    });
}

async fn revoke(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let id = session::given_id(matches);
    let by = global.state.actor()?;
    let controls = global.state.bare_controls()?;
    controls
        .revoke_token(id, &by, given_reason(matches))
        .await?;
    revoked(id, output);
    Ok(Exit::Done)
}

pub(super) fn revoked(id: &str, output: &mut Output) {
    output.show(&json!({"id": id, "revoked": true}), || {
        format!("{id} is revoked: nothing can be requested or sent with it any more")
    });
}

fn shown(status: &TokenStatus, now: Timestamp) -> Value {
    let mut json = serde_json::to_value(status).unwrap_or_default();
    json["state"] = json!(stands(status, now));
    json
}

fn stands(status: &TokenStatus, now: Timestamp) -> String {
    match (&status.revoked, status.over(now)) {
        (Some(revoked), _) => format!("revoked by {}: {}", revoked.by, revoked.reason),
        (None, Some(_)) => "expired".to_owned(),
        (None, None) => "good".to_owned(),
    }
}
