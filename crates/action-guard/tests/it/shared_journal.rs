//! Several instances on one directory, at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use action_guard::{CommitError, FileJournal, Journal, Mode, Refusal};
use tokio::task::JoinSet;

use crate::fixtures::{allow, applied, intent, mode, proposed, write};

#[tokio::test(flavor = "multi_thread")]
async fn one_resource_is_changed_by_one_of_many() {
    let directory = tempfile::tempdir().unwrap();
    let mut journals = Vec::new();
    for _ in 0..4 {
        journals.push(Arc::new(FileJournal::open(directory.path()).unwrap()));
    }
    write(&*journals[0], [mode(Mode::Execute)]).await.unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..32_usize {
        let journal = Arc::clone(&journals[task % 4]);
        tasks.spawn(async move {
            let id = format!("id-{task}");
            write(&*journal, [proposed(&id, "x", allow())])
                .await
                .unwrap();
            write(&*journal, [intent(&id)]).await
        });
    }
    let (mut begun, mut refused) = (0, 0);
    while let Some(done) = tasks.join_next().await {
        match done.unwrap() {
            Ok(()) => begun += 1,
            Err(CommitError::Refused(Refusal::ResourceHeld { .. })) => refused += 1,
            Err(other) => unreachable!("{other}"),
        }
    }
    assert_eq!((begun, refused), (1, 31));
    let states: Vec<_> = futures(&journals).await;
    assert!(states.iter().all(|state| *state == states[0]));
    assert_eq!(journals[3].verify().await.unwrap().head.seq, 34);
}

async fn futures(journals: &[Arc<FileJournal>]) -> Vec<Arc<action_guard::State>> {
    let mut states = Vec::new();
    for journal in journals {
        states.push(journal.state().await.unwrap());
    }
    states
}

/// Four instances write into small segments while readers read: no line is lost, none is torn, and
/// nobody waits for readers.
#[tokio::test(flavor = "multi_thread")]
async fn many_writers_and_readers_agree_over_the_ends_of_segments() {
    let directory = tempfile::tempdir().unwrap();
    let mut tasks = JoinSet::new();
    let options = FileJournal::options().segment_bytes(8_000);
    let first = options.clone().open(directory.path()).unwrap();
    write(&first, [mode(Mode::Execute)]).await.unwrap();
    for writer in 0..4 {
        let journal = options.clone().open(directory.path()).unwrap();
        tasks.spawn(async move {
            for turn in 0..25 {
                let id = format!("{writer}-{turn}");
                let dial = format!("dial-{writer}");
                write(&journal, [proposed(&id, &dial, allow())])
                    .await
                    .unwrap();
                write(&journal, [intent(&id)]).await.unwrap();
                write(&journal, [applied(&id)]).await.unwrap();
            }
        });
    }
    let mut seen = 0;
    while !tasks.is_empty() {
        let now = first.state().await.unwrap().seq;
        assert!(now >= seen, "the state went back from {seen} to {now}");
        seen = now;
        while let Some(done) = tasks.try_join_next() {
            done.unwrap();
        }
    }
    let verified = first.verify().await.unwrap();
    let written = 1 + 4 * 25 * 3;
    let checkpoints = u64::try_from(verified.segments).unwrap() - 1;
    assert_eq!(verified.head.seq, written + checkpoints);
    assert!(checkpoints > 10, "{verified:?}");
}

/// Sixty-four that wait while somebody else has the lock share the next syncs.
#[tokio::test(flavor = "multi_thread")]
async fn waiting_decisions_share_a_sync() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Arc::new(FileJournal::open(directory.path()).unwrap());
    write(&*journal, [mode(Mode::Execute)]).await.unwrap();
    let before = journal.syncs();
    let lock = std::fs::File::open(directory.path().join("lock")).unwrap();
    lock.lock().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for at in 0..64 {
        let (journal, asked) = (Arc::clone(&journal), Arc::clone(&asked));
        tasks.spawn(async move {
            let id = format!("id-{at}");
            let records = [proposed(&id, &id, allow())];
            asked.fetch_add(1, Ordering::SeqCst);
            write(&*journal, records).await.unwrap();
        });
    }
    while asked.load(Ordering::SeqCst) < 64 {
        tokio::task::yield_now().await;
    }
    lock.unlock().unwrap();
    tasks.join_all().await;
    let syncs = journal.syncs() - before;
    assert!(syncs <= 8, "{syncs} syncs for 64 decisions");
    assert_eq!(journal.state().await.unwrap().seq, 65);
}
