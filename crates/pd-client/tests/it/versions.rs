//! What PD of each version can do, against what the client says it can.

use std::collections::BTreeMap;
use std::time::Duration;

use pd_client::regions::RoleOnStore;
use pd_client::schedulers::SchedulerKind;
use pd_client::stores::{LimitKind, NodeState};
use pd_client::{Capability, Client, Error, ErrorClass};
use pd_sim::{Sim, Version};

use crate::{region, simulated_pd, store};

const VERSIONS: [Version; 4] = [Version::V6_5, Version::V7_5, Version::V8_5, Version::V9_0];

/// What is seen of each capability is what its version is said to have.
async fn check(capability: Capability, seen: impl AsyncFn(&Sim, &Client) -> bool) {
    let mut all = BTreeMap::new();
    let mut said = BTreeMap::new();
    for version in VERSIONS {
        let (sim, pd) = simulated_pd(version, |builder| builder).await;
        let number = pd.version().await.unwrap();
        said.insert(number.to_string(), number.has(capability).unwrap());
        all.insert(number.to_string(), seen(&sim, &pd).await);
    }
    assert_eq!(said, all, "{capability:?}");
}

fn status(error: &Error) -> u16 {
    error.answer().unwrap().status
}

#[tokio::test]
async fn errors_have_codes_of_their_own() {
    check(Capability::ErrorCodes, async |sim, pd| {
        let id = region(sim.region_ids()[0]);
        let error = pd.cancel_operator(id).await.unwrap_err();
        assert!(error.is_not_found());
        error.answer().unwrap().code.is_some()
    })
    .await;
}

#[tokio::test]
async fn schedulers_that_exist_and_how_they_are_refused() {
    check(Capability::RefusedSchedulerIsBadRequest, async |_, pd| {
        let error = pd
            .add_scheduler(SchedulerKind::BalanceLeader)
            .await
            .unwrap_err();
        assert_eq!(error.class(), ErrorClass::Refused);
        status(&error) == 400
    })
    .await;
    for (capability, kind) in [
        (Capability::WitnessSchedulers, SchedulerKind::BalanceWitness),
        (Capability::WitnessSchedulers, SchedulerKind::EvictSlowTrend),
        (
            Capability::EvictStoppingStore,
            SchedulerKind::EvictStoppingStore,
        ),
        (Capability::SplitBucket, SchedulerKind::SplitBucket),
    ] {
        check(capability, async |_, pd| {
            let known = match pd.add_scheduler(kind).await {
                Ok(_) => true,
                Err(error) => error.to_string() != "unknown scheduler",
            };
            assert!(
                !known
                    || pd
                        .schedulers()
                        .await
                        .unwrap()
                        .contains(&kind.name().to_owned())
            );
            known
        })
        .await;
    }
}

#[tokio::test]
async fn diagnostics_are_on_and_undiagnosable_has_its_status() {
    check(Capability::DiagnosticsOn, async |_, pd| {
        pd.schedule_config().await.unwrap().enable_diagnostic == Some(true)
    })
    .await;
    for version in VERSIONS {
        let (_sim, pd) = simulated_pd(version, |builder| builder).await;
        let error = pd
            .scheduler_diagnostic("label-scheduler")
            .await
            .unwrap_err();
        let expected = if version == Version::V6_5 { 400 } else { 500 };
        assert_eq!(status(&error), expected, "{version:?}");
    }
}

#[tokio::test]
async fn drains_have_batches() {
    check(Capability::EvictLeaderBatch, async |_, pd| {
        pd.add_evict_leader_scheduler(store(3)).await.unwrap();
        let config = pd.evict_leader_config().await.unwrap().unwrap();
        assert!(config.stores.contains_key(&store(3)));
        config.batch.is_some()
    })
    .await;
}

#[tokio::test]
async fn words_about_weights_limits_and_overrides() {
    check(Capability::WeightWords, async |_, pd| {
        let weight = pd.set_store_weight(store(1), 1.0, 2.0).await.unwrap();
        let limit = pd
            .set_store_limit(store(1), LimitKind::AddPeer, 7.0)
            .await
            .unwrap();
        let limits = pd.schedule_config().await.unwrap().store_limit;
        assert_eq!(limits[&store(1)].add_peer, 7.0);
        let status = pd.store(store(1)).await.unwrap().unwrap().status;
        assert_eq!((status.leader_weight, status.region_weight), (1.0, 2.0));
        assert_eq!(
            weight.message.contains("label"),
            limit.message.contains("label")
        );
        weight.message.contains("weight")
    })
    .await;
    check(Capability::OverrideWords, async |_, pd| {
        let item = "schedule.leader-schedule-limit";
        let minute = Duration::from_secs(60);
        let set = pd.set_config_for(item, 9, minute).await.unwrap();
        let error = pd.set_config(item, 5).await.unwrap_err();
        assert!(error.answer().unwrap().is_overridden(), "{error}");
        let cleared = pd.clear_config_ttl(item).await.unwrap();
        pd.set_config(item, 5).await.unwrap();
        set.message == "The ttl config is updated."
            && cleared.message == "The ttl config is deleted."
    })
    .await;
}

#[tokio::test]
async fn store_limits_of_the_second_version() {
    check(Capability::StoreLimitVersion, async |_, pd| {
        pd.schedule_config()
            .await
            .unwrap()
            .store_limit_version
            .is_some()
    })
    .await;
    check(Capability::StoreLimitV2Refused, async |_, pd| {
        if pd
            .set_config("schedule.store-limit-version", "v2")
            .await
            .is_err()
        {
            return false;
        }
        let set = pd.set_store_limit(store(1), LimitKind::AddPeer, 7.0).await;
        set.is_err_and(|error| status(&error) == 400)
    })
    .await;
}

#[tokio::test]
async fn the_label_engine_and_progress_of_removals() {
    check(Capability::EngineLabelReserved, async |_, pd| {
        let set = pd
            .set_store_labels(store(1), &[("engine", "tiflash")])
            .await;
        set.is_err_and(|error| status(&error) == 400)
    })
    .await;
    check(Capability::ProgressIsLate, async |sim, pd| {
        pd.offline_store(store(5)).await.unwrap();
        let at_once = pd.store_progress(store(5)).await.unwrap();
        sim.advance(Duration::from_secs(11));
        let later = pd.store_progress(store(5)).await.unwrap();
        assert!(later.is_some_and(|progress| progress.action == "removing"));
        let found = pd.store(store(5)).await.unwrap().unwrap();
        assert_eq!(found.node_state, NodeState::Removing);
        pd.cancel_offline(store(5)).await.unwrap();
        at_once.is_none()
    })
    .await;
}

#[tokio::test]
async fn regions_by_role_are_chosen_here_where_pd_does_not() {
    check(Capability::RegionsByRole, async |sim, pd| {
        let led = pd
            .regions_of_store_as(store(1), RoleOnStore::Leader)
            .await
            .unwrap();
        assert_eq!(led.len() as u64, sim.leader_count(1));
        let followed = pd
            .regions_of_store_as(store(1), RoleOnStore::Follower)
            .await
            .unwrap();
        let all = led.len() + followed.len();
        assert_eq!(all as u64, sim.region_count(1));
        // What PD itself does with the word.
        let url = format!("{}/pd/api/v1/regions/store/1?type=leader", sim.endpoint());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let raw = http.get(url).send().await.unwrap().bytes().await.unwrap();
        let raw: serde_json::Value = serde_json::from_slice(&raw).unwrap();
        raw["count"].as_u64().unwrap() == sim.leader_count(1)
    })
    .await;
}

#[tokio::test]
async fn items_of_the_configuration() {
    check(Capability::HaltScheduling, async |_, pd| {
        let set = pd.set_config("schedule.halt-scheduling", true).await;
        assert_eq!(
            pd.schedule_config().await.unwrap().halt_scheduling,
            set.is_ok()
        );
        set.is_ok()
    })
    .await;
    check(Capability::PatrolWorkers, async |_, pd| {
        let config = pd.schedule_config().await.unwrap();
        config.patrol_region_worker_count.is_some()
    })
    .await;
}

#[tokio::test]
async fn what_stores_say_about_leaders_kept_away() {
    check(Capability::LeaderPauseShown, async |_, pd| {
        pd.add_evict_leader_scheduler(store(3)).await.unwrap();
        let found = pd.store(store(3)).await.unwrap().unwrap();
        found.status.pause_leader_transfer_in == Some(true)
    })
    .await;
}
