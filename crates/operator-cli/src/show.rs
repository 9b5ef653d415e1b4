//! Plans, outcomes and results as text for people.

use action_core::{Attribution, Comparison, Outcome, OutcomeKind, Plan, Undo, Verdict};
use action_guard::Report;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Map, Value};

use crate::cli::Call;
use crate::escape::printable;
use crate::flags;

/// How many characters of one value people are shown. JSON has all of it.
const LONGEST: usize = 200;

/// Rows under a header.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = plain();
    table.set_header(header.iter().map(|name| name.to_uppercase()));
    table.add_rows(safe(rows));
    lines(&table)
}

/// Rows without a header, below a heading; nothing when there are no rows.
fn section(heading: &str, rows: Vec<Vec<String>>) -> Option<String> {
    if rows.is_empty() {
        return None;
    }
    let mut table = plain();
    table.add_rows(safe(rows));
    let indented: Vec<_> = lines(&table)
        .lines()
        .map(|line| format!("  {line}"))
        .collect();
    Some(format!("{heading}\n{}", indented.join("\n")))
}

fn plain() -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table
}

fn safe(rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let cells = |row: Vec<String>| {
        row.iter()
            .map(|cell| printable(cell).into_owned())
            .collect()
    };
    rows.into_iter().map(cells).collect()
}

fn lines(table: &Table) -> String {
    let lines: Vec<_> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    let indent = lines
        .iter()
        .filter(|line| !line.is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min();
    let lines: Vec<_> = lines
        .iter()
        .map(|line| line.get(indent.unwrap_or(0)..).unwrap_or_default())
        .collect();
    lines.join("\n")
}

/// A mutation that was planned.
pub(crate) struct Planned<'a> {
    pub(crate) call: &'a Call,
    pub(crate) parameters: &'a Value,
    /// The system, when it was asked.
    pub(crate) system: Option<&'a str>,
    pub(crate) plan: &'a Plan,
    pub(crate) undo: &'a Undo,
}

impl Planned<'_> {
    /// All there is to know before saying yes.
    pub(crate) fn text(&self) -> String {
        let plan = self.plan;
        let mut title = request(&self.call.definition.name, self.parameters);
        if let Some(system) = self.system {
            title.push_str(&format!("\non {}", printable(system)));
        }
        let relied: Vec<Vec<String>> = plan
            .preconditions
            .iter()
            .map(|fact| {
                let or = match fact.comparison {
                    Comparison::AtLeast => "or more",
                    Comparison::AtMost => "or less",
                    _ => "",
                };
                vec![fact.name.clone(), text_of(&fact.value), or.to_owned()]
            })
            .collect();
        let read = match &plan.before {
            Value::Object(facts) => facts.iter().map(pair).collect(),
            _ => Vec::new(),
        };
        let impact = plan
            .impact
            .iter()
            .map(|quantity| {
                let amount = if quantity.name == quantity.unit {
                    quantity.value.to_string()
                } else {
                    format!("{} {}", quantity.value, quantity.unit)
                };
                vec![quantity.name.clone(), amount]
            })
            .collect();
        let unknowns = plan
            .unknowns
            .iter()
            .map(|what| vec![what.clone()])
            .collect();
        let takes = plan.duration.as_ref().map(|estimate| {
            format!(
                "Takes about {}, at most {} ({})",
                duration(estimate.likely_ms),
                duration(estimate.at_most_ms),
                printable(&estimate.measure)
            )
        });
        let undo = plan
            .verdict
            .may_be_sent()
            .then(|| undo(self.call, self.undo));
        let parts = [
            Some(title),
            Some(verdict(&plan.verdict)),
            section("Relies on", relied),
            section("Was read", read),
            section("Impact", impact),
            section("Not known", unknowns),
            takes,
            undo,
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
    }
}

/// What would happen, in a sentence and the system's words.
pub(crate) fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::WouldReject { code, text } => format!(
            "Would be refused ({}): {}",
            printable(code),
            printable(text.trim_end())
        ),
        Verdict::NoOp { already } => format!("Nothing to do: {}", printable(already)),
        Verdict::WouldDisplace { displaced } => {
            format!("Would proceed, in place of: {}", printable(displaced))
        }
        Verdict::AcceptedButWillNotProgress { causes } => {
            let causes = causes
                .iter()
                .map(|cause| vec![cause.code.clone(), cause.text.clone()]);
            section(
                "Would be accepted, and nothing would come of it",
                causes.collect(),
            )
            .unwrap_or_else(|| "Would be accepted, and nothing would come of it".to_owned())
        }
        Verdict::WouldProceed => "Would proceed: it would be accepted and carried out".to_owned(),
        other => format!("{other:?}"),
    }
}

/// How a mutation ended, and what shows it.
pub(crate) fn outcome(outcome: &Outcome) -> String {
    let result = match (outcome.result, outcome.by) {
        (OutcomeKind::Applied, Some(Attribution::Ours)) => "Applied, by this request",
        (OutcomeKind::Applied, Some(Attribution::Another)) => "Applied, by something else",
        (OutcomeKind::Applied, _) => "Applied",
        (OutcomeKind::NotApplied, _) => "Not applied",
        _ => "Unknown whether it was applied",
    };
    let code = match &outcome.code {
        Some(code) => format!(" ({})", printable(code)),
        None => String::new(),
    };
    let evidence = outcome
        .evidence
        .iter()
        .map(|read| {
            vec![
                read.fact.clone(),
                read.source.clone(),
                shortened(&text_of(&read.value)),
            ]
        })
        .collect();
    let parts = [
        Some(format!("{result}{code}: {}", printable(&outcome.summary))),
        section("Evidence", evidence),
        outcome
            .next
            .as_deref()
            .map(|next| format!("Next: {}", printable(next))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

/// How a mutation ended, and what takes it back if there is something to take back.
pub(crate) fn report(call: &Call, report: &Report) -> String {
    let ended = outcome(&report.outcome);
    if report.outcome.result == OutcomeKind::NotApplied {
        ended
    } else {
        format!("{ended}\n\n{}", undo(call, &report.undo))
    }
}

/// The command that takes a mutation back, or why there is none.
pub(crate) fn undo(call: &Call, undo: &Undo) -> String {
    match undo {
        Undo::Action { expects, .. } => {
            let command = undo_command(call, undo).unwrap_or_default();
            let while_true = expects
                .iter()
                .map(|fact| vec![fact.name.clone(), text_of(&fact.value)])
                .collect();
            let expects = section("as long as", while_true)
                .map_or_else(String::new, |text| format!("\n{text}"));
            format!("Take it back with\n  {}{expects}", printable(&command))
        }
        Undo::None { reason } => format!("Cannot be taken back: {}", printable(reason)),
        other => format!("{other:?}"),
    }
}

/// The command line that takes a mutation back.
pub(crate) fn undo_command(call: &Call, undo: &Undo) -> Option<String> {
    let Undo::Action {
        name, parameters, ..
    } = undo
    else {
        return None;
    };
    let mut definitions = call.definitions.iter();
    let definition = definitions.find(|definition| definition.name == *name);
    let mut words = vec!["run".to_owned(), name.clone()];
    words.extend(flags::arguments(definition, parameters));
    words.extend(call.connection.flags());
    Some(command_line(&words))
}

/// A command line for a person to copy.
pub(crate) fn command_line(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    printable(&format!("operator {}", words.join(" "))).into_owned()
}

/// An action and its parameters on one line.
pub(crate) fn request(name: &str, parameters: &Value) -> String {
    let mut words = vec![name.to_owned()];
    if let Value::Object(parameters) = parameters {
        words.extend(
            parameters
                .iter()
                .map(|(name, value)| format!("{name}={}", text_of(value))),
        );
    }
    printable(&words.join(" ")).into_owned()
}

/// What an observation gave: members, then each list of objects as a table.
pub(crate) fn result(value: &Value) -> String {
    let Value::Object(members) = value else {
        return printable(&text_of(value)).into_owned();
    };
    let is_list = |value: &Value| matches!(value, Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_object));
    let mut single = plain();
    let rows: Vec<Vec<String>> = ordered(members)
        .filter(|(_, value)| !is_list(value))
        .map(pair)
        .collect();
    let mut parts = Vec::new();
    if !rows.is_empty() {
        single.add_rows(safe(rows));
        parts.push(lines(&single));
    }
    for (name, list) in ordered(members).filter(|(_, value)| is_list(value)) {
        let items: Vec<&Map<String, Value>> = list
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .collect();
        parts.push(format!("{}\n{}", printable(name), objects(&items)));
    }
    parts.join("\n\n")
}

/// Objects as rows; the columns are all members that any of them has.
fn objects(items: &[&Map<String, Value>]) -> String {
    let mut all = Map::new();
    for item in items {
        all.extend(item.iter().map(|(name, _)| (name.clone(), Value::Null)));
    }
    let columns: Vec<&str> = ordered(&all).map(|(name, _)| name.as_str()).collect();
    let cell = |item: &Map<String, Value>, name: &str| {
        item.get(name)
            .map_or_else(String::new, |value| shortened(&text_of(value)))
    };
    let rows = items
        .iter()
        .map(|item| columns.iter().map(|name| cell(item, name)).collect())
        .collect();
    let header: Vec<String> = columns
        .iter()
        .map(|name| printable(name).replace('_', " "))
        .collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    table(&header, rows)
}

/// What a thing is first, then what it is like.
fn ordered(members: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    let is_id = |name: &str| name == "id" || name.ends_with("_id");
    let ids = members.iter().filter(move |(name, _)| is_id(name));
    ids.chain(members.iter().filter(move |(name, _)| !is_id(name)))
}

fn pair((name, value): (&String, &Value)) -> Vec<String> {
    vec![name.clone(), shortened(&text_of(value))]
}

/// A value without the quotes that only JSON needs.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        Value::Array(items)
            if items
                .iter()
                .all(|item| !item.is_object() && !item.is_array()) =>
        {
            if items.is_empty() {
                return "none".to_owned();
            }
            items.iter().map(text_of).collect::<Vec<_>>().join(", ")
        }
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| format!("{name}={}", text_of(value)));
            members.collect::<Vec<_>>().join(" ")
        }
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

/// No more of a text than fits on a few lines.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Milliseconds, as people say it.
fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..10_000 if !ms.is_multiple_of(1_000) => {
            format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
        }
        1_000..120_000 => format!("{} s", ms / 1_000),
        _ => format!("{} min", ms / 60_000),
    }
}

/// A word of a command line, quoted for a shell where that is needed.
fn quoted(word: &str) -> String {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || "-_=./:,@%+".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quoted("--region-id"), "--region-id");
        assert_eq!(quoted("http://127.0.0.1:2379"), "http://127.0.0.1:2379");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }

    #[test]
    fn lists_of_objects_are_tables_and_their_text_is_safe() {
        let text = result(&json!({
            "truncated": false,
            "stores": [
                {"address": "tikv-1:20160\u{1b}[2J\n", "id": 1},
                {"address": "tikv-2:20160", "id": 2, "leaders": 12},
            ],
        }));
        assert!(!text.contains('\u{1b}'), "{text}");
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(lines[0], ["truncated", "false"]);
        assert_eq!(lines[2], ["stores"]);
        assert_eq!(lines[3], ["ID", "ADDRESS", "LEADERS"]);
        assert_eq!(lines[4], ["1", r"tikv-1:20160\u001b[2J\u000a"]);
        assert_eq!(lines[5], ["2", "tikv-2:20160", "12"]);
    }

    #[test]
    fn durations_are_short() {
        let cases = [
            (200, "200 ms"),
            (2_000, "2 s"),
            (2_500, "2.5 s"),
            (90_000, "90 s"),
            (600_000, "10 min"),
        ];
        for (ms, text) in cases {
            assert_eq!(duration(ms), text);
        }
    }
}
