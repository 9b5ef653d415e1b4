//! Groups of placement rules, and groups together with their rules.

use serde::{Deserialize, Serialize};

use crate::api::answer::{Answer, GoList};
use crate::api::request::Request;
use crate::api::rule_changes::{RuleInput, change, decoded};
use crate::api::rules::{RuleBody, disabled};
use crate::cluster::Cluster;
use crate::cluster::rules::{Rule, RuleGroup};

#[derive(Serialize)]
struct GroupBody<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    index: i64,
    #[serde(rename = "override", skip_serializing_if = "std::ops::Not::not")]
    overrides: bool,
}

fn is_zero(index: &i64) -> bool {
    *index == 0
}

impl<'a> From<&'a RuleGroup> for GroupBody<'a> {
    fn from(group: &'a RuleGroup) -> Self {
        Self {
            id: &group.id,
            index: group.index,
            overrides: group.overrides,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct GroupInput {
    id: String,
    index: i64,
    #[serde(rename = "override")]
    overrides: bool,
}

#[derive(Serialize)]
struct Bundle<'a> {
    group_id: &'a str,
    group_index: i64,
    group_override: bool,
    rules: GoList<RuleBody<'a>>,
}

impl<'a> Bundle<'a> {
    fn new(cluster: &'a Cluster, group: &'a RuleGroup) -> Self {
        let rules = cluster
            .rules
            .in_order()
            .into_iter()
            .filter(|rule| rule.group_id == group.id);
        Self {
            group_id: &group.id,
            group_index: group.index,
            group_override: group.overrides,
            rules: GoList::new(rules.map(RuleBody::from).collect(), true),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BundleInput {
    group_id: String,
    group_index: i64,
    group_override: bool,
    rules: Vec<RuleInput>,
}

impl BundleInput {
    fn checked(self, cluster: &Cluster) -> Result<(RuleGroup, Vec<Rule>), Answer> {
        let rules = self
            .rules
            .into_iter()
            .map(|rule| rule.checked(cluster, &self.group_id))
            .collect::<Result<_, _>>()?;
        let group = RuleGroup {
            id: self.group_id,
            index: self.group_index,
            overrides: self.group_override,
        };
        Ok((group, rules))
    }
}

pub(super) fn all(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    disabled(cluster).unwrap_or_else(|| {
        let groups = cluster.rules.groups();
        let bodies: Vec<GroupBody<'_>> = groups.iter().map(GroupBody::from).collect();
        Answer::ok(&bodies)
    })
}

pub(super) fn one(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    if let Some(answer) = disabled(cluster) {
        return answer;
    }
    let groups = cluster.rules.groups();
    match groups.iter().find(|group| group.id == request.segment(2)) {
        Some(group) => Answer::ok(&GroupBody::from(group)),
        None => Answer::json(404, &()),
    }
}

pub(super) fn set(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    if let Some(answer) = disabled(cluster) {
        return answer;
    }
    let input = match decoded::<GroupInput>(request, "placement.RuleGroup") {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    let group = RuleGroup {
        id: input.id,
        index: input.index,
        overrides: input.overrides,
    };
    change(cluster, "Update rule group successfully.", |draft| {
        draft.set_group(group);
    })
}

pub(super) fn delete(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    if let Some(answer) = disabled(cluster) {
        return answer;
    }
    let id = request.segment(2);
    change(cluster, "Delete rule group successfully.", |draft| {
        draft.delete_groups(|known| known == id);
    })
}

pub(super) fn bundles(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    disabled(cluster).unwrap_or_else(|| {
        let groups = cluster.rules.groups();
        let bundles: Vec<Bundle<'_>> = groups
            .iter()
            .map(|group| Bundle::new(cluster, group))
            .collect();
        Answer::ok(&bundles)
    })
}

pub(super) fn bundle(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    disabled(cluster).unwrap_or_else(|| {
        let id = request.segment(2);
        let groups = cluster.rules.groups();
        let unknown = RuleGroup {
            id: id.to_owned(),
            index: 0,
            overrides: false,
        };
        let group = groups.iter().find(|group| group.id == id);
        Answer::ok(&Bundle::new(cluster, group.unwrap_or(&unknown)))
    })
}

/// All groups at once; those that are not named are dropped, unless `partial` is given.
pub(super) fn set_bundles(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    if let Some(answer) = disabled(cluster) {
        return answer;
    }
    let given =
        decoded::<Vec<BundleInput>>(request, "[]placement.GroupBundle").and_then(|inputs| {
            let inputs = inputs.into_iter();
            inputs
                .map(|input| input.checked(cluster))
                .collect::<Result<Vec<_>, _>>()
        });
    let given = match given {
        Ok(given) => given,
        Err(answer) => return answer,
    };
    let is_partial = request.query("partial").is_some();
    change(cluster, "Update rules and groups successfully.", |draft| {
        let is_given = |id: &str| given.iter().any(|(group, _)| group.id == id);
        draft.delete_rules(|rule| !is_partial || is_given(&rule.group_id));
        draft.delete_groups(|id| !is_partial || is_given(id));
        for (group, rules) in given {
            draft.set_group(group);
            for rule in rules {
                draft.set_rule(rule);
            }
        }
    })
}

pub(super) fn set_bundle(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    if let Some(answer) = disabled(cluster) {
        return answer;
    }
    let id = request.segment(2);
    let mut input = match decoded::<BundleInput>(request, "placement.GroupBundle") {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    if input.group_id.is_empty() {
        id.clone_into(&mut input.group_id);
    }
    if input.group_id != id {
        let text = format!(
            "group id {} does not match request URI {id}",
            input.group_id
        );
        return Answer::message(400, &text);
    }
    let (group, rules) = match input.checked(cluster) {
        Ok(checked) => checked,
        Err(answer) => return answer,
    };
    change(cluster, "Update group and rules successfully.", |draft| {
        draft.delete_rules(|rule| rule.group_id == id);
        draft.set_group(group);
        for rule in rules {
            draft.set_rule(rule);
        }
    })
}

/// Deletes a group with its rules. PD takes a regular expression when told; here the name has to
/// begin as it says.
pub(super) fn delete_bundle(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    if let Some(answer) = disabled(cluster) {
        return answer;
    }
    let id = request.segment(2);
    let is_pattern = request.query("regexp").is_some();
    let stem = id.trim_start_matches('^').trim_end_matches(".*");
    let is_meant = |known: &str| known == id || (is_pattern && known.starts_with(stem));
    change(cluster, "Delete group and rules successfully.", |draft| {
        draft.delete_rules(|rule| is_meant(&rule.group_id));
        draft.delete_groups(is_meant);
    })
}
