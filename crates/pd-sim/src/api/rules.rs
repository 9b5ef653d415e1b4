//! The placement rule.

use serde::Serialize;

use crate::api::answer::Answer;
use crate::api::request::Request;
use crate::cluster::Cluster;
use crate::errors;

#[derive(Serialize)]
struct Rule {
    group_id: &'static str,
    id: &'static str,
    start_key: &'static str,
    end_key: &'static str,
    role: &'static str,
    is_witness: bool,
    count: u64,
}

fn default_rule(cluster: &Cluster) -> Rule {
    Rule {
        group_id: "pd",
        id: "default",
        start_key: "",
        end_key: "",
        role: "voter",
        is_witness: false,
        count: cluster.config.max_replicas(),
    }
}

fn disabled(cluster: &Cluster) -> Option<Answer> {
    let items = &cluster.config.replication;
    let enabled = crate::cluster::config::find(items, "enable-placement-rules");
    (enabled == Some(&crate::cluster::config::Item::Bool(false))).then(|| {
        let text = "[PD:placement:ErrPlacementDisabled]placement rules feature is disabled";
        Answer::message(412, text)
    })
}

pub(super) fn all(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    disabled(cluster).unwrap_or_else(|| Answer::ok(&[default_rule(cluster)]))
}

/// The one rule holds for every region.
pub(super) fn of_region(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    if let Some(answer) = disabled(cluster) {
        return answer;
    }
    let Ok(region_id) = request.segment(3).parse() else {
        return Answer::message(400, "[PD:region:ErrRegionInvalidID]invalid region id");
    };
    if cluster.regions.get(region_id).is_none() {
        return Answer::message(404, &errors::region_not_found(cluster.rows(), region_id));
    }
    Answer::ok(&[default_rule(cluster)])
}

pub(super) fn one(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    if let Some(answer) = disabled(cluster) {
        return answer;
    }
    if (request.segment(2), request.segment(3)) == ("pd", "default") {
        Answer::ok(&default_rule(cluster))
    } else {
        Answer::message(404, "[PD:placement:ErrRuleNotFound]rule not found")
    }
}
