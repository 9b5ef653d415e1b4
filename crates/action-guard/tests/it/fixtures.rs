//! What the tests are about: proposals that are made by hand, and journals to write them to.

use action_core::{Attempt, Outcome, Plan};
use action_guard::{Actor, CommitError, Intent, Journal, Mode, Record, Refusal, Ruling};
use jiff::{SignedDuration, Timestamp};

pub(crate) use action_guard::testing::fixtures::{applied, plan, proposal};

pub(crate) fn actor(id: &str) -> Actor {
    id.parse().unwrap()
}

pub(crate) fn allow() -> Ruling {
    Ruling::Allow {
        rule: "a test".to_owned(),
    }
}

pub(crate) fn proposed(id: &str, dial: &str, ruling: Ruling) -> Record {
    Record::Proposed {
        proposal: Box::new(proposal(id, dial)),
        ruling,
    }
}

pub(crate) fn intent(id: &str) -> Record {
    intent_of(id, plan())
}

pub(crate) fn intent_of(id: &str, plan: Plan) -> Record {
    let soon = Timestamp::now() + SignedDuration::from_mins(10);
    let intent = Intent::new(plan, Attempt::new(id, 1, None), soon);
    Record::Intent {
        id: id.to_owned(),
        intent: Box::new(intent),
    }
}

pub(crate) fn unknown(id: &str) -> Record {
    Record::Outcome {
        id: id.to_owned(),
        outcome: Outcome::unknown("deadline", "not seen", "look again", Vec::new()),
        undo: None,
    }
}

pub(crate) fn mode(mode: Mode) -> Record {
    Record::Mode {
        target: None,
        mode,
        by: actor("user:ana"),
        reason: "a test".to_owned(),
        proof: None,
    }
}

/// Writes these records in one transaction.
pub(crate) async fn write(
    journal: &dyn Journal,
    records: impl IntoIterator<Item = Record>,
) -> Result<(), CommitError> {
    let records = records.into_iter().collect();
    let written = journal.commit(Box::new(move |_, _| Ok(records)));
    written.await.map(|_| ())
}

/// Why these records are not written.
#[track_caller]
pub(crate) fn refusal(written: Result<(), CommitError>) -> Refusal {
    let error = written.unwrap_err();
    let CommitError::Refused(refusal) = error else {
        unreachable!("not refused: {error}");
    };
    refusal
}
