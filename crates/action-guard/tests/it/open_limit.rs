//! How many proposals may wait: no actor, and not all together, fill the journal with what nobody
//! carries out.

use action_guard::{Guard, GuardError, Phase, Record, Refusal};
use jiff::{SignedDuration, Timestamp};

use crate::fixtures::{allow, proposal, write};
use crate::guard_fixture::{Asked as _, Workbench, ana, done, execute, hold, proposed, turn};

const MOST_OF_ONE: usize = 200;
const MOST: usize = 1_000;

/// As if these had been proposed, and would expire then.
async fn waiting(guard: &Guard, ids: &[String], by: &str, undoes: Option<&str>, until: Timestamp) {
    let records = ids.iter().map(|id| {
        let mut proposal = proposal(id, "elsewhere");
        proposal.request.actor = by.to_owned();
        proposal.undoes = undoes.map(str::to_owned);
        proposal.expires_at = until;
        let (proposal, ruling) = (Box::new(proposal), allow());
        Record::Proposed { proposal, ruling }
    });
    write(guard.journal(), records.collect::<Vec<_>>())
        .await
        .unwrap();
}

fn ids(of: &str, count: usize) -> Vec<String> {
    (0..count).map(|at| format!("{of}-{at}")).collect()
}

fn soon() -> Timestamp {
    Timestamp::now() + SignedDuration::from_mins(10)
}

#[track_caller]
fn check<T>(proposed: Result<T, GuardError>, whose: Option<&str>, cap: usize) {
    let Err(GuardError::Refused(refusal)) = proposed else {
        unreachable!("it was not refused");
    };
    let (by, most) = (whose.map(str::to_owned), cap);
    assert_eq!(refusal, Refusal::TooManyOpen { by, most });
    let words = refusal.to_string();
    assert!(words.contains(&cap.to_string()), "{words}");
    assert!(
        words.contains(whose.unwrap_or("proposals are open")),
        "{words}"
    );
    assert!(words.contains("cancel some"), "{words}");
}

#[tokio::test]
async fn one_actor_has_so_many_waiting_and_keeps_nobody_else_from_it() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let all = ids("a", MOST_OF_ONE - 1);
    // One name counts once however it is written.
    waiting(&guard, &all, "agent:Night", None, soon()).await;
    let last = proposed(&guard, turn("x", 4)).await;
    check(
        guard.propose(turn("y", 4)).await,
        Some("agent:night"),
        MOST_OF_ONE,
    );
    let mut other = turn("y", 4);
    other.actor = "agent:day".to_owned();
    proposed(&guard, other).await;
    // What is carried out waits no more, and neither does what is cancelled.
    execute(&guard, &last).await.unwrap();
    proposed(&guard, turn("y", 4)).await;
    check(
        guard.propose(turn("z", 4)).await,
        Some("agent:night"),
        MOST_OF_ONE,
    );
    guard.cancel(&all[0], &ana(), "too many").await.unwrap();
    proposed(&guard, turn("z", 4)).await;
}

#[tokio::test]
async fn all_together_have_so_many_waiting() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    for by in 0..5 {
        let (all, by) = (ids(&by.to_string(), MOST / 5), format!("agent:{by}"));
        waiting(&guard, &all, &by, None, soon()).await;
    }
    check(guard.propose(turn("x", 4)).await, None, MOST);
    let mut state = guard.state().await.unwrap();
    assert_eq!(state.open.len(), MOST);
    guard.cancel("0-0", &ana(), "too many").await.unwrap();
    proposed(&guard, turn("x", 4)).await;
    state = guard.state().await.unwrap();
    assert_eq!(state.open.len(), MOST);
}

/// They do not count from that time on, and go with the next proposal.
#[tokio::test]
async fn what_expired_is_dropped() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let over = Timestamp::now() - SignedDuration::from_secs(1);
    for by in 0..5 {
        let (all, by) = (ids(&by.to_string(), MOST / 5), format!("agent:{by}"));
        waiting(&guard, &all, &by, None, over).await;
    }
    let all = ids("night", MOST_OF_ONE);
    waiting(&guard, &all, "agent:night", None, over).await;
    let kept = proposed(&guard, turn("x", 4)).await;
    let state = guard.state().await.unwrap();
    assert_eq!(state.open.keys().collect::<Vec<_>>(), [&kept.id]);
    assert!(state.ended.len() < 100, "{}", state.ended.len());
}

/// Each by a record of its own, so that who listens hears of it.
#[tokio::test]
async fn what_expired_is_ended_by_a_record() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let over = Timestamp::now() - SignedDuration::from_secs(1);
    waiting(&guard, &ids("over", 2), "agent:night", None, over).await;
    let kept = proposed(&guard, turn("x", 4)).await;
    assert_eq!(guard.end_expired().await.unwrap(), 0);
    waiting(&guard, &ids("late", 1), "agent:night", None, over).await;
    assert_eq!(guard.end_expired().await.unwrap(), 1);
    assert_eq!(guard.end_expired().await.unwrap(), 0);
    let state = guard.state().await.unwrap();
    assert_eq!(state.open.keys().collect::<Vec<_>>(), [&kept.id]);
    let ended = state.ended.back().unwrap();
    assert_eq!(ended.phase, Phase::Expired);
    // What has not expired is ended so by nobody.
    let early = Record::Expired {
        id: kept.id.clone(),
    };
    let early = guard.journal().commit(Box::new(|_, _| Ok(vec![early])));
    early.await.unwrap_err();
}

#[tokio::test]
async fn what_waits_keeps_nobody_from_taking_back() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let held = done(&guard, hold("x")).await;
    for by in 0..5 {
        let (all, by) = (ids(&by.to_string(), MOST / 5), format!("agent:{by}"));
        waiting(&guard, &all, &by, None, soon()).await;
    }
    let night = "agent:night".parse().unwrap();
    let undo = guard
        .propose_undo(&held.id, &night, "enough")
        .await
        .unwrap()
        .asked();
    // Nor may that fill the journal.
    let all = ids("undo", MOST_OF_ONE - 1);
    waiting(&guard, &all, "agent:night", Some(&held.id), soon()).await;
    let again = guard.propose_undo(&held.id, &night, "enough").await;
    check(again, Some("agent:night"), MOST_OF_ONE);
    execute(&guard, &undo).await.unwrap();
}
