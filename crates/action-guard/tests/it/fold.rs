//! What records add up to, at times of the test's choosing: each boundary from both sides.

use std::sync::Arc;
use std::time::Duration;

use action_core::{Accepted, Attempt, Attribution, Outcome, OutcomeKind, Undo, Workflow};
use action_guard::policy::Usage;
use action_guard::{
    Answer, Approval, Entry, Flow, Hash, Mode, Phase, Proposal, ProposalStatus, Record, Refusal,
    Ruling, StartedFlow, State,
};
use jiff::{SignedDuration, Timestamp};

use crate::fixtures::{actor, allow, applied, mode, proposal};
use crate::workflow_fixtures;

fn intent(id: &str) -> Record {
    action_guard::testing::fixtures::intent(id)
}

/// What records add up to that are written at times of the test's choosing.
struct Times(State);

impl Times {
    /// The mode is execute.
    fn new() -> Self {
        let mut times = Self(State::default());
        times.at(1, mode(Mode::Execute)).unwrap();
        times
    }

    /// Adds a record so many seconds after 1970.
    fn at(&mut self, seconds: i64, record: Record) -> Result<(), Refusal> {
        self.at_by(seconds, "one", record)
    }

    /// The same, written by this instance.
    fn at_by(&mut self, seconds: i64, instance: &str, record: Record) -> Result<(), Refusal> {
        let at = Timestamp::from_second(seconds).unwrap();
        let seq = self.0.seq + 1;
        let (entry, _) = Entry::seal(seq, at, instance, Hash::ZERO, None, record).unwrap();
        self.0.apply(&entry)
    }

    /// A proposal that may be carried out is made, and its intent written.
    fn sent(&mut self, seconds: i64, proposal: Proposal) {
        let id = proposal.id.clone();
        self.at(seconds, allowed(proposal)).unwrap();
        self.at(seconds, intent(&id)).unwrap();
    }

    fn status(&self, id: &str) -> &ProposalStatus {
        self.0.proposal_status(id).unwrap()
    }

    fn phase(&self, id: &str) -> Phase {
        self.status(id).phase
    }
}

fn allowed(proposal: Proposal) -> Record {
    Record::Proposed {
        proposal: Box::new(proposal),
        ruling: allow(),
    }
}

/// What leaves something in force.
fn lasting(id: &str, dial: &str) -> Proposal {
    let mut proposal = proposal(id, dial);
    proposal.lasting_effect = Some(format!("hold/{dial}"));
    proposal
}

fn answer(id: &str) -> Record {
    Record::Answer {
        id: id.to_owned(),
        answer: Answer::Accepted {
            accepted: Accepted::new(id),
            code: None,
        },
    }
}

fn agreed(by: &str, until: i64, to: &Proposal) -> Record {
    let until = Timestamp::from_second(until).unwrap();
    Record::Approved {
        id: to.id.clone(),
        approval: Approval::new(actor(by), to.plan_hash.clone(), until),
    }
}

#[test]
fn an_approval_counts_until_it_ends_and_not_at_that_moment() {
    let mut asked = proposal("a", "x");
    asked.expires_at = Timestamp::from_second(1_000).unwrap();
    let record = Record::Proposed {
        proposal: Box::new(asked.clone()),
        ruling: Ruling::Approve {
            rule: "high risk".to_owned(),
            by: Vec::new(),
            count: 2,
            ttl_ms: 60_000,
            signed: false,
            proven_by: Vec::new(),
        },
    };
    let mut times = Times::new();
    times.at(1, record).unwrap();
    let over = times.at(10, agreed("user:ana", 10, &asked)).unwrap_err();
    assert!(matches!(over, Refusal::Expired { .. }), "{over}");
    times.at(10, agreed("user:ana", 20, &asked)).unwrap();
    let again = times.at(19, agreed("user:ana", 99, &asked)).unwrap_err();
    assert!(matches!(again, Refusal::ApprovedTwice { .. }), "{again}");
    // Hers is over at this moment: it counts no more, and she may give another.
    times.at(20, agreed("user:ben", 90, &asked)).unwrap();
    assert_eq!(times.phase("a"), Phase::NeedsApproval);
    times.at(20, agreed("user:ana", 90, &asked)).unwrap();
    assert_eq!(times.phase("a"), Phase::Approved);
}

#[test]
fn an_effect_names_who_carried_it_out_beside_who_asked() {
    let mut times = Times::new();
    for (id, who) in [("a", "user:ben"), ("b", "agent:Night")] {
        let mut held = lasting(id, id);
        held.request = held.request.carried_out_by(&actor("user:ben"));
        times.at(1, allowed(held)).unwrap();
        let Record::Intent { id, intent } = intent(id) else {
            unreachable!("an intent");
        };
        let intent = Box::new(intent.by(actor(who)));
        times.at(1, Record::Intent { id, intent }).unwrap();
    }
    let in_force = times.0.in_force(Timestamp::from_second(2).unwrap());
    let named: Vec<_> = in_force
        .iter()
        .map(|effect| (effect.actor.as_str(), effect.carried_out_by.as_ref()))
        .collect();
    let ben = actor("user:ben");
    let wanted = [("agent:night", Some(&ben)), ("agent:night", None)];
    assert_eq!(named, wanted);

    // Earlier versions did not keep it, and their checkpoints and ours follow each other.
    let mut earlier = times.0.clone();
    for effect in earlier.effects.values_mut() {
        Arc::make_mut(effect).carried_out_by = None;
    }
    let checkpoint = |state: &State| Record::Checkpoint {
        index: None,
        state: Box::new(state.clone()),
    };
    let mut from_there = Times(earlier.clone());
    from_there.at(2, checkpoint(&times.0)).unwrap();
    times.at(2, checkpoint(&earlier)).unwrap();
    // Another name is no version of it.
    let mut other = times.0.clone();
    let effect = other.effects.get_mut("a").map(Arc::make_mut).unwrap();
    effect.carried_out_by = Some(actor("user:carl"));
    times.at(3, checkpoint(&other)).unwrap_err();
}

#[test]
fn a_checkpoint_that_is_not_what_the_records_add_up_to_is_refused() {
    let mut times = Times::new();
    let (right, before) = (times.0.clone(), times.0.clone());
    let mut other = right.clone();
    other.mode = Mode::Observe;
    let checkpoint = |state: &State| Record::Checkpoint {
        index: None,
        state: Box::new(state.clone()),
    };
    let refused = times.at(2, checkpoint(&other)).unwrap_err();
    assert!(
        matches!(refused, Refusal::InvalidRecord { .. }),
        "{refused}"
    );
    assert_eq!(times.0, before);
    times.at(2, checkpoint(&right)).unwrap();
    assert_eq!(times.0.mode, Mode::Execute);
}

/// With the glass broken, an effect is over when that was applied, and no refused request has.
#[test]
fn what_was_refused_takes_nothing_back() {
    let mut times = Times::new();
    times.sent(1, lasting("a", "x"));
    times.at(2, applied("a")).unwrap();
    let broken = |answer: Answer, outcome: Outcome| Record::BreakGlass {
        id: "a".to_owned(),
        by: actor("user:ana"),
        reason: "the disk is full".to_owned(),
        attempt: Attempt::new("b", 1, None),
        answer,
        outcome,
    };
    let accepted = || Answer::Accepted {
        accepted: Accepted::new("ok"),
        code: None,
    };
    let refused = || Answer::Refused {
        code: "refused".to_owned(),
        error: "no".to_owned(),
        retryable: false,
    };
    let applied = || Outcome::applied(Attribution::Ours, "back", Vec::new());
    let unknown = Outcome::unknown("deadline", "not seen", "look again", Vec::new());
    times.at(3, broken(refused(), applied())).unwrap();
    times.at(3, broken(accepted(), unknown)).unwrap();
    assert!(times.0.effects.contains_key("a"));
    times.at(4, broken(accepted(), applied())).unwrap();
    assert!(times.0.effects.is_empty());
}

/// Who sent it says what came back, once; how it ended is for the undo to say, after its own end.
#[test]
fn what_an_undo_has_taken_over_belongs_to_the_undo() {
    let mut times = Times::new();
    times.sent(1, lasting("a", "x"));
    let mut undo = proposal("b", "x");
    undo.undoes = Some("a".to_owned());
    undo.request.actor = "user:ana".to_owned();
    times.at_by(2, "two", allowed(undo)).unwrap();
    times.at_by(2, "two", intent("b")).unwrap();
    let taken_over = times.status("a").taken_over.clone().unwrap();
    assert_eq!((&*taken_over.by, &*taken_over.from), ("b", "one"));
    assert_eq!(times.status("a").owner.as_deref(), Some("two"));
    assert!(times.0.is_being_taken_back(times.status("a")));
    assert!(!times.0.is_being_taken_back(times.status("b")));

    times.at_by(3, "three", answer("a")).unwrap_err();
    times.at_by(3, "one", answer("a")).unwrap();
    let again = times.at_by(3, "one", answer("a")).unwrap_err();
    assert!(matches!(again, Refusal::InvalidRecord { .. }), "{again}");
    times.at_by(3, "one", applied("a")).unwrap_err();
    let early = times.at_by(3, "two", applied("a")).unwrap_err();
    assert!(matches!(early, Refusal::TakenOver { .. }), "{early}");

    // Whoever goes on with the undo goes on with what it took over.
    let adopted = Record::Adopted {
        id: "b".to_owned(),
        from: "two".to_owned(),
    };
    times.at_by(4, "three", adopted).unwrap();
    assert_eq!(times.status("a").owner.as_deref(), Some("three"));
    times.at_by(5, "three", applied("b")).unwrap();
    assert_eq!(times.status("a").taken_back.as_ref().unwrap().by, "b");
    assert!(!times.0.is_being_taken_back(times.status("a")));
    times.at_by(5, "three", applied("a")).unwrap();
    assert_eq!(times.phase("a"), Phase::Applied);
}

#[test]
fn what_is_taken_back_may_arrive_until_its_time_is_over_and_not_at_that_moment() {
    let mut times = Times::new();
    times.sent(1, lasting("a", "x"));
    let mut undo = proposal("b", "x");
    undo.undoes = Some("a".to_owned());
    let until = times.status("a").may_arrive_until().unwrap();
    let before = until - SignedDuration::from_millis(1);
    assert_eq!(times.0.may_arrive_until(&undo, before), Some(until));
    assert_eq!(times.0.may_arrive_until(&undo, until), None);
}

#[test]
fn an_effect_keeps_what_its_acceptance_said() {
    let mut times = Times::new();
    times.sent(1, lasting("a", "x"));
    times.at(2, answer("a")).unwrap();
    times.at(3, applied("a")).unwrap();
    let effect = &times.0.effects["a"];
    assert!(effect.confirmed);
    assert_eq!(effect.accepted, Some(Accepted::new("a")));
}

/// The change is in the very next record.
#[test]
fn a_plan_from_right_before_a_change_is_outdated() {
    let mut times = Times::new();
    times.sent(1, proposal("a", "x"));
    times.at(2, allowed(proposal("b", "x"))).unwrap();
    times.at(3, applied("a")).unwrap();
    let refused = times.at(4, intent("b")).unwrap_err();
    assert!(
        matches!(&refused, Refusal::PlanOutdated { by, .. } if by == "a"),
        "{refused}"
    );
    times.at(4, allowed(proposal("c", "x"))).unwrap();
    times.at(4, intent("c")).unwrap();
}

/// For a day, and 4,096 of them; what goes although it is younger is no longer counted on.
#[test]
fn sendings_are_kept_for_a_day_and_said_to_be_incomplete_when_they_are_too_many() {
    const DAY: i64 = 24 * 60 * 60;
    let mut times = Times::new();
    let mut send = |seconds: i64, number: usize| {
        let id = format!("p{number}");
        times.sent(seconds, proposal(&id, &id));
        times.at(seconds, applied(&id)).unwrap();
        let first = times.0.activity.first().unwrap().at.as_second();
        let complete = times.0.activity_complete_since;
        let complete = complete.map(Timestamp::as_second);
        (first, times.0.activity.len(), complete)
    };
    assert_eq!(send(10, 0), (10, 1, None));
    // At a day exactly it is kept, and after that it is not; what is too old is missed by nobody.
    assert_eq!(send(10 + DAY, 1), (10, 2, None));
    assert_eq!(send(11 + DAY, 2), (10 + DAY, 2, None));
    for number in 3..4_097 {
        assert_eq!(send(11 + DAY, number), (10 + DAY, number, None));
    }
    let full = send(12 + DAY, 4_097);
    assert_eq!(full, (11 + DAY, 4_096, Some(10 + DAY)));
}

fn flow(times: &mut Times, seconds: i64, id: &str) -> Result<(), Refusal> {
    let workflow = Workflow::read(&workflow_fixtures::open(&["a"])).unwrap();
    let systems = [("open_valve".to_owned(), "plant".to_owned())];
    let started = StartedFlow::new(workflow, systems.into(), actor("user:ana"));
    let record = Record::FlowStarted {
        id: id.to_owned(),
        started: Box::new(started),
    };
    times.at(seconds, record)
}

#[test]
fn a_workflow_has_an_id_of_its_own_and_is_cancelled_once() {
    let mut times = Times::new();
    for id in ["", "a/b"] {
        flow(&mut times, 2, id).unwrap_err();
    }
    flow(&mut times, 2, "f").unwrap();
    flow(&mut times, 2, "f").unwrap_err();
    let cancelled = || Record::FlowCancelled {
        id: "f".to_owned(),
        by: actor("user:ana"),
        reason: "not now".to_owned(),
    };
    times.at(3, cancelled()).unwrap();
    times.at(3, cancelled()).unwrap_err();
}

/// Those that are over go, and none that is under way.
#[test]
fn sixteen_workflows_that_are_over_are_kept_at_hand() {
    let mut times = Times::new();
    flow(&mut times, 1, "a-first").unwrap();
    for number in 0..20 {
        let id = format!("f{number:02}");
        flow(&mut times, 2, &id).unwrap();
        let reason = "not now".to_owned();
        let by = actor("user:ana");
        times
            .at(2, Record::FlowCancelled { id, by, reason })
            .unwrap();
    }
    let over = |flow: &&Arc<Flow>| flow.ended.is_some();
    assert_eq!(times.0.flows.values().filter(over).count(), 16);
    assert!(times.0.flows["a-first"].ended.is_none());
    assert!(times.0.flows.contains_key("f19"));
    assert!(!times.0.flows.contains_key("f03"));
}

/// A signature is for the switch before it, and nothing else makes it old.
#[test]
fn only_switches_count_as_switches() {
    let mut times = Times::new();
    let by = || actor("user:ana");
    let reason = || "a test".to_owned();
    times.sent(1, proposal("a", "x"));
    times.at(2, applied("a")).unwrap();
    assert_eq!(times.0.last_switch, 1);
    let killed = Record::Killed {
        target: None,
        by: by(),
        reason: reason(),
    };
    times.at(3, killed).unwrap();
    assert_eq!(times.0.last_switch, 5);
    let confirmed = Record::ClockConfirmed {
        by: by(),
        reason: reason(),
        proof: None,
    };
    times.at(3, confirmed).unwrap();
    assert_eq!(times.0.last_switch, 5);
    let reset = Record::Reset {
        target: None,
        by: by(),
        reason: reason(),
        proof: None,
    };
    times.at(4, reset).unwrap();
    assert_eq!(times.0.last_switch, 7);
}

/// When space is short, what begins something is not written, and what ends it is.
#[test]
fn what_ends_something_is_told_from_what_begins_it() {
    let by = || actor("user:ana");
    let reason = || "a test".to_owned();
    let id = || "a".to_owned();
    let begins = [
        mode(Mode::Execute),
        allowed(proposal("a", "x")),
        agreed("user:ana", 1, &proposal("a", "x")),
        intent("a"),
        Record::Checkpoint {
            index: None,
            state: Box::default(),
        },
    ];
    let ends = [
        mode(Mode::Observe),
        answer("a"),
        applied("a"),
        Record::Killed {
            target: None,
            by: by(),
            reason: reason(),
        },
        Record::Cancelled {
            id: id(),
            by: by(),
            reason: reason(),
        },
        Record::Adopted {
            id: id(),
            from: "two".to_owned(),
        },
    ];
    for (records, expected) in [(&begins[..], false), (&ends[..], true)] {
        for record in records {
            assert_eq!(record.ends_something(), expected, "{record:?}");
        }
    }
}

#[test]
fn the_agreements_that_are_told_are_those_that_count() {
    let mut times = Times::new();
    let mut asked = proposal("a", "x");
    asked.expires_at = Timestamp::from_second(1_000).unwrap();
    let record = Record::Proposed {
        proposal: Box::new(asked.clone()),
        ruling: Ruling::Approve {
            rule: "high risk".to_owned(),
            by: Vec::new(),
            count: 3,
            ttl_ms: 60_000,
            signed: false,
            proven_by: Vec::new(),
        },
    };
    times.at(1, record).unwrap();
    times.at(2, agreed("user:ana", 20, &asked)).unwrap();
    times.at(2, agreed("user:ben", 30, &asked)).unwrap();
    let status = times.status("a");
    assert_eq!(status.approvals_needed(), 3);
    for (seconds, count) in [(19, 2), (20, 1), (29, 1), (30, 0)] {
        let now = Timestamp::from_second(seconds).unwrap();
        assert_eq!(status.approvals_at(now), count, "at {seconds}");
    }
}

fn in_force(times: &Times, seconds: i64) -> Vec<(String, Option<String>)> {
    let all = times.0.in_force(Timestamp::from_second(seconds).unwrap());
    let each = all.into_iter().map(|one| (one.id, one.overwritten_by));
    each.collect()
}

/// What budgets count of it.
fn counted(times: &Times, seconds: i64) -> usize {
    let now = Timestamp::from_second(seconds).unwrap();
    let usage = Usage::of(&times.0, now);
    usage.used.iter().filter(|used| used.in_force).count()
}

/// It ends by itself, so long after it is known to have begun.
#[test]
fn what_ends_by_itself_is_in_force_no_longer_than_it_lasts() {
    let mut times = Times::new();
    let mut pause = lasting("a", "x");
    pause.plan = pause.plan.lasts(Duration::from_secs(60));
    let plan = pause.plan.clone();
    times.at(1, allowed(pause)).unwrap();
    times.at(1, crate::fixtures::intent_of("a", plan)).unwrap();
    assert_eq!(in_force(&times, 1_000).len(), 1, "it may have begun");
    times.at(5, applied("a")).unwrap();
    for (seconds, count) in [(64, 1), (65, 0)] {
        assert_eq!(in_force(&times, seconds).len(), count, "at {seconds}");
        assert_eq!(counted(&times, seconds), count, "at {seconds}");
    }
    times.at(65, allowed(proposal("b", "y"))).unwrap();
    assert!(times.0.effects.is_empty());
}

/// A person says that it was applied, and nobody whose doing it was: what lasts is taken back all
/// the same, and what is over is not.
#[test]
fn what_a_person_called_applied_is_taken_back_only_where_it_lasts() {
    for is_lasting in [false, true] {
        let mut times = Times::new();
        let mut asked = if is_lasting {
            lasting("a", "x")
        } else {
            proposal("a", "x")
        };
        asked.undo = Undo::Action {
            name: "turn".to_owned(),
            parameters: serde_json::Map::new(),
            expects: Vec::new(),
        };
        times.sent(1, asked);
        times.at(2, crate::fixtures::unknown("a")).unwrap();
        let resolved = Record::Resolved {
            id: "a".to_owned(),
            by: actor("user:ana"),
            result: OutcomeKind::Applied,
            reason: "I see it".to_owned(),
        };
        times.at(3, resolved).unwrap();
        let status = times.status("a");
        assert_eq!(
            status.outcome.as_ref().unwrap().by,
            Some(Attribution::Undecided)
        );
        let is_undone = matches!(status.proposal.undo, Undo::Action { .. });
        assert_eq!(is_undone, is_lasting);
        let shown = times.0.in_force(Timestamp::from_second(3).unwrap());
        let by: Vec<_> = shown.iter().map(|effect| effect.by).collect();
        let expected = is_lasting.then_some(Some(Attribution::Undecided));
        assert_eq!(by, Vec::from_iter(expected));
    }
}

/// What was to be taken back, and can be no more, is done for good.
#[test]
fn what_has_come_to_its_end_is_in_force_no_more() {
    let mut times = Times::new();
    let mut offline = lasting("a", "x");
    offline.undo = Undo::Action {
        name: "turn".to_owned(),
        parameters: serde_json::Map::new(),
        expects: Vec::new(),
    };
    times.sent(1, offline);
    let ended = Record::Outcome {
        id: "a".to_owned(),
        outcome: Outcome::applied(Attribution::Ours, "a tombstone", Vec::new()),
        undo: Some(Undo::none("a tombstone is not taken back")),
    };
    times.at(2, ended).unwrap();
    assert_eq!(in_force(&times, 2), []);
}

/// The last of several is in force and counts once; taking that back puts the one before in force.
#[test]
fn what_was_set_anew_is_shown_as_that_and_counts_once() {
    let mut times = Times::new();
    for (seconds, id) in [(1, "a"), (2, "b")] {
        times.sent(seconds, lasting(id, "x"));
        times.at(seconds, applied(id)).unwrap();
    }
    times.sent(3, lasting("c", "y"));
    times.at(3, applied("c")).unwrap();
    let overwritten = |id: &str, by: Option<&str>| (id.to_owned(), by.map(str::to_owned));
    let (a, b, c) = (
        overwritten("a", Some("b")),
        overwritten("b", None),
        overwritten("c", None),
    );
    assert_eq!(in_force(&times, 4), [a, b, c.clone()]);
    assert_eq!(counted(&times, 4), 2);
    let mut undo = proposal("d", "x");
    undo.undoes = Some("b".to_owned());
    times.sent(5, undo);
    times.at(5, applied("d")).unwrap();
    assert_eq!(in_force(&times, 5), [overwritten("a", None), c]);
}

/// An agent that may not take it back does not keep a person from it.
#[test]
fn a_person_takes_over_what_an_agent_began_to_take_back() {
    let mut times = Times::new();
    flow(&mut times, 1, "f").unwrap();
    let compensating = |by: &str| Record::FlowCompensating {
        id: "f".to_owned(),
        by: actor(by),
        reason: "it was wrong".to_owned(),
    };
    times.at(2, compensating("agent:x")).unwrap();
    times.at(2, compensating("agent:y")).unwrap_err();
    times.at(3, compensating("user:ana")).unwrap();
    let by = times.0.flows["f"].compensation.as_ref().map(|one| &one.by);
    assert_eq!(by, Some(&actor("user:ana")));
    times.at(4, compensating("user:ben")).unwrap_err();
}

/// What is said to be undone by its own id: now, or once it was sent.
#[test]
fn what_can_be_undone_is_what_leaves_something_of_ours() {
    let mut times = Times::new();
    let can = |times: &Times, proposal: &Proposal| times.0.can_be_undone(proposal);
    let (turned, held) = (proposal("turned", "x"), lasting("held", "y"));
    let undo_of = |mut undo: Proposal, of: &str| {
        undo.undoes = Some(of.to_owned());
        undo
    };
    // Before anything of it is recorded, and before it is sent.
    assert!(can(&times, &turned) && can(&times, &held));
    times.at(1, allowed(turned.clone())).unwrap();
    times.at(1, allowed(held.clone())).unwrap();
    assert!(can(&times, &turned) && can(&times, &held));
    times.at(2, intent("turned")).unwrap();
    times.at(2, intent("held")).unwrap();
    assert!(!can(&times, &turned) && can(&times, &held));
    times.at(3, applied("turned")).unwrap();
    times.at(3, applied("held")).unwrap();
    assert!(can(&times, &turned) && can(&times, &held));

    // What takes something back leaves nothing of its own in force.
    assert!(can(&times, &undo_of(proposal("back", "y"), "held")));
    assert!(!can(&times, &undo_of(lasting("again", "y"), "held")));

    let release = Record::Released {
        id: "held".to_owned(),
        by: actor("user:ana"),
        reason: "it is gone".to_owned(),
    };
    times.at(4, release).unwrap();
    assert!(!can(&times, &held));
    times.sent(5, undo_of(proposal("undo", "x"), "turned"));
    times.at(6, applied("undo")).unwrap();
    assert!(times.status("turned").taken_back.is_some());
    assert!(!can(&times, &turned));

    let failed = proposal("failed", "z");
    times.sent(7, failed.clone());
    let outcome = Outcome::not_applied("refused", "no", false, Vec::new());
    let id = "failed".to_owned();
    times
        .at(
            8,
            Record::Outcome {
                id,
                outcome,
                undo: None,
            },
        )
        .unwrap();
    assert!(!can(&times, &failed));
}
