//! What reads ask for, byte by byte.

use std::num::{NonZeroU16, NonZeroU64};
use std::time::{Duration, SystemTime};

use pd_client::Client;
use pd_client::checkers::Checker;
use pd_client::hotspots::{HotHistoryQuery, HotKind};
use pd_client::operators::OperatorFilter;
use pd_client::regions::{RegionCheck, RoleOnStore, TopOrder};
use pd_client::stores::{ProgressAction, StoreLife, StoreStateName};
use wiremock::matchers::{body_json, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::wire::sends;
use crate::{quick, region, store};

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
fn operators_are_filtered_by_words() {
    asks(
        "null",
        async |pd| pd.operators_of_kind(OperatorFilter::Waiting).await,
        "GET /operators?kind=waiting",
    );
    asks(
        "[]",
        async |pd| pd.operator_objects().await,
        "GET /operators?object=1",
    );
}

#[test]
fn stores_are_asked_for_by_number_or_by_name() {
    let none = "{\"count\":0,\"stores\":[]}";
    asks(
        none,
        async |pd| pd.stores_in(&[StoreLife::Up, StoreLife::Tombstone]).await,
        "GET /stores?state=0&state=2",
    );
    asks(none, async |pd| pd.stores_in(&[]).await, "GET /stores");
    asks(
        none,
        async |pd| {
            pd.stores_named(&[StoreStateName::Down, StoreStateName::Disconnected])
                .await
        },
        "GET /stores/check?state=down&state=disconnected",
    );
    asks("null", async |pd| pd.store_labels().await, "GET /labels");
    asks(
        none,
        async |pd| pd.stores_with_label("zone", "^z[12]$").await,
        "GET /labels/stores?name=zone&value=%5Ez%5B12%5D%24",
    );
    let progress = "{\"action\":\"removing\",\"progress\":0.5,\"current_speed\":3.1,\"left_seconds\":1.7976931348623157e308}";
    asks(
        progress,
        async |pd| pd.store_progress(store(4)).await,
        "GET /stores/progress?id=4",
    );
    asks(
        progress,
        async |pd| pd.progress_of(ProgressAction::Preparing).await,
        "GET /stores/progress?action=preparing",
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
        async |pd| pd.top_regions(TopOrder::WriteFlow, three).await,
        "GET /regions/writeflow?limit=3",
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
    asks(
        "{\"count\":2,\"regions\":[null,null]}",
        async |pd| pd.sibling_regions(region(9)).await,
        "GET /regions/sibling/9",
    );
}

#[test]
fn ranges_are_asked_for_in_the_spelling_of_each_path() {
    asks(
        "{\"count\":3}",
        async |pd| pd.range_stats("74", "75").await,
        "GET /stats/region?start_key=t&end_key=u",
    );
    asks(
        "{\"count\":3}",
        async |pd| pd.range_counts("", "").await,
        "GET /stats/region?start_key=&end_key=&count=true",
    );
    asks(
        "[[\"74\",\"75\"]]",
        async |pd| pd.range_holes().await,
        "GET /regions/range-holes",
    );
    asks(
        "\"INPROGRESS\"",
        async |pd| pd.replicated_state("74", "").await,
        "GET /regions/replicated?startKey=74&endKey=",
    );
    let width = NonZeroU64::new(1000).unwrap();
    asks(
        "[{\"start\":0,\"end\":0,\"count\":3}]",
        async |pd| pd.region_sizes(width).await,
        "GET /regions/check/hist-size?bound=1000",
    );
    asks(
        "null",
        async |pd| pd.region_key_counts(width).await,
        "GET /regions/check/hist-keys?bound=1000",
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
    asks(
        "{}",
        async |pd| pd.hot_buckets(&[region(12)]).await,
        "GET /hotspot/buckets?region_id=12",
    );
    asks(
        "{\"history_hot_region\":null}",
        async |pd| {
            let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            let query = HotHistoryQuery {
                regions: vec![region(12)],
                ..HotHistoryQuery::between(at(1), at(2))
            };
            pd.hot_history(&query).await
        },
        r#"GET /hotspot/regions/history {"start_time":1000,"end_time":2000,"region_ids":[12],"store_ids":[],"peer_ids":[],"is_learners":[true,false],"is_leaders":[true,false],"hot_region_type":["read","write"]}"#,
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
        "\"8.5.7\"",
        async |pd| pd.cluster_version().await,
        "GET /config/cluster-version",
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
        "{}",
        async |pd| pd.min_resolved_ts().await,
        "GET /min-resolved-ts",
    );
    asks(
        "{}",
        async |pd| pd.min_resolved_ts_of(&[store(1), store(2)]).await,
        "GET /min-resolved-ts?scope=1%2C2",
    );
    asks(
        "{\"gc_safe_point\":0}",
        async |pd| pd.gc_safe_points().await,
        "GET /gc/safepoint",
    );
    asks(
        "{\"mode\":\"majority\"}",
        async |pd| pd.replication_mode().await,
        "GET /replication_mode/status",
    );
    asks(
        "{\"audit\":{\"enable-audit\":\"true\"}}",
        async |pd| pd.service_middleware().await,
        "GET /service-middleware/config",
    );
    asks(
        "[{\"type\":\"restart\",\"id\":\"a\",\"start_timestamp\":1,\"description\":\"\"}]",
        async |pd| pd.maintenance().await,
        "GET http://pd:2379/pd/api/v2/maintenance",
    );
}

#[tokio::test]
async fn a_read_with_a_body_keeps_it_on_the_wire() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/pd/api/v1/hotspot/regions/history"))
        .and(body_json(serde_json::json!({
            "start_time": 0, "end_time": 1000, "region_ids": [], "store_ids": [], "peer_ids": [],
            "is_learners": [true, false], "is_leaders": [true, false], "hot_region_type": ["read"]
        })))
        .respond_with(ResponseTemplate::new(200).set_body_string(
            r#"{"history_hot_region":[{"update_time":1795497720500,"region_id":12,"peer_id":13,
                "store_id":1,"is_leader":true,"hot_region_type":"read","hot_degree":7,
                "flow_bytes":1.5,"key_rate":2,"query_rate":3,"start_key":"74","end_key":"75"}]}"#,
        ))
        .expect(1)
        .mount(&server)
        .await;
    let pd = quick().endpoints(&server.uri()).build().unwrap();
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    let query = HotHistoryQuery {
        kinds: vec![HotKind::Read],
        ..HotHistoryQuery::between(SystemTime::UNIX_EPOCH, end)
    };
    let history = pd.hot_history(&query).await.unwrap();
    assert_eq!(history[0].region_id, region(12));
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_497_720_500);
    assert_eq!(history[0].at, Some(at));
}
