//! What is sent after sends were stopped: nothing, or by somebody who was named.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use action_guard::{
    CommitError, Decider, FileJournal, Guard, GuardError, Mode, ModeError, Proposal, Refusal,
    Report,
};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::guard_fixture::{
    Asked as _, Workbench, ana, done, execute, hold, proposed, summary, turn,
};
use crate::test_subject::{Hold, Sends, registry_that, signal};

fn before_permit(hold: &Arc<Hold>) -> Sends {
    Sends {
        before_permit: Some(Arc::clone(hold)),
        ..Sends::default()
    }
}

fn with_permit(hold: &Arc<Hold>) -> Sends {
    Sends {
        with_permit: Some(Arc::clone(hold)),
        ..Sends::default()
    }
}

fn running(guard: &Guard, proposal: Proposal) -> JoinHandle<Result<Report, GuardError>> {
    let guard = guard.clone();
    tokio::spawn(async move { execute(&guard, &proposal).await })
}

/// Waits until a send is there.
async fn reached(hold: &Hold, run: &mut JoinHandle<Result<Report, GuardError>>) {
    tokio::select! {
        () = hold.is_reached() => {}
        ended = run => unreachable!("it ended before: {ended:?}"),
    }
}

async fn observe(bench: &Workbench, wait: Duration) -> Result<(), ModeError> {
    let controls = bench.guard().controls().send_wait(wait);
    let by = ana();
    let set = controls.set_mode(Mode::Observe, Decider::claimed(&by), "night");
    set.await
}

/// A run whose intent is on disk, and which reads until it is let go.
async fn reading(bench: &Workbench) -> (Arc<Hold>, JoinHandle<Result<Report, GuardError>>) {
    let reads = Hold::new();
    let guard = bench.guard_that(before_permit(&reads));
    let mut run = running(&guard, proposed(&guard, turn("x", 4)).await);
    reached(&reads, &mut run).await;
    (reads, run)
}

/// Its intent is on disk and it is reading, slowly, when everything is stopped.
#[tokio::test]
async fn a_stop_while_it_still_reads_stops_the_send() {
    for by_mode in [true, false] {
        let bench = Workbench::new().await;
        let (reads, run) = reading(&bench).await;
        if by_mode {
            observe(&bench, Duration::from_secs(60)).await.unwrap();
        } else {
            let stop = bench.guard().controls().stop(&ana(), "smoke").await;
            assert_eq!(stop.unwrap().still_sending, []);
        }
        reads.let_go();
        let report = run.await.unwrap().unwrap();
        assert_eq!(
            summary(&report),
            (Value::from("not_applied"), Some("stopped"))
        );
        assert!(bench.server.senders("x").is_empty());
    }
}

/// What is about to be sent is given up by nobody: it would be in force and on no list.
#[tokio::test]
async fn what_is_about_to_be_sent_is_not_released() {
    let bench = Workbench::new().await;
    let reads = Hold::new();
    let guard = bench.guard_that(before_permit(&reads));
    let proposal = proposed(&guard, hold("x")).await;
    let id = proposal.id.clone();
    let mut run = running(&guard, proposal);
    reached(&reads, &mut run).await;
    let released = guard.controls().release(&id, &ana(), "gone").await;
    assert!(
        matches!(released, Err(CommitError::Refused(Refusal::Phase { .. }))),
        "{released:?}"
    );
    reads.let_go();
    run.await.unwrap().unwrap();
    assert!(guard.state().await.unwrap().effects.contains_key(&id));
}

/// Nor does it go out when the stop is over: it was asked for before.
#[tokio::test]
async fn what_a_stop_has_stopped_does_not_go_on_after_it() {
    for by_mode in [true, false] {
        let bench = Workbench::new().await;
        let (reads, run) = reading(&bench).await;
        let controls = bench.guard().controls();
        let ana = ana();
        if by_mode {
            observe(&bench, Duration::from_secs(60)).await.unwrap();
        } else {
            controls.stop(&ana, "smoke").await.unwrap();
            controls
                .reset(Decider::claimed(&ana), "false alarm")
                .await
                .unwrap();
        }
        let on = controls.set_mode(Mode::Execute, Decider::claimed(&ana), "go on");
        on.await.unwrap();
        reads.let_go();
        let report = run.await.unwrap().unwrap();
        assert_eq!(
            summary(&report),
            (Value::from("not_applied"), Some("stopped"))
        );
        assert!(bench.server.senders("x").is_empty());
    }
}

/// It has its permit: the stop waits until the request is handed over, and then nothing is sent.
#[tokio::test]
async fn a_stop_waits_for_what_is_being_handed_over() {
    let bench = Workbench::new().await;
    let permitted = Hold::new();
    let guard = bench.guard_that(with_permit(&permitted));
    let next = proposed(&guard, turn("y", 4)).await;
    let mut run = running(&guard, proposed(&guard, turn("x", 4)).await);
    reached(&permitted, &mut run).await;
    let controls = bench.guard().controls().send_wait(Duration::from_secs(60));
    let stop = tokio::spawn(async move { controls.stop(&ana(), "smoke").await });
    // It is written down at once, and not over.
    while guard.state().await.unwrap().killed.is_none() {
        assert!(!stop.is_finished());
        tokio::task::yield_now().await;
    }
    assert!(!stop.is_finished());
    permitted.let_go();
    assert_eq!(stop.await.unwrap().unwrap().still_sending, []);
    // Handed over before the stop returned, it is received, and nothing after it.
    run.await.unwrap().unwrap();
    assert!(execute(&guard, &next).await.is_err());
    assert_eq!(bench.server.senders("x").len(), 1);
    assert!(bench.server.senders("y").is_empty());
}

/// It has its permit and does not get on: whoever stops sends is told who it is.
#[tokio::test]
async fn who_may_still_send_after_a_stop_is_named() {
    let bench = Workbench::new().await;
    let permitted = Hold::new();
    let guard = bench.guard_that(with_permit(&permitted));
    let proposal = proposed(&guard, turn("x", 4)).await;
    let mut run = running(&guard, proposal.clone());
    reached(&permitted, &mut run).await;
    let Err(ModeError::StillSending(senders)) = observe(&bench, Duration::ZERO).await else {
        unreachable!("somebody is still sending");
    };
    assert_eq!(senders.len(), 1);
    assert_eq!(senders[0].proposal.as_deref(), Some(proposal.id.as_str()));
    let instance = guard.journal().instance();
    assert_eq!(senders[0].instance.as_deref(), Some(instance));
    let controls = bench.guard().controls().send_wait(Duration::ZERO);
    let stop = controls.stop(&ana(), "smoke").await.unwrap();
    assert_eq!(stop.still_sending, senders);
    permitted.let_go();
    run.await.unwrap().unwrap();
    let again = controls.stop(&ana(), "smoke").await.unwrap();
    assert_eq!(again.still_sending, []);
}

#[tokio::test]
async fn what_is_permitted_too_late_is_not_sent() {
    let bench = Workbench::new().await;
    let permitted = Hold::new();
    let guard = bench
        .guard_that(with_permit(&permitted))
        .send_within(Duration::from_millis(300));
    let mut run = running(&guard, proposed(&guard, turn("x", 4)).await);
    reached(&permitted, &mut run).await;
    let sent_by = guard.state().await.unwrap();
    let sent_by = sent_by.unsettled().next().unwrap().intent.clone();
    let sent_by = sent_by.unwrap().send_by;
    while jiff::Timestamp::now() <= sent_by {
        tokio::task::yield_now().await;
    }
    permitted.let_go();
    let report = run.await.unwrap().unwrap();
    assert_eq!(summary(&report), (Value::from("not_applied"), Some("late")));
    assert!(bench.server.senders("x").is_empty());
}

#[tokio::test]
async fn what_is_called_off_while_it_reads_is_not_sent() {
    let bench = Workbench::new().await;
    let reads = Hold::new();
    let guard = bench.guard_that(before_permit(&reads));
    let proposal = proposed(&guard, turn("x", 4)).await;
    let id = proposal.id.clone();
    let mut run = running(&guard, proposal);
    reached(&reads, &mut run).await;
    let other = bench.guard().controls();
    other.cancel(&id, &ana(), "not now").await.unwrap();
    reads.let_go();
    let report = run.await.unwrap().unwrap();
    assert_eq!(
        summary(&report),
        (Value::from("not_applied"), Some("cancelled"))
    );
    assert!(bench.server.senders("x").is_empty());
}

/// With the kill switch set, what takes back what is ours is permitted.
#[tokio::test]
async fn what_takes_back_what_is_ours_is_permitted_under_the_kill_switch() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let held = done(&guard, hold("x")).await;
    guard.controls().stop(&ana(), "smoke").await.unwrap();
    let undo = guard
        .propose_undo(&held.id, &ana(), "back")
        .await
        .unwrap()
        .asked();
    execute(&guard, &undo).await.unwrap();
    assert!(!bench.server.dial("x").held);
}

#[tokio::test]
async fn what_was_sent_without_a_permit_is_recorded_as_such() {
    let bench = Workbench::new().await;
    let guard = bench.guard_that(Sends {
        without_permit: true,
        ..Sends::default()
    });
    done(&guard, turn("x", 4)).await;
    assert_eq!(answer(&guard).await["code"], "no_permit");
}

async fn answer(guard: &Guard) -> Value {
    let entries = guard.journal().entries(0, usize::MAX).await.unwrap();
    let records = entries
        .iter()
        .map(|entry| serde_json::to_value(&entry.record).unwrap());
    let mut answers = records.filter(|record| record["kind"] == "answer");
    answers.next().unwrap()["answer"].clone()
}

/// That the second was refused says nothing about the first.
#[tokio::test]
async fn who_asks_again_for_a_permit_has_the_first() {
    let bench = Workbench::new().await;
    let guard = bench.guard_that(Sends {
        asks_twice: true,
        ..Sends::default()
    });
    done(&guard, turn("x", 4)).await;
    let answer = answer(&guard).await;
    assert!(answer["accepted"].is_object(), "{answer}");
    assert_eq!(answer["code"], Value::Null);
}

/// What became of a permit is known here, whatever the subject makes of it.
#[tokio::test]
async fn what_got_no_permit_was_not_sent_whatever_the_subject_says() {
    let bench = Workbench::new().await;
    let reads = Hold::new();
    let guard = bench.guard_that(Sends {
        hides_refusals: true,
        ..before_permit(&reads)
    });
    let mut run = running(&guard, proposed(&guard, turn("x", 4)).await);
    reached(&reads, &mut run).await;
    bench
        .guard()
        .controls()
        .stop(&ana(), "smoke")
        .await
        .unwrap();
    reads.let_go();
    let report = run.await.unwrap().unwrap();
    assert_eq!(
        summary(&report),
        (Value::from("not_applied"), Some("stopped"))
    );
    assert_eq!(answer(&guard).await["code"], "stopped");
}

const CHILD: &str = "ACTION_GUARD_STOPPED_CHILD";

/// A process that is stopped by the system while it has its permit: it is named, and sends nothing
/// once its time is over.
#[tokio::test]
async fn a_process_that_is_stopped_with_its_permit_is_named_and_sends_nothing_late() {
    let bench = Workbench::new().await;
    let Stopped(child) = &mut child(&bench);
    while !is_stopped(child) {
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        tokio::task::yield_now().await;
    }
    let controls = bench
        .guard()
        .controls()
        .send_wait(Duration::from_millis(50));
    let stop = controls.stop(&ana(), "smoke").await.unwrap();
    let [sender] = &stop.still_sending[..] else {
        unreachable!("{stop:?}");
    };
    let process = format!("process {}", child.id());
    assert!(sender.process.starts_with(&process), "{sender}");
    let status = stop.in_motion.first().unwrap();
    assert_eq!(sender.proposal.as_ref(), Some(&status.proposal.id));
    let sent_by = status.intent.as_ref().unwrap().send_by;
    while jiff::Timestamp::now() <= sent_by {
        tokio::task::yield_now().await;
    }
    signal("CONT", child.id());
    assert!(child.wait().unwrap().success());
    assert!(bench.server.senders("x").is_empty());
    let state = bench.guard().state().await.unwrap();
    let ended = state.proposal_status(&status.proposal.id).unwrap();
    let outcome = ended.outcome.as_ref().unwrap();
    assert_eq!(outcome.code.as_deref(), Some("late"));
    let again = controls.stop(&ana(), "smoke").await.unwrap();
    assert_eq!(again.still_sending, []);
}

/// A process that does not outlive its test.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn child(bench: &Workbench) -> Stopped {
    let given = format!(
        "{} {}",
        bench.server.address,
        bench.directory.path().display()
    );
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "permit::one_that_stops_itself_when_told_to"])
        .env(CHILD, given)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Stopped(child)
}

/// Whether the system has stopped a process.
fn is_stopped(child: &Child) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id()));
    let stat = stat.unwrap_or_default();
    let state = stat
        .rsplit_once(") ")
        .map(|(_, rest)| rest.starts_with('T'));
    state.unwrap_or(false)
}

/// What the child does; without a parent there is nothing to do.
#[tokio::test]
async fn one_that_stops_itself_when_told_to() {
    let Ok(given) = std::env::var(CHILD) else {
        return;
    };
    let (address, directory) = given.split_once(' ').unwrap();
    let journal = FileJournal::open(directory).unwrap();
    let sends = Sends {
        stopped_with_permit: true,
        ..Sends::default()
    };
    let guard = Guard::new(registry_that(address.parse().unwrap(), sends), journal);
    let guard = guard
        .send_within(Duration::from_secs(2))
        .settle_for(Duration::ZERO);
    let proposal = proposed(&guard, turn("x", 4)).await;
    execute(&guard, &proposal).await.unwrap();
}
