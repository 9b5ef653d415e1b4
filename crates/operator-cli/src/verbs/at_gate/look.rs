//! What only looks: plans, lists, the journal, what is not as it should be.

use std::sync::Arc;

use action_core::{ActionDefinition, Plan, Role, Undo};
use action_guard::{Entry, Head};
use clap::ArgMatches;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::arguments::given_id;
use crate::call::{Call, call};
use crate::flags;
use crate::gate::Gate;
use crate::lookup::Known;
use crate::reports::findings::Ours;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::{Format, Output};
use crate::verbs::{actions, findings, journal, plan, proposals};

/// The most records that a gate gives at a time.
const PAGE: u64 = 500;

#[derive(Deserialize)]
struct Offered {
    actions: Vec<ActionDefinition>,
}

pub(super) async fn actions(
    gate: &Gate,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let list = matches.subcommand_matches("list");
    if let Some(format) = list.and_then(|list| list.get_one::<Format>("format")) {
        output.set_format(*format);
    }
    let subject = list.and_then(|list| list.get_one::<String>("subject"));
    let mut offered: Offered = gate.get(&gate.path(global, "actions")?).await?;
    offered
        .actions
        .retain(|action| subject.is_none_or(|subject| action.subject == *subject));
    actions::list(&offered.actions, output);
    Ok(Exit::Done)
}

/// What an action would do.
#[derive(Deserialize)]
struct Planned {
    parameters: Value,
    system: String,
    plan: Plan,
    undo: Undo,
}

pub(super) async fn plan(
    gate: &Gate,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (call, matches) = call(matches, global)?;
    let body = json!({
        "action": call.definition.name,
        "parameters": flags::parameters(call.definition, matches)?,
    });
    plan::check_kind(&call)?;
    let planned: Planned = gate.look(&gate.path(global, "plan")?, &body).await?;
    call.connection.check_system(&planned.system)?;
    let Planned {
        parameters, undo, ..
    } = &planned;
    Ok(plan::show(&call, parameters, &planned.plan, undo, output))
}

/// What an observation finds.
pub(super) async fn observed(
    gate: &Gate,
    call: &Call,
    matches: &ArgMatches,
    global: &Global,
) -> Result<Value, Failure> {
    let given = flags::parameters(call.definition, matches)?;
    let name = gate_client::segment(&call.definition.name);
    call.connection
        .check_system(&gate.cluster(global)?.system)?;
    let path = gate.path(global, &format!("observations/{name}"))?;
    gate.look(&path, &given).await
}

/// `why` and `doctor`.
pub(super) async fn findings(
    verb: &str,
    gate: &Gate,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let role = match verb {
        "why" => Role::Diagnose,
        _ => Role::Leftovers,
    };
    let call = findings::call(verb, role, global)?;
    found(gate, &call, matches, global, output).await
}

/// What the gate's own checks have found.
#[derive(Deserialize)]
struct Checked {
    findings: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    code: String,
    about: String,
    first_seen: Timestamp,
}

impl Checked {
    /// Says of each finding of a result since when the gate has seen it, where it has.
    fn noted_in(&self, result: &mut Value) {
        let found = result.get_mut("findings").and_then(Value::as_array_mut);
        for finding in found.into_iter().flatten() {
            let of = |member: &str| finding.get(member).and_then(Value::as_str);
            let (code, about) = (of("code"), of("about"));
            let mut known = self.findings.iter();
            let known =
                known.find(|known| code == Some(&*known.code) && about == Some(&*known.about));
            if let (Some(known), Some(members)) = (known, finding.as_object_mut()) {
                members.insert("first_seen".to_owned(), json!(known.first_seen));
            }
        }
    }
}

/// What is not as it should be, beside what is in force by the gate's journal.
pub(super) async fn found(
    gate: &Gate,
    call: &Call,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let mut result = observed(gate, call, matches, global).await?;
    let checked: Checked = gate.get(&gate.path(global, "findings")?).await?;
    checked.noted_in(&mut result);
    let system = gate.cluster(global)?.system.clone();
    let state = Arc::new(gate.seen().await?.state);
    let mut effects = state.in_force(Timestamp::now());
    effects.retain(|effect| effect.system == system);
    let ours = Ours {
        state,
        effects,
        system,
        is_found: call.definition.role == Some(Role::Leftovers),
        ..Ours::default()
    };
    findings::show(call, result, ours, global, output)
}

pub(super) async fn proposals(
    gate: &Gate,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let state = gate.seen().await?.state;
    match matches.subcommand() {
        Some(("list", matches)) => proposals::list(matches.get_flag("all"), &state, global, output),
        Some((_, matches)) => {
            let known = Known::there(&state);
            proposals::show(given_id(matches), &known, global, output).await
        }
        None => Err(Failure::usage("unknown command")),
    }
}

/// A page of the journal.
#[derive(Deserialize)]
struct Page {
    entries: Vec<Entry>,
    next: Option<u64>,
    /// For who sees all.
    head: Option<Head>,
}

pub(super) async fn journal(
    gate: &Gate,
    matches: &ArgMatches,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let matches = matches.subcommand_matches("show").unwrap_or(matches);
    let number = |name: &str| matches.get_one::<u64>(name).copied();
    let (after, limit) = (number("after").unwrap_or(0), number("limit").unwrap_or(100));
    let state = gate.seen().await?.state;
    let id = match matches.get_one::<String>("id") {
        Some(given) => Some(Known::there(&state).id(given).await?),
        None => None,
    };
    let (mut shown, mut next) = (Vec::new(), Some(after));
    let mut head = None;
    while let Some(from) = next
        && (shown.len() as u64) < limit
    {
        let left = limit - shown.len() as u64;
        let mut path = format!("/api/v1/journal?after={from}&limit={}", left.min(PAGE));
        if let Some(id) = &id {
            path.push_str(&format!("&proposal={}", gate_client::segment(id)));
        }
        let page: Page = gate.get(&path).await?;
        shown.extend(page.entries);
        (next, head) = (page.next, page.head);
    }
    let last = shown.last().map_or(after, |entry: &Entry| entry.seq);
    let more = match (next, head.filter(|_| id.is_none())) {
        (None, _) => 0,
        (Some(_), Some(head)) => head.seq.saturating_sub(last),
        // How many of them are theirs is not known.
        (Some(_), None) => 1,
    };
    journal::show_entries(&shown, &state, (after, more), output);
    Ok(Exit::Done)
}

pub(super) async fn head(gate: &Gate, output: &mut Output) -> Result<Exit, Failure> {
    let page: Page = gate.get("/api/v1/journal?limit=1").await?;
    let head = page.head.ok_or_else(|| {
        Failure::refused(
            "not_a_person",
            "the head of the journal is shown to people only",
        )
    })?;
    journal::show_head(&head, output);
    Ok(Exit::Done)
}
