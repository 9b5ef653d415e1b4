//! What an observation found that is not as it should be, as text and as JSON.

use std::sync::Arc;

use action_core::{Finding, Verdict, printable};
use action_guard::{InForce, Proposal, ProposalStatus, State};
use serde_json::{Value, json};

use crate::call::Call;
use crate::flags;
use crate::ids;
use crate::reports::in_force::{self, Releases};
use crate::settings::Global;
use crate::subjects;
use crate::terminal::exit_mapping::is_not_known_yet;
use crate::terminal::style::{Tone, toned};
use crate::terminal::table::section;
use crate::terminal::values::{shortened, text_of, when};

/// What is in force on this system that is ours.
#[derive(Default)]
pub(crate) struct Ours {
    pub(crate) state: Arc<State>,
    pub(crate) effects: Vec<InForce>,
    /// Which of those that are gone can be taken off the list.
    pub(crate) releases: Releases,
    /// The system, in its own words.
    pub(crate) system: String,
    /// Whether it alone is something found.
    pub(crate) is_found: bool,
    /// The keys of what is set as the system has it by default.
    pub(crate) as_by_default: Vec<String>,
}

impl Ours {
    /// Whether that something of ours is in force is something found. What is as it is by default is
    /// not: nobody has to take that back.
    pub(crate) fn is_something_found(&self) -> bool {
        let is_default = |effect: &InForce| {
            let is_there = effect.confirmed && !effect.is_gone();
            is_there && self.as_by_default.contains(&effect.key)
        };
        self.is_found && !self.effects.iter().all(is_default)
    }

    /// What stays in force although its lease has ended, because it may be another's.
    pub(crate) fn leases_for_a_person(&self, global: &Global) -> Vec<Finding> {
        let left = self.effects.iter().filter(|effect| {
            self.is_found && effect.whose_unknown && effect.lease_over && !effect.is_gone()
        });
        let finding = |effect: &InForce| {
            let text = format!(
                "{}: the lease has expired, but the request got no answer and somebody else may have asked for the same, so it is unknown whose effect it is",
                effect.key
            );
            Finding::new("lease_ended", &effect.key, text).next(in_force::for_a_person(
                &effect.id,
                &self.state,
                global,
            ))
        };
        left.map(finding).collect()
    }

    /// The first proposal here for which an effect was there already.
    fn seen_before(&self, key: &str) -> Option<&ProposalStatus> {
        let all = self.state.open.values().chain(self.state.ended.iter());
        let already = all.map(Arc::as_ref).filter(|status| {
            let Proposal {
                system,
                lasting_effect,
                plan,
                ..
            } = &status.proposal;
            *system == self.system
                && lasting_effect.as_deref() == Some(key)
                && matches!(plan.verdict, Verdict::NoOp { .. })
        });
        already.min_by_key(|status| status.proposed_at)
    }

    fn of(&self, key: &str) -> Option<&InForce> {
        self.effects.iter().find(|effect| effect.key == key)
    }
}

/// The result, with whose each lasting effect is and the command line that fixes each finding.
pub(crate) fn with_commands(
    call: &Call,
    findings: &[Finding],
    ours: &Ours,
    mut result: Value,
    global: &Global,
) -> Value {
    let found = result.get_mut("findings").and_then(Value::as_array_mut);
    for (finding, found) in findings.iter().zip(found.into_iter().flatten()) {
        let Value::Object(members) = found else {
            continue;
        };
        let key = finding.lasting_effect.as_deref();
        let owned = key.and_then(|key| ours.of(key));
        // What is ours is taken back by its undo.
        if let Some(command) = fix_command(call, finding).filter(|_| owned.is_none()) {
            members.insert("fix_command".to_owned(), json!(command));
        }
        let undo = owned.and_then(|effect| in_force::undo_command(effect, &ours.state, global));
        if let Some(next) = owned.and_then(|effect| next_of_ours(effect, ours, global)) {
            members.insert("next".to_owned(), json!(next));
        }
        if let Some(key) = key {
            let owner = owned.map(|effect| {
                json!({
                    "proposal": effect.id,
                    "actor": effect.actor,
                    "carried_out_by": effect.carried_out_by,
                    "since": effect.since,
                    "undo_command": undo,
                })
            });
            members.insert("owner".to_owned(), json!(owner));
            let seen = ours.seen_before(key).filter(|_| owned.is_none());
            members.extend(seen.map(|seen| {
                let seen = json!({"at": seen.proposed_at, "proposal": seen.proposal.id});
                ("seen_before".to_owned(), seen)
            }));
        }
    }
    result["in_force"] = json!(in_force::json(
        &ours.effects,
        &ours.releases,
        &ours.state,
        global
    ));
    result
}

/// All findings, and what could not be told.
pub(crate) fn text(
    call: &Call,
    findings: &[Finding],
    ours: &Ours,
    result: &Value,
    global: &Global,
) -> String {
    let mut parts = Vec::new();
    if findings.is_empty() && !ours.is_something_found() {
        parts.push(match is_not_known_yet(result) {
            true => toned(Tone::Doubtful, NOT_YET),
            false => toned(Tone::Good, "No problems found"),
        });
    }
    let is_others = |finding: &&Finding| {
        let key = finding.lasting_effect.as_deref();
        key.is_some_and(|key| ours.of(key).is_none())
    };
    let (others, rest): (Vec<&Finding>, Vec<&Finding>) = findings.iter().partition(is_others);
    let rest = rest.into_iter();
    let one = |finding: &Finding| dated(one(call, finding, ours, global), finding, result);
    parts.extend(rest.map(one));
    if !others.is_empty() {
        parts.push(not_asked_for_here());
    }
    let others = others.into_iter();
    parts.extend(others.map(one));
    parts.extend(in_force::text(
        &ours.effects,
        &ours.releases,
        &ours.state,
        global,
    ));
    if result.get("cut") == Some(&Value::Bool(true)) {
        parts.push("Truncated: not all findings are shown".to_owned());
    }
    for (heading, member) in [("Not known yet", "not_known_yet"), ("Not known", "unknown")] {
        let lines = result.get(member).and_then(Value::as_array);
        let lines = lines.into_iter().flatten();
        let lines = lines.map(|what| vec![text_of(what)]);
        parts.extend(section(heading, lines.collect()));
    }
    parts.join("\n\n")
}

/// What stands where nothing was found, and something could still be.
const NOT_YET: &str =
    "No problems found so far, but not everything is known yet: try again in a minute or two";

/// What stands above the effects that are not ours.
fn not_asked_for_here() -> String {
    let who = subjects::who_answers();
    format!(
        "In force, but not requested from this state directory ({who} does not say who requested it, or when):"
    )
}

/// The same text, with when a gate saw this first, where the result says that.
fn dated(text: String, finding: &Finding, result: &Value) -> String {
    let found = result.get("findings").and_then(Value::as_array);
    let is_it = |found: &&Value| found["code"] == *finding.code && found["about"] == *finding.about;
    let found = found.into_iter().flatten().find(is_it);
    let first = found.and_then(|found| found.get("first_seen")?.as_str()?.parse().ok());
    let Some(first) = first.map(when) else {
        return text;
    };
    let (heading, rest) = text.split_once('\n').unwrap_or((&text, ""));
    format!("{heading}\nFirst seen by the gate at {first}\n{rest}")
        .trim_end()
        .to_owned()
}

fn one(call: &Call, finding: &Finding, ours: &Ours, global: &Global) -> String {
    let evidence = finding.evidence.iter().map(|read| {
        vec![
            read.fact.clone(),
            shortened(&text_of(&read.value)),
            read.source.clone(),
        ]
    });
    let mut lines = vec![format!(
        "{} ({})",
        toned(Tone::Heading, &printable(&finding.text)),
        printable(&finding.code)
    )];
    lines.extend(section("Seen", evidence.collect()));
    let key = finding.lasting_effect.as_deref();
    let owned = key.and_then(|key| ours.of(key));
    if let Some(effect) = owned {
        lines.push(format!(
            "Requested from here {} at {}",
            printable(&in_force::by(effect)),
            when(effect.since)
        ));
        if let Some(next) = next_of_ours(effect, ours, global) {
            lines.push(format!("Next: {next}"));
            return lines.join("\n");
        }
    }
    let seen = key.filter(|_| owned.is_none());
    if let Some(seen) = seen.and_then(|key| ours.seen_before(key)) {
        lines.push(format!(
            "First seen here at {}, by proposal {}",
            when(seen.proposed_at),
            printable(&ids::short_of(&seen.proposal.id, &ours.state))
        ));
    }
    if !finding.next.is_empty() {
        lines.push(format!("Next: {}", printable(&finding.next)));
    }
    lines.extend(fix_command(call, finding).map(|command| format!("  {command}")));
    lines.join("\n")
}

/// The next step where an effect was asked for here.
fn next_of_ours(effect: &InForce, ours: &Ours, global: &Global) -> Option<String> {
    match in_force::undo_command(effect, &ours.state, global) {
        Some(undo) => Some(format!("run `{undo}` to take it back")),
        None if effect.whose_unknown && effect.overwritten_by.is_none() && !effect.is_gone() => {
            Some(in_force::for_a_person(&effect.id, &ours.state, global))
        }
        None => None,
    }
}

/// The command line that fixes a finding.
fn fix_command(call: &Call, finding: &Finding) -> Option<String> {
    let fix = finding.fix.as_ref()?;
    let mut definitions = subjects::definitions().iter();
    let definition = definitions.find(|definition| definition.name == fix.name);
    let mut words = vec!["run".to_owned(), fix.name.clone()];
    words.extend(flags::arguments(definition, &fix.parameters));
    words.extend(call.flags.iter().cloned());
    Some(flags::command_line(&words))
}
