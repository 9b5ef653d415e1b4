//! Which of the client's calls sends a recorded request.

use std::time::{Duration, SystemTime};

use pd_client::operators::Operator;
use pd_client::{Client, Error, RegionId};

use crate::recordings::Step;
use crate::{more_recorded_calls, region, store};

/// Makes the call that sends this request, if the client has one. Says how many things it read.
// length: a table of the calls, one arm each.
pub(crate) async fn call(pd: &Client, step: &Step) -> Option<Result<usize, Error>> {
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
                .map_or(Some(0), |from| from.parse().ok())?;
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
            let Some(to) = step.id("to_store_id").map(store) else {
                return more_recorded_calls::call(pd, step).await;
            };
            let accepted = match step.request.body["name"].as_str()? {
                "transfer-leader" => pd.add_transfer_leader_operator(region_id, to).await,
                "transfer-peer" => {
                    let from = store(step.id("from_store_id")?);
                    pd.add_transfer_peer_operator(region_id, from, to).await
                }
                _ => return more_recorded_calls::call(pd, step).await,
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
        ("GET", "/config/placement-rule", _) => pd.rules().await.map(|rules| rules.unwrap().len()),
        ("GET", _, _) if parent == "/config/rules/region" => {
            let rules = pd.rules_for_region(region(step.path_id('/')?)).await;
            rules.map(|rules| rules.unwrap().len())
        }
        _ => return more_recorded_calls::call(pd, step).await,
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
