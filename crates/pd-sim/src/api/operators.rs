//! `/operators`.

use serde::Serialize;

use crate::api::answer::{Answer, GoList};
use crate::api::request::Request;
use crate::clock::Time;
use crate::cluster::Cluster;
use crate::cluster::new_operator::{Admitted, Refusal};
use crate::cluster::operator::{Kind, Operator};
use crate::errors;
use crate::gotext::go_duration;

pub(super) fn create(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    struct Scattered {
        processed_percentage: usize,
        error: String,
    }
    let input = match request.object() {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    match cluster.create_operator(&input) {
        Ok(Admitted::Created) => Answer::message(200, "The operator is created."),
        Ok(Admitted::Percentage { percentage, error }) => Answer::ok(&Scattered {
            processed_percentage: percentage,
            error,
        }),
        Err(Refusal::Input(text)) => Answer::message(400, &text),
        Err(Refusal::Refused(text)) => Answer::message(500, &text),
        Err(Refusal::Panicked(text)) => Answer::panicked(&text),
    }
}

pub(super) fn list(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    if !cluster.is_bootstrapped() {
        return Answer::message(500, errors::NOT_BOOTSTRAPPED);
    }
    let kinds: Vec<&str> = request.queries("kind").collect();
    let operators: Vec<&Operator> = if kinds.is_empty() {
        cluster.operators.values().collect()
    } else {
        let mut found = Vec::new();
        for kind in &kinds {
            let wanted = match *kind {
                "admin" => Kind::ADMIN,
                "leader" => Kind::LEADER,
                "region" => Kind::REGION,
                _ => continue,
            };
            found.extend(
                cluster
                    .operators
                    .values()
                    .filter(|operator| operator.kind.contains(wanted)),
            );
        }
        found
    };
    let rows = cluster.rows();
    if rows.delete_all_operators && request.query("object").is_some() {
        let objects: Vec<OperatorObject<'_>> = operators
            .into_iter()
            .map(|operator| OperatorObject::new(operator, cluster))
            .collect();
        return Answer::ok(&objects);
    }
    let texts: Vec<String> = operators
        .into_iter()
        .map(|operator| operator.text(rows, cluster.process_start))
        .collect();
    Answer::ok(&GoList::new(texts, !kinds.is_empty()))
}

#[derive(Serialize)]
struct OperatorObject<'a> {
    desc: &'a str,
    brief: &'a str,
    region_id: u64,
    region_epoch: EpochBody,
    kind: u32,
    timeout: String,
    status: u8,
}

#[derive(Serialize)]
struct EpochBody {
    conf_ver: u64,
    version: u64,
}

impl<'a> OperatorObject<'a> {
    fn new(operator: &'a Operator, cluster: &Cluster) -> Self {
        Self {
            desc: &operator.desc,
            brief: &operator.brief,
            region_id: operator.region_id,
            region_epoch: EpochBody {
                conf_ver: operator.epoch.conf_ver,
                version: operator.epoch.version,
            },
            kind: operator.kind.bits(cluster.rows()),
            timeout: go_duration(operator.timeout),
            status: operator.status.number(),
        }
    }
}

pub(super) fn of_region(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let region_id = match request.id(1) {
        Ok(id) => id,
        Err(answer) => return answer,
    };
    if !cluster.is_bootstrapped() {
        return Answer::message(500, errors::NOT_BOOTSTRAPPED);
    }
    match cluster.operator_of(region_id) {
        Some(operator) => {
            let text = operator.status_text(cluster.rows(), cluster.process_start);
            Answer::message(200, &text)
        }
        None => Answer::message(500, &errors::operator_not_found(cluster.rows())),
    }
}

pub(super) fn cancel(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let region_id = match request.id(1) {
        Ok(id) => id,
        Err(answer) => return answer,
    };
    if !cluster.is_bootstrapped() {
        Answer::message(500, errors::NOT_BOOTSTRAPPED)
    } else if cluster.cancel_operator(region_id) {
        Answer::message(200, "The pending operator is canceled.")
    } else {
        Answer::message(500, &errors::operator_not_found(cluster.rows()))
    }
}

pub(super) fn records(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let from = match request.query("from").map(|text| (text, text.parse())) {
        None => i64::MIN,
        Some((_, Ok(seconds))) => seconds,
        Some((text, Err(_))) => {
            return Answer::message(400, &errors::not_a_number("ParseInt", text));
        }
    };
    if !cluster.is_bootstrapped() {
        return Answer::message(500, errors::NOT_BOOTSTRAPPED);
    }
    let from = Time::from_unix_seconds(from);
    let texts: Vec<String> = cluster
        .live_records()
        .filter(|record| record.finished >= Some(from))
        .map(|record| record.record_text(cluster.rows(), cluster.process_start))
        .collect();
    if texts.is_empty() {
        Answer::message(500, &errors::operator_not_found(cluster.rows()))
    } else {
        Answer::ok(&texts)
    }
}
