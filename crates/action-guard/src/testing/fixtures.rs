//! What the tests are about: proposals to turn a dial, which is a resource of its own.

use action_core::{Attempt, Attribution, BoxError, Outcome, Plan, Undo, Verdict};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::identity::Actor;
use crate::journal::{CommitError, Journal};
use crate::proposal::{Approval, Intent, Mode, Proposal, Refusal, Request, Ruling};
use crate::records::{Entry, Record};

/// A proposal to turn a dial.
#[must_use]
pub fn proposal(id: &str, dial: &str) -> Proposal {
    let in_an_hour = Timestamp::now() + SignedDuration::from_hours(1);
    let parameters = json!({"dial": dial, "value": 3});
    let request = Request::new("turn", parameters, "agent:night");
    let undo = Undo::none("it is turned back by hand");
    let mut proposal = Proposal::new(id, request, "one", plan(), undo, in_an_hour);
    proposal.subject = "dials".to_owned();
    proposal.resources = vec![format!("dial/{dial}")];
    proposal
}

/// What it would do: turn a dial that shows 2.
#[must_use]
pub fn plan() -> Plan {
    Plan::new(Verdict::WouldProceed, Value::Null).same("value", 2)
}

/// A proposal that may be carried out.
#[must_use]
pub fn allowed(id: &str, dial: &str) -> Record {
    Record::Proposed {
        proposal: Box::new(proposal(id, dial)),
        ruling: Ruling::Allow {
            rule: "a test".to_owned(),
        },
    }
}

/// A proposal that one person must agree to.
#[must_use]
pub fn wanting_approval(proposal: &Proposal) -> Record {
    Record::Proposed {
        proposal: Box::new(proposal.clone()),
        ruling: Ruling::Approve {
            rule: "a test".to_owned(),
            by: Vec::new(),
            count: 1,
            ttl_ms: 600_000,
            signed: false,
            proven_by: Vec::new(),
        },
    }
}

/// Somebody's agreement to it.
///
/// # Errors
/// When this is nobody.
pub fn approved(proposal: &Proposal, by: &str) -> Result<Record, BoxError> {
    let soon = Timestamp::now() + SignedDuration::from_mins(10);
    Ok(Record::Approved {
        id: proposal.id.clone(),
        approval: Approval::new(by.parse()?, proposal.plan_hash.clone(), soon),
    })
}

/// It is about to be sent.
#[must_use]
pub fn intent(id: &str) -> Record {
    let soon = Timestamp::now() + SignedDuration::from_secs(10);
    let intent = Intent::new(plan(), Attempt::new(id, 1, None), soon);
    Record::Intent {
        id: id.to_owned(),
        intent: Box::new(intent),
    }
}

/// It happened.
#[must_use]
pub fn applied(id: &str) -> Record {
    Record::Outcome {
        id: id.to_owned(),
        outcome: Outcome::applied(Attribution::Ours, "turned", Vec::new()),
        undo: None,
    }
}

/// A person sets the mode.
///
/// # Errors
/// None.
pub fn mode(mode: Mode) -> Result<Record, BoxError> {
    Ok(Record::Mode {
        target: None,
        mode,
        by: ana()?,
        reason: "a test".to_owned(),
        proof: None,
        attested: None,
    })
}

/// A person.
///
/// # Errors
/// None.
pub fn ana() -> Result<Actor, BoxError> {
    Ok("user:ana".parse()?)
}

/// Writes these records in one transaction.
///
/// # Errors
/// What the journal says.
pub async fn write(
    journal: &dyn Journal,
    records: impl IntoIterator<Item = Record>,
) -> Result<Vec<Entry>, CommitError> {
    let records = records.into_iter().collect();
    journal.commit(Box::new(move |_, _| Ok(records))).await
}

/// Why these records were not written.
///
/// # Errors
/// When they were, or when it is not known.
pub fn refusal<T>(written: Result<T, CommitError>) -> Result<Refusal, BoxError> {
    match written {
        Err(CommitError::Refused(refusal)) => Ok(refusal),
        Err(other) => Err(other.into()),
        Ok(_) => Err("not refused".into()),
    }
}
