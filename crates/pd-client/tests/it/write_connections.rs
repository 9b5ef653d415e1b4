//! The connection of a write: checked, permitted last, and bounded. Seen from a raw server.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use pd_client::config::ConfigValue;
use pd_client::{
    Body, Client, ClusterId, Error, ErrorClass, HeldPermit, HttpTransport, InputError,
    PermitRefused, SendPermit, TransportError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use crate::fault_server::{FaultServer, refusing};
use crate::raw_pd::{Events, RawPd};
use crate::{quick, region};

const POST: &str = "DELETE /pd/api/v1/operators/12";

fn client(pd: &RawPd) -> Client {
    quick().endpoints(&pd.url()).build().unwrap()
}

async fn write(pd: &Client) -> Result<pd_client::Accepted, Error> {
    pd.cancel_operator(region(12)).await
}

/// A permit that writes down when it is asked, checked and released.
#[derive(Clone, Default)]
struct Permit {
    events: Events,
    /// Nothing may be sent any more.
    late: Arc<AtomicBool>,
    /// It is not granted.
    closed: Arc<AtomicBool>,
    released: Arc<Notify>,
}

#[derive(Debug, thiserror::Error)]
#[error("the kill switch is on")]
struct Stopped;

impl Permit {
    fn note(&self, what: &str) {
        self.events.lock().unwrap().push(what.to_owned());
    }

    fn of(pd: &RawPd) -> Self {
        Self {
            events: Arc::clone(&pd.events),
            ..Self::default()
        }
    }
}

#[async_trait]
impl SendPermit for Permit {
    async fn acquire(&self) -> Result<Box<dyn HeldPermit>, PermitRefused> {
        self.note("acquired");
        if self.closed.load(Ordering::SeqCst) {
            return Err(PermitRefused::new(Stopped));
        }
        Ok(Box::new(Held(self.clone())))
    }
}

struct Held(Permit);

impl HeldPermit for Held {
    fn check(&self) -> Result<(), PermitRefused> {
        self.0.note("checked");
        match self.0.late.load(Ordering::SeqCst) {
            true => Err(PermitRefused::new("it is too late")),
            false => Ok(()),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.note("released");
        self.0.released.notify_one();
    }
}

#[tokio::test]
async fn everything_that_reads_comes_before_the_permit() {
    let pd = RawPd::willing().await;
    let permit = Permit::of(&pd);
    let guarded = client(&pd).with_send_permit(Arc::new(permit));
    write(&guarded).await.unwrap();
    let mut events = pd.take_events();
    // The server reads the request when it likes, and the permit is released by then or not.
    events.retain(|event| event != "released");
    assert_eq!(
        events,
        [
            "GET /pd/api/v1/members",
            "GET /pd/api/v1/cluster",
            "acquired",
            "checked",
            POST
        ]
    );
}

#[tokio::test]
async fn a_permit_that_is_refused_sends_nothing_anywhere() {
    let (pd, other) = (RawPd::willing().await, FaultServer::healthy().await);
    let permit = Permit::of(&pd);
    permit.closed.store(true, Ordering::SeqCst);
    let guarded = quick()
        .endpoint_list([pd.url(), other.url()])
        .build()
        .unwrap()
        .with_send_permit(Arc::new(permit));
    let error = write(&guarded).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::NotSent);
    let Error::NotPermitted { source, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(source.is::<Stopped>());
    assert!(
        error
            .report()
            .ends_with("not permitted: the kill switch is on")
    );
    let events = pd.take_events();
    assert_eq!(events.last().unwrap(), "acquired");
    assert!(!events.contains(&POST.to_owned()), "{events:?}");
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn a_deadline_that_passes_while_the_leader_is_looked_for_sends_nothing() {
    let late = Arc::new(AtomicBool::new(false));
    let passing = Arc::clone(&late);
    let pd = RawPd::start(move |mut connection| {
        let late = Arc::clone(&passing);
        async move {
            while let Some(request) = connection.next_request().await {
                // The lookup is so slow that the deadline is over when it ends.
                late.store(true, Ordering::SeqCst);
                match request.as_str() {
                    "GET /pd/api/v1/members" => connection.answer("200 OK", "{}").await,
                    _ => connection.answer_check().await,
                }
            }
        }
    })
    .await;
    let permit = Permit {
        late,
        ..Permit::of(&pd)
    };
    let guarded = client(&pd).with_send_permit(Arc::new(permit));
    let error = write(&guarded).await.unwrap_err();
    assert!(matches!(error, Error::NotPermitted { .. }), "{error:?}");
    assert_eq!(error.class(), ErrorClass::NotSent);
    assert!(
        error.report().contains("it is too late"),
        "{}",
        error.report()
    );
    assert_eq!(
        pd.take_events(),
        [
            "GET /pd/api/v1/members",
            "GET /pd/api/v1/cluster",
            "acquired",
            "checked",
            "released"
        ]
    );
}

#[tokio::test]
async fn the_permit_is_held_until_the_request_is_the_kernels_and_no_longer() {
    const LARGE: usize = 64 * 1024 * 1024;
    let (arrived, read_on, read, answer) =
        <(Arc<Notify>, Arc<Notify>, Arc<Notify>, Arc<Notify>)>::default();
    let told = [&arrived, &read_on, &read, &answer].map(Arc::clone);
    let pd = RawPd::start(move |mut connection| {
        let [arrived, read_on, read, answer] = told.clone();
        async move {
            loop {
                match connection.next_request().await.as_deref() {
                    Some("GET /pd/api/v1/cluster") => break,
                    Some(_) => connection.answer("200 OK", "{}").await,
                    None => return,
                }
            }
            connection.answer_check().await;
            connection.stream.readable().await.unwrap();
            arrived.notify_one();
            read_on.notified().await;
            let (mut total, mut chunk) = (0, vec![0; 1 << 20]);
            while total < LARGE {
                total += connection.stream.read(&mut chunk).await.unwrap();
            }
            read.notify_one();
            answer.notified().await;
            connection.answer("200 OK", "\"done\"").await;
        }
    })
    .await;
    let permit = Permit::of(&pd);
    let guarded = client(&pd).with_send_permit(Arc::new(permit.clone()));
    let large = ConfigValue::Text("x".repeat(LARGE));
    let writing = tokio::spawn(async move { guarded.set_config("log.level", large).await });

    // More than the kernel takes has begun to arrive.
    arrived.notified().await;
    assert_eq!(pd.take_events().last().unwrap(), "checked");
    read_on.notify_one();
    read.notified().await;
    // All of it has, and there is no answer yet.
    permit.released.notified().await;
    assert!(!writing.is_finished());
    answer.notify_one();
    assert_eq!(writing.await.unwrap().unwrap().message, "done");
}

#[tokio::test]
async fn another_cluster_at_the_same_address_gets_nothing() {
    let pd = RawPd::willing().await;
    let first = client(&pd);
    write(&first).await.unwrap();
    pd.take_events();
    pd.become_cluster(8);
    let error = write(&first).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::NotSent);
    assert!(matches!(error, Error::WrongCluster { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!(
            "nothing was sent: PD at `{}` is of cluster 8, not of 7",
            pd.url()
        )
    );
    assert!(!pd.take_events().contains(&POST.to_owned()));
    // Whoever knows of no cluster takes the one there is.
    write(&client(&pd)).await.unwrap();
    let pinned = client(&pd).with_cluster_id(ClusterId::new(7).unwrap());
    let error = write(&pinned).await.unwrap_err();
    assert!(matches!(error, Error::WrongCluster { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_swapped_after_the_leader_was_found_gets_nothing() {
    let swapped = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&swapped);
    let pd = RawPd::start(move |mut connection| {
        let count = Arc::clone(&count);
        async move {
            while let Some(request) = connection.next_request().await {
                let members = "{\"header\":{\"cluster_id\":7},\"members\":[]}";
                match request.as_str() {
                    "GET /pd/api/v1/members" => connection.answer("200 OK", members).await,
                    "GET /pd/api/v1/cluster" => connection.answer("200 OK", "{\"id\":8}").await,
                    _ => _ = count.fetch_add(1, Ordering::SeqCst),
                }
            }
        }
    })
    .await;
    let error = write(&client(&pd)).await.unwrap_err();
    assert!(
        error.to_string().contains("of cluster 8, not of 7"),
        "{error}"
    );
    assert_eq!(swapped.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_endpoint_of_another_cluster_does_not_stand_in() {
    let (mine, other) = (RawPd::willing().await, RawPd::willing().await);
    other.become_cluster(8);
    let endpoints = [refusing().await, other.url()];
    let pd = quick().endpoint_list(endpoints).build().unwrap();
    let pd = pd.with_cluster_id(ClusterId::new(7).unwrap());
    let error = write(&pd).await.unwrap_err();
    assert!(
        error.to_string().contains("of cluster 8, not of 7"),
        "{error}"
    );
    // The one that is of this cluster does.
    let pd = quick()
        .endpoint_list([other.url(), mine.url()])
        .build()
        .unwrap();
    let pd = pd.with_cluster_id(ClusterId::new(7).unwrap());
    assert_eq!(write(&pd).await.unwrap().endpoint, mine.url());
    assert!(!other.take_events().contains(&POST.to_owned()));
}

#[tokio::test]
async fn a_connection_that_closes_while_the_permit_is_waited_for_carried_nothing() {
    struct AfterClose(Arc<Notify>);

    #[async_trait]
    impl SendPermit for AfterClose {
        async fn acquire(&self) -> Result<Box<dyn HeldPermit>, PermitRefused> {
            self.0.notified().await;
            Ok(Box::new(Held(Permit::default())))
        }
    }

    let closed = Arc::new(Notify::new());
    let closing = Arc::clone(&closed);
    let pd = RawPd::start(move |mut connection| {
        let closed = Arc::clone(&closing);
        async move {
            while let Some(request) = connection.next_request().await {
                if request == "GET /pd/api/v1/members" {
                    connection.answer("200 OK", "{}").await;
                    continue;
                }
                connection.answer_check().await;
                drop(connection);
                closed.notify_one();
                return;
            }
        }
    })
    .await;
    let guarded = client(&pd).with_send_permit(Arc::new(AfterClose(closed)));
    let error = write(&guarded).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::NotSent, "{}", error.report());
}

#[tokio::test]
async fn a_write_that_is_dropped_while_it_waits_for_its_permit_is_never_sent() {
    struct Never(Arc<Notify>);

    #[async_trait]
    impl SendPermit for Never {
        async fn acquire(&self) -> Result<Box<dyn HeldPermit>, PermitRefused> {
            self.0.notify_one();
            std::future::pending().await
        }
    }

    let ended = Arc::new(Notify::new());
    let ending = Arc::clone(&ended);
    let pd = RawPd::start(move |mut connection| {
        let ended = Arc::clone(&ending);
        async move {
            let mut checked = false;
            while let Some(request) = connection.next_request().await {
                checked |= request == "GET /pd/api/v1/cluster";
                connection.answer_check().await;
            }
            if checked {
                ended.notify_one();
            }
        }
    })
    .await;
    let asked = Arc::new(Notify::new());
    let guarded = client(&pd).with_send_permit(Arc::new(Never(Arc::clone(&asked))));
    let writing = tokio::spawn(async move { write(&guarded).await });
    asked.notified().await;
    writing.abort();
    ended.notified().await;
    assert!(!pd.take_events().contains(&POST.to_owned()));
}

#[tokio::test]
async fn an_answer_of_250_mb_to_a_write_is_not_taken() {
    const HUGE: usize = 250_000_000;
    for head in [
        format!("HTTP/1.1 200 OK\r\nContent-Length: {HUGE}\r\n\r\n"),
        "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
        "HTTP/1.1 400 Bad Request\r\n\r\n".to_owned(),
    ] {
        let sent = Arc::new(AtomicUsize::new(0));
        let counting = Arc::clone(&sent);
        let (ended, refused) = (Arc::new(Notify::new()), head.contains(" 400 "));
        let ending = Arc::clone(&ended);
        let pd = RawPd::start(move |mut connection| {
            let (head, sent, ended) = (head.clone(), Arc::clone(&counting), Arc::clone(&ending));
            async move {
                if connection.next_write().await.is_none() {
                    return;
                }
                connection.stream.write_all(head.as_bytes()).await.unwrap();
                let chunk = vec![b'x'; 100_000];
                while sent.load(Ordering::SeqCst) < HUGE
                    && connection.stream.write_all(&chunk).await.is_ok()
                {
                    sent.fetch_add(chunk.len(), Ordering::SeqCst);
                }
                ended.notify_one();
            }
        })
        .await;
        let error = write(&client(&pd)).await.unwrap_err();
        ended.notified().await;
        // No more than what fits into the buffers of two sockets.
        assert!(sent.load(Ordering::SeqCst) < HUGE / 4, "{sent:?}");
        if refused {
            assert_eq!(error.class(), ErrorClass::Unanswered);
            assert_eq!(error.answer().unwrap().body.len(), 16 * 1024);
        } else {
            assert!(
                matches!(error, Error::TooLarge { limit: 65_536, .. }),
                "{error:?}"
            );
            assert_eq!(error.class(), ErrorClass::Unreadable);
        }
    }
}

#[tokio::test]
async fn a_transport_that_opens_no_connections_only_reads() {
    #[derive(Clone, Default)]
    struct OnlyReads(Arc<Mutex<Vec<String>>>);

    #[async_trait]
    impl HttpTransport for OnlyReads {
        async fn call(&self, request: Request<Bytes>) -> Result<Response<Body>, TransportError> {
            self.0.lock().unwrap().push(request.uri().to_string());
            Ok(Response::new(Body::from("{\"id\":7}")))
        }
    }

    let transport = OnlyReads::default();
    let pd = Client::builder()
        .endpoints("pd:2379")
        .transport(transport.clone());
    let pd = pd.build().unwrap();
    let error = write(&pd).await.unwrap_err();
    assert!(
        matches!(error, Error::Input(InputError::ReadOnlyTransport)),
        "{error:?}"
    );
    assert!(transport.0.lock().unwrap().is_empty());
    assert_eq!(pd.cluster().await.unwrap().id.get(), 7);
}
