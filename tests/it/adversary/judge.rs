//! Holds what the journal says against what PD's history shows.

use action_core::{Attribution, Outcome, OutcomeKind};
use action_guard::{Answer, Journal as _, Proposal, Record};
use jiff::Timestamp;

use crate::adversary::asked::{Asked, What};
use crate::adversary::fixture::Fixture;
use crate::adversary::request_log::Seen;
use crate::adversary::tally::{Broken, Tally};

/// What the journal says of one sending.
struct Sending {
    proposal: Proposal,
    /// The answer, if one was read that says what became of it.
    is_answered: bool,
    outcome: Option<Outcome>,
    /// Whether a record says that it was taken over or its effect given up.
    is_released: bool,
}

/// Looks at everything in the end. `asked` is all that was asked for, in any order.
pub(super) async fn judge(fixture: &Fixture, asked: &[Asked], others_set: bool, tally: &mut Tally) {
    let sendings = sendings(fixture).await;
    let seen = fixture.log.seen();
    tally.sends += seen.len();
    if let Err(error) = fixture.journal().verify().await {
        tally.broke(Broken::Rule, format!("the journal: {error}"));
    }
    for write in &seen {
        let is_known = sendings.iter().any(|one| one.proposal.id == write.caller);
        if !write.was_intended || !is_known {
            tally.broke(Broken::Unintended, write.told());
        }
        if write.while_denied {
            let told = format!("while the policy allowed nothing: {}", write.told());
            tally.broke(Broken::Rule, told);
        }
        // What was planned there, because that is what answered from the beginning, may go there.
        let here = fixture.sim.cluster_id().to_string();
        let was_for_here =
            |one: &Sending| one.proposal.id == write.caller && one.proposal.system == here;
        if write.is_elsewhere && sendings.iter().any(was_for_here) {
            let told = format!("to another cluster: {}", write.told());
            tally.broke(Broken::Rule, told);
        }
        let undoes = sendings
            .iter()
            .find(|one| one.proposal.id == write.caller)
            .is_some_and(|one| one.proposal.undoes.is_some());
        if write.after_stop && !undoes {
            tally.broke(Broken::AfterStop, write.told());
        }
    }
    for sending in &sendings {
        let id = &sending.proposal.id;
        let writes: Vec<&Seen> = seen.iter().filter(|write| write.caller == *id).collect();
        if writes.len() > 1 {
            tally.broke(Broken::Double, told(&seen));
        }
        let write = writes.first().copied();
        let judged = Judged {
            fixture,
            seen: &seen,
            sendings: &sendings,
            sending,
            asked: asked
                .iter()
                .filter(|_| sending.proposal.system == fixture.sim.cluster_id().to_string())
                .find(|one| is_of(one, &sending.proposal)),
            write,
            others_set,
        };
        match sending.outcome.as_ref().map(|outcome| outcome.result) {
            Some(OutcomeKind::Applied) => tally.applied += 1,
            Some(OutcomeKind::NotApplied) => tally.not_applied += 1,
            _ => tally.unknown += 1,
        }
        if let Some(why) = judged.misreported() {
            let outcome = &sending.outcome;
            tally.broke(
                Broken::Misreported,
                format!("{why}: {outcome:?}\n{}", judged.told()),
            );
        }
        if judged.is_unlisted().await {
            tally.broke(Broken::Unlisted, judged.told());
        }
    }
}

fn told(seen: &[Seen]) -> String {
    seen.iter().map(Seen::told).collect::<Vec<_>>().join("\n")
}

/// Nothing of a workflow is sent again by itself when the first was not answered: that may still
/// arrive.
pub(super) async fn nothing_sent_again_without_answer(fixture: &Fixture, tally: &mut Tally) {
    let (sendings, seen) = (sendings(fixture).await, fixture.log.seen());
    let is_sent = |one: &Sending| seen.iter().any(|write| write.caller == one.proposal.id);
    for (place, first) in sendings.iter().enumerate() {
        let (one, again) = (&first.proposal, &sendings[place + 1..]);
        let again = again.iter().find(|later| {
            let other = &later.proposal;
            (
                &other.request.action,
                &other.request.parameters,
                &other.undoes,
            ) == (&one.request.action, &one.request.parameters, &one.undoes)
        });
        if let Some(again) = again
            && !first.is_answered
            && is_sent(first)
            && is_sent(again)
        {
            let told = format!("{} after {}: {}", again.proposal.id, one.id, told(&seen));
            tally.broke(Broken::Double, told);
        }
    }
}

fn is_of(asked: &Asked, proposal: &Proposal) -> bool {
    let parameters = &proposal.request.parameters;
    let given = asked.parameters.as_object().unwrap();
    let is_same = |(name, value): (&String, &serde_json::Value)| {
        let found = &parameters[name];
        found == value || found.to_string().trim_matches('"') == value.to_string().trim_matches('"')
    };
    proposal.undoes.is_none() && proposal.request.action == asked.name && given.iter().all(is_same)
}

async fn sendings(fixture: &Fixture) -> Vec<Sending> {
    let (mut proposals, mut sendings) = (Vec::new(), Vec::<Sending>::new());
    for entry in fixture.entries().await {
        let find = |sendings: &mut Vec<Sending>, id: &str| {
            sendings.iter().position(|one| one.proposal.id == id)
        };
        match entry.record {
            Record::Proposed { proposal, .. } => proposals.push(*proposal),
            Record::Intent { id, .. } => {
                let proposal = proposals.iter().find(|one| one.id == id).cloned();
                sendings.push(Sending {
                    proposal: proposal.unwrap(),
                    is_answered: false,
                    outcome: None,
                    is_released: false,
                });
            }
            Record::Answer { id, answer } => {
                if let Some(place) = find(&mut sendings, &id) {
                    sendings[place].is_answered = !matches!(answer, Answer::Unclear { .. });
                }
            }
            Record::Outcome { id, outcome, .. } => {
                if let Some(place) = find(&mut sendings, &id) {
                    sendings[place].outcome = Some(outcome);
                }
            }
            Record::Released { id, .. } => {
                if let Some(place) = find(&mut sendings, &id) {
                    sendings[place].is_released = true;
                }
            }
            _ => {}
        }
    }
    sendings
}

struct Judged<'a> {
    fixture: &'a Fixture,
    seen: &'a [Seen],
    sendings: &'a [Sending],
    sending: &'a Sending,
    asked: Option<&'a Asked>,
    write: Option<&'a Seen>,
    /// Whether others changed the same setting.
    others_set: bool,
}

impl Judged<'_> {
    /// When PD accepted it, by order.
    fn accepted(&self) -> Option<usize> {
        self.write.and_then(|write| write.accepted)
    }

    /// When PD accepted what takes it back, the last time.
    fn undone(&self) -> Option<usize> {
        let id = &self.sending.proposal.id;
        let undoes = |one: &&Sending| one.proposal.undoes.as_ref() == Some(id);
        let undos = self.sendings.iter().filter(undoes);
        let accepted = undos.flat_map(|undo| {
            let of_undo = |write: &&Seen| write.caller == undo.proposal.id;
            self.seen
                .iter()
                .filter(of_undo)
                .filter_map(|one| one.accepted)
        });
        accepted.max()
    }

    /// Whether its region was as asked for, from when it came until the next of ours came there; at
    /// any time where nothing of it came, so that whatever is so is another's doing.
    fn was_so(&self, asked: &Asked) -> bool {
        let What::Region { id, .. } = asked.what else {
            return false;
        };
        let mut states = self.fixture.sim.history(id);
        let mut from = 0;
        if let Some(write) = self.write {
            let next = self.seen.iter().filter(|other| {
                other.region == write.region
                    && other.states_before > write.states_before
                    && other.caller != write.caller
            });
            if let Some(next) = next.map(|other| other.states_before).min() {
                states.truncate(next);
            }
            from = write.states_before.saturating_sub(1);
        }
        let Some(before) = states.get(from).cloned() else {
            return false;
        };
        asked.was_so(&before, &states[from..])
    }

    fn misreported(&self) -> Option<&'static str> {
        let outcome = self.sending.outcome.as_ref()?;
        // What is not for here was accepted there, if at all.
        let accepted =
            self.accepted().is_some() || self.write.is_some_and(|write| write.is_elsewhere);
        let code = outcome.code.as_deref().unwrap_or_default();
        match (outcome.result, self.asked) {
            (OutcomeKind::Applied, _) if !accepted && outcome.by == Some(Attribution::Ours) => {
                Some("applied by us, and PD accepted nothing")
            }
            (OutcomeKind::Applied, Some(asked)) => {
                let happened = match asked.what {
                    What::Region { .. } => self.was_so(asked),
                    _ => accepted || self.happened_by_another(asked),
                };
                (!happened).then_some("applied, and it did not happen")
            }
            (OutcomeKind::NotApplied, Some(asked)) if accepted => {
                let happened = match asked.what {
                    What::Region { .. } => self.was_so(asked),
                    What::Setting { .. } => {
                        let overwritten = matches!(code, "changed_by_another" | "update_lost");
                        !(overwritten && (self.others_set || self.undone().is_some()))
                    }
                    _ => true,
                };
                let taken_back = self.undone().is_some() || code == "taken_back";
                (happened && !taken_back).then_some("not applied, and it happened")
            }
            _ => None,
        }
    }

    /// Whether another of our own sendings asked for the same and PD accepted that.
    fn happened_by_another(&self, asked: &Asked) -> bool {
        let same = self
            .sendings
            .iter()
            .filter(|one| is_of(asked, &one.proposal));
        let mut accepted = same.flat_map(|one| {
            let theirs = |write: &&Seen| write.caller == one.proposal.id;
            self.seen
                .iter()
                .filter(theirs)
                .filter_map(|one| one.accepted)
        });
        accepted.next().is_some()
    }

    /// Whether its effect is in force by us, and no list shows it.
    async fn is_unlisted(&self) -> bool {
        let Some(asked) = self.asked else {
            return false;
        };
        let (Some(accepted), false) = (self.accepted(), self.sending.is_released) else {
            return false;
        };
        if !asked.is_in_force(&self.fixture.sim)
            || self.undone().is_some_and(|undone| undone > accepted)
        {
            return false;
        }
        let listed = self.fixture.state().await.in_force(Timestamp::now());
        let key = self.sending.proposal.lasting_effect.as_ref();
        !listed.iter().any(|one| Some(&one.key) == key)
    }

    fn told(&self) -> String {
        let proposal = &self.sending.proposal;
        let ended = self.fixture.sim.ended_operators();
        let history = match self.asked.map(|asked| asked.what) {
            Some(What::Region { id, .. }) => self.fixture.sim.history(id),
            _ => Vec::new(),
        };
        format!(
            "{} {} {} undoes {:?}\nseen: {}\nended: {ended:#?}\nhistory: {history:?}",
            proposal.id,
            proposal.request.action,
            proposal.request.parameters,
            proposal.undoes,
            told(self.seen)
        )
    }
}
