//! Tokens of agents and sessions of people, at a gate.

use std::collections::BTreeMap;
use std::sync::Arc;

use action_guard::TokenStatus;
use clap::ArgMatches;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::arguments::given_reason;
use crate::gate::Gate;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::verbs::session::{self, Session};
use crate::verbs::token;

#[derive(Deserialize)]
struct Tokens {
    tokens: BTreeMap<String, Arc<TokenStatus>>,
}

#[derive(Deserialize)]
struct Sessions {
    sessions: Vec<Session>,
}

pub(super) async fn tokens(gate: &Gate, output: &mut Output) -> Result<Exit, Failure> {
    let known: Tokens = gate.get("/api/v1/tokens").await?;
    token::show(&known.tokens, output);
    Ok(Exit::Done)
}

/// Makes a token here, and tells the gate what is kept of it.
pub(super) async fn make_token(
    gate: &Gate,
    matches: &ArgMatches,
    as_given: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let matches = matches.subcommand_matches("create").unwrap_or(matches);
    let (made, secret) = token::signed(matches, as_given)?;
    let body = json!({ "hash": made.hash, "grant": made.grant, "proof": made.proof });
    let told = gate.post::<Value>("/api/v1/tokens", &body).await;
    // Its secret is shown only where it is known to be there.
    told.map_err(|failure| {
        let shows = "shows whether it was made; revoke it then and create another, as its secret was not shown";
        failure.or_looked_up("token list", shows)
    })?;
    token::created(&made, &secret, output);
    Ok(Exit::Done)
}

pub(super) async fn revoke_token(
    gate: &Gate,
    matches: &ArgMatches,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (id, _) = end(gate, matches, ("tokens", "revoke")).await?;
    token::revoked(&id, output);
    Ok(Exit::Done)
}

pub(super) async fn sessions(gate: &Gate, output: &mut Output) -> Result<Exit, Failure> {
    let known: Sessions = gate.get("/api/v1/sessions").await?;
    session::show(&known.sessions, output);
    Ok(Exit::Done)
}

pub(super) async fn end_session(
    gate: &Gate,
    matches: &ArgMatches,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (id, answer) = end(gate, matches, ("sessions", "end")).await?;
    let approved = answer["approved"].as_array().into_iter().flatten();
    let approved: Vec<&str> = approved.filter_map(Value::as_str).collect();
    session::ended(&id, &approved, output);
    Ok(Exit::Done)
}

/// Ends one of these by its id, which is given back with the answer.
async fn end(
    gate: &Gate,
    matches: &ArgMatches,
    (of, verb): (&str, &str),
) -> Result<(String, Value), Failure> {
    let matches = matches.subcommand_matches(verb).unwrap_or(matches);
    let id = session::given_id(matches);
    let path = format!("/api/v1/{of}/{}/{verb}", gate_client::segment(id));
    let body = json!({ "reason": given_reason(matches) });
    let answer = gate.post(&path, &body).await?;
    Ok((id.to_owned(), answer))
}
