//! Answers recorded from real PD servers, through the client.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use pd_client::operators::Operator;
use pd_client::{Client, Error, ErrorClass, RegionId};
use serde::Deserialize;
use serde_json::Value;

use crate::replay::Replay;
use crate::{region, store};

const RECORDINGS: &[(&str, &str)] = &[
    (
        "v6.5.12",
        include_str!("../../../../tests/recordings/pd-v6.5.12.json"),
    ),
    (
        "v7.5.7",
        include_str!("../../../../tests/recordings/pd-v7.5.7.json"),
    ),
    (
        "v8.5.7",
        include_str!("../../../../tests/recordings/pd-v8.5.7.json"),
    ),
    (
        "v9.0-dev",
        include_str!("../../../../tests/recordings/pd-v9.0-dev.json"),
    ),
];

#[derive(Deserialize)]
struct Recording {
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    name: String,
    request: RecordedRequest,
    response: RecordedResponse,
}

#[derive(Deserialize)]
struct RecordedRequest {
    method: String,
    path: String,
    body: Value,
}

#[derive(Deserialize)]
struct RecordedResponse {
    status: u16,
    content_type: Option<String>,
    #[serde(default)]
    error_code: Option<String>,
    body: String,
}

impl Step {
    fn replay(&self) -> Replay {
        let mut headers = Vec::new();
        headers.extend(
            self.response
                .content_type
                .as_deref()
                .map(|value| ("content-type", value)),
        );
        headers.extend(
            self.response
                .error_code
                .as_deref()
                .map(|value| ("tidb-error-code", value)),
        );
        let replay = Replay::new(self.response.status, &headers, &self.response.body);
        if self.request.path == "/members" {
            replay.answering_members()
        } else {
            replay
        }
    }

    fn id(&self, field: &str) -> Option<u64> {
        self.request.body.get(field)?.as_u64()
    }

    /// The request's path from the last `separator` on, as a number.
    fn path_id(&self, separator: char) -> Option<u64> {
        self.request
            .path
            .rsplit(separator)
            .next()?
            .parse()
            .ok()
            .filter(|id| *id > 0)
    }
}

/// Makes the call that sends this request, if the client has one. Says how many things it read.
async fn call(pd: &Client, step: &Step) -> Option<Result<usize, Error>> {
    let (path, query) = step
        .request
        .path
        .split_once('?')
        .unwrap_or((&step.request.path, ""));
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    Some(match (step.request.method.as_str(), path, query) {
        ("GET", "/version", _) => pd.version().await.map(|version| {
            assert!(version.numbers().is_some());
            1
        }),
        ("GET", "/cluster", _) => pd.cluster().await.map(|cluster| {
            assert!(cluster.id.get() > 1 << 53);
            1
        }),
        ("GET", "/cluster/status", _) => pd.cluster_status().await.map(|status| {
            assert_eq!(status.is_initialized, status.raft_bootstrap_time.is_some());
            1
        }),
        ("GET", "/members", _) => pd.members().await.map(|members| {
            assert!(members.cluster_id.is_some() && members.leader == members.etcd_leader);
            members.members.len()
        }),
        ("GET", "/health", _) => pd.health().await.map(|health| health.len()),
        ("GET", "/stores", "") => pd.stores().await.map(|stores| {
            assert!(stores.iter().all(|store| store.last_heartbeat.is_some()));
            stores.len()
        }),
        ("GET", "/stores/limit", _) => pd.store_limits().await.map(|limits| limits.len()),
        ("GET", _, _) if parent == "/store" => {
            let found = pd.store(store(step.path_id('/')?)).await;
            found.map(|found| found.map_or(0, |store| store.status.region_count as usize))
        }
        ("GET", "/regions/count", _) => pd.region_count().await.map(|count| count as usize),
        ("GET", "/regions/key", _) if query.starts_with("key=&") => pd
            .region_by_key("")
            .await
            .map(|region| region.unwrap().peers.len()),
        ("GET", _, _) if parent == "/region/id" => {
            let found = pd.region(region(step.path_id('/')?)).await;
            found.map(|found| {
                assert!(found.as_ref().is_none_or(|region| region.leader.is_some()));
                found.map_or(0, |region| region.peers.len())
            })
        }
        ("GET", "/operators", "") => pd
            .operators()
            .await
            .map(|operators| operators.iter().map(read_whole).count()),
        ("GET", "/operators/records", _) => {
            let from = query
                .strip_prefix("from=")
                .map_or(0, |from| from.parse().unwrap());
            let from = SystemTime::UNIX_EPOCH + Duration::from_secs(from);
            pd.operator_records(from).await.map(|records| {
                for record in &records {
                    read_whole(&record.operator);
                    assert!(record.finished.is_some() && record.duration.is_some());
                }
                records.len()
            })
        }
        ("GET", _, _) if parent == "/operators" => {
            let report = pd.operator(region(step.path_id('/')?)).await;
            report.map(|report| {
                report.map_or(0, |report| {
                    assert!(!format!("{:?}", report.status).contains("Other"));
                    read_whole(&report.operator)
                })
            })
        }
        ("DELETE", _, _) if parent == "/operators" => pd
            .cancel_operator(region(step.path_id('/')?))
            .await
            .map(|accepted| {
                assert_eq!(accepted.message, "The pending operator is canceled.");
                1
            }),
        ("POST", "/operators", _) => {
            let region_id = RegionId::new(step.id("region_id")?).ok()?;
            let to = store(step.id("to_store_id")?);
            let accepted = match step.request.body["name"].as_str()? {
                "transfer-leader" => pd.add_transfer_leader_operator(region_id, to).await,
                "transfer-peer" => {
                    let from = store(step.id("from_store_id")?);
                    pd.add_transfer_peer_operator(region_id, from, to).await
                }
                _ => return None,
            };
            accepted.map(|accepted| {
                assert_eq!(accepted.message, "The operator is created.");
                1
            })
        }
        ("GET", "/schedulers", "") => pd.schedulers().await.map(|names| names.len()),
        ("GET", "/schedulers", "status=disabled") => {
            pd.disabled_schedulers().await.map(|names| names.len())
        }
        ("GET", "/schedulers", _) if query.starts_with("status=paused") => {
            pd.paused_schedulers().await.map(|paused| {
                let timed = query.contains("timestamp");
                assert!(
                    !timed
                        || paused
                            .iter()
                            .all(|paused| paused.resume_at > paused.paused_at)
                );
                paused.len()
            })
        }
        ("POST", "/schedulers", _) if step.request.body["name"] == "evict-leader-scheduler" => pd
            .add_evict_leader_scheduler(store(step.id("store_id")?))
            .await
            .map(|_| 1),
        ("DELETE", _, _) if path.starts_with("/schedulers/evict-leader-scheduler-") => pd
            .remove_evict_leader(store(step.path_id('-')?))
            .await
            .map(|_| 1),
        ("GET", "/scheduler-config/evict-leader-scheduler/list", _) => {
            let config = pd.evict_leader_config().await;
            config.map(|config| config.map_or(0, |config| config.stores.len()))
        }
        ("GET", "/config/schedule", _) => pd.schedule_config().await.map(|config| {
            assert!(config.max_store_down_time.is_some() && config.store_limit.len() == 5);
            config.rest.len()
        }),
        ("GET", "/config/replicate", _) => pd.replication_config().await.map(|config| {
            assert!(config.enable_placement_rules);
            config.max_replicas as usize
        }),
        ("GET", "/config/rules", _) => pd.rules().await.map(|rules| rules.unwrap().len()),
        ("GET", _, _) if parent == "/config/rules/region" => {
            let rules = pd.rules_for_region(region(step.path_id('/')?)).await;
            rules.map(|rules| rules.unwrap().len())
        }
        _ => return None,
    })
}

/// Every field of an operator's text is read, in every version.
fn read_whole(operator: &Operator) -> usize {
    assert!(
        !operator.desc.is_empty() && !operator.brief.is_empty(),
        "{}",
        operator.raw
    );
    assert!(
        operator.region_id.is_some() && operator.epoch.is_some(),
        "{}",
        operator.raw
    );
    assert!(
        operator.created.is_some() && operator.timeout.is_some(),
        "{}",
        operator.raw
    );
    assert!(
        operator.current_step.is_some() && operator.size_mib.is_some(),
        "{}",
        operator.raw
    );
    assert!(
        !operator.steps.is_empty() && !operator.kinds.is_empty(),
        "{}",
        operator.raw
    );
    1
}

#[tokio::test]
async fn every_recorded_success_of_a_call_we_have_is_read() {
    let mut counts = BTreeMap::new();
    for (version, recording) in RECORDINGS {
        let recording: Recording = serde_json::from_str(recording).unwrap();
        let (mut decoded, mut things, mut none, mut refused) = (0, 0, 0, 0);
        for step in &recording.steps {
            let replay = step.replay();
            let Some(result) = call(&replay.client(), step).await else {
                continue;
            };
            let success = step.response.status == 200;
            match result {
                Ok(count) if success => (decoded, things) = (decoded + 1, things + count),
                Ok(count) => {
                    assert_eq!(count, 0, "{version} {}", step.name);
                    none += 1;
                }
                Err(error) => {
                    assert!(!success, "{version} {}: {}", step.name, error.report());
                    refused += 1;
                }
            }
            same_request(&replay, step, version);
        }
        println!(
            "{version}: {decoded} answers read ({things} things), {none} none, {refused} refused"
        );
        counts.insert(*version, (decoded, none, refused));
    }
    // Read, "none" and refused: a step that falls silently out of the test shows here.
    let expected = [
        ("v6.5.12", (59, 4, 24)),
        ("v7.5.7", (59, 4, 24)),
        ("v8.5.7", (59, 4, 24)),
        ("v9.0-dev", (58, 5, 24)),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
}

/// The request recorded is the one the client sends.
#[track_caller]
fn same_request(replay: &Replay, step: &Step, version: &str) {
    let asked = replay.asked();
    assert_eq!(asked.len(), 1, "{version} {}", step.name);
    assert_eq!(
        asked[0].method().as_str(),
        step.request.method,
        "{version} {}",
        step.name
    );
    let path = asked[0].uri().path();
    let recorded = step.request.path.split('?').next().unwrap();
    assert_eq!(
        path,
        format!("/pd/api/v1{recorded}"),
        "{version} {}",
        step.name
    );
    let body: Value = serde_json::from_slice(asked[0].body()).unwrap_or_default();
    assert_eq!(body, step.request.body, "{version} {}", step.name);
}

#[tokio::test]
async fn every_recorded_refusal_is_classified() {
    let mut codes = 0;
    let mut classes: BTreeMap<String, usize> = BTreeMap::new();
    for (version, recording) in RECORDINGS {
        let recording: Recording = serde_json::from_str(recording).unwrap();
        for step in recording
            .steps
            .iter()
            .filter(|step| step.response.status != 200)
        {
            let replay = step.replay();
            let error = replay
                .client()
                .cancel_operator(region(1))
                .await
                .unwrap_err();
            let body = step.response.body.as_str();
            let at = format!("{version} {}: {}", step.name, error.report());
            let expected = if body.starts_with("PANIC: ") {
                ErrorClass::Unanswered
            } else {
                ErrorClass::Refused
            };
            assert_eq!(error.class(), expected, "{at}");
            *classes
                .entry(format!("{:?} {}", error.class(), step.response.status))
                .or_default() += 1;
            let Some(answer) = error.answer() else {
                assert!(matches!(error, Error::Redirected { .. }), "{at}");
                continue;
            };
            codes += usize::from(answer.code.is_some());
            // PD's words byte for byte.
            match serde_json::from_str::<Value>(body) {
                Ok(Value::String(words)) => assert_eq!(error.to_string(), words, "{at}"),
                Ok(Value::Object(object)) if !object.is_empty() => {
                    assert_eq!(object["msg"], *error.to_string(), "{at}");
                }
                Ok(_) => assert!(answer.message.is_empty(), "{at}"),
                Err(_) => assert_eq!(answer.body, body, "{at}"),
            }
            // A read would say the same.
            let read = replay.client().cluster().await.unwrap_err();
            assert_eq!(read.class(), error.class(), "{at}");
        }
    }
    println!("{codes} with a code, {classes:?}");
    assert_eq!(classes.values().sum::<usize>(), 267);
}
