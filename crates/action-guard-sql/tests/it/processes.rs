//! Several processes on one journal, some of which die.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use action_core::BoxError;
use action_guard::testing::Place;
use action_guard::testing::fixtures::{mode, write};
use action_guard::{Journal, Mode, Record};
use action_guard_sql::SqlJournal;

use crate::places::{PostgresPlace, SqlPlace, SqlitePlace};

/// A process that runs the example `share`.
struct Other {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Other {
    fn start(place: &dyn SqlPlace, verb: &str, dials: &[String]) -> Self {
        let (address, environment) = place.words();
        let mut child = Command::new(example())
            .arg(address)
            .arg(verb)
            .args(dials)
            .envs(environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        Self { child, said }
    }

    /// Its instance, and the dials that it may turn, once it has asked for all.
    fn done(&mut self) -> (String, Vec<String>) {
        let (mut instance, mut mine) = (String::new(), Vec::new());
        loop {
            let mut line = String::new();
            assert!(
                self.said.read_line(&mut line).unwrap() > 0,
                "it said no more"
            );
            match line.trim().split_once(' ') {
                Some(("instance", id)) => id.clone_into(&mut instance),
                Some(("mine", dial)) => mine.push(dial.to_owned()),
                _ => return (instance, mine),
            }
        }
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Built with the tests, beside them.
fn example() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    let path = path
        .join("examples")
        .join(format!("share{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "{} is built by `cargo test`", path.display());
    path
}

async fn four_processes_share_dials_without_sharing_one(
    place: &dyn SqlPlace,
) -> Result<(), BoxError> {
    let journal = place.open_with(SqlJournal::options()).await;
    write(&journal, [mode(Mode::Execute)?]).await?;
    let dials: Vec<String> = (0..25).map(|dial| format!("dial-{dial}")).collect();
    let mut others: Vec<Other> = (0..4)
        .map(|_| Other::start(place, "want", &dials))
        .collect();
    let mut taken: Vec<String> = Vec::new();
    for other in &mut others {
        taken.extend(other.done().1);
        assert!(other.child.wait()?.success());
    }
    taken.sort_unstable();
    let mut expected = dials;
    expected.sort_unstable();
    assert_eq!(taken, expected);
    let entries = journal.entries(0, 1_000).await?;
    let intents = entries
        .iter()
        .filter(|entry| matches!(entry.record, Record::Intent { .. }));
    assert_eq!(intents.count(), 25);
    assert_eq!(journal.verify().await?.head.seq, 51);
    Ok(())
}

async fn a_process_that_is_killed_is_dead_and_what_it_wrote_is_there(
    place: &dyn SqlPlace,
) -> Result<(), BoxError> {
    let journal = place.open_with(SqlJournal::options()).await;
    write(&journal, [mode(Mode::Execute)?]).await?;
    let mut other = Other::start(place, "hold", &["dial".to_owned()]);
    let (instance, mine) = other.done();
    assert_eq!(mine, ["dial"]);
    assert!(journal.is_alive(&instance).await?);
    other.child.kill()?;
    other.child.wait()?;
    let begun = Instant::now();
    while journal.is_alive(&instance).await? {
        assert!(
            begun.elapsed() < Duration::from_secs(300),
            "it is killed, and lives"
        );
        tokio::task::yield_now().await;
    }
    let state = journal.state().await?;
    let open = state.unsettled().next().ok_or("nothing is open")?;
    assert_eq!(open.owner.as_ref(), Some(&instance));
    let id = open.proposal.id.clone();
    write(&journal, [Record::Adopted { id, from: instance }]).await?;
    assert_eq!(journal.verify().await?.head.seq, 4);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_share_sqlite() -> Result<(), BoxError> {
    four_processes_share_dials_without_sharing_one(&SqlitePlace::new()).await?;
    a_process_that_is_killed_is_dead_and_what_it_wrote_is_there(&SqlitePlace::new()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_share_postgres() -> Result<(), BoxError> {
    let (Some(one), Some(other)) = (PostgresPlace::new(), PostgresPlace::new()) else {
        return Ok(());
    };
    four_processes_share_dials_without_sharing_one(&one).await?;
    a_process_that_is_killed_is_dead_and_what_it_wrote_is_there(&other).await?;
    one.end().await;
    other.end().await;
    Ok(())
}
