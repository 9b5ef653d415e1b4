//! Groups of placement rules, and groups together with their rules.

use serde::{Deserialize, Serialize};

use crate::api::answer::{Answer, GoList};
use crate::api::request::Request;
use crate::api::rule_changes::{change, decoded};
use crate::api::rules::{RuleBody, disabled};
use crate::cluster::Cluster;
use crate::cluster::rules::RuleGroup;

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
    match decoded::<GroupInput>(request, "placement.RuleGroup") {
        Ok(input) => change(cluster, "Update rule group successfully.", |draft| {
            draft.set_group(RuleGroup {
                id: input.id,
                index: input.index,
                overrides: input.overrides,
            });
        }),
        Err(answer) => answer,
    }
}

pub(super) fn delete(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    if let Some(answer) = disabled(cluster) {
        return answer;
    }
    change(cluster, "Delete rule group successfully.", |draft| {
        draft.delete_group(request.segment(2));
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
        let unknown = RuleGroup::named(id);
        let group = groups.iter().find(|group| group.id == id);
        Answer::ok(&Bundle::new(cluster, group.unwrap_or(&unknown)))
    })
}
