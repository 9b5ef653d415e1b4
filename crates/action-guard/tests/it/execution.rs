//! One send, and what keeps it from being sent.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use action_core::{ActionDefinition, ActionRegistry, FailureKind, OutcomeKind, Plan, Progress};
use action_guard::failpoint::{Failure, arm, disarm};
use action_guard::policy::{Act, Ask, Weighed};
use action_guard::{
    Actor, Decider, Event, FileJournal, Guard, GuardError, Mode, OutdatedBy, Phase, Proposal,
    ProposalStatus, Record, Refusal, Rules, Ruling, Standing, State, StatementSignature,
    Unrestricted,
};
use jiff::Timestamp;
use serde_json::Value;

use crate::fixtures::write;
use crate::guard_fixture::{
    Workbench, ana, done, execute, executed, hold, proposed, summary, turn,
};
use crate::test_subject::{Behaviour, Dial, registry};

/// Does something right when the send is decided.
#[derive(Debug)]
enum Meddler {
    /// Puts the file `KILL` into this directory.
    Kills(PathBuf),
    /// Wants a person to agree.
    Asks,
    /// Changed its mind.
    Denies,
}

impl Rules for Meddler {
    fn rule(&self, _: &Proposal, _: &ActionDefinition, _: &State, _: Timestamp) -> Ruling {
        match self {
            Self::Asks => Ruling::Approve {
                rule: "ask".to_owned(),
                by: Vec::new(),
                count: 1,
                ttl_ms: 60_000,
                signed: false,
                proven_by: Vec::new(),
            },
            _ => Ruling::Allow {
                rule: "meddler".to_owned(),
            },
        }
    }

    fn allow_send(
        &self,
        _: &ProposalStatus,
        _: &ActionDefinition,
        _: &Plan,
        _: &State,
        _: Timestamp,
    ) -> Result<(), Refusal> {
        match self {
            Self::Kills(directory) => std::fs::write(directory.join("KILL"), "").unwrap(),
            Self::Asks => {}
            Self::Denies => {
                return Err(Refusal::Denied {
                    rule: "budget".to_owned(),
                    reason: "enough for today".to_owned(),
                });
            }
        }
        Ok(())
    }

    fn allow_at_send(
        &self,
        _: &ProposalStatus,
        _: &ActionDefinition,
        _: &Plan,
        _: &State,
        _: Timestamp,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    fn weigh(&self, ask: &Ask<'_>, state: &State) -> Weighed {
        Unrestricted.weigh(ask, state)
    }

    fn rule_taking_back(
        &self,
        definition: &ActionDefinition,
        actor: &Actor,
        system: &str,
        state: &State,
        at: Timestamp,
    ) -> Ruling {
        Unrestricted.rule_taking_back(definition, actor, system, state, at)
    }

    fn vouch(
        &self,
        act: Act,
        by: &Actor,
        statement: &Value,
        signature: Option<&StatementSignature>,
    ) -> Result<(), Refusal> {
        Unrestricted.vouch(act, by, statement, signature)
    }
}

/// Nothing happens before the test says so.
const HELD_BACK: Behaviour = Behaviour {
    delay: Duration::ZERO,
    held_back: true,
    silent: false,
    refuses: false,
    forgets: false,
};

#[track_caller]
fn refused(error: &GuardError) -> &Refusal {
    let GuardError::Refused(refusal) = error else {
        unreachable!("{error:?}");
    };
    refusal
}

#[tokio::test]
async fn what_is_allowed_is_sent_once_proven_and_recorded() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let report = done(&guard, turn("x", 4)).await;
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    assert_eq!(bench.server.dial("x").value, 4);
    assert_eq!(bench.server.senders("x"), [report.id.as_str()]);
    // No policy rules here, so that none is named, and none is wrong.
    let status = guard.proposal_status(&report.id).await.unwrap();
    assert_eq!(status.proposal.policy, None);
    assert_eq!(guard.rules_problem(), None);
    for kind in ["proposed", "intent", "answer", "outcome"] {
        assert_eq!(bench.records(kind).await, 1, "{kind}");
    }
}

#[tokio::test]
async fn in_mode_observe_nothing_is_sent_whichever_process_set_it() {
    let bench = Workbench::new().await;
    let (here, there) = (bench.guard(), bench.guard());
    let proposal = proposed(&here, turn("x", 4)).await;
    let by = ana();
    there
        .controls()
        .set_mode(Mode::Observe, Decider::claimed(&by), "night")
        .await
        .unwrap();
    let error = execute(&here, &proposal).await.unwrap_err();
    assert_eq!(refused(&error), &Refusal::Observing);
    assert_eq!(error.kind(), FailureKind::Refused);
    assert!(bench.server.senders("x").is_empty());
}

#[tokio::test]
async fn a_kill_between_the_intent_and_the_send_stops_the_send() {
    let bench = Workbench::new().await;
    let directory = bench.directory.path().to_owned();
    let guard = bench.guard_under(Meddler::Kills(directory));
    let proposal = proposed(&guard, turn("x", 4)).await;
    let report = execute(&guard, &proposal).await.unwrap();
    assert_eq!(
        summary(&report),
        (Value::from("not_applied"), Some("stopped"))
    );
    assert!(bench.server.senders("x").is_empty());
    assert_eq!(bench.records("intent").await, 1);
}

#[tokio::test]
async fn a_stop_by_another_process_stops_the_next_send() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let waiting = proposed(&guard, turn("x", 4)).await;
    let stop = bench
        .guard()
        .controls()
        .stop(&ana(), "smoke")
        .await
        .unwrap();
    assert_eq!(stop.cancelled.len(), 1);
    let standing = executed(&guard, &waiting).await.unwrap();
    let Standing::Cancelled { by, .. } = &standing else {
        unreachable!("{standing:?}");
    };
    assert_eq!(*by, Some(ana()));
    let error = guard.propose(turn("y", 1)).await.unwrap_err();
    assert!(matches!(refused(&error), Refusal::Killed { .. }), "{error}");
    assert!(bench.server.senders("x").is_empty());
}

/// Four processes send as fast as they can, and somebody stops everything.
#[tokio::test(flavor = "multi_thread")]
async fn once_a_stop_returns_no_intent_is_written_by_anybody() {
    let bench = Workbench::new().await;
    let mut tasks = tokio::task::JoinSet::new();
    for process in 0..4 {
        let guard = bench.guard();
        tasks.spawn(async move {
            for value in 1.. {
                let request = turn(&format!("dial-{process}"), value);
                let Ok(Standing::Allowed(proposal)) = guard.propose(request).await else {
                    return;
                };
                if execute(&guard, &proposal).await.is_err() {
                    return;
                }
            }
        });
    }
    let guard = bench.guard();
    while guard.state().await.unwrap().activity.len() < 12 {
        tokio::task::yield_now().await;
    }
    guard.controls().stop(&ana(), "smoke").await.unwrap();
    let stopped = guard.state().await.unwrap().last_switch;
    tasks.join_all().await;
    let entries = guard.journal().entries(0, usize::MAX).await.unwrap();
    let is_intent = |record: &Record| matches!(record, Record::Intent { .. });
    let intents: Vec<_> = entries
        .iter()
        .filter(|entry| is_intent(&entry.record))
        .collect();
    assert!(intents.len() >= 12);
    assert!(intents.iter().all(|intent| intent.seq < stopped));
    let sent: usize = (0..4)
        .map(|at| bench.server.senders(&format!("dial-{at}")).len())
        .sum();
    assert!(sent <= intents.len());
}

#[tokio::test]
async fn the_rules_are_asked_again_when_it_is_sent() {
    let bench = Workbench::new().await;
    let guard = bench.guard_under(Meddler::Denies);
    let proposal = proposed(&guard, turn("x", 4)).await;
    let standing = executed(&guard, &proposal).await.unwrap();
    assert!(matches!(standing, Standing::Denied { .. }), "{standing:?}");
    assert!(bench.server.senders("x").is_empty());
    assert_eq!(bench.records("intent").await, 0);
}

#[tokio::test]
async fn what_changed_since_the_plan_stops_it() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let proposal = proposed(&guard, turn("x", 4)).await;
    let value = 9;
    bench.server.turn_by_hand(
        "x",
        Dial {
            value,
            ..Dial::default()
        },
    );
    let standing = executed(&guard, &proposal).await.unwrap();
    let by_facts =
        |by: &OutdatedBy| matches!(by, OutdatedBy::Facts(changes) if !changes.is_empty());
    assert!(
        matches!(&standing, Standing::Outdated { by, .. } if by_facts(by)),
        "{standing:?}"
    );
    assert!(bench.server.senders("x").is_empty());
}

#[tokio::test]
async fn an_approved_proposal_is_carried_out_once_by_whoever_comes_first() {
    let bench = Workbench::new().await;
    let guard = bench.guard_under(Meddler::Asks);
    let proposal = proposed(&guard, turn("x", 4)).await;
    let standing = executed(&guard, &proposal).await.unwrap();
    let Standing::Waits(waits) = &standing else {
        unreachable!("{standing:?}");
    };
    assert_eq!(waits.missing, 1);
    let by = ana();
    let controls = bench.guard().controls();
    let approved = controls.approve(
        &proposal.id,
        &proposal.plan_hash,
        Decider::claimed(&by),
        None,
    );
    approved.await.unwrap();
    let others = [bench.guard(), bench.guard(), bench.guard()];
    let runs = others.each_ref().map(|guard| {
        let (guard, proposal) = (guard.clone(), proposal.clone());
        tokio::spawn(async move { executed(&guard, &proposal).await.unwrap() })
    });
    for run in runs {
        let standing = run.await.unwrap();
        assert!(
            matches!(standing, Standing::Applied(_) | Standing::InProgress(_)),
            "{standing:?}"
        );
    }
    assert_eq!(bench.server.senders("x").len(), 1);
}

#[tokio::test]
async fn a_second_change_of_the_same_thing_is_refused_and_planned_again() {
    let bench = Workbench::new().await;
    bench.server.behave(HELD_BACK);
    let (one, other) = (bench.guard(), bench.guard());
    let first = proposed(&one, hold("x")).await;
    let second = proposed(&other, turn("x", 4)).await;
    let (accepted, mut is_accepted) = tokio::sync::mpsc::unbounded_channel();
    let holder = first.id.clone();
    let running = tokio::spawn(async move {
        let mut watch = |event: Event| {
            if matches!(event, Event::Accepted(_)) {
                accepted.send(()).unwrap();
            }
        };
        one.execute(&first, &first.requester().unwrap(), &mut watch)
            .await
    });
    is_accepted.recv().await.unwrap();
    let error = execute(&other, &second).await.unwrap_err();
    let resource = "dial/x".to_owned();
    assert_eq!(refused(&error), &Refusal::ResourceHeld { resource, holder });
    assert_eq!(error.kind(), FailureKind::Busy);
    bench.server.finish();
    bench.server.behave(Behaviour::default());
    running.await.unwrap().unwrap();
    // It was planned before the first one changed the same.
    let standing = executed(&other, &second).await.unwrap();
    assert!(
        matches!(
            &standing,
            Standing::Outdated {
                by: OutdatedBy::Proposal(_),
                ..
            }
        ),
        "{standing:?}"
    );
    assert_eq!(bench.server.senders("x").len(), 1);
    let report = done(&other, turn("x", 4)).await;
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    assert_eq!(bench.server.senders("x").len(), 2);
}

#[tokio::test]
async fn what_is_refused_by_the_system_is_an_outcome() {
    let bench = Workbench::new().await;
    bench.server.behave(Behaviour {
        refuses: true,
        ..Behaviour::default()
    });
    let report = done(&bench.guard(), turn("x", 4)).await;
    assert_eq!(report.outcome.result, OutcomeKind::NotApplied);
    assert_eq!(report.outcome.summary, "the dials do not want to");
}

#[tokio::test]
async fn a_lost_answer_is_followed_and_the_right_outcome_found() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    bench.server.behave(Behaviour {
        silent: true,
        ..Behaviour::default()
    });
    assert_eq!(
        done(&guard, turn("x", 4)).await.outcome.result,
        OutcomeKind::Applied
    );
    bench.server.behave(Behaviour {
        silent: true,
        forgets: true,
        ..Behaviour::default()
    });
    let report = done(&guard, turn("y", 4)).await;
    assert_eq!(
        summary(&report),
        (Value::from("not_applied"), Some("no_trace"))
    );
    assert_eq!(bench.server.senders("y").len(), 1);
}

/// Cancelled by another process while it is followed: what was sent is not taken back, and its
/// outcome is unknown until somebody looks.
#[tokio::test]
async fn cancelling_stops_the_following_and_recovery_goes_on() {
    let bench = Workbench::new().await;
    bench.server.behave(HELD_BACK);
    let guard = bench.guard();
    let proposal = proposed(&guard, turn("x", 4)).await;
    let id = proposal.id.clone();
    let controls = bench.guard().controls();
    let (accepted, mut is_accepted) = tokio::sync::mpsc::unbounded_channel();
    let running = tokio::spawn({
        let guard = guard.clone();
        async move {
            let mut watch = |event: Event| {
                if matches!(event, Event::Accepted(_)) {
                    accepted.send(()).unwrap();
                }
            };
            guard
                .execute(&proposal, &proposal.requester().unwrap(), &mut watch)
                .await?
                .into_report()
        }
    });
    is_accepted.recv().await.unwrap();
    controls.cancel(&id, &ana(), "not now").await.unwrap();
    let report = running.await.unwrap().unwrap();
    assert_eq!(
        summary(&report),
        (Value::from("unknown"), Some("cancelled"))
    );
    let again = controls.cancel(&id, &ana(), "not now").await.unwrap_err();
    assert!(again.to_string().contains("outcome unknown"), "{again}");
    // That it was cancelled before is no reason not to look further.
    let mut finish = |event| {
        if matches!(event, Event::Progress(Progress::Pending { .. })) {
            bench.server.finish();
        }
    };
    let recovered = guard.recover(&mut finish).await.unwrap();
    assert_eq!(recovered[0].outcome.result, OutcomeKind::Applied);
    assert_eq!(bench.server.senders("x").len(), 1);
}

#[tokio::test]
async fn recovery_leaves_alone_what_a_living_process_is_at() {
    let bench = Workbench::new().await;
    bench.server.behave(HELD_BACK);
    let (one, other) = (bench.guard(), bench.guard());
    let proposal = proposed(&one, turn("x", 4)).await;
    let mut accepted = false;
    let (reached, mut is_reached) = tokio::sync::mpsc::unbounded_channel();
    let running = tokio::spawn(async move {
        let mut watch = |event: Event| {
            if matches!(event, Event::Accepted(_)) && !accepted {
                accepted = true;
                reached.send(()).unwrap();
            }
        };
        one.execute(&proposal, &proposal.requester().unwrap(), &mut watch)
            .await?
            .into_report()
    });
    is_reached.recv().await.unwrap();
    assert!(other.recover(&mut |_| {}).await.unwrap().is_empty());
    bench.server.finish();
    let report = running.await.unwrap().unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    assert_eq!(bench.records("adopted").await, 0);
    assert_eq!(bench.records("outcome").await, 1);
}

#[tokio::test]
async fn an_intent_that_cannot_be_written_or_synced_is_never_sent() {
    for point in ["journal.write", "journal.sync"] {
        let bench = Workbench::new().await;
        let guard = bench.guard();
        let proposal = proposed(&guard, turn("x", 4)).await;
        arm(
            point,
            bench.directory.path(),
            0,
            Failure::Fail(ErrorKind::Other),
        );
        let error = execute(&guard, &proposal).await.unwrap_err();
        assert!(matches!(error, GuardError::Journal(_)), "{error}");
        disarm(bench.directory.path());
        assert!(bench.server.senders("x").is_empty(), "{point}");
        // Nor does this process try again.
        assert!(guard.propose(turn("y", 1)).await.is_err());
    }
}

/// The answer and the outcome cannot be written: the send is not forgotten, and another process
/// finds out.
#[tokio::test]
async fn an_outcome_that_cannot_be_written_is_said_to_be_unrecorded() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let proposal = proposed(&guard, turn("x", 4)).await;
    arm(
        "journal.sync",
        bench.directory.path(),
        1,
        Failure::Fail(ErrorKind::Other),
    );
    let error = execute(&guard, &proposal).await.unwrap_err();
    disarm(bench.directory.path());
    let GuardError::Unrecorded { report, .. } = &error else {
        unreachable!("{error:?}");
    };
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    assert_eq!(error.kind(), FailureKind::Unknown);
    drop(guard);
    let other = bench.guard();
    let reports = loop {
        let reports = other.recover(&mut |_| {}).await.unwrap();
        if !reports.is_empty() {
            break reports;
        }
        // The thread of the first one ends by itself, soon.
        tokio::task::yield_now().await;
    };
    assert_eq!(reports[0].outcome.result, OutcomeKind::Applied);
    assert_eq!(bench.server.senders("x").len(), 1);
}

#[tokio::test]
async fn secrets_are_not_in_the_journal() {
    let bench = Workbench::new().await;
    let guard = bench.guard().secret("hunter2");
    let mut request = hold("x").reason("with hunter2 at http://ana:pw123@dials:80/");
    request.parameters["pin"] = Value::from("pin of four digits");
    let report = done(&guard, request).await;
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    let segment = bench
        .directory
        .path()
        .join("journal/00000000000000000001.jsonl");
    let journal = std::fs::read_to_string(segment).unwrap();
    for secret in ["hunter2", "pw123", "pin of four digits"] {
        assert!(!journal.contains(secret), "{secret} is in {journal}");
    }
    assert!(journal.contains("http://[redacted]@dials:80/"));
    bench.records("outcome").await;
    // Another process has no secret to send.
    let mut request = hold("y");
    request.parameters["pin"] = Value::from("pin of four digits");
    let proposal = proposed(&guard, request).await;
    let other = bench.guard();
    let found = other
        .proposal_status(&proposal.id)
        .await
        .unwrap()
        .proposal
        .clone();
    let error = execute(&other, &found).await.unwrap_err();
    assert!(
        matches!(refused(&error), Refusal::Redacted { .. }),
        "{error}"
    );
    assert!(bench.server.senders("y").is_empty());
}

/// A process that lacks the action cannot carry it out, ever; one that cannot reach the system may
/// later.
#[tokio::test]
async fn what_can_never_be_carried_out_is_over_and_what_cannot_be_now_is_not() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let proposal = proposed(&guard, turn("x", 4)).await;
    let journal = || FileJournal::open(bench.directory.path()).unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let away = Guard::new(registry(address), journal());
    let error = execute(&away, &proposal).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Unavailable, "{error}");
    let status = guard.proposal_status(&proposal.id).await.unwrap();
    assert_eq!(status.phase, Phase::Approved);

    let without = Guard::new(ActionRegistry::new(), journal());
    let error = execute(&without, &proposal).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::InvalidInput, "{error}");
    let status = guard.proposal_status(&proposal.id).await.unwrap();
    assert_eq!(status.phase, Phase::Cancelled);
    assert!(bench.server.senders("x").is_empty());
}

/// The outcome is for another process to write by now, and nobody takes it back: who followed it
/// says that it wrote nothing.
#[tokio::test]
async fn an_outcome_that_another_process_writes_is_said_to_be_unrecorded() {
    let bench = Workbench::new().await;
    bench.server.behave(HELD_BACK);
    let guard = bench.guard();
    let proposal = proposed(&guard, turn("x", 4)).await;
    let (task, first) = (guard.clone(), proposal.clone());
    let running = tokio::spawn(async move { execute(&task, &first).await });
    let id = proposal.id;
    let from = loop {
        let status = guard.proposal_status(&id).await.unwrap();
        match (&status.answer, &status.owner) {
            (Some(_), Some(owner)) => break owner.clone(),
            _ => tokio::task::yield_now().await,
        }
    };
    let journal = FileJournal::open(bench.directory.path()).unwrap();
    let adopted = Record::Adopted { id, from };
    write(&journal, [adopted]).await.unwrap();
    bench.server.finish();
    let error = running.await.unwrap().unwrap_err();
    assert!(matches!(error, GuardError::Unrecorded { .. }), "{error:?}");
}
