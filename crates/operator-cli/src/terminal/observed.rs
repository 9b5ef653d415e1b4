//! What an observation gave, for people.

use std::cmp::Ordering;
use std::time::Duration;

use action_core::{ActionDefinition, printable};
use serde_json::{Map, Value};

use crate::terminal::lengths::length;
use crate::terminal::table::{self, Column};
use crate::terminal::values::{is_id, ordered, pair, shortened, text_of, told};

// Which columns are shown, in which order, and how often. No doc comment: clap would take it for what an action is
// about.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Table")]
pub(crate) struct View {
    /// Columns to show, separated by commas [default: as many as fit]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,

    /// Column to sort by; `-NAME` for descending order
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    sort_by: Option<String>,

    /// Repeat until interrupted, with this interval [default: 2s]
    #[arg(
        long,
        value_name = "TIME",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "2s",
        value_parser = length,
    )]
    pub(crate) watch: Option<Duration>,
}

impl View {
    /// Sorts what the observation lists, and refuses columns that nothing in it has.
    pub(crate) fn sort(
        &self,
        definition: &ActionDefinition,
        value: &mut Value,
    ) -> Result<(), String> {
        if self.columns.is_empty() && self.sort_by.is_none() {
            return Ok(());
        }
        let Some(name) = main_list(definition, value) else {
            let name = &definition.name;
            return Err(format!(
                "`{name}` has no columns: leave out `--columns` and `--sort-by`"
            ));
        };
        let Some(Value::Array(items)) = value.get_mut(&name) else {
            return Ok(());
        };
        let known = columns_of(&definition.columns, &objects(items));
        let (descending, by) = match &self.sort_by {
            Some(by) => (by.starts_with('-'), by.strip_prefix('-').unwrap_or(by)),
            None => (false, ""),
        };
        let asked = self
            .columns
            .iter()
            .map(String::as_str)
            .chain((!by.is_empty()).then_some(by));
        for name in asked {
            if !items.is_empty() && !known.iter().any(|known| is_meant(known, name)) {
                let known = known.join(", ");
                return Err(format!("unknown column `{name}`; known are {known}"));
            }
        }
        if let Some(by) = known.iter().find(|known| is_meant(known, by)) {
            items.sort_by(|one, other| {
                let order = compared(&one[by], &other[by]);
                if descending { order.reverse() } else { order }
            });
        }
        Ok(())
    }

    /// The columns of a list: those that were asked for, or all.
    fn shown(&self, all: Vec<String>) -> Vec<String> {
        if self.columns.is_empty() {
            return all;
        }
        let find = |name: &String| all.iter().find(|known| is_meant(known, name)).cloned();
        self.columns.iter().filter_map(find).collect()
    }
}

/// Whether a column is meant by a name: as JSON has it, as the header shows it, in whatever case.
fn is_meant(column: &str, name: &str) -> bool {
    let plain = name.to_lowercase().replace([' ', '-'], "_");
    plain == column || told(column, &Value::from(0)).0 == plain
}

/// The order of two values: numbers by how much they are, before texts.
pub(crate) fn compared(one: &Value, other: &Value) -> Ordering {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => text_of(one).cmp(&text_of(other)),
    }
}

/// The list that an observation is for: by its name, else the only one that holds objects.
fn main_list(definition: &ActionDefinition, value: &Value) -> Option<String> {
    let members = value.as_object()?;
    let lists = members.iter().filter(|(_, value)| value.is_array());
    let (mut named, mut of_objects) = (None, Vec::new());
    for (name, list) in lists {
        if definition.name.ends_with(name.as_str()) {
            named = Some(name.clone());
        }
        if is_list(list) {
            of_objects.push(name.clone());
        }
    }
    match of_objects.as_slice() {
        _ if named.is_some() => named,
        [only] => Some(only.clone()),
        _ => None,
    }
}

fn is_list(value: &Value) -> bool {
    matches!(value, Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_object))
}

fn objects(items: &[Value]) -> Vec<&Map<String, Value>> {
    items.iter().filter_map(Value::as_object).collect()
}

/// What the list holds that an observation is for.
pub(crate) fn listed<'v>(
    definition: &ActionDefinition,
    value: &'v Value,
) -> Vec<&'v Map<String, Value>> {
    let main = main_list(definition, value);
    let items = main.and_then(|list| value[list].as_array());
    items.map(|items| objects(items)).unwrap_or_default()
}

/// The ids of what is listed, or of what is shown: a line for each.
pub(crate) fn names(definition: &ActionDefinition, value: &Value) -> Vec<String> {
    let name_of = |object: &Map<String, Value>| {
        let all = ordered(object, &definition.columns);
        let id = all.iter().find(|(name, _)| is_id(name));
        let id = id.or_else(|| all.iter().find(|(name, _)| *name == "name"));
        id.map(|(_, value)| printable(&text_of(value)).into_owned())
    };
    match main_list(definition, value).and_then(|list| value[list].as_array()) {
        Some(items) => objects(items).into_iter().filter_map(name_of).collect(),
        None => value.as_object().and_then(name_of).into_iter().collect(),
    }
}

/// What an observation gave, as a command shows it.
#[must_use]
pub fn result(action: &ActionDefinition, value: &Value) -> String {
    report(action, value, &View::default())
}

/// Lists first and how many there are, where it is a list; else its members, then its lists.
pub(crate) fn report(definition: &ActionDefinition, value: &Value, view: &View) -> String {
    let Value::Object(members) = value else {
        return printable(&text_of(value)).into_owned();
    };
    let main = main_list(definition, value);
    let count = main.as_ref().and_then(|list| count(list, members));
    let told_by_count = |name: &str| {
        count.is_some() && (["total", "cut"].contains(&name) || Some(name) == main.as_deref())
    };
    let all = ordered(members, &[]);
    let single = all
        .iter()
        .filter(|(name, value)| !is_list(value) && !told_by_count(name));
    let single: Vec<_> = single.map(|(name, value)| pair((name, value))).collect();
    let single = (!single.is_empty()).then(|| table::rows(single));
    let mut lists: Vec<_> = all.iter().filter(|(_, value)| is_list(value)).collect();
    // What it is for comes first, and needs no heading.
    lists.sort_by_key(|(name, _)| Some(name.as_str()) != main.as_deref());
    let lists = lists.into_iter().map(|(name, list)| {
        let items = objects(list.as_array().map(Vec::as_slice).unwrap_or_default());
        let is_main = Some(name.as_str()) == main.as_deref();
        let first = if is_main {
            definition.columns.as_slice()
        } else {
            &[]
        };
        let columns = columns_of(first, &items);
        let columns = if is_main {
            view.shown(columns)
        } else {
            columns
        };
        let text = rows_of(&columns, &items);
        match &count {
            Some(count) if is_main => format!("{text}\n\n{count}"),
            _ => format!("{}\n{text}", printable(name)),
        }
    });
    let mut parts: Vec<String> = lists.collect();
    if let Some(count) = count.filter(|_| {
        main.as_ref()
            .is_some_and(|list| !is_list(&members[list.as_str()]))
    }) {
        parts.insert(0, count);
    }
    let place = if main.is_some() && members.contains_key("cut") {
        parts.len()
    } else {
        0
    };
    if let Some(single) = single {
        parts.insert(place, single);
    }
    parts.join("\n\n")
}

/// `5 stores`, or `2 of 5 stores: truncated, --limit shows more`.
fn count(list: &str, members: &Map<String, Value>) -> Option<String> {
    let cut = members.get("cut")?.as_bool()?;
    let shown = members.get(list)?.as_array()?.len();
    let total = members.get("total").and_then(Value::as_u64);
    let what = printable(list).replace('_', " ");
    let what = match (shown, what.strip_suffix('s')) {
        (1, Some(one)) if total.is_none_or(|total| total == 1) => one.to_owned(),
        _ => what,
    };
    Some(match (cut, total) {
        (false, _) => format!("{shown} {what}"),
        (true, Some(total)) => {
            format!("{shown} of {total} {what} (truncated, use --limit)")
        }
        (true, None) => format!("{shown} {what} (truncated, use --limit)"),
    })
}

/// All members that any of them has.
pub(crate) fn columns_of(first: &[String], items: &[&Map<String, Value>]) -> Vec<String> {
    let mut all = Map::new();
    for item in items {
        all.extend(item.iter().map(|(name, _)| (name.clone(), Value::Null)));
    }
    ordered(&all, first)
        .into_iter()
        .map(|(name, _)| name.clone())
        .collect()
}

/// Objects as rows.
fn rows_of(columns: &[String], items: &[&Map<String, Value>]) -> String {
    let cell = |item: &Map<String, Value>, name: &String| {
        let value = item.get(name);
        value.map_or_else(String::new, |value| shortened(&told(name, value).1))
    };
    let rows = items
        .iter()
        .map(|item| columns.iter().map(|name| cell(item, name)).collect());
    let header = columns.iter().map(|name| {
        let known = items.iter().find_map(|item| item.get(name));
        let (bare, _) = told(name, known.unwrap_or(&Value::Null));
        Column::new(&printable(bare).replace('_', " "))
    });
    table::list(header.collect(), rows.collect())
}
