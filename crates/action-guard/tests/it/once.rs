//! Asking twice for one thing: through one process or several, with a key or without.

use std::net::TcpListener;
use std::time::Duration;

use action_guard::{FileJournal, Guard, GuardError, Refusal, Request, Standing};
use tokio::task::JoinSet;

use crate::guard_fixture::{Workbench, executed, turn};
use crate::test_subject::{Sends, registry_that};

const MINUTE: Duration = Duration::from_secs(60);

async fn once(guard: &Guard, request: Request, within: Duration) -> (String, bool) {
    let asked = guard.propose_once(request, within).await.unwrap();
    (asked.standing.proposal_id().to_owned(), asked.repeated)
}

/// Every process looks, finds nothing and plans; one of them proposes.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_processes_that_ask_for_the_same_one_proposes() {
    for key in [Some("k"), None] {
        let bench = Workbench::new().await;
        let mut asking = JoinSet::new();
        for _ in 0..8 {
            let guard = bench.guard();
            let mut request = turn("x", 4);
            request.idempotency_key = key.map(str::to_owned);
            asking.spawn(async move { once(&guard, request, MINUTE).await });
        }
        let asked = asking.join_all().await;
        let proposes = asked.iter().filter(|(_, repeated)| !repeated).count();
        assert_eq!(proposes, 1, "{asked:?}");
        assert!(asked.iter().all(|(id, _)| *id == asked[0].0), "{asked:?}");
        assert_eq!(bench.records("proposed").await, 1);
    }
}

#[tokio::test]
async fn a_key_stands_for_one_request_whenever_it_comes_again() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let (id, _) = once(&guard, turn("x", 4).idempotency_key("k"), Duration::ZERO).await;
    let proposal = guard.proposal_status(&id).await.unwrap().proposal.clone();
    executed(&guard, &proposal).await.unwrap();
    let again = guard.propose_once(turn("x", 4).idempotency_key("k"), Duration::ZERO);
    let again = again.await.unwrap();
    assert!(again.repeated);
    assert!(
        matches!(&again.standing, Standing::Applied(report) if report.id == id),
        "{again:?}"
    );
    let other = turn("x", 5).idempotency_key("k");
    for refused in [
        guard.propose_once(other.clone(), MINUTE).await.err(),
        guard.propose(other).await.err(),
    ] {
        let Some(GuardError::Refused(Refusal::KeyUsed { id: holder })) = refused else {
            unreachable!("{refused:?}");
        };
        assert_eq!(holder, id);
    }
    // A key is of one who asks, and of one kind of request: another's is their own.
    let mut theirs = turn("x", 6).idempotency_key("k");
    theirs.actor = "agent:day".to_owned();
    assert!(!once(&guard, theirs, MINUTE).await.1);
    // Who proposes without asking for the earlier one is told of it.
    let twice = guard.propose(turn("x", 4).idempotency_key("k")).await;
    assert!(
        matches!(&twice, Err(GuardError::Refused(Refusal::AskedBefore { id: first })) if *first == id),
        "{twice:?}"
    );
}

#[tokio::test]
async fn without_a_key_what_ended_otherwise_is_asked_for_anew() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let (first, _) = once(&guard, turn("x", 4), MINUTE).await;
    assert_eq!(
        once(&guard, turn("x", 4), MINUTE).await,
        (first.clone(), true)
    );
    assert!(!once(&guard, turn("x", 4), Duration::ZERO).await.1);
    let all = guard.state().await.unwrap();
    for id in all.open.keys() {
        let by = "agent:night".parse().unwrap();
        guard.cancel(id, &by, "not wanted").await.unwrap();
    }
    assert!(!once(&guard, turn("x", 4), MINUTE).await.1);
}

/// Whoever asks again has no answer yet, and perhaps that is because the system is gone.
#[tokio::test]
async fn the_earlier_one_is_found_where_the_system_cannot_be_asked() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let (first, _) = once(&guard, turn("x", 4).idempotency_key("k"), MINUTE).await;
    let nowhere = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let journal = FileJournal::open(bench.directory.path()).unwrap();
    let guard = Guard::new(registry_that(nowhere, Sends::default()), journal);
    let again = once(&guard, turn("x", 4).idempotency_key("k"), MINUTE).await;
    assert_eq!(again, (first, true));
    assert!(guard.propose_once(turn("x", 7), MINUTE).await.is_err());
}

#[tokio::test]
async fn a_key_has_1_to_256_bytes() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    for (length, fits) in [(0, false), (1, true), (256, true), (257, false)] {
        let request = turn(&format!("dial{length}"), 4).idempotency_key("k".repeat(length));
        let asked = guard.propose_once(request, MINUTE).await;
        assert_eq!(asked.is_ok(), fits, "{length}: {asked:?}");
    }
    assert_eq!(bench.records("proposed").await, 2);
}
