//! What is traced of requests, and what is not.

use std::cell::RefCell;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};

use pd_client::ErrorClass;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::fault_server::{Fault, FaultServer, answer, ok, refusing};
use crate::{quick, region, store};

thread_local! {
    /// What was traced on this thread, which is one test's.
    static HEARD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Writes down every field of every span and event. It listens to the whole process: one that
/// listened to a thread alone would miss what other threads have registered before.
struct Listener(AtomicU64);

struct Fields;

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        hear(format!("{}={value:?}", field.name()));
    }
}

fn hear(line: String) {
    HEARD.with_borrow_mut(|heard| heard.push(line));
}

/// All that was heard since the last time.
fn heard() -> Vec<String> {
    HEARD.take()
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("pd_client")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        hear(format!("span={}", span.metadata().name()));
        span.record(&mut Fields);
        Id::from_u64(1 + self.0.fetch_add(1, Ordering::SeqCst))
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Fields);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Fields);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn requests_are_traced_without_keys_and_bodies() {
    tracing::subscriber::set_global_default(Listener(AtomicU64::new(0))).unwrap();
    let server = FaultServer::start(Fault::Answer(ok("{\"count\":0,\"regions\":[]}"))).await;
    let pd = quick().endpoints(&server.url()).build().unwrap();
    pd.region_by_key("7345637265740000").await.unwrap();
    let traced = heard();
    for expected in [
        "span=pd_request".to_owned(),
        "http.request.method=\"GET\"".to_owned(),
        "url.path=\"/regions/key\"".to_owned(),
        format!("server.address={:?}", server.url()),
        "http.response.status_code=200".to_owned(),
        "message=PD answered".to_owned(),
    ] {
        assert!(traced.contains(&expected), "{expected}: {traced:?}");
    }
    silent_about(&traced);

    // What goes wrong is said without the request.
    let silent = FaultServer::start(Fault::CloseAfterRead).await;
    let wrong = FaultServer::start(Fault::Answer(answer("500 E", "", "\"no\"\n"))).await;
    for (url, class) in [
        (refusing().await, "NotSent"),
        (silent.url(), "Unanswered"),
        (wrong.url(), "Refused"),
    ] {
        let pd = quick().endpoints(&url).build().unwrap();
        let error = pd.region_by_key("7345637265740000").await.unwrap_err();
        assert_ne!(error.class(), ErrorClass::Input);
        let _ = pd.set_store_labels(store(1), &[("sEcret", "sEcret")]).await;
        let _ = pd.add_transfer_leader_operator(region(1), store(1)).await;
        let traced = heard();
        assert!(
            traced.contains(&format!("error.type={class}")),
            "{traced:?}"
        );
        silent_about(&traced);
    }
}

#[track_caller]
fn silent_about(traced: &[String]) {
    for line in traced {
        for secret in ["sEcret", "73456372", "key="] {
            assert!(!line.contains(secret), "{line}");
        }
    }
}
