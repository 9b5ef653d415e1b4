//! Changing placement rules one by one or together.

use serde::Deserialize;

use crate::api::answer::Answer;
use crate::api::request::{Request, go_kind, wrong_type};
use crate::api::rules::disabled;
use crate::cluster::Cluster;
use crate::cluster::region::Key;
use crate::cluster::rules::{Constraint, Draft, Rule, RuleRole};
use crate::errors;

/// A rule as clients send it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RuleInput {
    pub(super) group_id: String,
    id: String,
    index: i64,
    #[serde(rename = "override")]
    overrides: bool,
    start_key: String,
    end_key: String,
    role: String,
    is_witness: bool,
    count: i64,
    label_constraints: Vec<ConstraintInput>,
    location_labels: Vec<String>,
    isolation_level: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ConstraintInput {
    key: String,
    op: String,
    values: Vec<String>,
}

impl RuleInput {
    /// Checks the rule as PD does, in its order.
    pub(super) fn checked(self, cluster: &Cluster) -> Result<Rule, Answer> {
        let (start, end) = self.keys()?;
        if self.group_id.is_empty() {
            return bad("group ID should not be empty".to_owned());
        }
        if self.id.is_empty() {
            return bad("ID should not be empty".to_owned());
        }
        let Some(role) = RuleRole::parse(&self.role) else {
            return bad(format!("invalid role {}", self.role));
        };
        let count = usize::try_from(self.count).unwrap_or(0);
        if count == 0 {
            return bad(format!("invalid count {}", self.count));
        }
        if role == RuleRole::Leader && count > 1 {
            return bad(format!("define multiple leaders by count {count}"));
        }
        let known = ["in", "notIn", "exists", "notExists"];
        if let Some(asked) = self
            .label_constraints
            .iter()
            .find(|asked| !known.contains(&asked.op.as_str()))
        {
            return bad(format!("invalid op {}", asked.op));
        }
        let asked = self.label_constraints.into_iter();
        let constraints = asked.map(|asked| Constraint {
            key: asked.key,
            op: asked.op,
            values: asked.values,
        });
        let rule = Rule {
            group_id: self.group_id,
            id: self.id,
            index: self.index,
            overrides: self.overrides,
            start_key: Key::from(start),
            end_key: Key::from(end),
            role,
            is_witness: self.is_witness,
            count,
            constraints: constraints.collect(),
            location_labels: self.location_labels,
            isolation_level: self.isolation_level,
            version: 0,
            created: u64::try_from(cluster.now.unix_seconds()).unwrap_or(0),
        };
        if !cluster.stores.is_empty() && !cluster.stores.values().any(|store| rule.allows(store)) {
            return bad(format!(
                "rule '{}' from rule group '{}' can not match any store",
                rule.id, rule.group_id
            ));
        }
        Ok(rule)
    }

    /// The first key and the one after the last, in upper-case hex.
    fn keys(&self) -> Result<(String, String), Answer> {
        let key = |text: &str| {
            errors::go_hex(text).map_err(|_| {
                let text = format!("[PD:hex:ErrHexDecodingString]decode string {text} error");
                Answer::message(400, &text)
            })
        };
        let (start, end) = (key(&self.start_key)?, key(&self.end_key)?);
        if !end.is_empty() && end <= start {
            return bad("endKey should be greater than startKey".to_owned());
        }
        for (name, key) in [("start", &start), ("end", &end)] {
            if !is_encoded(key) {
                return bad(format!(
                    "{name} key should be encoded in table mode: insufficient bytes to decode value"
                ));
            }
        }
        Ok((start, end))
    }
}

fn bad<T>(what: String) -> Result<T, Answer> {
    let text = format!("[PD:placement:ErrRuleContent]invalid rule content, {what}");
    Err(Answer::message(400, &text))
}

/// Whether a key, in hex, is empty or begins as TiKV encodes keys: in groups of eight bytes, each
/// followed by how many of them are padding.
fn is_encoded(key: &str) -> bool {
    let mut rest = key.as_bytes();
    if rest.is_empty() {
        return true;
    }
    while let Some((group, after)) = rest.split_at_checked(18) {
        let marker = std::str::from_utf8(&group[16..])
            .ok()
            .and_then(|text| u8::from_str_radix(text, 16).ok());
        match marker {
            Some(0xFF) => rest = after,
            Some(0xF7..=0xFE) => return true,
            _ => return false,
        }
    }
    false
}

/// Decodes a body the way Go does: names of any case would do, but nobody sends those.
pub(super) fn decoded<T: for<'a> Deserialize<'a>>(
    request: &Request<'_>,
    go_type: &str,
) -> Result<T, Answer> {
    let json = request.json()?;
    let kind = go_kind(&json);
    serde_json::from_value(json).map_err(|_| {
        let target = format!("Go value of type {go_type}");
        wrong_type(kind, &target, request.body.len(), "", "")
    })
}

/// Makes a change to the rules; what PD answers.
pub(super) fn change(cluster: &mut Cluster, done: &str, change: impl FnOnce(&mut Draft)) -> Answer {
    match cluster.rules.change(change) {
        Ok(()) => {
            cluster.check_everything();
            Answer::message(200, done)
        }
        Err(text) => Answer::message(500, &text),
    }
}

pub(super) fn set(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    if let Some(answer) = disabled(cluster) {
        return answer;
    }
    let rule =
        decoded::<RuleInput>(request, "placement.Rule").and_then(|input| input.checked(cluster));
    match rule {
        Ok(rule) => {
            follow_default(cluster, &rule);
            change(cluster, "Update rule successfully.", |draft| {
                draft.set_rule(rule);
            })
        }
        Err(answer) => answer,
    }
}

/// The count of the default rule is `max-replicas`.
fn follow_default(cluster: &mut Cluster, rule: &Rule) {
    if (rule.group_id.as_str(), rule.id.as_str()) == ("pd", "default") {
        cluster.config.set_max_replicas(rule.count as u64);
    }
}

pub(super) fn delete(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    if let Some(answer) = disabled(cluster) {
        return answer;
    }
    let (group, id) = (request.segment(2), request.segment(3));
    change(cluster, "Delete rule successfully.", |draft| {
        draft.delete_rules(|rule| rule.group_id == group && rule.id == id);
    })
}
