//! The client and a simulated PD, on real sockets.

use std::time::{Duration, SystemTime};

use pd_client::operators::OperatorStatus;
use pd_client::regions::PeerRole;
use pd_client::{Client, Error, ErrorClass, RegionId};
use pd_sim::{Clock, Fault, Sim, Version};

use crate::{quick, region, store};

const VERSIONS: [Version; 4] = [Version::V6_5, Version::V7_5, Version::V8_5, Version::V9_0];

async fn sim(version: Version) -> Sim {
    Sim::builder()
        .version(version)
        .clock(Clock::Stepped)
        .seed(7)
        .start()
        .await
        .unwrap()
}

fn client(sim: &Sim) -> Client {
    quick().endpoint_list(sim.endpoints()).build().unwrap()
}

fn first_region(sim: &Sim) -> RegionId {
    region(sim.region_ids()[0])
}

#[tokio::test]
async fn every_read_is_understood_in_every_version() {
    for version in VERSIONS {
        let sim = sim(version).await;
        let pd = client(&sim);
        let id = first_region(&sim);
        assert_eq!(pd.cluster().await.unwrap().id.get(), sim.cluster_id());
        assert!(pd.cluster_status().await.unwrap().is_initialized);
        assert!(pd.version().await.unwrap().numbers().is_some());
        assert!(pd.members().await.unwrap().leader.is_some());
        assert!(
            pd.health()
                .await
                .unwrap()
                .iter()
                .all(|member| member.health)
        );
        let stores = pd.stores().await.unwrap();
        assert_eq!(
            pd.store(stores[0].id).await.unwrap().unwrap().id,
            stores[0].id
        );
        assert_eq!(pd.store(store(987_654)).await.unwrap(), None);
        let found = pd.region(id).await.unwrap().unwrap();
        assert_eq!(
            found.leader.unwrap().store_id.get(),
            sim.leader_of(id.get()).unwrap()
        );
        assert_eq!(pd.region(region(99_999_999)).await.unwrap(), None);
        assert_eq!(
            pd.region_by_key(&found.start_key)
                .await
                .unwrap()
                .unwrap()
                .id,
            id
        );
        assert_eq!(pd.region_by_key("").await.unwrap().unwrap().start_key, "");
        assert_eq!(
            pd.region_count().await.unwrap(),
            sim.region_ids().len() as u64
        );
        assert!(!pd.schedulers().await.unwrap().is_empty());
        assert_eq!(pd.paused_schedulers().await.unwrap(), []);
        assert!(pd.disabled_schedulers().await.unwrap().is_empty());
        assert_eq!(pd.evict_leader_config().await.unwrap(), None);
        assert_eq!(pd.operator(id).await.unwrap(), None);
        assert_eq!(
            pd.operator_records(SystemTime::UNIX_EPOCH).await.unwrap(),
            []
        );
        pd.operators().await.unwrap();
        assert_eq!(pd.schedule_config().await.unwrap().leader_schedule_limit, 4);
        assert_eq!(pd.config().await.unwrap().replication.max_replicas, 3);
        assert!(pd.rules().await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_transfer_is_accepted_runs_and_is_recorded_in_every_version() {
    for version in VERSIONS {
        let sim = sim(version).await;
        let pd = client(&sim);
        let id = first_region(&sim);
        let accepted = pd.add_transfer_leader_operator(id, store(2)).await.unwrap();
        assert_eq!(accepted.message, "The operator is created.");
        let report = pd.operator(id).await.unwrap().unwrap();
        assert_eq!(report.operator.desc, "admin-transfer-leader");
        assert_eq!(report.operator.region_id, Some(id));
        assert!(report.operator.created.is_some());
        let refusal = pd
            .add_transfer_leader_operator(id, store(2))
            .await
            .unwrap_err();
        assert!(
            refusal.answer().unwrap().is_operator_in_the_way(),
            "{refusal}"
        );
        sim.advance(Duration::from_secs(2));
        let report = pd.operator(id).await.unwrap().unwrap();
        assert_eq!(report.status, OperatorStatus::Success);
        let leader = pd.region(id).await.unwrap().unwrap().leader.unwrap();
        assert_eq!(leader.store_id, store(2));
        let records = pd.operator_records(SystemTime::UNIX_EPOCH).await.unwrap();
        assert!(
            records
                .iter()
                .any(|record| record.operator.region_id == Some(id))
        );
        assert!(pd.cancel_operator(id).await.unwrap_err().is_not_found());
    }
}

#[tokio::test]
async fn a_replica_moves_in_every_version() {
    for version in VERSIONS {
        let sim = sim(version).await;
        let pd = client(&sim);
        let id = first_region(&sim);
        pd.add_transfer_peer_operator(id, store(3), store(4))
            .await
            .unwrap();
        sim.advance(Duration::from_secs(5));
        let found = pd.region(id).await.unwrap().unwrap();
        assert_eq!(
            found.peer_on(store(4)).map(|peer| peer.role),
            Some(PeerRole::Voter)
        );
        assert_eq!(found.peer_on(store(3)), None);
    }
}

#[tokio::test]
async fn drains_come_and_go_one_by_one_in_every_version() {
    for version in VERSIONS {
        let sim = sim(version).await;
        let pd = client(&sim);
        for id in [3, 4, 4] {
            pd.add_evict_leader_scheduler(store(id)).await.unwrap();
        }
        let config = pd.evict_leader_config().await.unwrap().unwrap();
        assert_eq!(
            config.stores.into_keys().collect::<Vec<_>>(),
            [store(3), store(4)]
        );
        pd.remove_evict_leader(store(3)).await.unwrap();
        assert_eq!(sim.evicting(), [4]);
        assert!(
            pd.remove_evict_leader(store(3))
                .await
                .unwrap_err()
                .is_not_found()
        );
        pd.remove_evict_leader(store(4)).await.unwrap();
        assert_eq!(pd.evict_leader_config().await.unwrap(), None);
    }
}

/// What the client knows of a transfer after a fault, and whether it happened.
#[track_caller]
fn check(fault: Fault, class: ErrorClass, happened: bool) -> impl Future<Output = Error> {
    let at = std::panic::Location::caller();
    async move {
        let sim = sim(Version::V8_5).await;
        let id = first_region(&sim);
        sim.fault(fault);
        let error = client(&sim)
            .add_transfer_leader_operator(id, store(2))
            .await
            .unwrap_err();
        assert_eq!(error.class(), class, "{at}: {}", error.report());
        assert_eq!(sim.operator(id.get()).is_some(), happened, "{at}");
        assert!(sim.received("POST", "/operators") <= 1, "{at}");
        error
    }
}

#[tokio::test]
async fn what_is_known_after_a_fault_is_true() {
    use ErrorClass::{Refused, Unanswered, Unreadable};
    let (post, path) = ("POST", "/operators");
    check(Fault::reply_lost_after_apply(post, path), Unanswered, true).await;
    check(Fault::dropped_before_apply(post, path), Unanswered, false).await;
    check(Fault::truncated_after_apply(post, path), Unreadable, true).await;
    check(Fault::no_leader(post, path), Refused, false).await;
    check(Fault::too_many_requests(post, path), Refused, false).await;
    check(Fault::redirect_failed(post, path), Unanswered, false).await;
    check(Fault::panicked(post, path), Unanswered, false).await;
    check(Fault::garbage(post, path), Unanswered, false).await;
}

#[tokio::test]
async fn before_bootstrap_refusals_say_so() {
    for version in VERSIONS {
        let sim = Sim::builder()
            .version(version)
            .bootstrapped(false)
            .start()
            .await
            .unwrap();
        let pd = client(&sim);
        assert!(!pd.cluster_status().await.unwrap().is_initialized);
        for error in [
            pd.stores().await.unwrap_err(),
            pd.evict_leader_config().await.unwrap_err(),
        ] {
            assert!(error.answer().unwrap().is_not_bootstrapped(), "{error}");
        }
    }
}

#[tokio::test]
async fn a_write_finds_the_leader_among_three_members() {
    let sim = Sim::builder()
        .members(3)
        .clock(Clock::Stepped)
        .seed(7)
        .start()
        .await
        .unwrap();
    let id = first_region(&sim);
    for endpoint in sim.endpoints() {
        let pd = quick().endpoints(endpoint).build().unwrap();
        let leader = pd.leader().await.unwrap().unwrap();
        let error = pd.cancel_operator(id).await.unwrap_err();
        assert!(error.is_not_found());
        assert_eq!(&*error.answer().unwrap().endpoint, leader.client_urls[0]);
    }
    assert_eq!(sim.received("DELETE", &format!("/operators/{id}")), 3);
}
