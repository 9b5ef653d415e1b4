//! Configuration, hot regions and metrics.

use action_core::Observation;
use operator_tikv::{
    CheckInvariants, GetClusterMetrics, GetConfig, GetStoreMetrics, HotBy, HotReadRegions,
    HotRegionView, HotWriteRegions, Limit, Tikv,
};
use pd_sim::{HotFlow, Sim, Version};
use serde_json::{Value, json};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::{VERSIONS, altered, request, stepped, store_id, tikv};

/// Looks, which takes at most this many requests of PD and changes nothing.
pub(crate) async fn look<O: Observation<Tikv>>(
    sim: &Sim,
    tikv: &Tikv,
    observation: O,
    most: usize,
) -> O::Output {
    let (before, writes) = (sim.received_total(), sim.writes().len());
    let output = observation.observe(tikv).await.unwrap();
    let requests = sim.received_total() - before;
    assert!(requests <= most, "{}: {requests} requests", O::NAME);
    assert_eq!(sim.writes().len(), writes, "{}", O::NAME);
    output
}

#[tokio::test]
async fn configuration_shows_what_is_stored_and_what_is_in_force() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let tikv = tikv(&sim);
        let all = || GetConfig {
            limit: Limit::new(500).unwrap(),
            ..GetConfig::default()
        };
        let config = look(&sim, &tikv, all(), 3).await;
        assert!(config.in_force_known && !config.cut, "{version:?}");
        assert_eq!(config.overridden, 0, "{version:?}: {config:#?}");
        let item = |config: &operator_tikv::ConfigView, name: &str| {
            let mut items = config.items.iter();
            items.find(|item| item.name == name).unwrap().clone()
        };
        let limit = "schedule.leader-schedule-limit";
        assert_eq!(item(&config, limit).in_force, None);
        assert_eq!(item(&config, "replication.max-replicas").stored, "3");
        assert!(config.items.iter().all(|item| !item.may_be_overridden));

        let body = r#"{"schedule.leader-schedule-limit":7}"#;
        assert_eq!(
            request(&sim, "POST", "/config?ttlSecond=60", body).await,
            200
        );
        let config = look(&sim, &tikv, all(), 3).await;
        assert_eq!(config.overridden, 1, "{version:?}");
        let item = item(&config, limit);
        assert!(item.overridden);
        assert_eq!(
            (item.stored.as_str(), item.in_force.as_deref()),
            ("4", Some("7"))
        );

        let some = GetConfig {
            name_contains: Some("schedule-limit".to_owned()),
            limit: Limit::new(2).unwrap(),
        };
        let some = look(&sim, &tikv, some, 3).await;
        assert_eq!((some.items.len(), some.cut), (2, true));
        assert!(some.total >= 5, "{some:?}");
    }
}

/// Certificates, their paths and whatever is a member's own stay where they are.
#[tokio::test]
async fn configuration_of_the_member_is_left_out() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    altered(&sim, "/config", |config| {
        config["security"] = json!({"key-path": "/etc/pd/key.pem", "SSLKEYBytes": "secret"});
    })
    .await;
    let shown = GetConfig::default().observe(&tikv(&sim)).await.unwrap();
    let shown = format!("{shown:?}");
    assert!(
        !shown.contains("secret") && !shown.contains("key.pem"),
        "{shown}"
    );
}

fn flow(is_read: bool, bytes: u64, keys: u64) -> HotFlow {
    HotFlow {
        is_read,
        bytes,
        keys,
        queries: 10,
        degree: 5,
    }
}

#[tokio::test]
async fn hot_regions_are_the_hottest_of_those_that_are_hot() {
    for version in VERSIONS {
        let sim = stepped(version).regions(200).start().await.unwrap();
        let tikv = tikv(&sim);
        let ids = sim.region_ids();
        for (at, id) in ids.iter().take(5).enumerate() {
            let at = at as u64;
            sim.set_hot(*id, Some(flow(false, 1_000 * (at + 1), 100 - at)));
        }
        sim.set_hot(ids[9], Some(flow(true, 5, 5)));
        let hottest = HotWriteRegions {
            limit: Limit::new(2).unwrap(),
            ..HotWriteRegions::default()
        };
        let found = look(&sim, &tikv, hottest, 1).await;
        assert_eq!((found.total, found.cut), (5, true), "{version:?}");
        let of = |regions: &[HotRegionView]| -> Vec<u64> {
            regions.iter().map(|one| one.region_id.get()).collect()
        };
        assert_eq!(of(&found.regions), [ids[4], ids[3]]);
        assert_eq!(found.regions[0].bytes_per_s, 5_000.0);
        let leader = sim.leader_of(ids[4]).unwrap();
        assert_eq!(found.regions[0].leader_store_id, store_id(leader));

        let by_keys = HotWriteRegions {
            by: HotBy::Keys,
            ..HotWriteRegions::default()
        };
        let found = look(&sim, &tikv, by_keys, 1).await;
        assert_eq!(of(&found.regions), ids[..5]);
        let found = look(&sim, &tikv, HotReadRegions::default(), 1).await;
        assert_eq!((of(&found.regions), found.cut), (vec![ids[9]], false));
    }
}

/// A Prometheus that answers by what is in the query: a number for each store.
pub(crate) async fn prometheus(answers: Vec<(&'static str, Vec<(String, f64)>)>) -> MockServer {
    let server = MockServer::start().await;
    let answer = move |request: &Request| {
        let mut pairs = request.url.query_pairs();
        let query = pairs.find(|(name, _)| name == "query").unwrap().1;
        let series = answers.iter().find(|(part, _)| query.contains(part));
        let result: Vec<Value> = series
            .into_iter()
            .flat_map(|(_, series)| series)
            .map(|(instance, value)| {
                json!({"metric": {"instance": instance}, "value": [1_795_497_720, value.to_string()]})
            })
            .collect();
        let data = json!({"resultType": "vector", "result": result});
        ResponseTemplate::new(200).set_body_json(json!({"status": "success", "data": data}))
    };
    Mock::given(path("/api/v1/query"))
        .respond_with(answer)
        .mount(&server)
        .await;
    server
}

/// Gives stores the address of an HTTP server, which is their name in Prometheus: simulated ones
/// have none.
pub(crate) async fn with_addresses(sim: &Sim) -> (String, String) {
    let name = |store: &mut Value| {
        let id = store["store"]["id"].clone();
        store["store"]["status_address"] = json!(format!("tikv-{id}:20180"));
    };
    altered(sim, "/stores", |body| {
        body["stores"]
            .as_array_mut()
            .unwrap()
            .iter_mut()
            .for_each(name);
    })
    .await;
    altered(sim, "/store/1", name).await;
    ("tikv-1:20180".to_owned(), "tikv-2:20180".to_owned())
}

pub(crate) fn with(sim: &Sim, server: &MockServer) -> Tikv {
    tikv(sim).with_prometheus(prom_client::Client::new(&server.uri()).unwrap())
}

#[tokio::test]
async fn metrics_without_prometheus_are_pds_own() {
    for version in VERSIONS {
        let sim = stepped(version).regions(500).start().await.unwrap();
        let tikv = tikv(&sim);
        let one = GetStoreMetrics {
            store_id: store_id(2),
        };
        let found = look(&sim, &tikv, one, 2).await;
        let store = found.store.unwrap();
        assert_eq!(store.leader_count, sim.leader_count(2), "{version:?}");
        assert!(store.capacity_bytes.is_some() && store.heartbeat_age_s.is_some());
        assert_eq!((store.qps, store.write_p99_ms), (None, None));
        assert!(
            found.unknown[0].contains("no Prometheus"),
            "{:?}",
            found.unknown
        );
        let none = GetStoreMetrics {
            store_id: store_id(77),
        };
        assert_eq!(look(&sim, &tikv, none, 1).await.store, None);

        let all = look(&sim, &tikv, GetClusterMetrics::default(), 6).await;
        assert_eq!((all.regions, all.leaders, all.total), (500, 500, 5));
        assert_eq!(all.regions_by_kind["miss-peer-region-count"], 0);
        let two = GetClusterMetrics {
            limit: Limit::new(2).unwrap(),
        };
        let two = look(&sim, &tikv, two, 6).await;
        assert_eq!((two.stores.len(), two.cut, two.leaders), (2, true, 500));
    }
}

#[tokio::test]
async fn prometheus_adds_what_pd_does_not_know() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (one, two) = with_addresses(&sim).await;
    let server = prometheus(vec![
        (
            "duration_seconds_count",
            vec![(one.clone(), 900.0), (two.clone(), 100.0)],
        ),
        (
            "kv_prewrite",
            vec![(one.clone(), 0.025), (two.clone(), 0.04)],
        ),
        ("kv_get", vec![(one.clone(), 0.004)]),
        ("cpu_seconds", vec![(one.clone(), 3.5)]),
        ("tikv_store_size_bytes", vec![(one.clone(), 42.0)]),
        ("log_lag", vec![(one.clone(), 7.0)]),
    ])
    .await;
    let tikv = with(&sim, &server);
    let asked = GetStoreMetrics {
        store_id: store_id(1),
    };
    let found = look(&sim, &tikv, asked, 2).await;
    let store = found.store.unwrap();
    assert_eq!(found.unknown, Vec::<String>::new());
    let numbers = [
        store.qps,
        store.write_p99_ms,
        store.read_p99_ms,
        store.cpu_cores,
        store.disk_used_percent,
        store.raft_lag_p99,
    ];
    let expected = [900.0, 25.0, 4.0, 3.5, 42.0, 7.0].map(Some);
    assert_eq!(numbers, expected);

    let all = look(&sim, &tikv, GetClusterMetrics::default(), 6).await;
    assert_eq!(all.qps, Some(1_000.0));
    assert_eq!(all.slowest_write_p99_ms, Some(40.0));
    // Absent, not 0.
    assert_eq!(all.stores[1].cpu_cores, None);
    // Six queries each time, however many stores there are.
    assert_eq!(server.received_requests().await.unwrap().len(), 12);
}

#[tokio::test]
async fn a_prometheus_that_fails_fails_nothing_else() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let prometheus = prom_client::Client::new("http://127.0.0.1:1").unwrap();
    let tikv = tikv(&sim).with_prometheus(prometheus);
    let all = look(&sim, &tikv, GetClusterMetrics::default(), 6).await;
    assert_eq!((all.total, all.unknown.len()), (5, 6));
    assert!(
        all.unknown[0].contains("no answer from Prometheus"),
        "{:?}",
        all.unknown
    );
    let checked = look(&sim, &tikv, CheckInvariants::default(), 6).await;
    assert!(
        checked.unknown[0].contains("no answer"),
        "{:?}",
        checked.unknown
    );
}
