//! What a change of PD's leader does to reads and writes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use pd_client::{
    Body, Client, ErrorClass, HeldPermit, HttpTransport, TransportError, WriteConnection,
    WriteTransport,
};
use pd_sim::{Clock, Outage, Sim, Version};
use tokio::time::Instant;

use crate::{quick, region, store};

/// How long followers were seen to answer `500 redirect failed`.
const ELECTION: Duration = Duration::from_secs(13);

/// Three members of which pd-0 is gone. The others answer as they were seen to until one of them
/// leads.
#[derive(Clone)]
struct Election {
    over: Instant,
    answer: (u16, &'static str),
    asked: Arc<Mutex<Vec<(Duration, String)>>>,
}

impl Election {
    fn begin(answer: (u16, &'static str)) -> Self {
        Self {
            over: Instant::now() + ELECTION,
            answer,
            asked: Arc::default(),
        }
    }

    fn client(&self) -> Client {
        Client::builder()
            .endpoints("http://pd-0:2379,http://pd-1:2379,http://pd-2:2379")
            .transport(self.clone())
            .build()
            .unwrap()
    }

    /// Requests of this method, each with its time since the first.
    fn asked(&self, method: &str) -> Vec<Duration> {
        let asked = self.asked.lock().unwrap();
        let of_method = asked.iter().filter(|(_, asked)| asked == method);
        of_method.map(|(at, _)| *at).collect()
    }
}

#[async_trait]
impl HttpTransport for Election {
    async fn call(&self, request: Request<Bytes>) -> Result<Response<Body>, TransportError> {
        Ok(self.answer(&request)?.map(Body::from))
    }

    fn writes(&self) -> Option<&dyn WriteTransport> {
        Some(self)
    }
}

#[async_trait]
impl WriteTransport for Election {
    async fn connect(&self, _: &str) -> Result<Box<dyn WriteConnection>, TransportError> {
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl WriteConnection for Election {
    async fn read(
        &mut self,
        request: Request<Bytes>,
        _: usize,
    ) -> Result<Response<Bytes>, TransportError> {
        self.answer(&request)
    }

    async fn write(
        self: Box<Self>,
        request: Request<Bytes>,
        _: Box<dyn HeldPermit>,
    ) -> Result<Response<Body>, TransportError> {
        Ok(self.answer(&request)?.map(Body::from))
    }
}

impl Election {
    fn answer(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let at = (Instant::now() + ELECTION).duration_since(self.over);
        let method = request.method().to_string();
        self.asked.lock().unwrap().push((at, method));
        if request.uri().host() == Some("pd-0") {
            return Err(TransportError::not_sent("connection refused"));
        }
        let (status, body) = if Instant::now() < self.over {
            self.answer
        } else {
            (200, "{\"count\":0,\"stores\":[]}")
        };
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = status.try_into().unwrap();
        Ok(response)
    }
}

const SEEN: [(u16, &str); 4] = [
    (500, "redirect failed\n"),
    (500, "[PD:apiutil:ErrRedirect]redirect failed\n"),
    (
        503,
        "[PD:apiutil:ErrRedirectNoLeader]redirect finds no leader\n",
    ),
    (503, "no leader\n"),
];

#[tokio::test(start_paused = true)]
async fn a_read_with_a_deadline_of_20_s_survives_an_election_of_13_s() {
    for answer in SEEN {
        let election = Election::begin(answer);
        let pd = election
            .client()
            .with_read_deadline(Duration::from_secs(20));
        assert_eq!(pd.stores().await.unwrap(), [], "{answer:?}");
        let asked = election.asked("GET");
        let took = *asked.last().unwrap();
        assert!(took >= ELECTION && took < ELECTION + Duration::from_secs(3));
        // Three members, a round every second or two.
        assert!((24..=60).contains(&asked.len()), "{}", asked.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_ends_at_its_deadline() {
    let election = Election::begin(SEEN[1]);
    let pd = election.client().with_read_deadline(Duration::from_secs(5));
    let error = pd.stores().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Unanswered);
    assert!(*election.asked("GET").last().unwrap() <= Duration::from_secs(5));
    let election = Election::begin(SEEN[1]);
    let error = election.client().stores().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Unanswered);
    assert_eq!(election.asked("GET"), [Duration::ZERO; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_write_during_an_election_is_not_sent() {
    for answer in SEEN {
        let election = Election::begin(answer);
        // The deadline of reads is not the writes'.
        let pd = election
            .client()
            .with_read_deadline(Duration::from_secs(20));
        let error = pd
            .add_transfer_leader_operator(region(12), store(4))
            .await
            .unwrap_err();
        assert_eq!(error.class(), ErrorClass::NotSent, "{answer:?}");
        // Who leads, and then of each which cluster it is of.
        assert_eq!(election.asked("GET"), [Duration::ZERO; 6], "{answer:?}");
        assert!(election.asked("POST").is_empty(), "{answer:?}");
    }
}

async fn three_members(version: Version) -> Sim {
    Sim::builder()
        .version(version)
        .members(3)
        .clock(Clock::Stepped)
        .seed(7)
        .start()
        .await
        .unwrap()
}

/// What a read gives whose election is over when it has been tried a few times.
async fn outlasting<T>(sim: &Sim, read: impl Future<Output = T>) -> T {
    let before = sim.received_total();
    let over = async {
        while sim.received_total() < before + 5 {
            tokio::task::yield_now().await;
        }
        sim.advance(ELECTION);
    };
    tokio::join!(read, over).0
}

#[tokio::test]
async fn a_simulated_election_is_survived_by_reads_and_kept_from_by_writes() {
    for version in [Version::V6_5, Version::V7_5, Version::V8_5, Version::V9_0] {
        for outage in [Outage::RedirectFailed, Outage::NoLeader] {
            let sim = three_members(version).await;
            let pd = quick().endpoint_list(sim.endpoints()).build().unwrap();
            let led = pd.led(|leader| async move { leader.stores().await });
            assert_eq!(led.await.unwrap().leader.unwrap().name, "pd0");

            sim.change_leader(ELECTION, outage);
            let id = region(sim.region_ids()[0]);
            let error = pd
                .add_transfer_leader_operator(id, store(2))
                .await
                .unwrap_err();
            assert_eq!(
                error.class(),
                ErrorClass::NotSent,
                "{version:?}: {}",
                error.report()
            );
            assert_eq!(sim.received("POST", "/operators"), 0, "{version:?}");
            assert_eq!(sim.operator(id.get()), None);

            let patient = pd.with_read_deadline(Duration::from_secs(20));
            let stores = outlasting(&sim, patient.stores()).await.unwrap();
            assert_eq!(stores.len(), 5);
            let led = patient.led(|leader| async move { leader.stores().await });
            assert_eq!(led.await.unwrap().leader.unwrap().name, "pd1");
            pd.add_transfer_leader_operator(id, store(2)).await.unwrap();
            assert_eq!(sim.received("POST", "/operators"), 1, "{version:?}");
        }
    }
}

#[tokio::test]
async fn the_leader_alone_is_asked_when_told_and_waited_for() {
    let sim = three_members(Version::V8_5).await;
    let pd = quick().endpoint_list(sim.endpoints()).build().unwrap();
    sim.change_leader(ELECTION, Outage::NoLeader);
    let leader_only = pd.leader_only();
    let error = leader_only.stores().await.unwrap_err();
    assert!(error.to_string().contains("no leader"), "{error}");
    let patient = leader_only.with_read_deadline(Duration::from_secs(20));
    let stores = outlasting(&sim, patient.stores()).await.unwrap();
    assert_eq!(stores.len(), 5);
}

#[tokio::test]
async fn a_change_between_two_looks_is_seen() {
    let sim = three_members(Version::V8_5).await;
    let pd = quick().endpoint_list(sim.endpoints()).build().unwrap();
    let change = || sim.change_leader(Duration::ZERO, Outage::NoLeader);
    let led = pd
        .led(|leader| async move {
            let stores = leader.stores().await;
            change();
            stores
        })
        .await
        .unwrap();
    assert_eq!((led.value.len(), led.leader), (5, None));
}

#[tokio::test]
async fn a_member_that_nobody_configured_is_read_from_when_the_others_are_gone() {
    let sim = three_members(Version::V8_5).await;
    let first = &sim.endpoints()[0];
    let pd = quick()
        .endpoints(first)
        .refresh_members_every(Duration::ZERO)
        .build()
        .unwrap();
    pd.stores().await.unwrap();
    sim.stop_member(0).await;
    sim.change_leader(Duration::ZERO, Outage::NoLeader);
    assert_eq!(pd.stores().await.unwrap().len(), 5);
    // A client that has never been told of others has nobody left to ask.
    let stranger = quick().endpoints(first).build().unwrap();
    let error = stranger.stores().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::NotSent);
}

#[tokio::test]
async fn a_member_of_another_cluster_is_not_read_from() {
    let other = Sim::builder().cluster_id(99).start().await.unwrap();
    let server = wiremock::MockServer::start().await;
    let members = serde_json::json!({
        "header": {"cluster_id": 7}, "leader": null,
        "members": [{"name": "a", "client_urls": [server.uri()]},
                    {"name": "b", "client_urls": [other.endpoint()]}]
    });
    wiremock::Mock::given(wiremock::matchers::path("/pd/api/v1/members"))
        .respond_with(wiremock::ResponseTemplate::new(200).set_body_json(members))
        .mount(&server)
        .await;
    wiremock::Mock::given(wiremock::matchers::path("/pd/api/v1/version"))
        .respond_with(wiremock::ResponseTemplate::new(200).set_body_string("{\"version\":\"x\"}"))
        .mount(&server)
        .await;
    let pd = quick()
        .endpoints(&server.uri())
        .refresh_members_every(Duration::ZERO)
        .build()
        .unwrap();
    pd.version().await.unwrap();
    server.reset().await;
    // 404 without a word of PD's decides; what cannot be reached does not.
    wiremock::Mock::given(wiremock::matchers::any())
        .respond_with(wiremock::ResponseTemplate::new(502))
        .mount(&server)
        .await;
    let error = pd.version().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Unanswered);
    assert_eq!(other.received("GET", "/version"), 0);
    assert_eq!(other.received("GET", "/members"), 1);
}

#[tokio::test(start_paused = true)]
async fn too_many_requests_are_tried_again_only_with_a_deadline() {
    let pd = Election::begin((429, "Too Many Requests\n")).client();
    assert!(
        pd.stores()
            .await
            .unwrap_err()
            .answer()
            .unwrap()
            .is_rate_limited()
    );
    assert!(
        pd.with_read_deadline(Duration::from_secs(20))
            .stores()
            .await
            .is_ok()
    );
}
