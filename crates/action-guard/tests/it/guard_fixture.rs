//! A guard over dials, ready to send.

use std::sync::Arc;

use action_guard::{Actor, FileJournal, Guard, Journal, Mode, Proposal, Report, Request, Rules};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixtures::{actor, mode, write};
use crate::test_subject::{Server, registry};

/// A server of dials and a state directory in which things may be sent.
pub(crate) struct Workbench {
    pub(crate) server: Server,
    pub(crate) directory: TempDir,
}

impl Workbench {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let journal = FileJournal::open(directory.path()).unwrap();
        write(&journal, [mode(Mode::Execute)]).await.unwrap();
        let server = Server::start();
        Self { server, directory }
    }

    /// A guard as another process would have it.
    pub(crate) fn guard(&self) -> Guard {
        let journal = FileJournal::open(self.directory.path()).unwrap();
        Guard::new(registry(self.server.address), journal)
    }

    pub(crate) fn guard_under(&self, rules: impl Rules) -> Guard {
        self.guard().rules(Arc::new(rules))
    }

    /// How many of the records are of this kind.
    pub(crate) async fn records(&self, kind: &str) -> usize {
        let journal = FileJournal::open(self.directory.path()).unwrap();
        journal.verify().await.unwrap();
        let entries = journal.entries(0, usize::MAX).await.unwrap();
        let records = entries
            .iter()
            .map(|entry| serde_json::to_value(&entry.record).unwrap());
        records.filter(|record| record["kind"] == kind).count()
    }
}

pub(crate) fn turn(dial: &str, value: u64) -> Request {
    Request::new(
        "turn_dial",
        json!({"dial": dial, "value": value}),
        "agent:night",
    )
}

pub(crate) fn hold(dial: &str) -> Request {
    Request::new("hold_dial", json!({"dial": dial}), "agent:night")
}

pub(crate) fn ana() -> Actor {
    actor("user:ana")
}

pub(crate) async fn proposed(guard: &Guard, request: Request) -> Proposal {
    guard.propose(request).await.unwrap()
}

pub(crate) async fn done(guard: &Guard, request: Request) -> Report {
    let proposal = proposed(guard, request).await;
    guard.execute(&proposal, &mut |_| {}).await.unwrap()
}

pub(crate) fn summary(report: &Report) -> (Value, Option<&str>) {
    (json!(report.outcome.result), report.outcome.code.as_deref())
}
