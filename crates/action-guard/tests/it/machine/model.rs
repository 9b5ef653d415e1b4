//! The rules, said simply.

use std::collections::{BTreeMap, BTreeSet};

use action_core::{Accepted, Attempt, Attribution, Outcome, Undo};
use action_guard::{
    Actor, Answer, Approval, Intent, Mode, PlanHash, Proposal, Record, Request, Ruling,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{ACTORS, Try};
use crate::fixtures::{actor, plan};

/// How a proposal stands, said simply.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum ModelPhase {
    Waits,
    Approved,
    Sent,
    Unknown,
    Ended,
}

/// A proposal, said simply.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    proposal: Proposal,
    by: Actor,
    state: ModelPhase,
    needs: usize,
    /// Whose agreement counts: names begin with this.
    among: &'static str,
    resource: u8,
    agreed: Vec<(Actor, Timestamp)>,
    owner: usize,
    answered: bool,
    pub(super) sends: usize,
    /// How much had happened when it was planned.
    planned: usize,
}

/// Everything, said simply.
#[derive(Debug, Default)]
pub(super) struct Model {
    execute: bool,
    killed: bool,
    pub(super) asked: BTreeMap<u8, Asked>,
    /// How much has happened.
    happened: usize,
    /// How much had when each thing was changed last.
    changed: BTreeMap<u8, usize>,
    /// What is in force, or may be.
    effects: BTreeSet<u8>,
    /// When the last record was written.
    last: Option<Timestamp>,
}

fn ruling(kind: usize) -> (Ruling, usize, &'static str, ModelPhase) {
    let approve = |by: Vec<String>, count| Ruling::Approve {
        rule: "r".to_owned(),
        by,
        count,
        ttl_ms: 60_000,
        signed: false,
        proven_by: Vec::new(),
    };
    match kind {
        0 => (
            Ruling::Allow {
                rule: "r".to_owned(),
            },
            0,
            "user:",
            ModelPhase::Approved,
        ),
        1 => (approve(Vec::new(), 1), 1, "user:", ModelPhase::Waits),
        2 => (
            approve(vec!["user:a*".to_owned(), "user:b*".to_owned()], 2),
            2,
            "ab",
            ModelPhase::Waits,
        ),
        _ => {
            let (rule, reason) = ("r".to_owned(), "no".to_owned());
            (Ruling::Deny { rule, reason }, 0, "user:", ModelPhase::Ended)
        }
    }
}

fn is_among(among: &str, by: &Actor) -> bool {
    let name = by.as_str().to_ascii_lowercase();
    match among {
        "ab" => name.starts_with("user:a") || name.starts_with("user:b"),
        _ => name.starts_with("user:"),
    }
}

fn proposal(id: u8, by: &Actor, resource: u8, expires_at: Timestamp) -> Proposal {
    let request = Request::new("turn", json!({"dial": resource, "id": id}), by.as_str());
    let undo = Undo::none("none");
    let mut proposal = Proposal::new(id.to_string(), request, "one", plan(), undo, expires_at);
    proposal.resources = vec![format!("dial/{resource}")];
    proposal.lasting_effect = Some(format!("held/{id}"));
    proposal
}

pub(super) fn after(now: Timestamp, seconds: i64) -> Timestamp {
    now + SignedDuration::from_secs(seconds)
}

impl Model {
    pub(super) fn in_force(&self) -> Vec<String> {
        self.effects.iter().map(u8::to_string).collect()
    }

    /// Time in a journal never goes back.
    fn time(&self, clock: Timestamp) -> Timestamp {
        self.last.map_or(clock, |last| last.max(clock))
    }

    /// A clock that is more than five seconds behind what is written decides nothing; what stops
    /// something, and how it ended, is taken all the same.
    fn may_by_clock(&self, one: &Try, clock: Timestamp) -> bool {
        let stops_or_tells = matches!(
            one,
            Try::Reject { .. }
                | Try::Cancel { .. }
                | Try::Answer { .. }
                | Try::Outcome { .. }
                | Try::Kill { .. }
                | Try::Mode { execute: false, .. }
        );
        stops_or_tells || self.last.is_none_or(|last| after(clock, 5) >= last)
    }

    fn agreed(asked: &Asked, now: Timestamp) -> usize {
        asked
            .agreed
            .iter()
            .filter(|(_, until)| *until > now)
            .count()
    }

    fn waits(&self, id: u8, now: Timestamp) -> bool {
        self.asked.get(&id).is_some_and(|asked| {
            matches!(asked.state, ModelPhase::Waits | ModelPhase::Approved)
                && asked.proposal.expires_at > now
        })
    }

    fn owned(&self, id: u8, instance: usize) -> bool {
        self.asked.get(&id).is_some_and(|asked| {
            matches!(asked.state, ModelPhase::Sent | ModelPhase::Unknown) && asked.owner == instance
        })
    }

    /// The record that is tried, and whether it may be written.
    pub(super) fn tried(&self, one: &Try, clock: Timestamp) -> Option<(Record, bool)> {
        let (record, may) = self.ruled(one, clock)?;
        Some((record, may && self.may_by_clock(one, clock)))
    }

    fn ruled(&self, one: &Try, clock: Timestamp) -> Option<(Record, bool)> {
        let now = self.time(clock);
        let by = |by: usize| actor(ACTORS[by]);
        let reason = || "a test".to_owned();
        let is_user = |by: usize| ACTORS[by].starts_with("user:");
        Some(match *one {
            Try::Wait { .. } | Try::Back { .. } => return None,
            Try::Propose {
                id,
                by: who,
                ruling: kind,
                resource,
                lasts,
            } => {
                let proposal = proposal(id, &by(who), resource, after(clock, lasts));
                let (ruling, ..) = ruling(kind);
                let record = Record::Proposed {
                    proposal: Box::new(proposal),
                    ruling,
                };
                (record, !self.killed && !self.asked.contains_key(&id))
            }
            Try::Approve {
                id,
                by: who,
                seen,
                lasts,
            } => {
                let who = by(who);
                let asked = self.asked.get(&id);
                let other: PlanHash = "0".repeat(64).parse().unwrap();
                let hash = asked
                    .filter(|_| seen)
                    .map_or(other, |asked| asked.proposal.plan_hash.clone());
                let until = after(clock, lasts);
                let approval = Approval::new(who.clone(), hash, until);
                let may = asked.is_some_and(|asked| {
                    let again = asked
                        .agreed
                        .iter()
                        .any(|(other, until)| other.is_same(&who) && *until > now);
                    asked.state == ModelPhase::Waits
                        && self.waits(id, now)
                        && seen
                        && until > now
                        && !asked.by.is_same(&who)
                        && !again
                        && is_among(asked.among, &who)
                });
                (
                    Record::Approved {
                        id: id.to_string(),
                        approval,
                    },
                    may,
                )
            }
            Try::Reject { id, by: who } => {
                let record = Record::Rejected {
                    id: id.to_string(),
                    by: by(who),
                    reason: reason(),
                };
                (record, self.waits(id, now))
            }
            Try::Cancel { id, by: who } => {
                let record = Record::Cancelled {
                    id: id.to_string(),
                    by: by(who),
                    reason: reason(),
                };
                let sent = self
                    .asked
                    .get(&id)
                    .is_some_and(|asked| asked.state == ModelPhase::Sent);
                let may = sent || self.waits(id, now);
                (record, may)
            }
            Try::Intent { id, instance: _ } => {
                let intent = Intent::new(
                    plan(),
                    Attempt::new(id.to_string(), 1, None),
                    after(now, 10),
                );
                let record = Record::Intent {
                    id: id.to_string(),
                    intent: Box::new(intent),
                };
                let may = self.asked.get(&id).is_some_and(|asked| {
                    let busy = self.asked.values().any(|other| {
                        matches!(other.state, ModelPhase::Sent | ModelPhase::Unknown)
                            && other.resource == asked.resource
                    });
                    self.waits(id, now)
                        && asked.state == ModelPhase::Approved
                        && Self::agreed(asked, now) >= asked.needs
                        && self.execute
                        && !self.killed
                        && !busy
                        && self.changed.get(&asked.resource).copied() <= Some(asked.planned)
                });
                (record, may)
            }
            Try::Answer { id, instance } => {
                let answer = Answer::Accepted {
                    accepted: Accepted::new("ok"),
                    code: None,
                };
                let asked = self.asked.get(&id);
                let may = self.owned(id, instance)
                    && asked
                        .is_some_and(|asked| asked.state == ModelPhase::Sent && !asked.answered);
                (
                    Record::Answer {
                        id: id.to_string(),
                        answer,
                    },
                    may,
                )
            }
            Try::Outcome {
                id,
                instance,
                applied,
            } => {
                let outcome = match applied {
                    Some(true) => Outcome::applied(Attribution::Ours, "turned", Vec::new()),
                    Some(false) => Outcome::not_applied("no", "not turned", false, Vec::new()),
                    None => Outcome::unknown("late", "not seen", "look", Vec::new()),
                };
                let record = Record::Outcome {
                    id: id.to_string(),
                    outcome,
                    undo: None,
                };
                (record, self.owned(id, instance))
            }
            Try::Mode { execute, by: who } => {
                let mode = if execute {
                    Mode::Execute
                } else {
                    Mode::Observe
                };
                let record = Record::Mode {
                    target: None,
                    mode,
                    by: by(who),
                    reason: reason(),
                    proof: None,
                    attested: None,
                };
                (record, !execute || (is_user(who) && !self.killed))
            }
            Try::Kill { by: who } => (
                Record::Killed {
                    target: None,
                    by: by(who),
                    reason: reason(),
                },
                true,
            ),
            Try::Release { id, by: who } => {
                let record = Record::Released {
                    id: id.to_string(),
                    by: by(who),
                    reason: reason(),
                };
                let is_theirs = |asked: &Asked| asked.by.is_same(&by(who)) || is_user(who);
                let may = self.effects.contains(&id) && self.asked.get(&id).is_some_and(is_theirs);
                (record, may)
            }
            Try::Reset { by: who } => {
                let record = Record::Reset {
                    target: None,
                    by: by(who),
                    reason: reason(),
                    proof: None,
                };
                (record, is_user(who) && self.killed)
            }
        })
    }

    /// What was accepted happens.
    pub(super) fn happens(&mut self, one: &Try, clock: Timestamp) {
        let now = self.time(clock);
        self.last = Some(now);
        self.happened += 1;
        let asked = &mut self.asked;
        match *one {
            Try::Propose {
                id,
                by,
                ruling: kind,
                resource,
                lasts,
            } => {
                let by = actor(ACTORS[by]);
                let (_, needs, among, state) = ruling(kind);
                let proposal = proposal(id, &by, resource, after(clock, lasts));
                let agreed = Vec::new();
                let new = Asked {
                    proposal,
                    by,
                    state,
                    needs,
                    among,
                    resource,
                    agreed,
                    owner: 0,
                    answered: false,
                    sends: 0,
                    planned: self.happened,
                };
                asked.insert(id, new);
            }
            Try::Approve { id, by, lasts, .. } => {
                let asked = asked.get_mut(&id).unwrap();
                asked.agreed.push((actor(ACTORS[by]), after(clock, lasts)));
                if Self::agreed(asked, now) >= asked.needs {
                    asked.state = ModelPhase::Approved;
                }
            }
            Try::Reject { id, .. } => asked.get_mut(&id).unwrap().state = ModelPhase::Ended,
            Try::Cancel { id, .. } => {
                let asked = asked.get_mut(&id).unwrap();
                if asked.state != ModelPhase::Sent {
                    asked.state = ModelPhase::Ended;
                }
            }
            Try::Intent { id, instance } => {
                let asked = asked.get_mut(&id).unwrap();
                asked.state = ModelPhase::Sent;
                asked.owner = instance;
                asked.sends += 1;
                self.effects.insert(id);
            }
            Try::Answer { id, .. } => asked.get_mut(&id).unwrap().answered = true,
            Try::Outcome { id, applied, .. } => {
                let state = if applied.is_some() {
                    ModelPhase::Ended
                } else {
                    ModelPhase::Unknown
                };
                let asked = asked.get_mut(&id).unwrap();
                asked.state = state;
                if applied == Some(true) {
                    self.changed.insert(asked.resource, self.happened);
                }
                if applied == Some(false) {
                    self.effects.remove(&id);
                }
            }
            Try::Mode { execute, .. } => self.execute = execute,
            Try::Kill { .. } => {
                self.killed = true;
                for asked in asked.values_mut() {
                    if matches!(asked.state, ModelPhase::Waits | ModelPhase::Approved) {
                        asked.state = ModelPhase::Ended;
                    }
                }
            }
            Try::Reset { .. } => {
                self.killed = false;
                self.execute = false;
            }
            Try::Release { id, .. } => {
                self.effects.remove(&id);
            }
            Try::Wait { .. } | Try::Back { .. } => {}
        }
    }
}
