//! What is not sent: what the system would refuse, what has no permit, what is for another system.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use serde_json::Value;

use crate::error::{ActionError, FailureKind};
use crate::schema::ActionDefinition;
use crate::testing::broken::{Broken, Promise};
use crate::testing::case::{Case, count, difference, shown};
use crate::testing::fake_system::FakeSystem;
use crate::values::{Accepted, NotPermitted, SendPermit, SendPermits, Verdict};

/// The plan foretells a refusal, sends nothing, and is right.
pub(super) async fn refused<F: FakeSystem>(case: Case<F>, parameters: Value) -> Result<(), Broken> {
    let broken = |what: String| case.broken(Promise::RefusalIsForetold, what);
    let state = case.fake.state().await;
    case.check_round_trip(&parameters)?;
    let run = case.planned_as(&case.name, parameters.clone()).await?;
    case.only_read(Promise::PlanOnlyReads, &state).await?;
    let Verdict::WouldReject { code, text } = &run.plan.verdict else {
        let verdict = shown(&run.plan.verdict);
        return Err(broken(format!("of {parameters} its plan says {verdict}")));
    };
    if code.is_empty() || text.is_empty() {
        return Err(broken(format!(
            "code `{code}` and words `{text}`: say both"
        )));
    }
    // Nobody sends what would be refused; who does is refused.
    match case.send(&run).await {
        Ok(accepted) => {
            let answer = accepted.answer;
            return Err(broken(format!(
                "{parameters} was accepted all the same: `{answer}`"
            )));
        }
        Err(error) if error.kind() == FailureKind::Unknown => {
            let what = error.report();
            return Err(broken(format!(
                "its kind is `Unknown` when it is refused: {what}"
            )));
        }
        Err(_) => {}
    }
    match case.fake.state().await {
        now if now == state => Ok(()),
        now => Err(broken(difference(&state, &now))),
    }
}

/// A permit that is refused keeps the write from leaving.
pub(super) async fn without_permit<F: FakeSystem>(
    definition: &ActionDefinition,
) -> Result<(), Broken> {
    let case = Case::<F>::start(definition).await?;
    let mut run = case.planned().await?;
    let refuses = Arc::new(Refuses::default());
    run.attempt = run.attempt.permitted_by(Arc::<Refuses>::clone(&refuses));
    let sent = case.send(&run).await;
    if refuses.asked.load(Ordering::Relaxed) == 0 {
        let what = "it did not ask for its permit";
        return Err(case.broken(Promise::AsksForPermit, what));
    }
    is_not_sent(
        &case,
        sent,
        Promise::AsksForPermit,
        "its permit was refused",
    )
}

/// Neither a system that it was not planned for, nor one that took its place.
pub(super) async fn to_another_system<F: FakeSystem>(
    definition: &ActionDefinition,
) -> Result<(), Broken> {
    let case = Case::<F>::start(definition).await?;
    let mut run = case.planned().await?;
    run.attempt = run.attempt.for_system("another system");
    let sent = case.send(&run).await;
    let why = "it was planned for another system";
    is_not_sent(&case, sent, Promise::ChecksSystem, why)?;

    let case = Case::<F>::start(definition).await?;
    let run = case.planned().await?;
    case.fake.become_another();
    let identity = case.registry.identity(&run.name).await;
    if let Ok(identity) = identity
        && Some(&identity) == run.attempt.system.as_ref()
    {
        let what = format!("another system is there, and `identity` says `{identity}` as before");
        return Err(case.broken(Promise::ChecksSystem, what));
    }
    let sent = case.send(&run).await;
    let why = "another system took its place";
    is_not_sent(&case, sent, Promise::ChecksSystem, why)
}

fn is_not_sent<F: FakeSystem>(
    case: &Case<F>,
    sent: Result<Accepted, ActionError>,
    promise: Promise,
    why: &str,
) -> Result<(), Broken> {
    let writes = case.fake.writes();
    let what = match sent {
        _ if writes != 0 => format!("{why}, and the fake got {}", count(writes)),
        Ok(_) => format!("{why}, and it says that it was accepted"),
        Err(error) if error.kind() == FailureKind::Unknown => {
            format!("{why}, and its kind is `Unknown`: {}", error.report())
        }
        Err(_) => return Ok(()),
    };
    Err(case.broken(promise, what))
}

/// Gives no permit, and counts who asks.
#[derive(Default)]
struct Refuses {
    asked: AtomicU64,
}

#[async_trait]
impl SendPermits for Refuses {
    async fn acquire(&self) -> Result<SendPermit, NotPermitted> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Err(NotPermitted::new("stopped", "all sending is stopped"))
    }
}
