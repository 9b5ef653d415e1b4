//! What an observation found that is not as it should be, as text and as JSON.

use std::sync::Arc;

use action_core::{Finding, printable};
use action_guard::{InForce, State};
use serde_json::{Value, json};

use crate::call::Call;
use crate::flags;
use crate::reports::in_force;
use crate::settings::Global;
use crate::terminal::table::{section, shortened, text_of, when};

/// What is in force on this system that is ours.
#[derive(Default)]
pub(crate) struct Ours {
    pub(crate) state: Arc<State>,
    pub(crate) effects: Vec<InForce>,
    /// Whether all of it is shown, and not only whose the findings are.
    pub(crate) are_listed: bool,
}

impl Ours {
    /// Whether there is something to be shown.
    pub(crate) fn is_to_be_listed(&self) -> bool {
        self.are_listed && !self.effects.is_empty()
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
        if let Some(command) = fix_command(call, finding) {
            members.insert("fix_command".to_owned(), json!(command));
        }
        if let Some(key) = &finding.lasting_effect {
            members.insert(
                "owner".to_owned(),
                json!(ours.of(key).map(|effect| {
                    json!({"proposal": effect.id, "actor": effect.actor, "since": effect.since})
                })),
            );
        }
    }
    if ours.are_listed {
        result["in_force"] = json!(in_force::json(&ours.effects, &ours.state, global));
    }
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
    if findings.is_empty() && !ours.is_to_be_listed() {
        parts.push("No problems found".to_owned());
    }
    parts.extend(findings.iter().map(|finding| one(call, finding, ours)));
    if ours.are_listed {
        parts.extend(in_force::text(&ours.effects, &ours.state, global));
    }
    if result.get("cut") == Some(&Value::Bool(true)) {
        parts.push("There is more that is left out here".to_owned());
    }
    let unknown = result.get("unknown").and_then(Value::as_array);
    let unknown = unknown
        .into_iter()
        .flatten()
        .map(|what| vec![text_of(what)]);
    parts.extend(section("Could not be told", unknown.collect()));
    parts.join("\n\n")
}

fn one(call: &Call, finding: &Finding, ours: &Ours) -> String {
    let evidence = finding.evidence.iter().map(|read| {
        vec![
            read.fact.clone(),
            shortened(&text_of(&read.value)),
            read.source.clone(),
        ]
    });
    let mut lines = vec![format!(
        "{} ({})",
        printable(&finding.text),
        printable(&finding.code)
    )];
    lines.extend(section("Seen", evidence.collect()));
    if let Some(key) = &finding.lasting_effect {
        lines.push(match ours.of(key) {
            Some(effect) => format!(
                "Asked for here by {} at {}; `operator undo {}` takes it back",
                printable(&effect.actor),
                when(effect.since),
                printable(&effect.id)
            ),
            None => "Not asked for here, as far as the journal knows".to_owned(),
        });
    }
    lines.push(format!("Next: {}", printable(&finding.next)));
    lines.extend(fix_command(call, finding).map(|command| format!("  {command}")));
    lines.join("\n")
}

/// The command line that fixes a finding.
fn fix_command(call: &Call, finding: &Finding) -> Option<String> {
    let fix = finding.fix.as_ref()?;
    let mut definitions = call.definitions.iter();
    let definition = definitions.find(|definition| definition.name == fix.name);
    let mut words = vec!["run".to_owned(), fix.name.clone()];
    words.extend(flags::arguments(definition, &fix.parameters));
    words.extend(call.flags.iter().cloned());
    Some(flags::command_line(&words))
}
