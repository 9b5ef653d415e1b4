//! What reads ask for, byte by byte.

use std::num::NonZeroU16;

use pd_client::Client;
use pd_client::checkers::Checker;
use pd_client::hotspots::HotKind;
use pd_client::regions::{RegionCheck, RoleOnStore};
use pd_client::stores::StoreLife;

use crate::wire::sends;
use crate::{region, store};

/// What a read asks for, given an answer it can read.
#[track_caller]
fn asks<T>(
    answer: &str,
    call: impl AsyncFnOnce(Client) -> Result<T, pd_client::Error>,
    expected: &str,
) {
    sends(answer, async |pd| call(pd).await.unwrap(), expected);
}

#[test]
fn stores_are_asked_for_by_number() {
    let none = "{\"count\":0,\"stores\":[]}";
    asks(
        none,
        async |pd| pd.stores_in(&[StoreLife::Up, StoreLife::Tombstone]).await,
        "GET /stores?state=0&state=2",
    );
    asks(none, async |pd| pd.stores_in(&[]).await, "GET /stores");
    let progress = "{\"action\":\"removing\",\"progress\":0.5,\"current_speed\":3.1,\"left_seconds\":1.7976931348623157e308}";
    asks(
        progress,
        async |pd| pd.store_progress(store(4)).await,
        "GET /stores/progress?id=4",
    );
}

#[test]
fn lists_of_regions_have_limits_pd_reads_as_they_are_meant() {
    let none = "{\"count\":0,\"regions\":[]}";
    let three = NonZeroU16::new(3).unwrap();
    asks(
        none,
        async |pd| pd.regions_between("74", "7500", three).await,
        "GET /regions/key?key=t&end_key=u%00&limit=3",
    );
    asks(
        none,
        async |pd| pd.regions_between("", "", three).await,
        "GET /regions/key?key=&limit=3",
    );
    asks(
        none,
        async |pd| pd.regions_of_store(store(3)).await,
        "GET /regions/store/3",
    );
    asks(
        none,
        async |pd| pd.regions_of_store_as(store(3), RoleOnStore::Leader).await,
        "GET /regions/store/3?type=leader",
    );
    asks(
        none,
        async |pd| pd.regions_in_check(RegionCheck::DownPeer).await,
        "GET /regions/check/down-peer",
    );
}

#[test]
fn hot_spots_are_asked_for_by_kind_and_store() {
    asks(
        "null",
        async |pd| pd.hot_regions(HotKind::Read, &[store(1), store(2)]).await,
        "GET /hotspot/regions/read?store_id=1&store_id=2",
    );
    asks(
        "{}",
        async |pd| pd.hot_stores().await,
        "GET /hotspot/stores",
    );
}

#[test]
fn settings_and_states_are_asked_for() {
    let schedule = r#"{"leader-schedule-limit":4,"region-schedule-limit":4,"replica-schedule-limit":4,"merge-schedule-limit":4,"hot-region-schedule-limit":4,"low-space-ratio":0.8,"high-space-ratio":0.7}"#;
    let config = format!(r#"{{"schedule":{schedule},"replication":{{"max-replicas":3}}}}"#);
    asks(&config, async |pd| pd.config().await, "GET /config");
    asks(
        &config,
        async |pd| pd.default_config().await,
        "GET /config/default",
    );
    asks(
        "{\"paused\":false}",
        async |pd| pd.checker_status(Checker::Replica).await,
        "GET /checker/replica",
    );
    asks(
        "{\"name\":\"x\",\"status\":\"normal\"}",
        async |pd| pd.scheduler_diagnostic("balance-leader-scheduler").await,
        "GET /schedulers/diagnostic/balance-leader-scheduler",
    );
    asks(
        "[]",
        async |pd| pd.region_label_rules().await,
        "GET /config/region-label/rules",
    );
    asks(
        "[]",
        async |pd| pd.is_scheduling_denied(region(7)).await,
        "GET /region/id/7/labels",
    );
    asks(
        "[{\"type\":\"restart\",\"id\":\"a\",\"start_timestamp\":1,\"description\":\"\"}]",
        async |pd| pd.maintenance().await,
        "GET http://pd:2379/pd/api/v2/maintenance",
    );
    asks(
        "{\"id\":\"g-1\",\"phase\":\"pending\"}",
        async |pd| pd.affinity_group("g-1").await,
        "GET http://pd:2379/pd/api/v2/affinity-groups/g-1",
    );
    asks(
        "[{\"info\":\"No on-going recovery.\"}]",
        async |pd| pd.unsafe_recovery().await,
        "GET /admin/unsafe/remove-failed-stores/show",
    );
}
