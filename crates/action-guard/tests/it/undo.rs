//! Taking back: undo, leases, reap, and when the journal is full.

use std::io::ErrorKind;
use std::time::Duration;

use action_core::OutcomeKind;
use action_guard::failpoint::{Failure, arm, disarm};
use action_guard::{
    ChangedBy, Event, Guard, GuardError, Phase, Proposal, Reaped, Refusal, Report, Request,
};
use serde_json::json;

use crate::fixtures::actor;
use crate::guard_fixture::{Asked as _, Workbench, ana, done, execute, hold, proposed, turn};
use crate::test_subject::{Behaviour, Dial, Hold, Sends};

#[tokio::test]
async fn an_undo_is_a_proposal_and_releases_what_was_ours() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let held = done(&guard, hold("x")).await;
    assert_eq!(guard.state().await.unwrap().effects.len(), 1);
    let undo = guard
        .propose_undo(&held.id, &ana(), "it is repaired")
        .await
        .unwrap()
        .asked();
    assert_eq!(undo.undoes.as_deref(), Some(held.id.as_str()));
    assert_eq!(undo.request.action, "release_dial");
    execute(&guard, &undo).await.unwrap();
    assert!(!bench.server.dial("x").held);
    assert!(guard.state().await.unwrap().effects.is_empty());
    let again = guard
        .propose_undo(&held.id, &ana(), "again")
        .await
        .unwrap_err();
    let GuardError::NoUndo { reason, .. } = &again else {
        unreachable!("{again:?}");
    };
    assert!(reason.contains(&undo.id), "{reason}");
}

#[tokio::test]
async fn what_somebody_changed_since_is_not_undone() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let turned = done(&guard, turn("x", 4)).await;
    let value = 9;
    bench.server.turn_by_hand(
        "x",
        Dial {
            value,
            ..Dial::default()
        },
    );
    let error = guard
        .propose_undo(&turned.id, &ana(), "back")
        .await
        .unwrap_err();
    let GuardError::ChangedSince { by, changes } = &error else {
        unreachable!("{error:?}");
    };
    assert_eq!(*by, ChangedBy::Somebody);
    assert_eq!(
        (&changes[0].then, &changes[0].now),
        (&json!(4), &Some(json!(9)))
    );
    assert_eq!(bench.server.senders("x").len(), 1);
}

#[tokio::test]
async fn what_a_later_proposal_of_ours_changed_is_said_to_be_its_doing() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let first = done(&guard, turn("x", 4)).await;
    let second = done(&guard, turn("x", 5)).await;
    done(&guard, turn("y", 6)).await;
    let undo = guard.propose_undo(&first.id, &ana(), "back").await;
    let said = undo.unwrap_err().to_string();
    let expected = format!("not taken back: proposal `{}` changed it", second.id);
    assert!(said.starts_with(&expected), "{said}");

    let third = proposed(&guard, turn("x", 7)).await;
    bench.server.behave(Behaviour {
        held_back: true,
        ..Behaviour::default()
    });
    let following = carried_out_beside(&guard, &third);
    received(&bench, "x", 3).await;
    let undo = guard.propose_undo(&first.id, &ana(), "back").await;
    let GuardError::ChangedSince { by, .. } = undo.unwrap_err() else {
        unreachable!();
    };
    assert_eq!(by, ChangedBy::InFlight(third.id.clone()));
    bench.server.finish();
    following.await.unwrap().unwrap();
}

/// All are proposed before one of them is carried out, so that each but the first has lost.
#[tokio::test]
async fn of_many_undos_each_that_lost_names_the_one_that_won() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let turned = done(&guard, turn("x", 4)).await;
    let mut undos = Vec::new();
    for _ in 0..10 {
        undos.push(guard.propose_undo(&turned.id, &ana(), "back").await);
    }
    let mut undos = undos.into_iter().map(|undo| undo.unwrap().asked());
    let (winner, early) = (undos.next().unwrap(), undos.next().unwrap());
    bench.server.behave(Behaviour {
        held_back: true,
        ..Behaviour::default()
    });
    let following = carried_out_beside(&guard, &winner);
    received(&bench, "x", 2).await;

    let in_progress = format!(
        "not sent: proposal `{}` is being taken back by proposal `{}`",
        turned.id, winner.id
    );
    let lost = execute(&guard, &early).await.unwrap_err();
    assert_eq!(lost.to_string(), in_progress);
    let late = guard.propose_undo(&turned.id, &ana(), "back").await;
    assert_eq!(late.unwrap_err().to_string(), in_progress);
    bench.server.finish();
    following.await.unwrap().unwrap();

    let done_already = format!(
        "proposal `{}` cannot be taken back: proposal `{}` took it back",
        turned.id, winner.id
    );
    let late = guard.propose_undo(&turned.id, &ana(), "back").await;
    assert_eq!(late.unwrap_err().to_string(), done_already);
    for undo in undos {
        let lost = execute(&guard, &undo).await.unwrap_err();
        assert_eq!(lost.to_string(), done_already);
        let status = guard.proposal_status(&undo.id).await.unwrap();
        assert_eq!(status.phase, Phase::Cancelled);
    }
    assert_eq!(bench.server.senders("x").len(), 2);
}

/// It finds nothing in its way, and another undo is done before it looks at the dial.
#[tokio::test]
async fn an_undo_that_loses_while_it_is_planned_names_the_one_that_won() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let turned = done(&guard, turn("x", 4)).await;
    let hold = Hold::new();
    let late = bench.guard_that(Sends {
        before_look: Some(hold.clone()),
        ..Sends::default()
    });
    let id = turned.id.clone();
    let late = tokio::spawn(async move { late.propose_undo(&id, &ana(), "back").await });
    hold.is_reached().await;
    let undo = guard.propose_undo(&turned.id, &ana(), "back").await;
    let undo = undo.unwrap().asked();
    execute(&guard, &undo).await.unwrap();
    // It asks which system this is, and looks at the dial: again, as that was changed meanwhile.
    for _ in 0..100 {
        hold.let_go();
    }
    let error = late.await.unwrap().unwrap_err();
    let GuardError::NoUndo { reason, .. } = &error else {
        unreachable!("{error:?}");
    };
    assert_eq!(*reason, format!("proposal `{}` took it back", undo.id));
}

fn carried_out_beside(
    guard: &Guard,
    proposal: &Proposal,
) -> tokio::task::JoinHandle<Result<Report, GuardError>> {
    let (guard, proposal) = (guard.clone(), proposal.clone());
    tokio::spawn(async move { execute(&guard, &proposal).await })
}

/// Waits until so many requests about a dial were received.
async fn received(bench: &Workbench, dial: &str, count: usize) {
    while bench.server.senders(dial).len() < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_was_taken_back_by_hand_is_ours_no_longer() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    done(&guard, hold("x")).await;
    let by_hand = Request::new("release_dial", json!({"dial": "x"}), "user:ben");
    done(&guard, by_hand).await;
    assert!(guard.state().await.unwrap().effects.is_empty());
}

#[tokio::test]
async fn an_undo_of_something_long_ago_is_found_in_the_journal() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let first = done(&guard, turn("x", 4)).await;
    for value in 0..40 {
        done(&guard, turn("y", value)).await;
    }
    assert!(
        guard
            .state()
            .await
            .unwrap()
            .proposal_status(&first.id)
            .is_none()
    );
    let undo = guard
        .propose_undo(&first.id, &ana(), "back")
        .await
        .unwrap()
        .asked();
    assert_eq!(undo.request.parameters, json!({"dial": "x", "value": 0}));
    let report = execute(&guard, &undo).await.unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
}

#[tokio::test]
async fn the_kill_switch_lets_only_our_own_be_taken_back() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let held = done(&guard, hold("x")).await;
    let turned = done(&guard, turn("y", 4)).await;
    let stop = bench
        .guard()
        .controls()
        .stop(&actor("agent:night"), "smoke")
        .await
        .unwrap();
    assert_eq!(stop.in_force.len(), 1);
    let error = guard
        .propose_undo(&turned.id, &ana(), "back")
        .await
        .unwrap_err();
    assert!(
        matches!(error, GuardError::Refused(Refusal::Killed { .. })),
        "{error}"
    );
    let undo = guard
        .propose_undo(&held.id, &ana(), "back")
        .await
        .unwrap()
        .asked();
    let report = execute(&guard, &undo).await.unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    assert!(!bench.server.dial("x").held);
}

#[tokio::test]
async fn a_lease_that_is_over_is_reaped_and_nothing_else() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    done(&guard, hold("short").lease(Duration::ZERO)).await;
    done(&guard, hold("long").lease(Duration::from_secs(3600))).await;
    done(&guard, hold("open")).await;
    // Not ours.
    bench.server.turn_by_hand(
        "theirs",
        Dial {
            held: true,
            ..Dial::default()
        },
    );
    // Another process does it.
    let reaped = bench.guard().reap(&mut |_| {}).await.unwrap();
    let [Reaped::Sent { effect, report }] = &reaped[..] else {
        unreachable!("{reaped:?}");
    };
    assert_eq!(effect.key, "hold/short");
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    let held = ["short", "long", "open", "theirs"].map(|name| bench.server.dial(name).held);
    assert_eq!(held, [false, true, true, true]);
    assert!(guard.reap(&mut |_| {}).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_somebody_changed_is_not_reaped_until_a_person_releases_it() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let held = done(&guard, hold("x").lease(Duration::ZERO)).await;
    bench.server.turn_by_hand("x", Dial::default());
    let reaped = guard.reap(&mut |_| {}).await.unwrap();
    assert!(matches!(&reaped[..], [Reaped::Left { why, .. }] if why.contains("changed")));
    guard
        .controls()
        .release(&held.id, &ana(), "ben has it")
        .await
        .unwrap();
    assert!(guard.reap(&mut |_| {}).await.unwrap().is_empty());
    assert_eq!(bench.server.senders("x").len(), 1);
}

#[tokio::test]
async fn a_person_resolves_what_nothing_can_tell() {
    let bench = Workbench::new().await;
    let guard = bench.guard().stalled_after(Duration::ZERO);
    let report = done(&guard, hold("x")).await;
    let ended = guard
        .controls()
        .resolve(&report.id, &ana(), OutcomeKind::Applied, "seen")
        .await;
    assert!(ended.is_err(), "it is known");
}

/// The disk is full and the reserve is used up: a person takes back what is ours, and it is written
/// down when there is space.
#[tokio::test]
async fn with_a_full_disk_a_person_can_still_take_back_what_is_ours() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let held = done(&guard, hold("x")).await;
    let turned = done(&guard, turn("y", 1)).await;
    arm(
        "journal.write",
        bench.directory.path(),
        0,
        Failure::Fail(ErrorKind::StorageFull),
    );
    let by_an_agent = guard
        .break_glass(&held.id, &actor("agent:night"), "full", &mut |_| {})
        .await;
    assert!(matches!(
        by_an_agent,
        Err(GuardError::Refused(Refusal::NotAPerson { .. }))
    ));
    let not_ours = guard
        .break_glass(&turned.id, &ana(), "full", &mut |_| {})
        .await;
    assert!(matches!(
        not_ours,
        Err(GuardError::Refused(Refusal::NotOurs { .. }))
    ));
    let broken = guard
        .break_glass(&held.id, &ana(), "full", &mut |_| {})
        .await
        .unwrap();
    assert_eq!(broken.report.outcome.result, OutcomeKind::Applied);
    assert!(!broken.recorded);
    assert!(!bench.server.dial("x").held);
    assert!(guard.propose(turn("z", 1)).await.is_err());
    disarm(bench.directory.path());
    guard.record_break_glass(broken.record).await.unwrap();
    assert!(guard.state().await.unwrap().effects.is_empty());
    assert_eq!(bench.records("break_glass").await, 1);
}

/// A file system that became read-only keeps nobody from it: the send lock is read, not written.
#[tokio::test]
async fn with_a_read_only_disk_a_person_can_still_take_back_what_is_ours() {
    let bench = Workbench::new().await;
    let (guard, directory) = (bench.guard(), bench.directory.path());
    let held = done(&guard, hold("x")).await;
    for point in ["journal.write", "send.lock"] {
        let read_only = Failure::Fail(ErrorKind::ReadOnlyFilesystem);
        arm(point, directory, 0, read_only);
    }
    let broken = guard
        .break_glass(&held.id, &ana(), "read only", &mut |_| {})
        .await
        .unwrap();
    disarm(directory);
    assert_eq!(broken.report.outcome.result, OutcomeKind::Applied);
    assert!(!broken.recorded && !bench.server.dial("x").held);
}

/// The disk has room again before what was done is to be written down.
#[tokio::test]
async fn what_was_taken_back_on_a_full_disk_is_recorded_when_there_is_room_again() {
    let bench = Workbench::new().await;
    let (guard, directory) = (bench.guard(), bench.directory.path());
    let held = done(&guard, hold("x")).await;
    let full = Failure::Fail(ErrorKind::StorageFull);
    arm("journal.write", directory, 0, full);
    let mut make_room = |event| {
        if matches!(event, Event::Outcome(_)) {
            disarm(directory);
        }
    };
    let broken = guard
        .break_glass(&held.id, &ana(), "full", &mut make_room)
        .await
        .unwrap();
    assert_eq!(broken.report.outcome.result, OutcomeKind::Applied);
    assert!(broken.recorded);
    assert!(guard.state().await.unwrap().effects.is_empty());
}

/// A journal that fails in another way is no full disk: nothing is sent without a record.
#[tokio::test]
async fn the_glass_is_broken_for_a_full_disk_only() {
    let bench = Workbench::new().await;
    let (guard, directory) = (bench.guard(), bench.directory.path());
    let held = done(&guard, hold("x")).await;
    let failing = Failure::Fail(ErrorKind::Other);
    arm("journal.write", directory, 0, failing);
    let broken = guard
        .break_glass(&held.id, &ana(), "full", &mut |_| {})
        .await;
    assert!(matches!(broken, Err(GuardError::Journal(_))), "{broken:?}");
    disarm(directory);
    assert!(bench.server.dial("x").held);
    assert_eq!(bench.server.senders("x").len(), 1);
}

#[tokio::test]
async fn an_unknown_lasting_effect_is_not_reaped_before_it_is_known() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let proposal = guard
        .propose(hold("x").lease(Duration::ZERO))
        .await
        .unwrap()
        .asked();
    bench.server.behave(Behaviour {
        held_back: true,
        ..Behaviour::default()
    });
    let running = tokio::spawn({
        let guard = guard.clone();
        async move { execute(&guard, &proposal).await }
    });
    while bench.server.senders("x").is_empty() {
        tokio::task::yield_now().await;
    }
    let reaped = guard.reap(&mut |_| {}).await.unwrap();
    assert!(matches!(&reaped[..], [Reaped::Left { why, .. }] if why.contains("executing")));
    bench.server.finish();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn everything_in_force_that_is_ours_is_one_list() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    done(&guard, turn("y", 4)).await;
    let leased = done(&guard, hold("x").lease(Duration::ZERO)).await;
    let held = done(&guard, hold("z")).await;
    let undo = guard
        .propose_undo(&held.id, &ana(), "back")
        .await
        .unwrap()
        .asked();
    let state = guard.state().await.unwrap();
    let list = state.in_force(jiff::Timestamp::now());
    let ids: Vec<_> = list.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, [leased.id.as_str(), held.id.as_str()]);
    assert!(list[0].lease_over && list[0].taken_back_by.is_none());
    assert!(list[1].lease_until.is_none() && !list[1].lease_over);
    assert_eq!(list[1].taken_back_by.as_deref(), Some(undo.id.as_str()));
    assert!(
        list.iter()
            .all(|one| one.confirmed && one.actor == "agent:night")
    );
}

#[tokio::test]
async fn what_has_no_undo_says_why_in_its_own_words() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    done(&guard, hold("x")).await;
    let by_hand = Request::new("release_dial", json!({"dial": "x"}), "user:ben");
    let released = done(&guard, by_hand).await;
    let error = guard.propose_undo(&released.id, &ana(), "back").await;
    let GuardError::NoUndo { id, reason } = error.unwrap_err() else {
        unreachable!();
    };
    assert_eq!(id, released.id);
    assert_eq!(reason, "who wants it held can hold it");
}

/// What was sent with nothing on the disk, and is somebody else's when there is room again: it is
/// not said that it only has to be written down later.
#[tokio::test]
async fn what_is_no_longer_ours_is_not_written_down_later() {
    let bench = Workbench::new().await;
    let (guard, directory) = (bench.guard(), bench.directory.path());
    let held = done(&guard, hold("x")).await;
    let full = Failure::Fail(ErrorKind::StorageFull);
    arm("journal.write", directory, 0, full);
    let mut released_meanwhile = |event| {
        if matches!(event, Event::Outcome(_)) {
            disarm(directory);
            let releasing = async {
                let controls = bench.guard().controls();
                controls
                    .release(&held.id, &ana(), "it is gone")
                    .await
                    .unwrap();
            };
            std::thread::scope(|threads| {
                threads.spawn(|| {
                    let runtime = tokio::runtime::Builder::new_current_thread();
                    { runtime }
                        .enable_all()
                        .build()
                        .unwrap()
                        .block_on(releasing);
                });
            });
        }
    };
    let broken = guard
        .break_glass(&held.id, &ana(), "full", &mut released_meanwhile)
        .await;
    assert!(matches!(broken, Err(GuardError::Refused(_))), "{broken:?}");
}
