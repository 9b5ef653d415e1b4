//! The suite: every promise of every action, each against a fake of its own.

use crate::declare::Subject;
use crate::schema::ActionDefinition;
use crate::testing::broken::{Broken, Promise};
use crate::testing::case::Case;
use crate::testing::fake_system::{FakeSystem, Rejected};
use crate::testing::{lost, not_sent, there_and_back, well_formed};

/// Tries every action of a subject against a fake of its system: that plans, probes and observations
/// only read, that a send is one write, that what is proven and what is taken back is so, after a
/// restart, a drop, a lost request and a lost answer too.
///
/// It needs no runtime but the caller's: call it in a test of `tokio` or another.
///
/// # Panics
/// With every promise that is broken and what to mend.
#[expect(clippy::panic, reason = "a failed test panics")]
pub async fn assert_conforms<F: FakeSystem>() {
    let broken = conformance::<F>().await;
    if !broken.is_empty() {
        let shown: Vec<String> = broken.iter().map(Broken::to_string).collect();
        let name = F::Subject::NAME;
        panic!("subject `{name}` breaks promises:\n{}", shown.join("\n"));
    }
}

/// The same as a list: each promise that is broken, once for each action.
pub async fn conformance<F: FakeSystem>() -> Vec<Broken> {
    let actions = F::Subject::actions().into_definitions();
    let names: Vec<String> = actions.map(|definition| definition.name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    conformance_of::<F>(&names).await
}

/// The same of these actions alone, for a system that not all can be tried on, such as a real one.
pub async fn conformance_of<F: FakeSystem>(actions: &[&str]) -> Vec<Broken> {
    let mut broken = well_formed::problems::<F::Subject>();
    // What cannot be registered cannot be tried.
    if !broken.is_empty() {
        return broken;
    }
    for definition in F::Subject::actions().into_definitions() {
        if !actions.contains(&definition.name.as_str()) {
            continue;
        }
        let found = match definition.is_mutation() {
            true => mutation::<F>(&definition).await,
            false => observation::<F>(&definition)
                .await
                .err()
                .into_iter()
                .collect(),
        };
        for one in found {
            let is_known =
                |known: &Broken| (&known.action, known.promise) == (&one.action, one.promise);
            if !broken.iter().any(is_known) {
                broken.push(one);
            }
        }
    }
    broken
}

async fn observation<F: FakeSystem>(definition: &ActionDefinition) -> Result<(), Broken> {
    let case = Case::<F>::start(definition).await?;
    let (state, parameters) = (case.fake.state().await, case.example.goes_ahead.clone());
    case.check_round_trip(&parameters)?;
    let seen = case.registry.observe(&case.name, parameters).await;
    case.only_read(Promise::ObservationOnlyReads, &state)
        .await?;
    let seen = seen.map_err(|error| {
        let what = format!("it fails: {}", error.report());
        case.broken(Promise::ObservationOnlyReads, what)
    })?;
    match seen.is_object() {
        true => Ok(()),
        false => Err(case.broken(
            Promise::WellFormed,
            format!("its output is {seen}, and front ends take an object"),
        )),
    }
}

/// All that a mutation promises. What needs a plan that goes ahead is not asked for without one.
async fn mutation<F: FakeSystem>(definition: &ActionDefinition) -> Vec<Broken> {
    let mut broken = there_and_back::check::<F>(definition).await;
    let is_of_the_plan = |one: &Broken| {
        matches!(
            one.promise,
            Promise::Example | Promise::PlanOnlyReads | Promise::RoundTrips | Promise::WellFormed
        )
    };
    if broken.iter().any(is_of_the_plan) {
        return broken;
    }
    broken.extend(refusal::<F>(definition).await.err());
    broken.extend(not_sent::without_permit::<F>(definition).await.err());
    broken.extend(not_sent::to_another_system::<F>(definition).await.err());
    broken.extend(lost::request::<F>(definition).await.err());
    broken.extend(lost::answer::<F>(definition).await.err());
    broken.extend(lost::dropped::<F>(definition).await.err());
    broken
}

async fn refusal<F: FakeSystem>(definition: &ActionDefinition) -> Result<(), Broken> {
    let case = Case::<F>::start(definition).await?;
    match case.example.rejected.clone() {
        Rejected::Parameters(parameters) => not_sent::refused(case, parameters).await,
        Rejected::Never => Ok(()),
        Rejected::NotSaid => Err(case.broken(
            Promise::Example,
            "say `.rejected(…)` with what the system refuses, or `.never_rejected()`",
        )),
    }
}
