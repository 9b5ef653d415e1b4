//! What PD's leader counts itself.

use std::time::Duration;

use pd_sim::{Clock, Sim, Version};

use crate::quick;

/// `GET /config` shows what is stored; etcd and the leader's own figures what is in force.
#[tokio::test]
async fn an_override_shows_in_etcd_and_in_the_leaders_own_figures() {
    for version in [Version::V6_5, Version::V7_5, Version::V8_5, Version::V9_0] {
        let sim = Sim::builder()
            .version(version)
            .clock(Clock::Stepped)
            .members(3)
            .start()
            .await
            .unwrap();
        // A follower first: it has no figures, and is not asked for them.
        let pd = quick()
            .endpoint_list(sim.endpoints().iter().rev())
            .build()
            .unwrap();
        let limit = || async { pd.gauges().await.unwrap().config["leader-schedule-limit"] };
        assert_eq!(limit().await, 4.0, "{version:?}");

        pd.set_config_for(
            "schedule.leader-schedule-limit",
            9_u64,
            Duration::from_secs(60),
        )
        .await
        .unwrap();
        assert_eq!(limit().await, 9.0, "{version:?}");
        let overrides = pd.config_overrides().await.unwrap();
        let item = ("schedule.leader-schedule-limit".to_owned(), 9.into());
        assert_eq!(Vec::from_iter(overrides), [item], "{version:?}");
        let stored = pd.schedule_config().await.unwrap();
        assert_eq!(stored.leader_schedule_limit, 4, "{version:?}");
        sim.advance(Duration::from_secs(61));
        assert_eq!(limit().await, 4.0, "{version:?}");
        assert!(pd.config_overrides().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn regions_that_are_not_as_they_should_be_are_counted() {
    let sim = Sim::builder().clock(Clock::Stepped).start().await.unwrap();
    let pd = quick().endpoints(sim.endpoint()).build().unwrap();
    let counted = pd.gauges().await.unwrap().regions;
    assert_eq!(counted["miss-peer-region-count"], 0.0, "{counted:?}");
    let id = sim.region_ids()[0];
    sim.remove_peer(id, sim.peers(id)[1].store_id);
    let counted = pd.gauges().await.unwrap().regions;
    assert_eq!(counted["miss-peer-region-count"], 1.0, "{counted:?}");
}
