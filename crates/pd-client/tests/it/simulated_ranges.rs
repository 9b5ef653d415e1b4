//! Ranges of keys and labels on a simulated PD.

use std::num::{NonZeroU16, NonZeroU64};
use std::time::Duration;

use pd_client::Client;
use pd_client::regions::{RegionCheck, ReplicatedState, ScatterRegions, ScatterTarget, TopOrder};
use pd_sim::{Clock, Role, Sim, Version};

use crate::{quick, region, store};

const VERSIONS: [Version; 4] = [Version::V6_5, Version::V7_5, Version::V8_5, Version::V9_0];

async fn start(version: Version) -> (Sim, Client) {
    let sim = Sim::builder()
        .version(version)
        .clock(Clock::Stepped)
        .seed(7)
        .start()
        .await
        .unwrap();
    let pd = quick().endpoints(sim.endpoint()).build().unwrap();
    (sim, pd)
}

#[tokio::test]
async fn what_is_said_of_all_regions_is_read_in_every_version() {
    for version in VERSIONS {
        let (sim, pd) = start(version).await;
        assert_eq!(pd.range_holes().await.unwrap(), []);
        assert_eq!(pd.range_counts("", "").await.unwrap().count, 60);
        let stats = pd.range_stats("", "").await.unwrap();
        assert_eq!(stats.count, 60, "{version:?}");
        assert_eq!(stats.store_leader_count.values().sum::<u64>(), 60);
        assert_eq!(stats.store_peer_count[&store(1)], sim.region_count(1));
        let sizes = pd.region_sizes(NonZeroU64::new(10).unwrap()).await.unwrap();
        assert_eq!(sizes.iter().map(|bar| bar.count).sum::<u64>(), 60);
        let state = pd.replicated_state("", "").await.unwrap();
        assert_eq!(state, ReplicatedState::Replicated, "{version:?}");

        sim.set_region_size(sim.region_ids()[3], 777);
        let three = NonZeroU16::new(3).unwrap();
        let top = pd.top_regions(TopOrder::Size, three).await.unwrap();
        assert_eq!((top.len(), top[0].approximate_size), (3, 777));
    }
}

#[tokio::test]
async fn regions_that_something_is_the_matter_with_are_found() {
    for version in VERSIONS {
        let (sim, pd) = start(version).await;
        let id = sim.region_ids()[5];
        for check in RegionCheck::ALL {
            pd.regions_in_check(*check).await.unwrap();
        }
        let absent = (1..=5).find(|store| sim.peers(id).iter().all(|p| p.store_id != *store));
        sim.add_peer(id, absent.unwrap(), Role::Learner);
        let learners = pd.regions_in_check(RegionCheck::LearnerPeer).await.unwrap();
        assert_eq!(learners[0].id, region(id), "{version:?}");
    }
}

#[tokio::test]
async fn regions_are_split_scattered_and_looked_at_first() {
    for version in VERSIONS {
        let (sim, pd) = start(version).await;
        let id = region(sim.region_ids()[5]);
        let found = pd.region(id).await.unwrap().unwrap();
        let accepted = pd
            .accelerate_schedule(&found.start_key, &found.end_key)
            .await
            .unwrap();
        assert!(accepted.message.starts_with("Accelerate regions"));
        let request = ScatterRegions {
            target: ScatterTarget::Regions(vec![id]),
            group: Some("test".to_owned()),
            retry_limit: Some(1),
        };
        let scattered = pd.scatter_regions(&request).await.unwrap();
        assert_eq!(scattered.processed_percentage, 100, "{version:?}");
        sim.advance(Duration::from_secs(5));
    }
}

#[tokio::test]
async fn labels_of_stores_come_and_go() {
    for version in VERSIONS {
        let (_sim, pd) = start(version).await;
        let labels = [("zone", "z1"), ("host", "h1")];
        pd.set_store_labels(store(1), &labels).await.unwrap();
        pd.set_store_labels(store(1), &[("rack", "r1")])
            .await
            .unwrap();
        assert_eq!(pd.store_labels().await.unwrap().len(), 3, "{version:?}");
        let in_zone = pd.stores_with_label("ZONE", "^z1$").await.unwrap();
        assert_eq!((in_zone.len(), in_zone[0].label("rack")), (1, Some("r1")));
        pd.delete_store_label(store(1), "rack").await.unwrap();
        let error = pd.delete_store_label(store(1), "rack").await.unwrap_err();
        assert_eq!(error.to_string(), "the label key rack does not exist");
        pd.replace_store_labels(store(1), &[("zone", "z2")])
            .await
            .unwrap();
        let found = pd.store(store(1)).await.unwrap().unwrap();
        assert_eq!((found.labels.len(), found.label("zone")), (1, Some("z2")));
    }
}

#[tokio::test]
async fn what_a_version_has_not_is_none() {
    let (_sim, pd) = start(Version::V8_5).await;
    assert_eq!(pd.maintenance().await.unwrap(), None);
    let error = pd.begin_maintenance("restart", "a").await.unwrap_err();
    assert!(error.answer().unwrap().is_unknown_path(), "{error}");
    assert_eq!(pd.labels_of_region(region(99_999)).await.unwrap(), []);
    assert!(!pd.is_scheduling_denied(region(9)).await.unwrap());
}
