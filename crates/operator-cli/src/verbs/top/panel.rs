//! One list of what is shown: a heading, and rows with their columns.

use action_core::{ActionDefinition, printable};
use action_guard::{InForce, ProposalStatus, State};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::ids;
use crate::lookup::is_open;
use crate::reports::plan;
use crate::reports::proposal::asked_by;
use crate::terminal::observed::{columns_of, compared, listed};
use crate::terminal::values::{text_of, told, when};

/// One list of what is shown.
#[derive(Debug, Clone)]
pub(super) struct Panel {
    /// What it is known by from one look to the next.
    pub(super) name: String,
    pub(super) heading: String,
    pub(super) columns: Vec<String>,
    pub(super) items: Vec<Map<String, Value>>,
}

impl Panel {
    /// What an observation gave.
    pub(super) fn of(definition: &ActionDefinition, value: &Value) -> Self {
        let items = listed(definition, value);
        let lists = |value: &Value| {
            value
                .as_array()
                .is_some_and(|list| list.len() == items.len())
        };
        let members = value.as_object();
        let list = members.and_then(|members| {
            let mut named = members.iter().filter(|(_, value)| lists(value));
            named.find(|(name, _)| definition.name.ends_with(name.as_str()))
        });
        let mut heading = match list {
            Some((name, _)) => counted(name, items.len(), value),
            None => definition.title.clone(),
        };
        // What else it says, but for lists.
        let beside = |name: &str| !["total", "cut"].contains(&name);
        let more = members.into_iter().flatten().filter(|(name, value)| {
            beside(name) && !value.is_array() && !value.is_null() && !value.is_object()
        });
        for (name, value) in more {
            let (bare, text) = told(name, value);
            heading.push_str(&format!(", {}: {text}", bare.replace('_', " ")));
        }
        let not_yet = value
            .get("not_known_yet")
            .filter(|not_yet| **not_yet != json!([]));
        if let Some(not_yet) = not_yet {
            heading.push_str(&format!(", not known yet: {}", text_of(not_yet)));
        }
        Self {
            name: definition.name.clone(),
            heading: printable(&heading).into_owned(),
            columns: columns_of(&definition.columns, &items),
            items: items.into_iter().cloned().collect(),
        }
    }

    /// What is open.
    pub(super) fn of_open(state: &State, now: Timestamp) -> Self {
        let open = state.open.values().filter(|status| is_open(status, now));
        let one = |status: &ProposalStatus| {
            let request = &status.proposal.request;
            json!({
                "id": ids::short_of(&status.proposal.id, state),
                "state": status.phase_at(now).to_string(),
                "what": plan::request(&request.action, &request.parameters),
                "asked_by": asked_by(request),
                "asked_at": when(status.proposed_at),
            })
        };
        let items: Vec<_> = open.map(|status| one(status)).collect();
        let columns = ["id", "state", "what", "asked_by", "asked_at"];
        Self::own("open proposals", &columns, items)
    }

    /// What is in force that was asked for here.
    pub(super) fn of_effects(state: &State, now: Timestamp) -> Self {
        let one = |effect: &InForce| {
            let until = effect
                .lease_until
                .map_or_else(|| "taken back".to_owned(), when);
            json!({
                "id": ids::short_of(&effect.id, state),
                "effect": effect.key,
                "certain": if effect.confirmed { "yes" } else { "it may be" },
                "asked_by": effect.actor,
                "since": when(effect.since),
                "until": until,
            })
        };
        let items: Vec<_> = state.in_force(now).iter().map(one).collect();
        let columns = ["id", "effect", "until", "certain", "asked_by", "since"];
        Self::own("in force, asked for here", &columns, items)
    }

    fn own(what: &str, columns: &[&str], items: Vec<Value>) -> Self {
        let items = items.into_iter().filter_map(|item| match item {
            Value::Object(members) => Some(members),
            _ => None,
        });
        let items: Vec<_> = items.collect();
        Self {
            name: what.to_owned(),
            heading: match (items.len(), what.strip_suffix('s')) {
                (1, Some(one)) => format!("1 {one}"),
                (many, _) => format!("{many} {what}"),
            },
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            items,
        }
    }

    /// Its rows, by a column where one is given.
    pub(super) fn rows(&self, sort: Option<(&str, bool)>) -> Vec<Vec<String>> {
        let mut items: Vec<_> = self.items.iter().collect();
        if let Some((by, descending)) = sort {
            let value = |item: &Map<String, Value>| item.get(by).cloned().unwrap_or_default();
            items.sort_by(|one, other| {
                let order = compared(&value(one), &value(other));
                if descending { order.reverse() } else { order }
            });
        }
        let cell = |item: &Map<String, Value>, name: &String| {
            let text = item.get(name).map(|value| told(name, value).1);
            printable(&text.unwrap_or_default()).into_owned()
        };
        let row =
            |item: &Map<String, Value>| self.columns.iter().map(|name| cell(item, name)).collect();
        items.into_iter().map(row).collect()
    }

    /// What a column is called.
    pub(super) fn header(&self, column: &str) -> String {
        let known = self.items.iter().find_map(|item| item.get(column));
        let (bare, _) = told(column, known.unwrap_or(&Value::Null));
        printable(bare).replace('_', " ").to_uppercase()
    }
}

/// `5 stores`, or `100 of 300 stores` where not all are given.
fn counted(list: &str, shown: usize, value: &Value) -> String {
    let total = value.get("total").and_then(Value::as_u64);
    let count = match total {
        Some(total) if total != shown as u64 => format!("{shown} of {total}"),
        _ => shown.to_string(),
    };
    let what = list.replace('_', " ");
    let one = what.strip_suffix('s').filter(|_| count == "1");
    format!("{count} {}", one.unwrap_or(&what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_how_much_of_it_is_given() {
        let total = json!({"total": 300});
        assert_eq!(
            counted("hot_regions", 100, &total),
            "100 of 300 hot regions"
        );
        assert_eq!(counted("stores", 1, &json!({"total": 1})), "1 store");
        assert_eq!(counted("members", 3, &json!({})), "3 members");
    }
}
