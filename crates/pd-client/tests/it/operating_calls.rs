//! Which of the client's calls sends a request recorded of operating.

use std::time::Duration;

use pd_client::checkers::Checker;
use pd_client::config::ConfigValue;
use pd_client::operators::{NewOperator, SplitPolicy, TargetRole};
use pd_client::regions::RegionCheck;
use pd_client::schedulers::SchedulerKind;
use pd_client::stores::{LimitKind, StoreLife};
use pd_client::{Accepted, Client, Error};
use serde_json::Value;

use crate::recordings::Step;
use crate::{region, store};

/// Makes the call that sends this request, if the client has one. Says how many things it read.
pub(crate) async fn call(pd: &Client, step: &Step) -> Option<Result<usize, Error>> {
    match step.request.method.as_str() {
        "GET" => read(pd, &step.request.path).await,
        _ => change(pd, step)
            .await
            .map(|result| result.map(|Accepted { .. }| 1)),
    }
}

async fn read(pd: &Client, path: &str) -> Option<Result<usize, Error>> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    Some(match (path, query) {
        ("/stores", "state=1") => {
            let offline = pd.stores_in(&[StoreLife::Offline]).await;
            offline.map(|stores| stores.len())
        }
        ("/checker/rule", _) => pd.checker_status(Checker::Rule).await.map(|status| {
            assert!(status.paused);
            1
        }),
        ("/config/region-label/rules", _) => pd.region_label_rules().await.map(|rules| {
            assert!(rules.iter().all(|rule| !rule.ranges.is_empty()));
            rules.len()
        }),
        ("/region/id/89/labels", _) => labels(pd, 89).await,
        ("/region/id/999999/labels", _) => labels(pd, 999_999).await,
        (path, _) if path.starts_with("/regions/check/") => {
            let name = path.rsplit('/').next()?;
            let known = RegionCheck::ALL.iter();
            let check = known.copied().find(|check| check.name() == name)?;
            let found = pd.regions_in_check(check).await;
            found.map(|regions| regions.len())
        }
        ("/leader", _) => pd
            .leader()
            .await
            .map(|leader| usize::from(leader.is_some())),
        _ => return None,
    })
}

async fn labels(pd: &Client, id: u64) -> Result<usize, Error> {
    let labels = pd.labels_of_region(region(id)).await?;
    assert!(labels.iter().all(|label| label.denies_scheduling()));
    Ok(labels.len())
}

// length: a table of the calls, one arm each.
async fn change(pd: &Client, step: &Step) -> Option<Result<Accepted, Error>> {
    let (path, body) = (step.request.path.as_str(), &step.request.body);
    let mut parts = path.split(['/', '?']).skip(1);
    let parts = [(); 4].map(|()| parts.next().unwrap_or_default());
    let number = |part: &str| part.parse::<u64>().ok().map(store);
    Some(match (step.request.method.as_str(), parts) {
        ("POST", ["operators", ..]) => return operator(pd, step).await,
        ("POST", ["schedulers", "", ..]) => pd.add_scheduler(kind(body["name"].as_str()?)?).await,
        ("POST", ["schedulers", "all", ..]) => {
            let time = Duration::from_secs(body["delay"].as_u64()?);
            pd.pause_all_schedulers(time).await
        }
        ("DELETE", ["schedulers", name, ..]) => pd.remove_scheduler(kind(name)?).await,
        ("POST", ["checker", name, ..]) => {
            let checker = *Checker::ALL.iter().find(|checker| checker.name() == name)?;
            match body["delay"].as_u64()? {
                0 => pd.resume_checker(checker).await,
                delay => pd.pause_checker(checker, Duration::from_secs(delay)).await,
            }
        }
        ("POST", ["store", id, "label", ""]) => {
            let labels = texts(body)?;
            pd.set_store_labels(number(id)?, &labels).await
        }
        ("DELETE", ["store", id, "label", ..]) => {
            let key: String = serde_json::from_str(body.as_str()?).ok()?;
            pd.delete_store_label(number(id)?, &key).await
        }
        ("POST", ["store", id, "weight", ..]) => {
            let (leader, region) = (body["leader"].as_f64()?, body["region"].as_f64()?);
            if leader < 0.0 || region < 0.0 {
                return None;
            }
            pd.set_store_weight(number(id)?, leader, region).await
        }
        ("POST", ["store", id, "limit", ""]) => {
            let rate = body["rate"].as_f64().filter(|rate| *rate > 0.0)?;
            let limited = match body["type"].as_str()? {
                "add-peer" => LimitKind::AddPeer,
                "remove-peer" => LimitKind::RemovePeer,
                _ => return None,
            };
            pd.set_store_limit(number(id)?, limited, rate).await
        }
        ("POST", ["store", id, "state", "state=Up"]) => pd.cancel_offline(number(id)?).await,
        ("DELETE", ["store", id, "", ""]) => pd.offline_store(number(id)?).await,
        ("DELETE", ["stores", "remove-tombstone", ..]) => pd.remove_tombstones().await,
        ("POST", ["config", "", ..]) => {
            let (key, value) = only(body)?;
            pd.set_config(key, value).await
        }
        ("POST", ["config", "ttlSecond=60", ..]) => match only(body)? {
            (key, value @ ConfigValue::Whole(_)) => {
                pd.set_config_for(key, value, Duration::from_secs(60)).await
            }
            _ => return None,
        },
        ("POST", ["config", "ttlSecond=0", ..]) => match only(body)? {
            (key, ConfigValue::Whole(0)) => pd.clear_config_ttl(key).await,
            _ => return None,
        },
        ("POST", ["members", "name", name, ..]) => {
            let priority = i32::try_from(body["leader-priority"].as_i64()?).ok()?;
            pd.set_leader_priority(name, priority).await
        }
        ("POST", ["leader", "transfer", name, ..]) => pd.transfer_pd_leader(name).await,
        _ => return None,
    })
}

/// An operator asked for, as far as this client asks for it.
async fn operator(pd: &Client, step: &Step) -> Option<Result<Accepted, Error>> {
    match pd.add_operator(new_operator(step)?).await {
        // Two leaders are not sent, nor are keys that are missing or none.
        Err(Error::Input(_)) => None,
        result => Some(result),
    }
}

fn new_operator(step: &Step) -> Option<NewOperator> {
    let body = &step.request.body;
    let id = |name| step.id(name).map(region);
    let store_id = || step.id("store_id").map(store);
    let region_id = id("region_id");
    let words = |name: &str| -> Option<Vec<&str>> {
        let words = body[name].as_array().map_or(&[][..], Vec::as_slice);
        words.iter().map(Value::as_str).collect()
    };
    Some(match body["name"].as_str()? {
        "add-learner" => NewOperator::AddLearner {
            region_id: region_id?,
            store_id: store_id()?,
        },
        "remove-peer" => NewOperator::RemovePeer {
            region_id: region_id?,
            store_id: store_id()?,
        },
        "split-region" => NewOperator::SplitRegion {
            region_id: region_id?,
            policy: match body["policy"].as_str()? {
                "scan" => SplitPolicy::Scan,
                "usekey" => SplitPolicy::UseKey,
                _ => return None,
            },
            keys: words("keys")?.into_iter().map(str::to_owned).collect(),
        },
        "transfer-region" => {
            let stores = body["to_store_ids"].as_array()?.iter().map(Value::as_u64);
            let roles = words("peer_roles")?.into_iter().map(role);
            let targets = stores
                .zip(roles)
                .map(|(id, role)| Some((store(id?), role?)))
                .collect::<Option<_>>()?;
            NewOperator::TransferRegion {
                region_id: region_id?,
                targets,
            }
        }
        _ => return None,
    })
}

fn role(word: &str) -> Option<TargetRole> {
    Some(match word {
        "leader" => TargetRole::Leader,
        "voter" => TargetRole::Voter,
        "follower" => TargetRole::Follower,
        "learner" => TargetRole::Learner,
        _ => return None,
    })
}

fn kind(name: &str) -> Option<SchedulerKind> {
    let mut known = SchedulerKind::ALL.iter().copied();
    known.find(|kind| kind.name() == name)
}

/// The texts of an object, all of them with something in them.
fn texts(body: &Value) -> Option<Vec<(&str, &str)>> {
    let items = body.as_object()?.iter();
    items
        .map(|(key, value)| {
            Some((
                key.as_str(),
                value.as_str().filter(|text| !text.is_empty())?,
            ))
        })
        .collect()
}

/// The one item of a body, as a value that can be sent.
fn only(body: &Value) -> Option<(&str, ConfigValue)> {
    let mut items = body.as_object()?.iter();
    let ((key, value), None) = (items.next()?, items.next()) else {
        return None;
    };
    let value = match value {
        Value::Number(number) => match number.as_u64() {
            Some(whole) => ConfigValue::Whole(whole),
            None => ConfigValue::Ratio(number.as_f64()?),
        },
        Value::String(text) => ConfigValue::Text(text.clone()),
        _ => return None,
    };
    Some((key, value))
}
