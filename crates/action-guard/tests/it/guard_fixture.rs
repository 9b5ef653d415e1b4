//! A guard over dials, ready to send.

use std::sync::Arc;
use std::time::Duration;

use action_guard::{
    Actor, FileJournal, Guard, GuardError, Journal, Mode, Proposal, Report, Request, Rules,
    Standing, Waits,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixtures::{actor, mode, write};
use crate::test_subject::{Sends, Server, registry_that};

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
        self.guard_that(Sends::default())
    }

    /// The same; its subject sends in this way.
    pub(crate) fn guard_that(&self, sends: Sends) -> Guard {
        let journal = FileJournal::open(self.directory.path()).unwrap();
        Guard::new(registry_that(self.server.address, sends), journal).settle_for(Duration::ZERO)
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
    guard.propose(request).await.unwrap().asked()
}

/// What was proposed, whatever the rules and its plan say.
pub(crate) trait Asked {
    fn asked(self) -> Proposal;
}

impl Asked for Standing {
    #[track_caller]
    fn asked(self) -> Proposal {
        match self {
            Self::Allowed(proposal)
            | Self::Waits(Waits { proposal, .. })
            | Self::Denied { proposal, .. }
            | Self::RefusedByPlan { proposal, .. } => proposal,
            other => unreachable!("{other:?}"),
        }
    }
}

/// Carries it out as who asked for it.
pub(crate) async fn executed(guard: &Guard, proposal: &Proposal) -> Result<Standing, GuardError> {
    let by = proposal.requester().unwrap();
    guard.execute(proposal, &by, &mut |_| {}).await
}

/// The same, for a test in which all but a report is a failure.
pub(crate) async fn execute(guard: &Guard, proposal: &Proposal) -> Result<Report, GuardError> {
    executed(guard, proposal).await?.into_report()
}

pub(crate) async fn done(guard: &Guard, request: Request) -> Report {
    let proposal = proposed(guard, request).await;
    execute(guard, &proposal).await.unwrap()
}

pub(crate) fn summary(report: &Report) -> (Value, Option<&str>) {
    (json!(report.outcome.result), report.outcome.code.as_deref())
}
