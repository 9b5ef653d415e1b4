//! What the writers of all journals do alike: decisions that share one transaction.

use std::fmt;

use jiff::Timestamp;
use tokio::sync::oneshot::{Sender, channel};

use crate::identity::Actor;
use crate::journal::clock::ClockReading;
use crate::journal::error::{CommitError, JournalError};
use crate::journal::ledger::{Ledger, Sealed};
use crate::journal::{Decision, Reply};
use crate::records::Record;
use crate::state::State;

/// A decision, and who waits for it.
pub struct WaitingDecision {
    decision: Decision,
    reply: Sender<Reply>,
}

/// Decisions that share one transaction, made and not durable yet.
///
/// A writer takes all that wait, makes them in one transaction, and answers once it is known what
/// became of that: [`accept`](Self::accept) or [`refuse`](Self::refuse).
#[derive(Debug)]
pub struct Batch {
    made: Vec<Made>,
    refused: Replies,
}

#[derive(Debug)]
struct Made {
    sealed: Vec<Sealed>,
    /// `None` for what the journal itself notes.
    reply: Option<Sender<Reply>>,
}

/// Answers, to be sent when others can write again.
#[derive(Debug, Default)]
#[must_use]
pub struct Replies(Vec<(Sender<Reply>, Reply)>);

impl WaitingDecision {
    /// A decision that is to be made, and the answer to wait for.
    pub fn new(decision: Decision) -> (Self, impl Future<Output = Reply> + Send) {
        let (reply, answer) = channel();
        let answer = async { answer.await.unwrap_or(Err(JournalError::Stopped.into())) };
        (Self { decision, reply }, answer)
    }
}

impl fmt::Debug for WaitingDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitingDecision").finish_non_exhaustive()
    }
}

impl Batch {
    /// How many decisions share one transaction at most.
    pub const LARGEST: usize = 1_024;

    /// Makes all decisions, each on what those before it decided.
    ///
    /// `stopped` says why sends are stopped by other means than a record. Before anything else is
    /// written, that is. By a clock that leapt, only what needs none is written.
    pub fn decide(
        ledger: &mut Ledger,
        waiting: Vec<WaitingDecision>,
        stopped: Option<&str>,
        clock: ClockReading,
        instance: &str,
    ) -> Self {
        let now = ledger.time(clock.time());
        let mut batch = Self {
            made: Vec::with_capacity(waiting.len() + 1),
            refused: Replies::default(),
        };
        for WaitingDecision { decision, reply } in waiting {
            let decided = decision(ledger.state(), now);
            let timed = decided.and_then(|records| Ok((clock.time_for(&records)?, records)));
            let (now, records) = match timed {
                Ok(timed) => timed,
                Err(refusal) => {
                    batch.refused.push(reply, refusal);
                    continue;
                }
            };
            if let Some(killed) = stopped.and_then(|why| stop(why, ledger.state(), &records))
                && let Ok(sealed) = ledger.write(vec![killed], now, instance)
            {
                batch.made.push(Made {
                    sealed,
                    reply: None,
                });
            }
            batch.write(ledger, records, Some(reply), now, instance);
        }
        batch
    }

    /// What is to be written, in order.
    pub fn sealed(&self) -> impl Iterator<Item = &Sealed> {
        self.made.iter().flat_map(|made| &made.sealed)
    }

    /// The records that are to be written, in order.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.sealed().map(|sealed| &sealed.entry.record)
    }

    /// Whether a person confirms in it what the clock shows.
    #[must_use]
    pub fn confirms_clock(&self) -> bool {
        let confirms = |record: &Record| matches!(record, Record::ClockConfirmed { .. });
        self.records().any(confirms)
    }

    /// The same once more, on another end of the chain; what holds a record that is not kept is
    /// refused.
    pub(super) fn again(
        self,
        ledger: &mut Ledger,
        is_kept: impl Fn(&Record, &State) -> bool,
        otherwise: &JournalError,
        now: Timestamp,
        instance: &str,
    ) -> Self {
        let mut batch = Self {
            made: Vec::with_capacity(self.made.len()),
            refused: self.refused,
        };
        for Made { sealed, reply } in self.made {
            let records = sealed.into_iter().map(|sealed| sealed.entry.record);
            let records: Vec<Record> = records.collect();
            if records.iter().all(|record| is_kept(record, ledger.state())) {
                batch.write(ledger, records, reply, now, instance);
            } else if let Some(reply) = reply {
                batch.refused.push(reply, otherwise.again());
            }
        }
        batch
    }

    fn write(
        &mut self,
        ledger: &mut Ledger,
        records: Vec<Record>,
        reply: Option<Sender<Reply>>,
        now: Timestamp,
        instance: &str,
    ) {
        match (ledger.write(records, now, instance), reply) {
            (Ok(sealed), reply) => self.made.push(Made { sealed, reply }),
            (Err(error), Some(reply)) => self.refused.push(reply, error),
            (Err(_), None) => {}
        }
    }

    /// It is durable.
    pub fn accept(self) -> Replies {
        let mut replies = self.refused;
        for Made { sealed, reply } in self.made {
            if let Some(reply) = reply {
                let entries = sealed.into_iter().map(|sealed| sealed.entry).collect();
                replies.0.push((reply, Ok(entries)));
            }
        }
        replies
    }

    /// It is not durable, or nobody knows.
    pub fn refuse(self, error: &JournalError) -> Replies {
        let mut replies = self.refused;
        for reply in self.made.into_iter().filter_map(|made| made.reply) {
            replies.push(reply, error.again());
        }
        replies
    }
}

impl Replies {
    /// None of these was even begun with.
    pub fn refuse(waiting: Vec<WaitingDecision>, error: &JournalError) -> Self {
        let mut replies = Self::default();
        for waiting in waiting {
            replies.push(waiting.reply, error.again());
        }
        replies
    }

    /// Tells those who still wait; who does not, finds it in the journal.
    pub fn send(self) {
        for (to, reply) in self.0 {
            let _ = to.send(reply);
        }
    }

    fn push(&mut self, to: Sender<Reply>, error: impl Into<CommitError>) {
        self.0.push((to, Err(error.into())));
    }
}

/// That sends are stopped, when that is to be noted before these records.
fn stop(why: &str, state: &State, records: &[Record]) -> Option<Record> {
    let is_stop = |record: &Record| matches!(record, Record::Killed { target: None, .. });
    if state.killed.is_some() || records.is_empty() || records.iter().any(is_stop) {
        return None;
    }
    Some(Record::Killed {
        target: None,
        by: Actor::system(),
        reason: why.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use crate::proposal::Mode;

    use super::*;

    #[track_caller]
    fn check(records: Vec<Record>, written: &[&str]) {
        let (waiting, _answer) = WaitingDecision::new(Box::new(move |_, _| Ok(records)));
        let mut ledger = Ledger::new();
        let now = ClockReading::believed(Timestamp::UNIX_EPOCH);
        let batch = Batch::decide(&mut ledger, vec![waiting], Some("a file"), now, "one");
        let found = batch.records().map(|record| match record {
            Record::Killed { by, .. } => by.to_string(),
            other => serde_json::to_value(other).unwrap()["kind"].to_string(),
        });
        assert_eq!(found.collect::<Vec<_>>(), written);
    }

    #[test]
    fn a_stop_by_other_means_is_noted_before_what_is_written() {
        let (by, reason) = (Actor::system(), "a test".to_owned());
        let mode = Record::Mode {
            target: None,
            mode: Mode::Observe,
            by,
            reason: reason.clone(),
            proof: None,
            attested: None,
        };
        check(vec![mode], &["system", "\"mode\""]);
        // Who says it themselves is named.
        let by = "user:ana".parse().unwrap();
        check(
            vec![Record::Killed {
                target: None,
                by,
                reason,
            }],
            &["user:ana"],
        );
        check(Vec::new(), &[]);
    }
}
