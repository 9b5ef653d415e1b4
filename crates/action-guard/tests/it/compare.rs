//! Whether what the journal lists as in force is shown by its system.

use action_core::{Progress, SettledState};
use action_guard::Event;

use crate::fixtures::actor;
use crate::guard_fixture::{Workbench, ana, done, hold, proposed};
use crate::test_subject::{Behaviour, Dial};

const SYSTEM: &str = "the dials";

/// What is in force by the journal, and whether the system shows it.
async fn compared(bench: &Workbench) -> Vec<(String, Option<SettledState>)> {
    let (_, effects) = bench.guard().compare_in_force(SYSTEM).await.unwrap();
    let one = |shown: action_guard::InForce| {
        let state = shown.shown.as_ref().map(|shown| shown.state);
        (shown.key, state)
    };
    effects.into_iter().map(one).collect()
}

#[tokio::test]
async fn what_somebody_removed_by_hand_is_found() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    for dial in ["x", "y"] {
        done(&guard, hold(dial)).await;
    }
    let list = |x, y| vec![("hold/x".to_owned(), x), ("hold/y".to_owned(), y)];
    let held = Some(SettledState::Held);
    assert_eq!(compared(&bench).await, list(held, held));
    bench.server.turn_by_hand("x", Dial::default());
    let gone = Some(SettledState::Reversed);
    assert_eq!(compared(&bench).await, list(gone, held));
    // Nothing is concluded: the journal's list is as it was, and a person takes it off.
    let state = guard.state().await.unwrap();
    assert_eq!(state.effects.len(), 2);
    let (_, effects) = guard.compare_in_force(SYSTEM).await.unwrap();
    let gone = effects.iter().find(|effect| effect.is_gone()).unwrap();
    let controls = guard.controls();
    let other = actor("agent:other");
    assert!(controls.may_release(&gone.id, &other).await.is_err());
    controls.may_release(&gone.id, &ana()).await.unwrap();
    assert_eq!(guard.state().await.unwrap().effects.len(), 2);
    (controls.release(&gone.id, &ana(), "it is gone"))
        .await
        .unwrap();
    assert_eq!(compared(&bench).await, [("hold/y".to_owned(), held)]);
}

/// What another system shows, or none, says nothing.
#[tokio::test]
async fn what_cannot_be_read_is_not_called_gone() {
    let bench = Workbench::new().await;
    done(&bench.guard(), hold("x")).await;
    bench.server.turn_by_hand("x", Dial::default());
    let another = Dial {
        by: "other dials".to_owned(),
        ..Dial::default()
    };
    bench.server.turn_by_hand("identity", another);
    let unknown = Some(SettledState::NotKnown);
    assert_eq!(compared(&bench).await, [("hold/x".to_owned(), unknown)]);
    let (_, elsewhere) = bench.guard().compare_in_force("another").await.unwrap();
    assert!(elsewhere.is_empty());
}

/// What is being sent, or taken back, is not compared: that it is not shown yet, or any more, is how
/// it should be.
#[tokio::test]
async fn what_is_being_changed_is_not_compared() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    bench.server.behave(Behaviour {
        held_back: true,
        ..Behaviour::default()
    });
    let proposal = proposed(&guard, hold("x")).await;
    let by = proposal.requester().unwrap();
    let (mut seen, other) = (0, bench.guard());
    let (compare, mut looks) = tokio::sync::mpsc::unbounded_channel();
    let following = async {
        let mut watch = |event| {
            let _ = compare.send(event);
        };
        let report = guard.execute(&proposal, &by, &mut watch).await;
        drop(compare);
        report
    };
    let looking = async {
        while let Some(event) = looks.recv().await {
            let (_, effects) = other.compare_in_force(SYSTEM).await.unwrap();
            if effects.iter().any(|effect| !effect.confirmed) {
                assert_eq!(effects[0].shown, None);
                seen += 1;
            }
            // It was sent, and is followed.
            if matches!(event, Event::Progress(Progress::Pending { .. })) {
                bench.server.finish();
            }
        }
    };
    let (report, ()) = tokio::join!(following, looking);
    report.unwrap();
    assert!(seen > 0);
    let held = Some(SettledState::Held);
    assert_eq!(compared(&bench).await, [("hold/x".to_owned(), held)]);
}
