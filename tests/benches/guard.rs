//! What the guard costs: `cargo bench -p end-to-end --bench guard`.
//!
//! Counts and sizes come first, and are printed; what is timed follows. The long journal has
//! 1,000,000 records, or as many as `GUARD_BENCH_RECORDS` says.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot run has nothing to say, and it says what it counts"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::time::Instant;

use action_core::{
    Accepted, ActionRegistry, ActionSet, Attempt, Attribution, Effect, FailureKind, Mutation,
    Outcome, Plan, Progress, Risk, Sent, Subject, SubjectError, Undo, Verdict,
};
use action_guard::{
    Actor, Decider, FileJournal, Guard, Intent, Journal, MemoryJournal, Mode, Proposal, Record,
    Request, Ruling,
};
use async_trait::async_trait;
use criterion::{Criterion, criterion_group, criterion_main};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// Counters that are set at once, in memory: nothing but the guard takes time.
struct Counters(Vec<AtomicU64>);

#[derive(Debug, thiserror::Error)]
#[error("no such counter")]
struct NoSuchCounter;

impl SubjectError for NoSuchCounter {
    fn kind(&self) -> FailureKind {
        FailureKind::Refused
    }
}

impl Counters {
    fn at(&self, counter: usize) -> Result<&AtomicU64, NoSuchCounter> {
        self.0.get(counter).ok_or(NoSuchCounter)
    }
}

#[async_trait]
impl Subject for Counters {
    const NAME: &'static str = "counters";
    type Error = NoSuchCounter;

    fn actions() -> ActionSet<Self> {
        ActionSet::new().mutation::<SetCounter>()
    }

    async fn identity(&self) -> Result<String, NoSuchCounter> {
        Ok("the counters".to_owned())
    }
}

/// Sets a counter.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetCounter {
    /// Which.
    #[schemars(range(min = 0, max = 63))]
    counter: u8,
    /// To what.
    value: u64,
}

#[async_trait]
impl Mutation<Counters> for SetCounter {
    const NAME: &'static str = "set_counter";
    const RISK: Risk = Risk::Low;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = u64;

    fn resources(&self) -> Vec<String> {
        vec![format!("counter/{}", self.counter)]
    }

    async fn plan(&self, counters: &Counters) -> Result<Plan<u64>, NoSuchCounter> {
        let before = counters.at(self.counter.into())?.load(Ordering::Relaxed);
        Ok(Plan::new(Verdict::WouldProceed, before).same("value", before))
    }

    async fn send(
        &self,
        counters: &Counters,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, NoSuchCounter> {
        let _permit = attempt.permit().await.map_err(|_| NoSuchCounter)?;
        counters
            .at(self.counter.into())?
            .store(self.value, Ordering::Relaxed);
        Ok(Accepted::new("set"))
    }

    async fn probe(&self, _: &Counters, _: &u64, _: &Sent) -> Result<Progress, NoSuchCounter> {
        Ok(Progress::applied(
            Attribution::Ours,
            "it shows the value",
            Vec::new(),
        ))
    }

    fn undo(&self, before: &u64, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        let (counter, value) = (self.counter, *before);
        Undo::with(&Self { counter, value })
    }
}

fn registry() -> ActionRegistry {
    let mut registry = ActionRegistry::new();
    let counters = (0..64).map(AtomicU64::new).collect();
    registry.register(Counters(counters)).unwrap();
    registry
}

fn person() -> Actor {
    "user:ana".parse().unwrap()
}

async fn ready(journal: Arc<dyn Journal>) -> Guard {
    let guard = Guard::over(registry(), journal).settle_for(Duration::ZERO);
    let (controls, by) = (guard.controls(), person());
    let mode = controls.set_mode(Mode::Execute, Decider::claimed(&by), "benchmark");
    mode.await.unwrap();
    guard
}

async fn set(guard: &Guard, counter: usize, value: u64) {
    let parameters = json!({"counter": counter, "value": value});
    let request = Request::new("set_counter", parameters, "agent:night");
    let proposal = guard.propose(request).await.unwrap();
    guard
        .execute(&proposal, &proposal.requester().unwrap(), &mut |_| {})
        .await
        .unwrap();
}

/// A person agrees between the proposal and the send.
async fn set_approved(guard: &Guard, value: u64) {
    let parameters = json!({"counter": 0, "value": value});
    let request = Request::new("set_counter", parameters, "agent:night");
    let proposal = guard.propose(request).await.unwrap();
    let (controls, by) = (guard.controls(), person());
    let by = Decider::claimed(&by);
    controls
        .approve(&proposal.id, &proposal.plan_hash, by, None)
        .await
        .unwrap();
    guard
        .execute(&proposal, &proposal.requester().unwrap(), &mut |_| {})
        .await
        .unwrap();
}

const ASKS: &str = r#"
version = 1

[[rule]]
name = "people decide"
action = "*"
decision = "approve"
by = ["user:*"]
count = 1
ttl = "30m"
"#;

fn syncs(runtime: &Runtime) {
    let directory = tempfile::tempdir().unwrap();
    let journal = Arc::new(FileJournal::open(directory.path()).unwrap());
    let guard = runtime.block_on(ready(journal.clone()));
    runtime.block_on(set(&guard, 0, 1));
    let before = journal.syncs();
    runtime.block_on(async {
        for value in 0..100 {
            set(&guard, 0, value).await;
        }
    });
    println!(
        "syncs per action, alone, no approval: {}",
        (journal.syncs() - before) as f64 / 100.0
    );

    let policy: action_guard::Policy = ASKS.parse().unwrap();
    let asking = Guard::over(registry(), journal.clone())
        .rules(Arc::new(policy))
        .settle_for(Duration::ZERO);
    let before = journal.syncs();
    runtime.block_on(async {
        for value in 0..100 {
            set_approved(&asking, value).await;
        }
    });
    println!(
        "syncs per action, alone, with approval: {}",
        (journal.syncs() - before) as f64 / 100.0
    );

    let before = journal.syncs();
    let begun = Instant::now();
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for counter in 0..64 {
            let guard = guard.clone();
            tasks.spawn(async move {
                for value in 0..20 {
                    set(&guard, counter, value).await;
                }
            });
        }
        tasks.join_all().await;
    });
    let actions = 64.0 * 20.0;
    println!(
        "syncs per action, 64 at a time: {:.3} ({:.0} actions per second)",
        (journal.syncs() - before) as f64 / actions,
        actions / begun.elapsed().as_secs_f64()
    );
}

/// The life of one proposal that nobody will ask for again.
fn life(at: usize, until: Timestamp) -> [Record; 4] {
    let id = format!("life-{at}");
    let plan = || Plan::new(Verdict::WouldProceed, Value::from(at)).same("value", at);
    let request = Request::new(
        "set_counter",
        json!({"counter": 1, "value": at}),
        "agent:night",
    );
    let undo = Undo::none("it is a benchmark");
    let mut proposal = Proposal::new(&id, request, "the counters", plan(), undo, until);
    proposal.resources = vec!["counter/1".to_owned()];
    let attempt = Attempt::new(&id, 1, None);
    let outcome = Outcome::applied(Attribution::Ours, "it shows the value", Vec::new());
    [
        Record::Proposed {
            proposal: Box::new(proposal),
            ruling: Ruling::Allow {
                rule: "benchmark".to_owned(),
            },
        },
        Record::Intent {
            id: id.clone(),
            intent: Box::new(Intent::new(plan(), attempt, until)),
        },
        Record::Answer {
            id: id.clone(),
            answer: action_guard::Answer::Accepted {
                code: None,
                accepted: Accepted::new("set"),
            },
        },
        Record::Outcome {
            id,
            outcome,
            undo: None,
        },
    ]
}

/// Kilobytes of this process that are in memory.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let digits = line.unwrap_or_default().split_whitespace().next();
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

async fn filled(directory: &std::path::Path, records: usize) {
    let journal = Arc::new(FileJournal::open(directory).unwrap());
    let guard = ready(journal.clone()).await;
    let until = Timestamp::now() + SignedDuration::from_hours(1);
    for batch in 0..records.div_ceil(4_000) {
        let lives = (batch * 1_000..(batch + 1) * 1_000).flat_map(|at| life(at, until));
        let lives: Vec<Record> = lives.collect();
        guard
            .journal()
            .commit(Box::new(move |_, _| Ok(lives)))
            .await
            .unwrap();
    }
}

fn long_journals(runtime: &Runtime, criterion: &mut Criterion) {
    let records = std::env::var("GUARD_BENCH_RECORDS");
    let most = records.map_or(1_000_000, |text| text.parse().unwrap());
    for records in [most / 100, most] {
        let directory = tempfile::tempdir().unwrap();
        let begun = Instant::now();
        runtime.block_on(filled(directory.path(), records));
        println!(
            "{records} records written in {:.1} s",
            begun.elapsed().as_secs_f64()
        );
        let before = resident_kib();
        let begun = Instant::now();
        let journal = FileJournal::open(directory.path()).unwrap();
        let guard = Guard::new(registry(), journal).settle_for(Duration::ZERO);
        let recovered = runtime.block_on(guard.recover(&mut |_| {})).unwrap();
        println!(
            "{records} records: opened and recovered ({} open) in {:.1} ms, {} KiB more in memory",
            recovered.len(),
            begun.elapsed().as_secs_f64() * 1e3,
            resident_kib().saturating_sub(before)
        );
        looked_up(runtime, directory.path(), records);
        let before = resident_kib();
        let begun = Instant::now();
        let verified = runtime.block_on(guard.journal().verify()).unwrap();
        println!(
            "{records} records: all {} segments verified in {:.1} s, {} KiB more in memory",
            verified.segments,
            begun.elapsed().as_secs_f64(),
            resident_kib().saturating_sub(before)
        );
        criterion.bench_function(&format!("open a journal of {records} records"), |bencher| {
            bencher.iter(|| {
                let journal = FileJournal::open(directory.path()).unwrap();
                black_box(runtime.block_on(journal.state()).unwrap())
            });
        });
    }
}

fn overhead(runtime: &Runtime, criterion: &mut Criterion) {
    let bare = registry();
    let (before, attempt) = (json!(0), Attempt::untracked());
    criterion.bench_function("bare send by name, no I/O", |bencher| {
        bencher.iter(|| {
            let parameters = json!({"counter": 0, "value": 3});
            runtime
                .block_on(bare.send("set_counter", parameters, &before, &attempt))
                .unwrap()
        });
    });
    let guard = runtime.block_on(ready(Arc::new(MemoryJournal::new())));
    criterion.bench_function("guarded: propose to outcome, no I/O", |bencher| {
        bencher.iter(|| runtime.block_on(set(&guard, 0, 3)));
    });
}

const COUNTS: &str = r#"
version = 1
rule = { name = "all", decision = "allow" }
budget = { name = "a budget", action = "ACTION", leaders = 1000000 }
"#;

/// What budgets cost on a day on which as much was sent as is kept, and what others cost that wait.
fn company(runtime: &Runtime, criterion: &mut Criterion) {
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
    let guard = runtime.block_on(ready(Arc::clone(&journal)));
    runtime.block_on(async {
        for value in 0..4_096 {
            set(&guard, 1, value).await;
        }
    });
    for (name, action) in [("other actions", "drain_store"), ("it", "set_counter")] {
        let policy = COUNTS.replace("ACTION", action);
        let policy: action_guard::Policy = policy.parse().unwrap();
        let guard = Guard::over(registry(), Arc::clone(&journal)).settle_for(Duration::ZERO);
        let guard = guard.rules(Arc::new(policy));
        criterion.bench_function(
            &format!("guarded, 4,096 sent today, a budget of {name}"),
            |bencher| bencher.iter(|| runtime.block_on(set(&guard, 0, 3))),
        );
    }
    for waiting in [100, 900] {
        let guard = runtime.block_on(ready(Arc::new(MemoryJournal::new())));
        runtime.block_on(async {
            for at in 0..waiting {
                let parameters = json!({"counter": 2, "value": at});
                let by = format!("agent:{}", at / 100);
                let request = Request::new("set_counter", parameters, by);
                guard.propose(request).await.unwrap();
            }
        });
        criterion.bench_function(&format!("guarded, beside {waiting} that wait"), |bencher| {
            bencher.iter(|| runtime.block_on(set(&guard, 0, 3)))
        });
    }
}

/// Finding what one proposal of a long journal was, and its end.
fn looked_up(runtime: &Runtime, directory: &std::path::Path, records: usize) {
    let journal = FileJournal::open(directory).unwrap();
    let begun = Instant::now();
    let found = runtime.block_on(journal.entries_of("life-7")).unwrap();
    println!(
        "{records} records: {} of an old proposal found in {:.1} ms",
        found.len(),
        begun.elapsed().as_secs_f64() * 1e3
    );
    let journal = FileJournal::open(directory).unwrap();
    let begun = Instant::now();
    let head = runtime.block_on(journal.head()).unwrap();
    println!(
        "{records} records: the head, {}, found in {:.1} ms",
        head.seq,
        begun.elapsed().as_secs_f64() * 1e3
    );
}

fn guard(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    syncs(&runtime);
    overhead(&runtime, criterion);
    company(&runtime, criterion);
    long_journals(&runtime, criterion);
}

criterion_group!(benches, guard);
criterion_main!(benches);
