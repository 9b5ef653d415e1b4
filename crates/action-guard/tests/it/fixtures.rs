//! What the tests are about: proposals that are made by hand, and journals to write them to.

use action_core::{Attempt, Outcome, Plan};
use action_guard::{
    Actor, CommitError, Intent, Journal, Mode, PrivateKey, Proof, Record, Refusal, Ruling,
};
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

/// Made by OpenSSL for these tests.
pub(crate) const ANA: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIC0CAbHEJl/1FE1Lvm0yFQad8H/fFESaXyBiRESmmgCS
-----END PRIVATE KEY-----";
pub(crate) const ANA_PUBLIC: &str = "MCowBQYDK2VwAyEADo5FzWavbQye2JRRDZmrR8I/wyzCUMUJRJJ5jT9QUlo=";

/// The beginning of a policy that lists Ana's key.
pub(crate) fn lists_ana() -> String {
    format!("version = 1\n[[person]]\nname = \"user:ana\"\nkey = \"{ANA_PUBLIC}\"\n")
}

/// Ana sets the mode; the first of a journal is signed by her.
pub(crate) fn mode(mode: Mode) -> Record {
    let (by, key) = (actor("user:ana"), PrivateKey::parse_pem(ANA).unwrap());
    let proof = Proof::of_mode(mode, None, &by, 0, Timestamp::now(), &key);
    Record::Mode {
        target: None,
        mode,
        by,
        reason: "a test".to_owned(),
        proof: Some(proof),
        attested: None,
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
