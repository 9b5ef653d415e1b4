//! What goes over the wire, byte by byte.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use pd_client::Client;
use wiremock::matchers::{body_string, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::replay::Replay;
use crate::{quick, region, store};

/// What one call sends, as `METHOD path?query body`.
#[track_caller]
pub(crate) fn sends<T: Future>(answer: &str, call: impl FnOnce(Client) -> T, expected: &str) {
    let replay = Replay::new(200, &[], answer);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(call(replay.client()));
    let asked: Vec<_> = replay.asked().iter().map(shown).collect();
    assert_eq!(asked, [expected]);
}

fn shown(request: &Request<Bytes>) -> String {
    let path = request
        .uri()
        .to_string()
        .replace("http://pd:2379/pd/api/v1", "");
    let body = String::from_utf8(request.body().to_vec()).unwrap();
    format!("{} {path} {body}", request.method())
        .trim_end()
        .to_owned()
}

#[test]
fn operators_are_asked_for_with_pds_field_names() {
    let created = "\"The operator is created.\"";
    sends(
        created,
        async |pd| {
            pd.add_transfer_leader_operator(region(12), store(4))
                .await
                .unwrap()
        },
        r#"POST /operators {"name":"transfer-leader","region_id":12,"to_store_id":4}"#,
    );
    sends(
        created,
        async |pd| {
            pd.add_transfer_peer_operator(region(12), store(1), store(5))
                .await
                .unwrap()
        },
        r#"POST /operators {"name":"transfer-peer","region_id":12,"from_store_id":1,"to_store_id":5}"#,
    );
    sends(
        "\"The pending operator is canceled.\"",
        async |pd| pd.cancel_operator(region(12)).await.unwrap(),
        "DELETE /operators/12",
    );
}

#[test]
fn the_largest_id_goes_out_as_an_integer() {
    sends(
        "\"The operator is created.\"",
        async |pd| {
            pd.add_transfer_leader_operator(region(9_007_199_254_740_991), store(4))
                .await
                .unwrap()
        },
        r#"POST /operators {"name":"transfer-leader","region_id":9007199254740991,"to_store_id":4}"#,
    );
}

#[test]
fn a_drain_is_removed_from_one_store_only() {
    sends(
        "\"The scheduler is created.\"",
        async |pd| pd.add_evict_leader_scheduler(store(3)).await.unwrap(),
        r#"POST /schedulers {"name":"evict-leader-scheduler","store_id":3}"#,
    );
    sends(
        "null",
        async |pd| pd.remove_evict_leader(store(3)).await.unwrap(),
        "DELETE /schedulers/evict-leader-scheduler-3",
    );
}

#[test]
fn reads_ask_the_documented_paths() {
    let from = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_497_717_900);
    sends(
        "[]",
        async |pd| pd.operators().await.unwrap(),
        "GET /operators",
    );
    sends(
        "[]",
        async |pd| pd.operator_records(from).await.unwrap(),
        "GET /operators/records?from=1795497717",
    );
    sends(
        "null",
        async |pd| pd.schedulers().await.unwrap(),
        "GET /schedulers",
    );
    sends(
        "null",
        async |pd| pd.paused_schedulers().await.unwrap(),
        "GET /schedulers?status=paused&timestamp=true",
    );
    sends(
        "null",
        async |pd| pd.disabled_schedulers().await.unwrap(),
        "GET /schedulers?status=disabled",
    );
    sends(
        "{\"store-id-ranges\":null}",
        async |pd| pd.evict_leader_config().await.unwrap(),
        "GET /scheduler-config/evict-leader-scheduler/list",
    );
    sends(
        "null",
        async |pd| pd.region(region(7)).await.unwrap(),
        "GET /region/id/7",
    );
    sends(
        "{\"count\":3}",
        async |pd| pd.region_count().await.unwrap(),
        "GET /regions/count",
    );
    sends(
        "[]",
        async |pd| pd.rules().await.unwrap(),
        "GET /config/placement-rule",
    );
    sends(
        "[]",
        async |pd| pd.rules_for_region(region(7)).await.unwrap(),
        "GET /config/rules/region/7",
    );
    sends("null", async |pd| pd.leader().await.unwrap(), "GET /leader");
    sends("null", async |pd| pd.health().await.unwrap(), "GET /health");
}

#[test]
fn a_key_is_sent_as_its_bytes() {
    sends(
        "{\"count\":0,\"regions\":[]}",
        async |pd| pd.region_by_key("7480002fff20").await.unwrap(),
        "GET /regions/key?key=t%80%00%2F%FF+&limit=1",
    );
    sends(
        "{\"count\":0,\"regions\":[]}",
        async |pd| pd.region_by_key("").await.unwrap(),
        "GET /regions/key?key=&limit=1",
    );
}

#[tokio::test]
async fn headers_name_the_caller_to_every_version() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/pd/api/v1/operators"))
        .and(header("X-Caller-ID", "night-shift"))
        .and(header("component", "night-shift"))
        .and(header("content-type", "application/json"))
        .and(body_string(
            r#"{"name":"transfer-leader","region_id":12,"to_store_id":4}"#,
        ))
        .respond_with(ResponseTemplate::new(200).set_body_string("\"The operator is created.\"\n"))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .and(header("X-Caller-ID", "pd-client"))
        .respond_with(ResponseTemplate::new(200).set_body_string("{\"id\":5}"))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .and(path("/pd/api/v1/cluster"))
        .and(header("X-Caller-ID", "night-shift"))
        .and(header("component", "night-shift"))
        .respond_with(ResponseTemplate::new(200).set_body_string("{\"id\":5}"))
        .expect(1)
        .mount(&server)
        .await;
    let pd = quick().endpoints(&server.uri()).build().unwrap();
    pd.cluster().await.unwrap();
    let named = pd.with_caller_id("night-shift").unwrap();
    let accepted = named
        .add_transfer_leader_operator(region(12), store(4))
        .await
        .unwrap();
    assert_eq!(accepted.message, "The operator is created.");
    assert_eq!(accepted.endpoint, server.uri());
}

#[test]
fn an_empty_body_is_no_body() {
    let replay = Replay::new(200, &[], "null");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime
        .block_on(replay.client().remove_evict_leader(store(3)))
        .unwrap();
    let asked = replay.asked();
    assert!(!asked[0].headers().contains_key("content-type"));
    assert!(asked[0].body().is_empty());
}
