//! Processes that are killed: at every boundary, and at any time.
//!
//! Each child turns one dial of its own under a guard, and dies. What it left is recovered by
//! another process, which may die too, and in the end by this one.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use action_core::OutcomeKind;
use action_guard::{Entry, FileJournal, Guard, Journal, Mode, Phase, Record, Request};
use serde_json::json;

use crate::fixtures::{mode, write};
use crate::guard_fixture::Asked as _;
use crate::test_subject::{Behaviour, Server, registry};

/// So many children die: each boundary twice, and in a campaign many times.
const FEW: u32 = 2 * 2 * BOUNDARIES.len() as u32;
const MANY: u32 = 1_200;

const WORKERS: usize = 3;

/// Where a child is made to die: the point, and how often it is passed before.
const BOUNDARIES: &[&str] = &[
    "journal.write:0",
    "journal.sync:0",
    "journal.synced:0",
    "guard.planned",
    "reserve.grow",
    "journal.write:1",
    "journal.sync:1",
    "journal.synced:1",
    "guard.intent",
    "send.before",
    "send.after",
    "journal.write:2",
    "journal.sync:2",
    "journal.synced:2",
    "guard.answered",
    "guard.probed:0",
    "guard.probed:1",
    "guard.followed",
    "journal.write:3",
    "journal.sync:3",
    "journal.synced:3",
    "segment.written:0",
    "segment.renamed:0",
    "segment.written:1",
    "segment.renamed:1",
    "segment.renamed:2",
];

/// And one that recovers.
const RECOVERY_BOUNDARIES: &[&str] = &[
    "journal.write:0",
    "journal.sync:0",
    "journal.synced:0",
    "guard.probed:0",
    "guard.followed",
    "journal.write:1",
    "journal.sync:1",
];

/// What the server does with what the child sends.
fn behaviour(run: usize) -> Behaviour {
    let delay = Duration::from_millis([0, 0, 5, 30][run % 4]);
    match run % 7 {
        0 => Behaviour {
            delay,
            silent: true,
            ..Behaviour::default()
        },
        1 => Behaviour {
            delay,
            refuses: true,
            ..Behaviour::default()
        },
        2 => Behaviour {
            delay,
            forgets: true,
            ..Behaviour::default()
        },
        3 => Behaviour {
            delay,
            forgets: true,
            silent: true,
            ..Behaviour::default()
        },
        _ => Behaviour {
            delay,
            ..Behaviour::default()
        },
    }
}

/// What all runs came to.
#[derive(Debug, Default)]
struct Tally {
    runs: AtomicUsize,
    died: AtomicUsize,
    sent: AtomicUsize,
    applied: AtomicUsize,
    not_applied: AtomicUsize,
    nothing_begun: AtomicUsize,
    unknown: AtomicUsize,
    sent_without_intent: AtomicUsize,
    sent_twice: AtomicUsize,
    wrong: AtomicUsize,
    left_open: AtomicUsize,
}

fn count(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn whoever_dies_wherever_nothing_is_sent_unseen_or_twice_and_every_outcome_is_right() {
    let crashes = crate::cases(FEW, MANY) as usize;
    let tally = Tally::default();
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let tally = &tally;
            scope.spawn(move || {
                let runs = (worker..crashes).step_by(WORKERS);
                Worker::new(worker).work(runs, tally);
            });
        }
    });
    println!("{tally:?}");
    let zero = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    assert_eq!(zero(&tally.sent_without_intent), 0, "{tally:?}");
    assert_eq!(zero(&tally.sent_twice), 0, "{tally:?}");
    assert_eq!(zero(&tally.wrong), 0, "{tally:?}");
    assert_eq!(zero(&tally.unknown), 0, "{tally:?}");
    assert_eq!(zero(&tally.left_open), 0, "{tally:?}");
    // It would be easy to be right if nothing happened.
    assert!(zero(&tally.died) * 10 > crashes * 7, "{tally:?}");
    assert!(zero(&tally.sent) * 4 > crashes, "{tally:?}");
    assert!(
        zero(&tally.applied) > 0 && zero(&tally.not_applied) > 0,
        "{tally:?}"
    );
}

/// In memory where there is such a place: it is processes that die here, not disks.
fn quick_directory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    tempfile::tempdir_in(memory).unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

/// Runs one child after the other on a state directory and a server of its own.
struct Worker {
    server: Server,
    directory: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    random: u64,
    /// About as long as a child takes from its first look on, as found by killing them.
    lifetime: Duration,
}

impl Worker {
    fn new(seed: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let directory = quick_directory();
        let journal = FileJournal::open(directory.path()).unwrap();
        runtime
            .block_on(write(&journal, [mode(Mode::Execute)]))
            .unwrap();
        Self {
            server: Server::start(),
            directory,
            runtime,
            random: 0x9e37_79b9_7f4a_7c15 ^ (seed as u64 + 1) ^ (crate::seed() << 8),
            lifetime: Duration::from_millis(30),
        }
    }

    fn random(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    fn work(&mut self, runs: impl Iterator<Item = usize>, tally: &Tally) {
        let mut dials = Vec::new();
        for run in runs {
            let dial = format!("dial-{run}");
            self.server.behave(behaviour(run));
            let died = self.crash(run, &dial);
            count(&tally.runs);
            if died {
                count(&tally.died);
            }
            if run.is_multiple_of(5) {
                self.recovery_that_dies(run);
            }
            self.recovered(&dial, tally);
            dials.push(dial);
        }
        // What did not happen must not have happened later either.
        while !self.server.is_idle() {
            std::thread::yield_now();
        }
        let journal = FileJournal::open(self.directory.path()).unwrap();
        let entries = self
            .runtime
            .block_on(journal.entries(0, usize::MAX))
            .unwrap();
        for dial in dials {
            self.check(&dial, &entries, tally);
        }
        self.runtime.block_on(journal.verify()).unwrap();
    }

    /// One child, killed. Whether it was, rather than ending by itself.
    fn crash(&mut self, run: usize, dial: &str) -> bool {
        // Half of them at the boundaries, in turn; half at any time.
        let at_boundary = run.is_multiple_of(2);
        let point = at_boundary.then(|| BOUNDARIES[(run / 2) % BOUNDARIES.len()]);
        let child = child(
            self.directory.path(),
            self.server.address,
            "turn",
            dial,
            point,
        );
        if at_boundary {
            return !wait(child);
        }
        // Until then it has only started.
        self.server.wait_for_a_look_at(dial);
        let after = self.lifetime * u32::try_from(self.random(1_000)).unwrap() / 1_000;
        let ended = kill_after(child, after);
        // One in ten or so comes to its end.
        self.lifetime = if ended {
            self.lifetime * 3 / 4
        } else {
            self.lifetime * 31 / 30
        };
        !ended
    }

    fn recovery_that_dies(&mut self, run: usize) {
        let point = RECOVERY_BOUNDARIES[(run / 5) % RECOVERY_BOUNDARIES.len()];
        let child = child(
            self.directory.path(),
            self.server.address,
            "recover",
            "-",
            Some(point),
        );
        wait(child);
    }

    /// Recovers in this process, and sees that nothing is sent by that.
    fn recovered(&self, dial: &str, tally: &Tally) {
        let sent = self.server.senders(dial).len();
        let journal = FileJournal::open(self.directory.path()).unwrap();
        let guard = Guard::new(registry(self.server.address), journal).settle_for(Duration::ZERO);
        let recovered = self.runtime.block_on(guard.recover(&mut |_| {}));
        let reports = recovered.unwrap();
        // A request of the dead may have arrived meanwhile; one of ours would be another.
        let now = self.server.senders(dial).len();
        if now > sent.max(1) {
            count(&tally.sent_twice);
        }
        let unknown = reports
            .iter()
            .filter(|report| report.outcome.result == OutcomeKind::Unknown);
        tally.unknown.fetch_add(unknown.count(), Ordering::Relaxed);
        let state = self.runtime.block_on(guard.state()).unwrap();
        tally
            .left_open
            .fetch_add(state.unsettled().count(), Ordering::Relaxed);
    }

    /// Compares what the journal says of a dial with what the server has.
    fn check(&self, dial: &str, entries: &[Entry], tally: &Tally) {
        let mut id = None;
        let (mut intent, mut result) = (false, None);
        for entry in entries {
            match &entry.record {
                Record::Proposed { proposal, .. }
                    if proposal.request.parameters["dial"] == dial =>
                {
                    id = Some(proposal.id.as_str());
                }
                Record::Intent { id: of, .. } if Some(of.as_str()) == id => intent = true,
                Record::Outcome {
                    id: of, outcome, ..
                } if Some(of.as_str()) == id => result = Some(outcome.result),
                _ => {}
            }
        }
        let senders = self.server.senders(dial);
        tally.sent.fetch_add(senders.len(), Ordering::Relaxed);
        if senders.len() > 1 {
            count(&tally.sent_twice);
        }
        if senders
            .iter()
            .any(|sender| !intent || Some(sender.as_str()) != id)
        {
            count(&tally.sent_without_intent);
        }
        let happened = id.is_some_and(|id| self.server.dial(dial).by == id);
        match (intent, result) {
            (false, _) => count(&tally.nothing_begun),
            (true, Some(OutcomeKind::Applied)) if happened => count(&tally.applied),
            (true, Some(OutcomeKind::NotApplied)) if !happened => count(&tally.not_applied),
            wrong => {
                println!("{dial}: {wrong:?}, and it happened: {happened}; {senders:?}");
                for entry in entries {
                    if entry.record.proposal_id() == id {
                        println!("{entry:?}");
                    }
                }
                count(&tally.wrong);
            }
        }
    }
}

const CHILD: &str = "ACTION_GUARD_CHILD";

fn child(
    directory: &Path,
    address: std::net::SocketAddr,
    what: &str,
    dial: &str,
    point: Option<&str>,
) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "crash::one_that_nobody_kills_turns_its_dial",
            "--quiet",
        ])
        .env(
            CHILD,
            format!("{what} {address} {dial} {}", directory.display()),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(point) = point {
        command.env("ACTION_GUARD_DIE_AT", point);
    }
    command.spawn().unwrap()
}

/// Whether it ended by itself.
fn wait(mut child: Child) -> bool {
    child.wait().unwrap().code().is_some()
}

fn kill_after(mut child: Child, after: Duration) -> bool {
    let (never, clock) = channel::<()>();
    // Nobody sends: this is the time passing.
    let _ = clock.recv_timeout(after);
    drop(never);
    let _ = child.kill();
    wait(child)
}

/// What a child does; without a parent it does the same, and nobody kills it.
#[test]
fn one_that_nobody_kills_turns_its_dial() {
    let given = std::env::var(CHILD);
    let own = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let given = given.unwrap_or_else(|_| {
        let journal = FileJournal::open(own.path()).unwrap();
        runtime
            .block_on(write(&journal, [mode(Mode::Execute)]))
            .unwrap();
        format!(
            "turn {} x {}",
            Server::start().address,
            own.path().display()
        )
    });
    let mut words = given.splitn(4, ' ');
    let mut word = || words.next().unwrap();
    let (what, address, dial, directory) = (word(), word(), word(), word());
    // So small that segments are begun on the way.
    let journal = FileJournal::options()
        .segment_bytes(6_000)
        .open(directory)
        .unwrap();
    let guard = Guard::new(registry(address.parse().unwrap()), journal).settle_for(Duration::ZERO);
    let ended = runtime.block_on(async {
        if what == "recover" {
            guard.recover(&mut |_| {}).await.unwrap();
            return Phase::Applied;
        }
        let request = Request::new(
            "turn_dial",
            json!({"dial": dial, "value": 7}),
            "agent:night",
        );
        let proposal = guard.propose(request).await.unwrap().asked();
        guard
            .execute(&proposal, &proposal.requester().unwrap(), &mut |_| {})
            .await
            .unwrap()
            .into_report()
            .unwrap();
        guard.proposal_status(&proposal.id).await.unwrap().phase
    });
    assert!(ended.is_end(), "{ended}");
    assert!(
        std::env::var(CHILD).is_ok() || ended == Phase::Applied,
        "{ended}"
    );
}
