//! The calls of schedulers that are set item by item.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

use crate::api::answer::Answer;
use crate::api::key_range::{KeyRange, whole_range};
use crate::api::request::Request;
use crate::cluster::Cluster;
use crate::cluster::config::{Item, Items, Mismatch};
use crate::cluster::scheduler_settings::validate_hot_region;

const UPDATED: &str = "Config is updated.";
const SAME: &str = "Config is the same with origin, so do nothing.";
const UNKNOWN: &str = "Config item is not found.";

/// All settings, after the key ranges where the scheduler has some.
struct Settings<'a> {
    ranges: Option<[KeyRange; 1]>,
    items: &'a Items,
}

impl Serialize for Settings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        if let Some(ranges) = &self.ranges {
            map.serialize_entry("ranges", ranges)?;
        }
        for (name, item) in self.items {
            map.serialize_entry(name, item)?;
        }
        map.end()
    }
}

/// Answers a call on a scheduler with settings; `None` if the path does not exist.
pub(super) fn call(
    cluster: &mut Cluster,
    name: &str,
    call: &str,
    request: &Request<'_>,
) -> Option<Answer> {
    let items = cluster.schedulers.settings.get(name)?.clone();
    match (name, call, request.method) {
        ("shuffle-region-scheduler", "list" | "roles", "GET") => {
            Some(Answer::ok(&items.first().map(|(_, roles)| roles)))
        }
        ("shuffle-region-scheduler", "roles", "POST") => Some(set_roles(cluster, request)),
        ("shuffle-region-scheduler", "list" | "roles", _) => Some(Answer::method_not_allowed()),
        ("shuffle-region-scheduler", ..) => None,
        (_, "list", "GET") => {
            let has_ranges = name.starts_with("balance-") && name != "balance-hot-region-scheduler";
            Some(Answer::ok(&Settings {
                ranges: has_ranges.then(|| whole_range(cluster)),
                items: &items,
            }))
        }
        (_, "config", "POST") => Some(set(cluster, name, items, request)),
        (_, "list" | "config", _) => Some(Answer::method_not_allowed()),
        _ => None,
    }
}

fn set(cluster: &mut Cluster, name: &str, items: Items, request: &Request<'_>) -> Answer {
    match name {
        "balance-leader-scheduler" | "balance-witness-scheduler" => {
            set_batch(cluster, name, items, request)
        }
        "balance-hot-region-scheduler" | "split-bucket-scheduler" => {
            set_in_text(cluster, name, items, request)
        }
        _ => set_checked(cluster, name, items, request),
    }
}

/// What a body changes.
enum Change {
    To(Items),
    Nothing,
    Unknown,
}

/// Decodes a body over the settings, as Go's `json.Unmarshal` would; a refusal is 500.
fn decoded(items: &Items, input: &Map<String, Json>, go_struct: &str) -> Result<Change, Answer> {
    let mut new = items.clone();
    let mut is_known = false;
    for (key, value) in input {
        let Some((known, item)) = new.iter_mut().find(|(k, _)| k.eq_ignore_ascii_case(key)) else {
            continue;
        };
        is_known |= *known == key;
        *item = item.parse(value).map_err(|mismatch| {
            Answer::message(
                500,
                &match mismatch {
                    Mismatch::Type { got, want } => format!(
                        "json: cannot unmarshal {got} into Go struct field {go_struct}.{known} of type {want}"
                    ),
                    Mismatch::Text(text) => text,
                },
            )
        })?;
    }
    Ok(if new != *items {
        Change::To(new)
    } else if is_known {
        Change::Nothing
    } else {
        Change::Unknown
    })
}

/// The body as an object, errors as these handlers report them.
fn object(request: &Request<'_>) -> Result<Map<String, Json>, Answer> {
    request.object_or_message().map_err(|mut answer| {
        answer.status = 500;
        answer
    })
}

fn set_batch(cluster: &mut Cluster, name: &str, items: Items, request: &Request<'_>) -> Answer {
    let (updated, same, unknown) = if cluster.rows().witness_schedulers {
        (UPDATED, SAME, UNKNOWN)
    } else {
        ("success", "no changed", "config item not found")
    };
    let is_leader = name == "balance-leader-scheduler";
    let max = if is_leader {
        cluster.rows().balance_leader_batch_max
    } else {
        10
    };
    let go_struct = match (is_leader, cluster.rows().evict_batch_max.is_some()) {
        (true, true) => "balanceLeaderSchedulerParam",
        (true, false) => "balanceLeaderSchedulerConfig",
        (false, _) => "balanceWitnessSchedulerConfig",
    };
    let change = object(request).and_then(|input| decoded(&items, &input, go_struct));
    match change {
        Err(answer) => answer,
        Ok(Change::To(new)) => {
            let is_good = matches!(new.first(), Some((_, Item::Int(n))) if (1..=max).contains(n));
            if !is_good {
                let text =
                    format!("invalid batch size which should be an integer between 1 and {max}");
                return Answer::message(400, &text);
            }
            cluster.schedulers.settings.insert(name.to_owned(), new);
            Answer::message(200, updated)
        }
        Ok(Change::Nothing) => Answer::message(200, same),
        Ok(Change::Unknown) => Answer::message(400, unknown),
    }
}

/// These two say how it went in plain text.
fn set_in_text(cluster: &mut Cluster, name: &str, items: Items, request: &Request<'_>) -> Answer {
    let is_hot = name == "balance-hot-region-scheduler";
    let go_struct = match (is_hot, cluster.rows().evict_batch_max.is_some()) {
        (true, true) => "hotRegionSchedulerParam",
        (true, false) => "hotRegionSchedulerConfig",
        (false, _) => "splitBucketSchedulerConfig",
    };
    let change = object(request).and_then(|input| decoded(&items, &input, go_struct));
    match change {
        Err(answer) => answer,
        Ok(Change::To(new)) => {
            if is_hot && let Err(text) = validate_hot_region(&new) {
                return Answer::message(400, &text);
            }
            cluster.schedulers.settings.insert(name.to_owned(), new);
            Answer::plain(200, UPDATED)
        }
        Ok(Change::Nothing) => Answer::plain(200, SAME),
        Ok(Change::Unknown) => Answer::plain(400, UNKNOWN),
    }
}

/// Schedulers that check each field by hand and ignore what they do not know.
fn set_checked(
    cluster: &mut Cluster,
    name: &str,
    mut items: Items,
    request: &Request<'_>,
) -> Answer {
    let input = match request.object() {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    let must_be_given = match name {
        "shuffle-hot-region-scheduler" => Some("limit"),
        "evict-slow-trend-scheduler" => Some("recovery-duration"),
        _ => None,
    };
    for (key, item) in &mut items {
        let given = input.get(*key).filter(|value| !value.is_null());
        let is_required = must_be_given == Some(*key);
        *item = match (given.and_then(Json::as_f64), given, &*item) {
            (None, None, _) if !is_required => continue,
            (_, _, Item::Ids(_)) => continue,
            (Some(batch), _, Item::Int(_)) if !(1.0..11.0).contains(&batch) => {
                return Answer::message(400, "batch is invalid, it should be in [1, 10]");
            }
            (Some(number), _, Item::Int(_)) => Item::Int(number as i64),
            (Some(number), _, Item::Uint(_)) => Item::Uint(number as u64),
            (_, Some(Json::Bool(flag)), Item::Flag(_)) => Item::Flag(*flag),
            _ if *key == "limit" => return Answer::message(400, "invalid limit"),
            _ => return Answer::message(400, &format!("invalid argument for '{key}'")),
        };
    }
    cluster.schedulers.settings.insert(name.to_owned(), items);
    if name == "shuffle-hot-region-scheduler" {
        Answer::json(200, &())
    } else {
        Answer::message(200, "Config updated.")
    }
}

fn set_roles(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let roles = match request.json() {
        Ok(Json::Array(roles)) => roles,
        Ok(Json::Null) => Vec::new(),
        Ok(other) => {
            let kind = crate::api::request::go_kind(&other);
            return crate::api::request::wrong_type(kind, "Go value of type []string", 1, "", "");
        }
        Err(answer) => return answer,
    };
    let roles: Vec<String> = roles
        .iter()
        .map(|role| role.as_str().unwrap_or_default().to_owned())
        .collect();
    let known = ["leader", "follower", "learner"];
    if let Some(role) = roles.iter().find(|role| !known.contains(&role.as_str())) {
        return Answer::plain(400, &format!("invalid role:{role}"));
    }
    let items = vec![("roles", Item::Texts(roles))];
    let name = "shuffle-region-scheduler".to_owned();
    cluster.schedulers.settings.insert(name, items);
    Answer::plain(200, UPDATED)
}
