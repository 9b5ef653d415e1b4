//! Which endpoint a call goes to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use pd_client::{Body, Client, Error, ErrorClass, HttpTransport, TransportError};
use tokio::time::Instant;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::fault_server::{Fault, FaultServer, answer, ok, refusing};
use crate::replay::Replay;
use crate::{quick, region, store};

const CLUSTER: &str = "/pd/api/v1/cluster";

/// A member that names this leader, and answers every write like this.
async fn member(leader: &[&str], write: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    name_leader(&server, leader).await;
    for write_method in ["POST", "DELETE"] {
        Mock::given(method(write_method))
            .respond_with(write.clone())
            .mount(&server)
            .await;
    }
    server
}

async fn name_leader(server: &MockServer, leader: &[&str]) {
    let members = serde_json::json!({
        "header": {"cluster_id": 7},
        "members": [], "leader": {"name": "pd-x", "member_id": 5, "client_urls": leader}
    });
    Mock::given(method("GET"))
        .and(path("/pd/api/v1/members"))
        .respond_with(ResponseTemplate::new(200).set_body_json(members))
        .mount(server)
        .await;
    name_cluster(server, 7).await;
}

/// Answers what every write asks first, on its own connection.
async fn name_cluster(server: &MockServer, id: u64) {
    Mock::given(method("GET"))
        .and(path(CLUSTER))
        .respond_with(ResponseTemplate::new(200).set_body_json(serde_json::json!({ "id": id })))
        .mount(server)
        .await;
}

fn yes() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_string("\"The operator is created.\"\n")
}

async fn count(server: &MockServer, wanted: &str) -> usize {
    let requests = server.received_requests().await.unwrap();
    requests
        .iter()
        .filter(|request| request.method.as_str() == wanted && request.url.path() != CLUSTER)
        .count()
}

async fn write(pd: &Client) -> Result<pd_client::Accepted, Error> {
    pd.add_transfer_leader_operator(region(12), store(4)).await
}

#[tokio::test]
async fn a_write_goes_to_the_leaders_own_address() {
    let leader = member(&[], yes()).await;
    let follower = member(&[&leader.uri()], yes()).await;
    let pd = quick().endpoints(&follower.uri()).build().unwrap();
    assert_eq!(write(&pd).await.unwrap().endpoint, leader.uri());
    assert_eq!(
        (count(&leader, "POST").await, count(&follower, "POST").await),
        (1, 0)
    );
}

#[tokio::test]
async fn the_leader_is_remembered_until_a_write_fails() {
    let leader = member(&[], yes()).await;
    let follower = member(&[&leader.uri()], yes()).await;
    let pd = quick().endpoints(&follower.uri()).build().unwrap();
    write(&pd).await.unwrap();
    write(&pd).await.unwrap();
    assert_eq!(count(&follower, "GET").await, 1);
    leader.reset().await;
    name_leader(&leader, &[]).await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(500).set_body_string("redirect to not leader\n"))
        .mount(&leader)
        .await;
    let error = write(&pd).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Refused);
    assert_eq!(count(&leader, "POST").await, 1);
    assert!(write(&pd).await.is_err());
    assert_eq!(count(&follower, "GET").await, 2);
    assert_eq!(count(&follower, "POST").await, 0);
}

#[tokio::test]
async fn a_leader_that_cannot_be_reached_moves_the_write_on() {
    let follower = member(&[&refusing().await, "nonsense://x"], yes()).await;
    let pd = quick().endpoints(&follower.uri()).build().unwrap();
    assert_eq!(write(&pd).await.unwrap().endpoint, follower.uri());
    assert_eq!(count(&follower, "POST").await, 1);
}

#[tokio::test]
async fn an_address_of_another_cluster_is_not_written_to() {
    // PD advertises 127.0.0.1 unless told: on our machine that may be somebody else.
    let [stranger, follower] = [member(&[], yes()).await, MockServer::start().await];
    let cluster_id = 7_711_603_923_253_717_543_u64;
    name_cluster(&follower, cluster_id).await;
    let members = serde_json::json!({
        "header": {"cluster_id": cluster_id},
        "members": [],
        "leader": {"name": "pd-x", "client_urls": [stranger.uri()]}
    });
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_json(members))
        .mount(&follower)
        .await;
    Mock::given(method("POST"))
        .respond_with(yes())
        .mount(&follower)
        .await;
    let pd = quick().endpoints(&follower.uri()).build().unwrap();
    assert_eq!(write(&pd).await.unwrap().endpoint, follower.uri());
    assert_eq!(
        (
            count(&stranger, "POST").await,
            count(&follower, "POST").await
        ),
        (0, 1)
    );
}

#[tokio::test]
async fn a_leader_that_falls_silent_does_not() {
    for fault in [
        Fault::CloseAfterRead,
        Fault::Hang,
        Fault::Answer(answer("502 E", "", "oops")),
    ] {
        let leader = FaultServer::start(fault).await;
        let follower = member(&[&leader.url()], yes()).await;
        let pd = quick().endpoints(&follower.uri()).build().unwrap();
        let error = write(&pd).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Unanswered, "{}", error.report());
        assert_eq!((leader.requests(), count(&follower, "POST").await), (1, 0));
    }
}

#[tokio::test]
async fn without_a_leader_to_be_found_endpoints_are_taken_in_order() {
    for discovery in [
        ResponseTemplate::new(500).set_body_string("\"no\""),
        ResponseTemplate::new(200).set_body_string("<html>"),
        ResponseTemplate::new(200).set_body_string("{\"members\":[],\"leader\":null}"),
        ResponseTemplate::new(200)
            .set_body_string("{\"members\":[],\"leader\":{\"client_urls\":[\"%%\"]}}"),
    ] {
        let (first, second) = (MockServer::start().await, MockServer::start().await);
        for server in [&first, &second] {
            name_cluster(server, 7).await;
            Mock::given(method("GET"))
                .respond_with(discovery.clone())
                .mount(server)
                .await;
            Mock::given(method("POST"))
                .respond_with(yes())
                .mount(server)
                .await;
        }
        let pd = quick()
            .endpoint_list([first.uri(), second.uri()])
            .build()
            .unwrap();
        assert_eq!(write(&pd).await.unwrap().endpoint, first.uri());
        assert_eq!(
            (count(&first, "POST").await, count(&second, "POST").await),
            (1, 0)
        );
    }
}

#[tokio::test]
async fn a_leader_named_without_tls_is_not_stepped_down_to() {
    let members = r#"{"members":[],"leader":{"name":"x","client_urls":["http://pd-x:2379"]}}"#;
    for (ours, asked) in [
        ("https://pd:2379", "https://pd:2379"),
        ("http://pd:2379", "http://pd-x:2379"),
    ] {
        let replay = Replay::new(200, &[], members).answering_members();
        let pd = Client::builder()
            .endpoints(ours)
            .transport(replay.clone())
            .build()
            .unwrap();
        // The answer is no acknowledgement; where it was asked for is the point.
        assert_eq!(
            write(&pd).await.unwrap_err().class(),
            ErrorClass::Unreadable
        );
        let write = replay.asked().pop().unwrap();
        assert_eq!(
            write.uri().to_string(),
            format!("{asked}/pd/api/v1/operators")
        );
    }
}

#[tokio::test]
async fn every_endpoint_unreachable_is_not_sent() {
    let pd = quick()
        .endpoint_list([refusing().await, refusing().await])
        .build()
        .unwrap();
    assert_eq!(write(&pd).await.unwrap_err().class(), ErrorClass::NotSent);
    assert_eq!(pd.stores().await.unwrap_err().class(), ErrorClass::NotSent);
}

#[tokio::test]
async fn a_read_is_asked_of_the_next_endpoint() {
    for fault in [
        Fault::ResetAfterAccept,
        Fault::CloseAfterRead,
        Fault::ResetAfterRead,
        Fault::Hang,
        Fault::Answer("garbage".to_owned()),
        Fault::Answer("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".to_owned()),
        Fault::Answer(answer("503 E", "", "no leader\n")),
        Fault::Answer(answer("500 E", "", "redirect failed\n")),
        Fault::Answer(answer("502 E", "", "<html>")),
        Fault::Answer(answer("503 E", "", "\"[PD:server:ErrServerNotStarted]x\"")),
    ] {
        let faulty = FaultServer::start(fault.clone()).await;
        let healthy = FaultServer::start(Fault::Answer(ok("{\"version\":\"v5\"}"))).await;
        let pd = quick()
            .endpoint_list([faulty.url(), healthy.url()])
            .build()
            .unwrap();
        assert_eq!(pd.version().await.unwrap().as_str(), "v5", "{fault:?}");
        assert!(faulty.requests() <= 1, "{fault:?}");
        // The endpoint that answered is asked first from now on.
        let before = faulty.connections();
        pd.version().await.unwrap();
        assert_eq!(faulty.connections(), before, "{fault:?}");
    }
}

#[tokio::test]
async fn a_decision_on_a_read_is_not_asked_for_twice() {
    for (status, body, class) in [
        ("500 E", "\"operator not found\"\n", ErrorClass::Refused),
        ("400 E", "\"bad\"\n", ErrorClass::Refused),
        ("429 E", "Too Many Requests\n", ErrorClass::Refused),
        ("404 E", "404 page not found\n", ErrorClass::Refused),
        ("307 E", "", ErrorClass::Unanswered),
    ] {
        let refusal = answer(status, "", body);
        let faulty = FaultServer::start(Fault::Answer(refusal)).await;
        let healthy = FaultServer::start(Fault::Answer(ok("{\"version\":\"v5\"}"))).await;
        let pd = quick()
            .endpoint_list([faulty.url(), healthy.url()])
            .build()
            .unwrap();
        assert_eq!(pd.version().await.unwrap_err().class(), class);
        assert_eq!((faulty.requests(), healthy.requests()), (1, 0));
    }
}

#[tokio::test]
async fn when_all_fail_the_most_telling_error_is_kept() {
    let silent = FaultServer::start(Fault::CloseAfterRead).await;
    let leaderless = FaultServer::start(Fault::Answer(answer("503 E", "", "no leader\n"))).await;
    let pd = quick()
        .endpoint_list([
            refusing().await,
            silent.url(),
            leaderless.url(),
            refusing().await,
        ])
        .build()
        .unwrap();
    let error = pd.version().await.unwrap_err();
    assert_eq!(error.to_string(), "no leader");
    assert_eq!((silent.requests(), leaderless.requests()), (1, 1));
}

/// Takes every request and answers none.
#[derive(Clone, Default)]
struct Silent {
    asked: Arc<AtomicUsize>,
}

#[async_trait]
impl HttpTransport for Silent {
    async fn call(&self, _: Request<Bytes>) -> Result<Response<Body>, TransportError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_ends_within_twice_its_time() {
    let silent = Silent::default();
    let pd = quick()
        .endpoint_list((0..5).map(|place| format!("http://pd-{place}:2379")))
        .transport(silent.clone())
        .build()
        .unwrap();
    let started = Instant::now();
    let error = pd.version().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Unanswered);
    // Two of the five are waited for, two seconds each.
    assert_eq!(silent.asked.load(Ordering::Relaxed), 2);
    assert_eq!(started.elapsed().as_secs(), 4);
}
