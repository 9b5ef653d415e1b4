//! The permit to send a write: taken last, checked at the first byte, held to the last. Seen from a
//! raw server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use pd_client::config::ConfigValue;
use pd_client::{Error, ErrorClass, HeldPermit, PermitRefused, SendPermit};
use tokio::io::AsyncReadExt;
use tokio::sync::Notify;

use crate::fault_server::FaultServer;
use crate::quick;
use crate::raw_pd::{Events, RawPd, WRITE, write};

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
    let guarded = pd.client().with_send_permit(Arc::new(permit));
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
            WRITE
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
    assert!(!events.contains(&WRITE.to_owned()), "{events:?}");
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
    let guarded = pd.client().with_send_permit(Arc::new(permit));
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
    let guarded = pd.client().with_send_permit(Arc::new(permit.clone()));
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
    let guarded = pd.client().with_send_permit(Arc::new(AfterClose(closed)));
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
    let guarded = pd
        .client()
        .with_send_permit(Arc::new(Never(Arc::clone(&asked))));
    let writing = tokio::spawn(async move { write(&guarded).await });
    asked.notified().await;
    writing.abort();
    ended.notified().await;
    assert!(!pd.take_events().contains(&WRITE.to_owned()));
}
