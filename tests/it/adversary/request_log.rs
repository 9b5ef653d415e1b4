//! What the proxies have seen: each write, whether its intent was on disk, and what PD made of it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use hyper::http::request::Parts;
use pd_sim::Sim;
use serde_json::Value;
use tokio::sync::watch;

use crate::adversary::proxy::Trouble;

/// One write, as a proxy saw it.
#[derive(Clone)]
pub(super) struct Seen {
    /// Whose intent it says it is.
    pub(super) caller: String,
    pub(super) request: String,
    /// Whether the intent was in the journal when it came.
    pub(super) was_intended: bool,
    /// Whether it came after sends had been stopped.
    pub(super) after_stop: bool,
    /// Whether it came while the policy allowed nothing.
    pub(super) while_denied: bool,
    pub(super) trouble: Trouble,
    /// How PD's region looked when it came: so many states of it were over.
    pub(super) states_before: usize,
    pub(super) region: Option<u64>,
    /// Whether another cluster got it.
    pub(super) is_elsewhere: bool,
    /// When PD accepted it, by order; `None` when it did not, or never got it.
    pub(super) accepted: Option<usize>,
}

impl Seen {
    /// For whoever looks at a failure.
    pub(super) fn told(&self) -> String {
        let accepted = match self.accepted {
            Some(place) => format!("accepted as number {place}"),
            None => "not accepted".to_owned(),
        };
        format!(
            "{}: {}, {:?}, {accepted}",
            self.caller, self.request, self.trouble
        )
    }
}

/// How far the requests of a run have got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) requests: usize,
    pub(super) handed_on: usize,
    pub(super) accepted: usize,
}

/// What has been seen in one run.
pub(super) struct RequestLog {
    sim: Arc<Sim>,
    journal: PathBuf,
    seen: Mutex<Vec<Seen>>,
    count: watch::Sender<Count>,
    stopped: AtomicBool,
    denied: AtomicBool,
    /// Requests that are with a proxy.
    kept: watch::Sender<usize>,
    /// Whether all is over, so that what was held till then is handed on.
    released: watch::Sender<bool>,
}

impl RequestLog {
    pub(super) fn new(sim: &Arc<Sim>, directory: &Path) -> Arc<Self> {
        Arc::new(Self {
            sim: Arc::clone(sim),
            journal: directory.join("journal"),
            seen: Mutex::default(),
            count: watch::Sender::new(Count::default()),
            stopped: AtomicBool::new(false),
            denied: AtomicBool::new(false),
            kept: watch::Sender::new(0),
            released: watch::Sender::new(false),
        })
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn count(&self) -> watch::Receiver<Count> {
        self.count.subscribe()
    }

    /// From now on, what comes was sent after a stop.
    pub(super) fn stop(&self, is_stopped: bool) {
        self.stopped.store(is_stopped, Ordering::SeqCst);
    }

    /// While it is so, what comes was sent although the policy allowed nothing.
    pub(super) fn deny(&self, is_denied: bool) {
        self.denied.store(is_denied, Ordering::SeqCst);
    }

    /// Lets it have seen something else, for whoever tests the judge.
    pub(super) fn replace(&self, seen: Vec<Seen>) {
        *self.seen.lock().unwrap() = seen;
    }

    /// Waits until the proxies have handed on, or dropped, whatever they had.
    pub(super) async fn idle(&self) {
        let _ = self.kept.subscribe().wait_for(|kept| *kept == 0).await;
    }

    /// All is over: what is held till then is handed on.
    pub(super) fn release(&self) {
        self.released.send_replace(true);
    }

    pub(super) async fn released(&self) {
        let _ = self.released.subscribe().wait_for(|is_over| *is_over).await;
    }

    /// Waits until so many requests more have come.
    pub(super) async fn more_requests(&self, more: usize) {
        let mut count = self.count();
        let begun = count.borrow().requests;
        let _ = count.wait_for(|count| count.requests >= begun + more).await;
    }

    pub(super) fn keep(self: &Arc<Self>) -> Kept {
        self.kept.send_modify(|kept| *kept += 1);
        Kept(Arc::clone(self))
    }

    pub(super) fn request(&self) {
        self.count.send_modify(|count| count.requests += 1);
    }

    pub(super) fn write(&self, head: &Parts, body: &Bytes, trouble: Trouble) -> usize {
        let caller = head.headers.get("x-caller-id");
        let caller = caller.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let caller = caller.unwrap_or_default();
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        // Of a merge, the region that stays.
        let region = ["target_region_id", "region_id"]
            .into_iter()
            .find_map(|name| body[name].as_u64());
        let seen = Seen {
            was_intended: self.is_intended(&caller),
            after_stop: self.stopped.load(Ordering::SeqCst),
            while_denied: self.denied.load(Ordering::SeqCst),
            request: format!("{} {} {body}", head.method, head.uri.path()),
            states_before: region.map_or(0, |region| self.sim.history(region).len()),
            caller,
            trouble,
            region,
            is_elsewhere: false,
            accepted: None,
        };
        let mut all = self.seen.lock().unwrap();
        all.push(seen);
        all.len() - 1
    }

    /// Whether the journal has the intent: by its bytes, as somebody reads it who does not trust it.
    fn is_intended(&self, caller: &str) -> bool {
        let Ok(segments) = std::fs::read_dir(&self.journal) else {
            return false;
        };
        let texts = segments.filter_map(|one| std::fs::read_to_string(one.ok()?.path()).ok());
        let is_of = |line: &str| line.contains("\"kind\":\"intent\"") && line.contains(caller);
        !caller.is_empty() && texts.into_iter().any(|text| text.lines().any(is_of))
    }

    pub(super) fn handed_on(&self) {
        self.count.send_modify(|count| count.handed_on += 1);
    }

    pub(super) fn elsewhere(&self, write: usize) {
        self.seen.lock().unwrap()[write].is_elsewhere = true;
    }

    pub(super) fn answered(&self, write: usize, status: u16) {
        if status / 100 != 2 {
            return;
        }
        self.count.send_modify(|count| {
            count.accepted += 1;
            self.seen.lock().unwrap()[write].accepted = Some(count.accepted);
        });
    }
}

/// That a proxy has a request, until this is dropped.
pub(super) struct Kept(Arc<RequestLog>);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.kept.send_modify(|kept| *kept -= 1);
    }
}
