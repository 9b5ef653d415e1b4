//! Reading placement rules.

use serde::Serialize;

use crate::api::answer::{Answer, GoList};
use crate::api::request::Request;
use crate::cluster::Cluster;
use crate::cluster::fit::RuleFit;
use crate::cluster::region::{Peer, Region, Role};
use crate::cluster::rules::{Constraint, Rule};
use crate::errors;
use crate::gotext::GoFloat;

#[derive(Serialize)]
pub(super) struct RuleBody<'a> {
    group_id: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    index: i64,
    #[serde(rename = "override", skip_serializing_if = "std::ops::Not::not")]
    overrides: bool,
    start_key: &'a str,
    end_key: &'a str,
    role: &'static str,
    is_witness: bool,
    count: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    label_constraints: Vec<ConstraintBody<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    location_labels: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    isolation_level: &'a str,
    #[serde(skip_serializing_if = "is_none")]
    version: u64,
    #[serde(skip_serializing_if = "is_none")]
    create_timestamp: u64,
}

#[derive(Serialize)]
struct ConstraintBody<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    key: &'a str,
    op: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    values: &'a [String],
}

fn is_zero(index: &i64) -> bool {
    *index == 0
}

fn is_none(value: &u64) -> bool {
    *value == 0
}

impl<'a> From<&'a Constraint> for ConstraintBody<'a> {
    fn from(constraint: &'a Constraint) -> Self {
        Self {
            key: &constraint.key,
            op: &constraint.op,
            values: &constraint.values,
        }
    }
}

impl<'a> From<&'a Rule> for RuleBody<'a> {
    fn from(rule: &'a Rule) -> Self {
        Self {
            group_id: &rule.group_id,
            id: &rule.id,
            index: rule.index,
            overrides: rule.overrides,
            start_key: &rule.start_key,
            end_key: &rule.end_key,
            role: rule.role.name(),
            is_witness: rule.is_witness,
            count: rule.count,
            label_constraints: rule.constraints.iter().map(ConstraintBody::from).collect(),
            location_labels: &rule.location_labels,
            isolation_level: &rule.isolation_level,
            version: rule.version,
            create_timestamp: rule.created,
        }
    }
}

/// The answer where placement rules are off.
pub(super) fn disabled(cluster: &Cluster) -> Option<Answer> {
    (!cluster.config.placement_rules_are_on()).then(|| {
        let text = "[PD:placement:ErrPlacementDisabled]placement rules feature is disabled";
        Answer::message(412, text)
    })
}

/// Rules as a list that Go holds as nil when empty.
fn list<'a>(rules: impl IntoIterator<Item = &'a Rule>) -> Answer {
    let rules: Vec<RuleBody<'_>> = rules.into_iter().map(RuleBody::from).collect();
    Answer::ok(&GoList::new(rules, true))
}

pub(super) fn all(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    disabled(cluster).unwrap_or_else(|| {
        let rules: Vec<RuleBody<'_>> = cluster
            .rules
            .in_order()
            .into_iter()
            .map(RuleBody::from)
            .collect();
        Answer::ok(&rules)
    })
}

pub(super) fn of_group(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let group = request.segment(3);
    disabled(cluster).unwrap_or_else(|| {
        let rules = cluster.rules.in_order();
        list(rules.into_iter().filter(|rule| rule.group_id == group))
    })
}

pub(super) fn of_region(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    match region(cluster, request) {
        Ok(region) => list(cluster.rules.for_region(region).unwrap_or_default()),
        Err(answer) => answer,
    }
}

pub(super) fn of_key(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    if let Some(answer) = disabled(cluster) {
        return answer;
    }
    let key = match errors::go_hex(request.segment(3)) {
        Ok(key) => key,
        Err(text) => {
            let text = format!("[PD:placement:ErrKeyFormat]key should be in hex format, {text}");
            return Answer::message(400, &text);
        }
    };
    let rules = cluster.rules.in_order();
    list(rules.into_iter().filter(|rule| {
        *rule.start_key <= *key && (rule.end_key.is_empty() || *key < *rule.end_key)
    }))
}

pub(super) fn one(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    if let Some(answer) = disabled(cluster) {
        return answer;
    }
    match cluster.rules.get(request.segment(2), request.segment(3)) {
        Some(rule) => Answer::ok(&RuleBody::from(rule)),
        None if !cluster.rows().names_what_changed => Answer::json(404, &()),
        None => Answer::message(404, "[PD:placement:ErrRuleNotFound]rule not found"),
    }
}

/// How a region's peers fit its rules.
pub(super) fn fit_of_region(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    struct Body<'a> {
        rule_fits: Vec<RuleFitBody<'a>>,
        orphan_peers: GoList<PeerBody>,
    }
    let region = match region(cluster, request) {
        Ok(region) => region,
        Err(answer) => return answer,
    };
    let Some(fit) = cluster.fit(region) else {
        return Answer::ok(&Body {
            rule_fits: Vec::new(),
            orphan_peers: peers(&region.peers),
        });
    };
    Answer::ok(&Body {
        rule_fits: fit
            .rules
            .iter()
            .map(|rule_fit| RuleFitBody::new(cluster, rule_fit))
            .collect(),
        orphan_peers: peers(&fit.orphans),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct RuleFitBody<'a> {
    rule: RuleBody<'a>,
    peers: GoList<PeerBody>,
    peers_different_role: GoList<PeerBody>,
    isolation_score: GoFloat,
    witness_score: i64,
}

/// A peer as the protobuf's own JSON shows it.
#[derive(Serialize)]
struct PeerBody {
    id: u64,
    store_id: u64,
    #[serde(skip_serializing_if = "is_voter")]
    role: u8,
}

fn is_voter(role: &u8) -> bool {
    *role == 0
}

fn peers(peers: &[Peer]) -> GoList<PeerBody> {
    let bodies = peers.iter().map(|peer| PeerBody {
        id: peer.id,
        store_id: peer.store_id,
        role: match peer.role {
            Role::Voter => 0,
            Role::Learner => 1,
            Role::IncomingVoter => 2,
            Role::DemotingVoter => 3,
        },
    });
    GoList::new(bodies.collect(), true)
}

impl<'a> RuleFitBody<'a> {
    fn new(cluster: &Cluster, fit: &RuleFit<'a>) -> Self {
        Self {
            rule: fit.rule.into(),
            peers: peers(&fit.peers),
            peers_different_role: peers(&fit.with_other_role),
            isolation_score: GoFloat(isolation_score(cluster, fit)),
            witness_score: 0,
        }
    }
}

/// A hundred to the power of how high up two stores differ, summed over all pairs.
fn isolation_score(cluster: &Cluster, fit: &RuleFit<'_>) -> f64 {
    let labels = &fit.rule.location_labels;
    let stores: Vec<_> = fit
        .peers
        .iter()
        .filter_map(|peer| cluster.stores.get(&peer.store_id))
        .collect();
    let mut score = 0.0;
    for (index, one) in stores.iter().enumerate() {
        for other in stores.iter().skip(index + 1) {
            let differ_at = labels
                .iter()
                .position(|key| one.label(key) != other.label(key));
            if let Some(at) = differ_at {
                score += 100_f64.powf((labels.len() - at - 1) as f64);
            }
        }
    }
    score
}

fn region<'a>(cluster: &'a Cluster, request: &Request<'_>) -> Result<&'a Region, Answer> {
    if let Some(answer) = disabled(cluster) {
        return Err(answer);
    }
    let Ok(region_id) = request.segment(3).parse() else {
        let text = if cluster.rows().names_what_changed {
            "[PD:region:ErrRegionInvalidID]invalid region id"
        } else {
            "invalid region id"
        };
        return Err(Answer::message(400, text));
    };
    cluster
        .regions
        .get(region_id)
        .ok_or_else(|| Answer::message(404, &errors::region_not_found(cluster.rows(), region_id)))
}
