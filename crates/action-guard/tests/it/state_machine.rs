//! Any order of any records, from two instances: compared, step by step, with a model that knows
//! nothing but the rules.

use std::collections::{BTreeMap, BTreeSet};

use action_core::{Outcome, OutcomeKind};
use action_guard::{
    Answer, Approval, Journal, MemoryJournal, Mode, Phase, Proposal, ProposalStatus, Record, Ruling,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::fixtures::{actor, applied, intent, proposal, unknown, write};

const IDS: usize = 4;
const PEOPLE: [&str; 3] = ["user:ana", "user:ben", "agent:night"];

/// What somebody tries.
#[derive(Debug, Clone)]
enum Step {
    Propose {
        id: usize,
        needs: u32,
        expired: bool,
    },
    Approve {
        id: usize,
        by: usize,
        expired: bool,
        other_plan: bool,
    },
    Reject {
        id: usize,
    },
    Cancel {
        id: usize,
    },
    Begin {
        id: usize,
        instance: usize,
    },
    Answer {
        id: usize,
        instance: usize,
    },
    End {
        id: usize,
        instance: usize,
        result: usize,
    },
    Adopt {
        id: usize,
        from: usize,
        by: usize,
    },
    Resolve {
        id: usize,
        by: usize,
    },
    Mode {
        execute: bool,
        by: usize,
    },
    Kill,
    Reset {
        by: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let id = 0..IDS;
    let by = 0..PEOPLE.len();
    let instance = 0..2_usize;
    let rarely = prop::bool::weighted(0.1);
    prop_oneof![
        4 => (id.clone(), 0..3_u32, rarely).prop_map(|(id, needs, expired)| Step::Propose { id, needs, expired }),
        6 => (id.clone(), by.clone(), rarely, rarely).prop_map(|(id, by, expired, other_plan)| Step::Approve { id, by, expired, other_plan }),
        1 => id.clone().prop_map(|id| Step::Reject { id }),
        1 => id.clone().prop_map(|id| Step::Cancel { id }),
        6 => (id.clone(), instance.clone()).prop_map(|(id, instance)| Step::Begin { id, instance }),
        2 => (id.clone(), instance.clone()).prop_map(|(id, instance)| Step::Answer { id, instance }),
        4 => (id.clone(), instance.clone(), 0..3_usize).prop_map(|(id, instance, result)| Step::End { id, instance, result }),
        2 => (id.clone(), instance.clone(), instance.clone()).prop_map(|(id, from, by)| Step::Adopt { id, from, by }),
        1 => (id, by.clone()).prop_map(|(id, by)| Step::Resolve { id, by }),
        3 => (prop::bool::weighted(0.8), by.clone()).prop_map(|(execute, by)| Step::Mode { execute, by }),
        1 => Just(Step::Kill),
        1 => by.prop_map(|by| Step::Reset { by }),
    ]
}

/// One proposal as the model sees it.
#[derive(Debug, Clone)]
struct Modelled {
    phase: Phase,
    needs: usize,
    approved_by: BTreeSet<&'static str>,
    owner: Option<usize>,
    answered: bool,
    /// Which dial it turns: two of the four share one.
    dial: usize,
    /// At which step it was proposed.
    planned: usize,
}

#[derive(Debug, Default)]
struct Model {
    execute: bool,
    killed: bool,
    statuses: BTreeMap<usize, Modelled>,
    /// How often each was begun.
    begun: BTreeMap<usize, usize>,
    /// How many steps were tried.
    steps: usize,
    /// At which step each dial was turned last.
    turned: BTreeMap<usize, usize>,
}

impl Model {
    /// Does it, if the rules allow it; whether they do.
    fn take(&mut self, step: &Step) -> bool {
        self.steps += 1;
        match *step {
            Step::Propose { id, needs, expired } => {
                if self.killed || self.statuses.contains_key(&id) {
                    return false;
                }
                let phase = if needs == 0 {
                    Phase::Approved
                } else {
                    Phase::NeedsApproval
                };
                let needs = usize::try_from(needs).unwrap();
                let status = Modelled {
                    // Whatever is tried with it later fails as if it had ended.
                    phase: if expired { Phase::Expired } else { phase },
                    needs,
                    approved_by: BTreeSet::new(),
                    owner: None,
                    answered: false,
                    dial: id % 3,
                    planned: self.steps,
                };
                self.statuses.insert(id, status);
                true
            }
            Step::Approve {
                id,
                by,
                expired,
                other_plan,
            } => {
                let killed = self.killed;
                let Some(status) = self.statuses.get_mut(&id) else {
                    return false;
                };
                let by = PEOPLE[by];
                let good = status.phase == Phase::NeedsApproval
                    && !killed
                    && by.starts_with("user:")
                    && !status.approved_by.contains(by)
                    && !expired
                    && !other_plan;
                if good {
                    status.approved_by.insert(by);
                    if status.approved_by.len() >= status.needs {
                        status.phase = Phase::Approved;
                    }
                }
                good
            }
            Step::Reject { id } => self.end_pending(id, Phase::Rejected),
            Step::Cancel { id } => {
                let executing = |status: &Modelled| status.phase == Phase::Executing;
                self.statuses.get(&id).is_some_and(executing)
                    || self.end_pending(id, Phase::Cancelled)
            }
            Step::Begin { id, instance } => {
                let dial = self.statuses.get(&id).map(|status| status.dial);
                let held = self
                    .statuses
                    .values()
                    .any(|status| status.phase.is_in_flight() && Some(status.dial) == dial);
                let turned = dial.and_then(|dial| self.turned.get(&dial)).copied();
                let allowed = self.execute && !self.killed && !held;
                let Some(status) = self.statuses.get_mut(&id) else {
                    return false;
                };
                if status.phase != Phase::Approved || !allowed || turned > Some(status.planned) {
                    return false;
                }
                status.phase = Phase::Executing;
                status.owner = Some(instance);
                *self.begun.entry(id).or_default() += 1;
                true
            }
            Step::Answer { id, instance } => {
                let Some(status) = self.statuses.get_mut(&id) else {
                    return false;
                };
                let good = status.phase == Phase::Executing
                    && status.owner == Some(instance)
                    && !status.answered;
                status.answered |= good;
                good
            }
            Step::End {
                id,
                instance,
                result,
            } => {
                let Some(status) = self.statuses.get_mut(&id) else {
                    return false;
                };
                if !status.phase.is_in_flight() || status.owner != Some(instance) {
                    return false;
                }
                status.phase = [Phase::Applied, Phase::NotApplied, Phase::Unknown][result];
                if status.phase == Phase::Applied {
                    self.turned.insert(status.dial, self.steps);
                }
                true
            }
            Step::Adopt { id, from, by } => {
                let Some(status) = self.statuses.get_mut(&id) else {
                    return false;
                };
                if !status.phase.is_in_flight() || status.owner != Some(from) {
                    return false;
                }
                status.owner = Some(by);
                true
            }
            Step::Resolve { id, by } => {
                let Some(status) = self.statuses.get_mut(&id) else {
                    return false;
                };
                if status.phase != Phase::Unknown || !PEOPLE[by].starts_with("user:") {
                    return false;
                }
                status.phase = Phase::NotApplied;
                true
            }
            Step::Mode { execute, by } => {
                if execute && (self.killed || !PEOPLE[by].starts_with("user:")) {
                    return false;
                }
                self.execute = execute;
                true
            }
            Step::Kill => {
                self.killed = true;
                for status in self.statuses.values_mut() {
                    if status.phase.is_unsent() {
                        status.phase = Phase::Cancelled;
                    }
                }
                true
            }
            Step::Reset { by } => {
                if !self.killed || !PEOPLE[by].starts_with("user:") {
                    return false;
                }
                (self.killed, self.execute) = (false, false);
                true
            }
        }
    }

    fn end_pending(&mut self, id: usize, phase: Phase) -> bool {
        let status = self.statuses.get_mut(&id);
        let Some(status) = status.filter(|status| status.phase.is_unsent()) else {
            return false;
        };
        status.phase = phase;
        true
    }
}

fn name(id: usize) -> String {
    format!("p{id}")
}

fn made(id: usize, expired: bool) -> Proposal {
    let mut made = proposal(&name(id), &format!("dial-{}", id % 3));
    if expired {
        made.expires_at = Timestamp::now() - SignedDuration::from_secs(1);
    }
    made
}

/// What is to be written for a step.
fn record(step: &Step, made: &BTreeMap<usize, Proposal>, instances: &[MemoryJournal]) -> Record {
    let reason = "a step".to_owned();
    match *step {
        Step::Propose { id, needs, .. } => Record::Proposed {
            proposal: Box::new(made[&id].clone()),
            ruling: match needs {
                0 => Ruling::Allow { rule: reason },
                count => Ruling::Approve {
                    rule: reason,
                    by: Vec::new(),
                    count,
                    ttl_ms: 3_600_000,
                    signed: false,
                    proven_by: Vec::new(),
                },
            },
        },
        Step::Approve {
            id,
            by,
            expired,
            other_plan,
        } => {
            let seconds = if expired { -1 } else { 600 };
            let until = Timestamp::now() + SignedDuration::from_secs(seconds);
            let seen = if other_plan {
                proposal("other", "other")
            } else {
                made[&id].clone()
            };
            let approval = Approval::new(actor(PEOPLE[by]), seen.plan_hash, until);
            Record::Approved {
                id: name(id),
                approval,
            }
        }
        Step::Reject { id } => Record::Rejected {
            id: name(id),
            by: actor(PEOPLE[0]),
            reason,
        },
        Step::Cancel { id } => Record::Cancelled {
            id: name(id),
            by: actor(PEOPLE[2]),
            reason,
        },
        Step::Begin { id, .. } => intent(&name(id)),
        Step::Answer { id, .. } => Record::Answer {
            id: name(id),
            answer: Answer::Unclear {
                code: "lost".to_owned(),
                error: reason,
            },
        },
        Step::End { id, result: 0, .. } => applied(&name(id)),
        Step::End { id, result: 1, .. } => Record::Outcome {
            id: name(id),
            outcome: Outcome::not_applied("no_trace", "nothing", false, Vec::new()),
            undo: None,
        },
        Step::End { id, .. } => unknown(&name(id)),
        Step::Adopt { id, from, .. } => Record::Adopted {
            id: name(id),
            from: instances[from].instance().to_owned(),
        },
        Step::Resolve { id, by } => Record::Resolved {
            id: name(id),
            by: actor(PEOPLE[by]),
            result: OutcomeKind::NotApplied,
            reason,
        },
        Step::Mode { execute, by } => Record::Mode {
            target: None,
            mode: if execute {
                Mode::Execute
            } else {
                Mode::Observe
            },
            by: actor(PEOPLE[by]),
            reason,
            proof: None,
            attested: None,
        },
        Step::Kill => Record::Killed {
            target: None,
            by: actor(PEOPLE[2]),
            reason,
        },
        Step::Reset { by } => Record::Reset {
            target: None,
            by: actor(PEOPLE[by]),
            reason,
            proof: None,
        },
    }
}

fn writer(step: &Step) -> usize {
    match *step {
        Step::Begin { instance, .. }
        | Step::Answer { instance, .. }
        | Step::End { instance, .. } => instance,
        Step::Adopt { by, .. } => by,
        _ => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: crate::cases(100, 2_000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_fold_accepts_what_the_rules_allow_and_nothing_else(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let first = MemoryJournal::new();
            let instances = [first.another_instance(), first];
            let mut model = Model::default();
            let mut proposals: BTreeMap<usize, Proposal> = (0..IDS).map(|id| (id, made(id, false))).collect();
            for step in &steps {
                if let Step::Propose { id, expired, .. } = step
                    && !model.statuses.contains_key(id)
                {
                    proposals.insert(*id, made(*id, *expired));
                }
                let record = record(step, &proposals, &instances);
                let accepted = write(&instances[writer(step)], [record]).await.is_ok();
                prop_assert_eq!(accepted, model.take(step), "{:?} in {:?}", step, model);
                let state = instances[0].state().await.unwrap();
                for (id, status) in &model.statuses {
                    let real = state.proposal_status(&name(*id)).unwrap().phase_at(Timestamp::now());
                    // What is expired and cancelled too is both.
                    let same = real == status.phase || (status.phase == Phase::Expired && real.is_end());
                    prop_assert!(same, "{} is {:?}, not {:?}", id, real, status.phase);
                }
            }
            // So do its records alone, when the state has dropped it.
            let (state, all) = (instances[0].state().await.unwrap(), instances[0].entries(0, usize::MAX).await.unwrap());
            for id in model.statuses.keys() {
                let kept = state.proposal_status(&name(*id)).unwrap();
                let told = ProposalStatus::by_records(&name(*id), &all);
                prop_assert!(kept.phase == Phase::Expired || told.as_ref() == Some(&**kept), "{:?}, not {:?}", told, kept);
            }
            // None was begun twice, and the journal adds up to the same again.
            prop_assert!(model.begun.values().all(|times| *times == 1));
            let verified = instances[0].verify().await.unwrap();
            prop_assert_eq!(verified.head.seq, instances[0].state().await.unwrap().seq);
            Ok(())
        })?;
    }
}
