//! A guarded mutation, beside the writes and syncs that its records need.

use std::hint::black_box;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use action_core::{
    Accepted, ActionRegistry, ActionSet, Attempt, Attribution, Effect, FailureKind, Mutation,
    Outcome, Plan, Progress, Risk, Sent, Subject, SubjectError, Undo, Verdict,
};
use action_guard::{
    Actor, Decider, FileJournal, Guard, Journal, MemoryJournal, Mode, Policy, Request,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::Failed;
use crate::measure::compared;
use crate::report::{Budget, Curve, Report};

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

fn registry() -> Result<ActionRegistry, Failed> {
    let mut registry = ActionRegistry::new();
    let counters = (0..64).map(AtomicU64::new).collect();
    registry.register(Counters(counters))?;
    Ok(registry)
}

/// A guard that sends, and looks once.
pub(crate) async fn ready(journal: Arc<dyn Journal>) -> Result<Guard, Failed> {
    let guard = Guard::over(registry()?, journal).settle_for(Duration::ZERO);
    let by: Actor = "user:ana".parse()?;
    let mode = guard.controls();
    let mode = mode.set_mode(Mode::Execute, Decider::claimed(&by), "benchmark");
    mode.await?;
    Ok(guard)
}

async fn set(guard: &Guard, counter: usize, value: u64) -> Result<(), Failed> {
    let parameters = json!({"counter": counter, "value": value});
    let request = Request::new("set_counter", parameters, "agent:night");
    let proposal = guard.propose(request).await?.into_proposal()?;
    let by = proposal.requester()?;
    let executed = guard.execute(&proposal, &by, &mut |_| {}).await?;
    executed.into_report()?;
    Ok(())
}

/// So many, in memory or in a file, for whoever counts.
pub(crate) fn repeated(runtime: &Runtime, in_file: bool, times: u64) -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let guard = runtime.block_on(ready(kept(in_file, directory.path())?))?;
    (0..times).try_for_each(|value| runtime.block_on(set(&guard, 0, value)))
}

/// The same, beside so many proposals that wait.
pub(crate) fn repeated_beside(runtime: &Runtime, in_file: bool, times: u64) -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let guard = runtime.block_on(ready(kept(in_file, directory.path())?))?;
    runtime.block_on(wait(&guard, MOST_THAT_WAIT))?;
    (0..times).try_for_each(|value| runtime.block_on(set(&guard, 0, value)))
}

/// The same, each agreed to by a person.
pub(crate) fn repeated_approved(runtime: &Runtime, times: u64) -> Result<(), Failed> {
    let guard = runtime.block_on(ready(Arc::new(MemoryJournal::new())))?;
    let policy: Policy = ASKS.parse()?;
    let guard = guard.rules(Arc::new(policy));
    (0..times).try_for_each(|value| runtime.block_on(set_approved(&guard, 0, value)))
}

/// The same, with a budget of it, after a thousand that were sent today.
pub(crate) fn repeated_after(runtime: &Runtime, times: u64) -> Result<(), Failed> {
    let guard = runtime.block_on(ready(Arc::new(MemoryJournal::new())))?;
    (0..1_000).try_for_each(|value| runtime.block_on(set(&guard, 1, value)))?;
    let policy: Policy = COUNTS.replace("ACTION", "set_counter").parse()?;
    let guard = guard.rules(Arc::new(policy));
    (0..times).try_for_each(|value| runtime.block_on(set(&guard, 0, value)))
}

fn kept(in_file: bool, directory: &std::path::Path) -> Result<Arc<dyn Journal>, Failed> {
    Ok(match in_file {
        true => Arc::new(FileJournal::open(directory)?),
        false => Arc::new(MemoryJournal::new()),
    })
}

/// As many as may wait, nearly.
const MOST_THAT_WAIT: u64 = 900;

/// Proposes so many that nobody carries out.
async fn wait(guard: &Guard, count: u64) -> Result<(), Failed> {
    for at in 0..count {
        let parameters = json!({"counter": 2, "value": at});
        let by = format!("agent:{}", at / 100);
        let proposed = guard.propose(Request::new("set_counter", parameters, by));
        proposed.await?.into_proposal()?;
    }
    Ok(())
}

/// A person agrees between the proposal and the send.
async fn set_approved(guard: &Guard, counter: usize, value: u64) -> Result<(), Failed> {
    let parameters = json!({"counter": counter, "value": value});
    let request = Request::new("set_counter", parameters, "agent:night");
    let proposal = guard.propose(request).await?.into_proposal()?;
    let by: Actor = "user:ana".parse()?;
    let controls = guard.controls();
    let approved = controls.approve(
        &proposal.id,
        &proposal.plan_hash,
        Decider::claimed(&by),
        None,
    );
    approved.await?;
    let by = proposal.requester()?;
    let executed = guard.execute(&proposal, &by, &mut |_| {}).await?;
    executed.into_report()?;
    Ok(())
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

/// Mutations in one run.
const RUNS: u64 = 200;

pub(crate) fn measure(runtime: &Runtime, report: &mut Report) -> Result<(), Failed> {
    alone(runtime, report)?;
    at_once(runtime, report)?;
    company(runtime, report)
}

/// One after the other, beside a loop that writes as much and syncs as often.
fn alone(runtime: &Runtime, report: &mut Report) -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let journal = Arc::new(FileJournal::open(directory.path())?);
    let guard = runtime.block_on(ready(journal.clone()))?;
    let policy: Policy = ASKS.parse()?;
    let asking = Guard::over(registry()?, journal.clone()).settle_for(Duration::ZERO);
    let asking = asking.rules(Arc::new(policy));
    for approved in [false, true] {
        let run = || {
            (0..RUNS).try_for_each(|value| {
                runtime.block_on(async {
                    match approved {
                        true => set_approved(&asking, 0, value).await,
                        false => set(&guard, 0, value).await,
                    }
                })
            })
        };
        let (bytes, syncs) = (size(directory.path()), journal.syncs());
        run()?;
        let syncs = (journal.syncs() - syncs) as f64 / RUNS as f64;
        let bytes = (size(directory.path()) - bytes) / RUNS;
        let with = if approved {
            "with an approval"
        } else {
            "no approval"
        };
        report.fact(
            format!("one mutation alone, {with}: syncs, bytes of journal"),
            format!("{syncs:.2}, {bytes}"),
        );
        let mut file = tempfile::tempfile_in(directory.path())?;
        let piece = vec![b'x'; bytes as usize / (syncs.round() as usize).max(1)];
        let mut loop_alone = || {
            for _ in 0..RUNS * syncs.round() as u64 {
                black_box(
                    file.write_all(&piece)
                        .and_then(|()| file.sync_data())
                        .is_ok(),
                );
            }
        };
        report.row(
            format!("one mutation alone, {with}"),
            "writing as much and syncing as often",
            Budget::Wall(1.5),
            RUNS,
            compared(|| run().is_ok(), &mut loop_alone),
        );
    }
    Ok(())
}

fn size(directory: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => size(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

/// So many at a time: with a policy that has people decide, beside none.
fn at_once(runtime: &Runtime, report: &mut Report) -> Result<(), Failed> {
    let (mut plain, mut decided) = (Vec::new(), Vec::new());
    for count in [1, 4, 16, 64] {
        let directory = tempfile::tempdir()?;
        let journal = Arc::new(FileJournal::open(directory.path())?);
        let guard = runtime.block_on(ready(journal.clone()))?;
        let policy: Policy = ASKS.parse()?;
        let asking = Guard::over(registry()?, journal.clone()).settle_for(Duration::ZERO);
        let asking = asking.rules(Arc::new(policy));
        let run = |guard: &Guard, approved: bool| {
            runtime.block_on(async {
                let mut tasks = JoinSet::new();
                for counter in 0..count {
                    let guard = guard.clone();
                    tasks.spawn(async move {
                        for value in 0..RUNS / count as u64 {
                            let done = match approved {
                                true => set_approved(&guard, counter, value).await,
                                false => set(&guard, counter, value).await,
                            };
                            black_box(done.is_ok());
                        }
                    });
                }
                tasks.join_all().await;
            });
        };
        let syncs = journal.syncs();
        run(&guard, false);
        report.fact(
            format!("syncs for one mutation, {count} at a time"),
            format!("{:.2}", (journal.syncs() - syncs) as f64 / RUNS as f64),
        );
        let compared = compared(|| run(&asking, true), || run(&guard, false));
        plain.push((count as f64, RUNS as f64 / compared.reference.wall));
        decided.push((count as f64, RUNS as f64 / compared.ours.wall));
        report.row(
            format!("a mutation with policy and approval, {count} at a time"),
            "the same without",
            Budget::Wall(1.0 / 0.8),
            RUNS,
            compared,
        );
    }
    report.curve(Curve {
        file: "mutations",
        title: "Guarded mutations in a second",
        x: "at a time",
        y: "in a second",
        lines: vec![("no approval", plain), ("policy and approval", decided)],
    });
    Ok(())
}

/// So many that what the runs add is still kept: a budget refuses what it cannot count.
const SENT_TODAY: u64 = 1_000;
const FEW_RUNS: u64 = RUNS / 5;

const COUNTS: &str = r#"
version = 1
rule = { name = "all", decision = "allow" }
budget = { name = "a budget", action = "ACTION", leaders = 1000000, actions = 1000000, per = "24h" }
"#;

/// What budgets cost on a day on which much was sent, and what others cost that wait:
/// in memory, where nothing else takes time.
fn company(runtime: &Runtime, report: &mut Report) -> Result<(), Failed> {
    let quiet = runtime.block_on(ready(Arc::new(MemoryJournal::new())))?;
    let refused = std::cell::Cell::new(0_u64);
    let run = |guard: &Guard| {
        for value in 0..FEW_RUNS {
            // What is refused costs less, and is no measure.
            let is_refused = runtime.block_on(set(guard, 0, value)).is_err();
            refused.set(refused.get() + u64::from(is_refused));
        }
    };
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
    let busy = runtime.block_on(ready(Arc::clone(&journal)))?;
    for value in 0..SENT_TODAY {
        runtime.block_on(set(&busy, 1, value))?;
    }
    for (name, action) in [("other actions", "drain_store"), ("it", "set_counter")] {
        let policy: Policy = COUNTS.replace("ACTION", action).parse()?;
        let guard = Guard::over(registry()?, Arc::clone(&journal)).settle_for(Duration::ZERO);
        let guard = guard.rules(Arc::new(policy));
        report.row(
            format!("{SENT_TODAY} sent today, a budget of {name}"),
            "no budget, nothing sent",
            Budget::None,
            FEW_RUNS,
            compared(|| run(&guard), || run(&quiet)),
        );
    }
    if refused.get() > 0 {
        return Err(format!("{} mutations were refused under a budget", refused.get()).into());
    }
    for waiting in [100, MOST_THAT_WAIT] {
        let beside = runtime.block_on(ready(Arc::new(MemoryJournal::new())))?;
        runtime.block_on(wait(&beside, waiting))?;
        report.row(
            format!("beside {waiting} that wait"),
            "none that waits",
            Budget::None,
            FEW_RUNS,
            compared(|| run(&beside), || run(&quiet)),
        );
    }
    Ok(())
}
