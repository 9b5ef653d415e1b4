//! A workflow by its records alone, beside what the test knows of it by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use action_core::{Attempt, OutcomeKind, Plan, Undo, Verdict, Workflow};
use action_guard::{
    CommitError, Ending, Flow, Intent, Ledger, Mode, NextSteps, Phase, Proposal, Ready, Record,
    Request, Ruling, StartedFlow, State, StepEvent, StopCode, next_steps,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::fixtures::actor;

pub(crate) use happens::Happens;

mod happens;

const FLOW: &str = "a-flow";

/// What the test knows by itself, beside the state.
pub(crate) struct World {
    ledger: Ledger,
    now: Timestamp,
    lines: Vec<String>,
    /// After so many lines, at this time, this was next.
    seen: Vec<(usize, Timestamp, NextSteps)>,
    done: BTreeSet<String>,
    applied: Vec<String>,
    taken_back: BTreeSet<String>,
    /// Proposals: of which step, and whether they take it back.
    proposals: BTreeMap<String, (String, bool)>,
    /// How often each was proposed since somebody last let it go on.
    tried: BTreeMap<(String, bool), u32>,
    /// Whether what it was last proposed as may be proposed again by itself.
    again: BTreeMap<(String, bool), bool>,
    count: u32,
}

impl World {
    pub(crate) fn begin(workflow: &Workflow) -> Self {
        let mut world = Self {
            ledger: Ledger::new(),
            now: "2026-03-01T00:00:00Z".parse().unwrap(),
            lines: Vec::new(),
            seen: Vec::new(),
            done: BTreeSet::new(),
            applied: Vec::new(),
            taken_back: BTreeSet::new(),
            proposals: BTreeMap::new(),
            tried: BTreeMap::new(),
            again: BTreeMap::new(),
            count: 0,
        };
        let systems = BTreeMap::from([("turn".to_owned(), "one".to_owned())]);
        let started = StartedFlow::new(workflow.clone(), systems, actor("agent:night"));
        world.must(mode(Mode::Execute));
        world.must(Record::FlowStarted {
            id: FLOW.to_owned(),
            started: Box::new(started),
        });
        world
    }

    fn state(&self) -> &State {
        self.ledger.state()
    }

    fn flow(&self) -> Arc<Flow> {
        Arc::clone(&self.state().flows[FLOW])
    }

    pub(crate) fn next_steps(&self) -> NextSteps {
        next_steps(&self.flow(), self.state(), self.now)
    }

    fn write(&mut self, record: Record) -> Result<(), CommitError> {
        let before = Arc::clone(self.ledger.state());
        match self.ledger.write(vec![record], self.now, "me") {
            Ok(sealed) => {
                self.lines
                    .extend(sealed.into_iter().map(|sealed| sealed.line));
                if self.state().flows.contains_key(FLOW) {
                    self.seen
                        .push((self.lines.len(), self.now, self.next_steps()));
                }
                Ok(())
            }
            Err(error) => {
                let after = self.ledger.state();
                assert_eq!(
                    *after, before,
                    "a refused record changed the state: {error}"
                );
                Err(error)
            }
        }
    }

    fn must(&mut self, record: Record) {
        self.write(record).unwrap();
    }

    /// A proposal as the guard would write it for a step.
    fn propose(
        &mut self,
        step: &str,
        attempt: u32,
        undoes: Option<&str>,
    ) -> Result<(), CommitError> {
        let id = format!("p{}", self.count);
        let flow = self.flow();
        let at = step.trim_start_matches('s').parse::<u64>().unwrap();
        let (action, parameters) = match undoes {
            None => ("turn", json!({"dial": at})),
            Some(_) => ("turn_back", json!({"dial": at})),
        };
        let mut request = Request::new(action, parameters, flow.by.as_str());
        if undoes.is_none() {
            request = request.correlation_id(format!("flow/{FLOW}/{step}/{attempt}"));
            if let Some(who) = &flow.resumed_by {
                request = request.carried_out_by(who);
            }
        }
        let expires_at = self.now + SignedDuration::from_hours(1);
        let plan = Plan::new(Verdict::WouldProceed, Value::Null);
        let undo = Undo::none("by hand");
        let mut proposal = Proposal::new(&id, request, "one", plan, undo, expires_at);
        proposal.resources = vec![format!("dial/{at}")];
        proposal.undoes = undoes.map(str::to_owned);
        let ruling = match self.count % 3 {
            0 => Ruling::Approve {
                rule: "a test".to_owned(),
                by: Vec::new(),
                count: 1,
                ttl_ms: 1_000_000,
                signed: false,
                proven_by: Vec::new(),
            },
            _ => Ruling::Allow {
                rule: "a test".to_owned(),
            },
        };
        let proposal = Box::new(proposal);
        self.write(Record::Proposed { proposal, ruling })?;
        self.count += 1;
        let key = (step.to_owned(), undoes.is_some());
        let tried = self.tried.entry(key.clone()).or_default();
        *tried += 1;
        let first = *tried == 1;
        let times = retries(&flow, step, undoes.is_some());
        assert!(*tried <= times + 1, "{step} was tried {tried} times");
        assert!(first || self.again.get(&key) == Some(&true), "{step} again");
        self.again.insert(key.clone(), false);
        self.proposals.insert(id, key);
        Ok(())
    }

    /// Carries out what a runner would.
    fn act(&mut self, due: &Ready) {
        let flow = self.flow();
        let needs = |step: &str| flow.workflow.step(step).unwrap().needs.clone();
        match due {
            Ready::Propose { step, attempt } => {
                for needed in needs(step) {
                    assert!(self.done.contains(&needed), "{step} before {needed}");
                }
                self.propose(step, *attempt, None).unwrap();
            }
            Ready::TakeBack { step, proposal } => {
                if flow.compensation.is_some() {
                    // Nothing that was applied later is still to be taken back.
                    let later = self.applied.iter().rev().take_while(|other| *other != step);
                    for other in later {
                        assert!(!self.is_in_force(other), "{step} before {other}");
                    }
                } else {
                    let undoing = undoing(&flow, step).unwrap();
                    for needed in needs(&undoing) {
                        assert!(self.done.contains(&needed), "{undoing} before {needed}");
                    }
                }
                let written = self.propose(step, 0, Some(proposal));
                // What leaves nothing in force is taken back after the reset.
                assert!(written.is_ok() || self.state().killed.is_some());
            }
            Ready::Execute { proposal, .. } => {
                let soon = self.now + SignedDuration::from_secs(10);
                let plan = Plan::new(Verdict::WouldProceed, Value::Null);
                let intent = Intent::new(plan, Attempt::new(proposal, 1, None), soon);
                // An agreement may be too old.
                let _ = self.write(Record::Intent {
                    id: proposal.clone(),
                    intent: Box::new(intent),
                });
            }
            Ready::Begin { step } => {
                for needed in needs(step) {
                    assert!(self.done.contains(&needed), "{step} before {needed}");
                }
                self.must(event(step, StepEvent::Began));
            }
            Ready::Observe { step, until } if *until < self.now => {
                let failed = StepEvent::Failed {
                    code: "timed_out".to_owned(),
                    reason: "x is 0".to_owned(),
                    retryable: false,
                };
                self.must(event(step, failed));
            }
            Ready::Observe { step, .. } => {
                let seen = StepEvent::Seen {
                    summary: "x is 1".to_owned(),
                };
                self.must(event(step, seen));
                self.done.insert(step.clone());
            }
            _ => unreachable!("{due:?}"),
        }
        self.finish_undoing();
    }

    fn is_in_force(&self, step: &str) -> bool {
        self.applied.iter().any(|applied| applied == step) && !self.taken_back.contains(step)
    }

    /// Steps that take others back are done when those are back and it is their turn.
    fn finish_undoing(&mut self) {
        let flow = self.flow();
        for step in &flow.workflow.steps {
            let action_core::Work::Undo { of, .. } = step.work() else {
                continue;
            };
            let turn = step.needs.iter().all(|needed| self.done.contains(needed));
            if turn && self.applied.iter().any(|id| id == of) && !self.is_in_force(of) {
                self.done.insert(step.id.clone());
            }
        }
    }

    fn concluded(&mut self, id: &str, result: OutcomeKind, retryable: bool) {
        let (step, back) = self.proposals[id].clone();
        match result {
            OutcomeKind::Applied if back => {
                self.taken_back.insert(step);
            }
            OutcomeKind::Applied => {
                self.applied.push(step.clone());
                self.done.insert(step);
            }
            OutcomeKind::NotApplied => {
                self.again.insert((step, back), retryable);
            }
            _ => {}
        }
        self.finish_undoing();
    }

    fn phase_of(&self, phase: Phase) -> Option<String> {
        let mut open = self.state().open.values();
        let status = open.find(|status| status.phase == phase)?;
        Some(status.proposal.id.clone())
    }

    /// What failed may be tried as often again as at first.
    fn let_go_on(&mut self) {
        let flow = self.flow();
        for (key, tried) in &mut self.tried {
            let state = &flow.steps[&key.0];
            let attempts = if key.1 { &state.back } else { &state.forward };
            if attempts.since_resumed == 0 {
                *tried = 0;
            }
        }
    }

    pub(crate) fn check(&mut self) {
        let next_steps = self.next_steps();
        let flow = self.flow();
        if self.phase_of(Phase::Unknown).is_some() {
            assert!(next_steps.ready.is_empty(), "{next_steps:?}");
            assert_eq!(next_steps.stopped.as_ref().unwrap().code, StopCode::Unknown);
        }
        let in_motion = self.state().unsettled().count();
        assert!(in_motion <= 1, "{in_motion} mutations at once");
        if in_motion > 0 || next_steps.ended.is_some() || next_steps.stopped.is_some() {
            assert!(next_steps.ready.is_empty(), "{next_steps:?}");
            self.nothing_can_be_forced();
        }
        if next_steps.ended == Some(Ending::Completed) {
            assert_eq!(self.done.len(), flow.workflow.steps.len());
        }
        if next_steps.ended == Some(Ending::Compensated) {
            for step in &self.applied {
                assert!(!self.is_in_force(step), "{step} was left");
            }
        }
    }

    /// Whoever writes a proposal for a step whose turn it is not is refused by the records.
    fn nothing_can_be_forced(&mut self) {
        if self.state().killed.is_some() || self.state().mode == Mode::Observe {
            return;
        }
        let steps = self.flow().workflow.steps.clone();
        for step in &steps {
            if !matches!(step.work(), action_core::Work::Action { .. }) {
                continue;
            }
            let next = self
                .flow()
                .steps
                .get(&step.id)
                .map_or(0, |state| state.forward.count)
                + 1;
            let before = (self.lines.len(), self.now);
            let refused = self.propose_without_keeping(&step.id, next);
            assert!(refused, "step {} could be proposed", step.id);
            assert_eq!(before, (self.lines.len(), self.now));
        }
    }

    fn propose_without_keeping(&mut self, step: &str, attempt: u32) -> bool {
        let ledger = self.ledger.clone();
        let (lines, seen) = (self.lines.len(), self.seen.len());
        let refused = self.propose(step, attempt, None).is_err();
        self.ledger = ledger;
        self.lines.truncate(lines);
        self.seen.truncate(seen);
        refused
    }

    /// From any beginning of the records, the same is next.
    pub(crate) fn check_every_prefix(&self) {
        let mut ledger = Ledger::new();
        let mut seen = self.seen.iter().peekable();
        for (at, line) in self.lines.iter().enumerate() {
            ledger.follow(line.as_bytes()).unwrap();
            let Some((_, now, expected)) = seen.next_if(|seen| seen.0 == at + 1) else {
                continue;
            };
            let Some(flow) = ledger.state().flows.get(FLOW) else {
                continue;
            };
            assert_eq!(next_steps(flow, ledger.state(), *now), *expected);
            if at % 16 != 0 {
                continue;
            }
            // As a checkpoint has it.
            let kept = serde_json::to_string(&**ledger.state()).unwrap();
            let kept: State = serde_json::from_str(&kept).unwrap();
            assert_eq!(next_steps(&kept.flows[FLOW], &kept, *now), *expected);
        }
        assert_eq!(ledger.state(), self.ledger.state());
    }
}

fn undoing(flow: &Flow, of: &str) -> Option<String> {
    let undoes = |step: &&action_core::Step| matches!(step.work(), action_core::Work::Undo { of: other, .. } if other == of);
    let step = flow.workflow.steps.iter().find(undoes)?;
    Some(step.id.clone())
}

fn retries(flow: &Flow, step: &str, back: bool) -> u32 {
    let own = |step: &str| match flow.workflow.step(step).unwrap().work() {
        action_core::Work::Action { retry, .. } | action_core::Work::Undo { retry, .. } => retry,
        _ => None,
    };
    let undoing = undoing(flow, step).filter(|_| back);
    let retry = undoing.and_then(|undoing| own(&undoing)).or(own(step));
    retry.map_or(0, |retry| retry.times)
}

fn event(step: &str, event: StepEvent) -> Record {
    Record::FlowStep {
        id: FLOW.to_owned(),
        step: step.to_owned(),
        event,
    }
}

fn mode(mode: Mode) -> Record {
    Record::Mode {
        target: None,
        mode,
        by: actor("user:ana"),
        reason: "a test".to_owned(),
        proof: None,
        attested: None,
    }
}
