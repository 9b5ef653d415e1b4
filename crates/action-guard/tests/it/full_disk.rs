//! A disk that is really full: a small file system in memory, where the system lets us mount one.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use action_guard::{CommitError, FileJournal, Journal, Mode};

use crate::fixtures::{allow, applied, intent, mode, proposed, write};

const CHILD: &str = "ACTION_GUARD_SMALL_DISK";

/// Goes on in a child that has a mount of its own, which ends with it.
#[test]
fn on_a_full_disk_what_ends_is_written_and_nothing_begins() {
    if let Ok(disk) = std::env::var(CHILD) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(on_a_small_disk(Path::new(&disk)));
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let mount = r#"mount -t tmpfs -o size=3m small "$0" && exec "$1" --exact full_disk::on_a_full_disk_what_ends_is_written_and_nothing_begins --nocapture"#;
    let child = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", mount])
        .arg(place.path())
        .arg(std::env::current_exe().unwrap())
        .env(CHILD, place.path())
        .output();
    match child {
        Ok(child) if String::from_utf8_lossy(&child.stdout).contains("running 1 test") => {
            let told = String::from_utf8_lossy(&child.stdout);
            let said = String::from_utf8_lossy(&child.stderr);
            assert!(child.status.success(), "{told}{said}");
            assert!(told.contains("the disk was full"), "{told}");
        }
        other => println!("not tested, because no small disk can be mounted here: {other:?}"),
    }
}

async fn on_a_small_disk(disk: &Path) {
    // Emptied or not, it is too small for the reserve: how much that takes is said, and how much
    // there is, and what there is stays free.
    let small = disk.join("tiny");
    fs::create_dir(&small).unwrap();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=96k", "tiny"])
        .arg(&small)
        .status();
    assert!(mount.unwrap().success());
    let journal = FileJournal::open(small.join("state")).unwrap();
    write(&journal, [mode(Mode::Execute), proposed("a", "x", allow())])
        .await
        .unwrap();
    for _ in 0..2 {
        let error = write(&journal, [intent("a")]).await.unwrap_err();
        let report = action_core::report(&error);
        let (_, said) = report
            .split_once("cannot reserve 1024 KiB more for records that follow a send, and ")
            .unwrap();
        let (free, _) = said.split_once(" KiB are free: No space left").unwrap();
        let free: u64 = free.parse().unwrap();
        assert!((1..96).contains(&free), "{report}");
    }
    drop(journal);
    let journal = FileJournal::open(disk.join("state")).unwrap();
    let begun = [
        mode(Mode::Execute),
        proposed("a", "x", allow()),
        intent("a"),
    ];
    write(&journal, begun).await.unwrap();
    fill(&disk.join("rubbish"));
    let wrote = until_nothing_begins(&journal, "b").await;
    println!("the disk was full after {wrote} more");
    let seq = journal.state().await.unwrap().seq;
    write(&journal, [applied("a")]).await.unwrap();
    write(&journal, [mode(Mode::Observe)]).await.unwrap();
    assert_eq!(fs::metadata(disk.join("state/reserve")).unwrap().len(), 0);
    fill(&disk.join("more"));
    let more = until_nothing_begins(&journal, "d").await;
    assert_eq!(journal.verify().await.unwrap().head.seq, seq + 2 + more);
    fs::remove_file(disk.join("rubbish")).unwrap();
    fs::remove_file(disk.join("more")).unwrap();
    let again = [
        mode(Mode::Execute),
        proposed("c", "x", allow()),
        intent("c"),
    ];
    write(&journal, again).await.unwrap();
    assert!(fs::metadata(disk.join("state/reserve")).unwrap().len() > 0);
    journal.verify().await.unwrap();
    drop(journal);
    remount(disk, "remount,ro");
    let journal = FileJournal::open(disk.join("state")).unwrap();
    let error = write(&journal, [applied("c")]).await.unwrap_err();
    assert!(
        matches!(&error, CommitError::Journal(error) if error.is_full()),
        "{error}"
    );
    assert_eq!(journal.state().await.unwrap().unsettled().count(), 1);
    journal.verify().await.unwrap();
    remount(disk, "remount,rw");
    let journal = FileJournal::open(disk.join("state")).unwrap();
    write(&journal, [mode(Mode::Observe)]).await.unwrap();
}

fn remount(disk: &Path, how: &str) {
    // Until the last file that somebody writes is closed.
    for attempt in 1.. {
        let mount = Command::new("mount").args(["-o", how]).arg(disk).status();
        if mount.unwrap().success() {
            return;
        }
        assert!(attempt < 1_000, "{how}");
    }
}

/// How many proposals still fit into what is left of the last block.
async fn until_nothing_begins(journal: &FileJournal, prefix: &str) -> u64 {
    let mut wrote = 0;
    loop {
        let id = format!("{prefix}{wrote}");
        match write(journal, [proposed(&id, "y", allow())]).await {
            Ok(()) => wrote += 1,
            Err(CommitError::Journal(error)) if error.is_full() => return wrote,
            Err(other) => unreachable!("{other}"),
        }
    }
}

fn fill(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    let block = [7_u8; 4096];
    while file.write_all(&block).is_ok() {}
}
