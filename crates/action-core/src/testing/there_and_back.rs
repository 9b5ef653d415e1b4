//! A mutation from its plan to its undo, when all goes well.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::registry::ActionRegistry;
use crate::schema::{ActionDefinition, Effect};
use crate::testing::broken::{Broken, Promise};
use crate::testing::case::{Case, Run, count, difference, registry, shown};
use crate::testing::fake_system::FakeSystem;
use crate::values::{Outcome, Progress, Sent, Undo};

/// Plans, sends, proves, starts anew and takes back.
pub(super) async fn check<F: FakeSystem>(definition: &ActionDefinition) -> Vec<Broken> {
    let mut broken = Vec::new();
    let last = all::<F>(definition, &mut broken).await;
    broken.extend(last.err());
    broken
}

async fn all<F: FakeSystem>(
    definition: &ActionDefinition,
    broken: &mut Vec<Broken>,
) -> Result<(), Broken> {
    let case = Case::<F>::start(definition).await?;
    let state = case.fake.state().await;
    case.check_round_trip(&case.example.goes_ahead)?;
    let mut run = case.planned().await?;
    case.only_read(Promise::PlanOnlyReads, &state).await?;
    if !run.plan.verdict.may_be_sent() {
        let what = format!("its plan says {}", shown(&run.plan.verdict));
        return Err(case.broken(Promise::Example, what));
    }
    broken.extend(is_stable(&case, &run).await.err());
    broken.extend(lasting_is_named(&case, definition, &run).err());

    accept(&case, &mut run).await?;
    let writes = case.fake.writes();
    if writes != 1 {
        let what = format!("the fake got {}", count(writes));
        broken.push(case.broken(Promise::SendsOnce, what));
    }
    let (progress, sent) = case.followed(&run).await?;
    let more = case.fake.writes() - writes;
    if more != 0 {
        let what = format!("the fake got {}", count(more));
        broken.push(case.broken(Promise::ProbeOnlyReads, what));
    }
    let outcome = applied(&case, &progress)?;
    broken.extend(stays(&case, &run, &sent).await.err());
    broken.extend(restarted(&case, &run, &sent, &outcome).await.err());
    if !case.example.is_taken_back_under_way {
        return taken_back(&case, definition, &run, Some(&outcome), &state).await;
    }
    let case = Case::<F>::start(definition).await?;
    let (mut run, state) = (case.planned().await?, case.fake.state().await);
    accept(&case, &mut run).await?;
    taken_back(&case, definition, &run, None, &state).await
}

/// Sends it, and keeps the answer.
async fn accept<F: FakeSystem>(case: &Case<F>, run: &mut Run) -> Result<(), Broken> {
    let accepted = case.send(run).await.map_err(|error| {
        let what = format!("it fails: {}", error.report());
        case.broken(Promise::SendsOnce, what)
    })?;
    run.accepted = Some(accepted);
    Ok(())
}

/// What it ended as, which is applied.
fn applied<F: FakeSystem>(case: &Case<F>, progress: &Progress) -> Result<Outcome, Broken> {
    match progress {
        Progress::Applied {
            by,
            summary,
            evidence,
        } => Ok(Outcome::applied(*by, summary.clone(), evidence.clone())),
        other => {
            let what = format!("it ended as {}", shown(other));
            Err(case.broken(Promise::ProvesApplied, what))
        }
    }
}

impl Run {
    fn undo(&self, registry: &ActionRegistry, outcome: Option<&Outcome>) -> Result<Undo, String> {
        let (parameters, before) = (self.parameters.clone(), &self.plan.before);
        let accepted = self.accepted.as_ref();
        let undo = registry.undo(&self.name, parameters, before, accepted, outcome);
        undo.map_err(|error| error.report())
    }
}

/// Another plan of the same state is the same plan.
async fn is_stable<F: FakeSystem>(case: &Case<F>, run: &Run) -> Result<(), Broken> {
    let again = case.planned().await?.plan;
    let what = match run.plan.drift(&again).first() {
        Some((then, now)) => {
            let now = now.map_or(Value::Null, |now| now.value.clone());
            format!(
                "precondition `{}` was {} and is {now}",
                then.name, then.value
            )
        }
        None if again.verdict != run.plan.verdict => {
            let (then, now) = (shown(&run.plan.verdict), shown(&again.verdict));
            format!("the verdict was {then} and is {now}")
        }
        None => return Ok(()),
    };
    Err(case.broken(Promise::PlanIsStable, what))
}

fn lasting_is_named<F: FakeSystem>(
    case: &Case<F>,
    definition: &ActionDefinition,
    run: &Run,
) -> Result<(), Broken> {
    let named = case
        .registry
        .lasting_effect(&run.name, run.parameters.clone())
        .map_err(|error| case.broken(Promise::NamesLasting, error.report()))?;
    let what = match (definition.effect, named) {
        (Some(Effect::Lasting), None) => "it is `Lasting`, and has no name".to_owned(),
        (Some(Effect::OneShot), Some(name)) => format!("it is `OneShot`, and is named `{name}`"),
        _ => return Ok(()),
    };
    Err(case.broken(Promise::NamesLasting, what))
}

/// What was applied a moment ago is not reversed.
async fn stays<F: FakeSystem>(case: &Case<F>, run: &Run, sent: &Sent) -> Result<(), Broken> {
    let (name, parameters) = (&run.name, run.parameters.clone());
    let before = &run.plan.before;
    let settled = case
        .registry
        .settled(name, parameters.clone(), before, sent);
    let settled = settled.await;
    let in_force = case.registry.still_in_force(name, parameters, before, sent);
    for found in [settled, in_force.await] {
        let found = found.map_err(|error| {
            let what = format!("`settled` fails: {}", error.report());
            case.broken(Promise::ProbeOnlyReads, what)
        })?;
        if found.is_reversed() {
            let what = format!("`settled` says {}", shown(&found));
            return Err(case.broken(Promise::ProvesApplied, what));
        }
    }
    Ok(())
}

/// A process that starts now, with what was kept as JSON, sees the same and takes the same back.
async fn restarted<F: FakeSystem>(
    case: &Case<F>,
    run: &Run,
    sent: &Sent,
    outcome: &Outcome,
) -> Result<(), Broken> {
    let broken = |what: String| case.broken(Promise::SurvivesRestart, what);
    let kept = Run {
        name: run.name.clone(),
        parameters: reread(&run.parameters).map_err(broken)?,
        plan: reread(&run.plan).map_err(broken)?,
        attempt: reread(&run.attempt).map_err(broken)?,
        accepted: reread(&run.accepted).map_err(broken)?,
    };
    let (sent_again, ended) = (
        reread::<Sent>(sent).map_err(broken)?,
        reread::<Outcome>(outcome).map_err(broken)?,
    );
    let new = registry(&case.fake).await?;
    let probe = new.probe(
        &kept.name,
        kept.parameters.clone(),
        &kept.plan.before,
        &sent_again,
    );
    let seen = probe.await.map_err(|error| broken(error.report()))?;
    let expected = case.probe(run, sent).await?;
    if seen != expected {
        let (then, now) = (shown(&expected), shown(&seen));
        return Err(broken(format!("`probe` said {then}, and says {now}")));
    }
    let undo = kept.undo(&new, Some(&ended)).map_err(broken)?;
    let expected = run.undo(&case.registry, Some(outcome)).map_err(broken)?;
    if undo != expected {
        let (then, now) = (shown(&expected), shown(&undo));
        return Err(broken(format!("`undo` said {then}, and says {now}")));
    }
    Ok(())
}

fn reread<T: Serialize + DeserializeOwned>(value: &T) -> Result<T, String> {
    let text = serde_json::to_string(value).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| format!("{error} in {text}"))
}

/// Its undo is an action where it says so, and else a reason why there is none.
fn is_as_declared(undo: &Undo, reversible: bool) -> Result<(), String> {
    match undo {
        Undo::None { reason } if reversible => {
            Err(format!("`REVERSIBLE` is true, and `undo` says: {reason}"))
        }
        Undo::Action { name, .. } if !reversible => {
            Err(format!("`REVERSIBLE` is false, and `undo` gives `{name}`"))
        }
        Undo::None { reason } if reason.is_empty() => {
            Err("there is none, and no reason".to_owned())
        }
        _ => Ok(()),
    }
}

/// Its undo goes ahead and restores the state.
async fn taken_back<F: FakeSystem>(
    case: &Case<F>,
    definition: &ActionDefinition,
    run: &Run,
    outcome: Option<&Outcome>,
    state: &Value,
) -> Result<(), Broken> {
    let broken = |what: String| case.broken(Promise::UndoRestores, what);
    let undo = run.undo(&case.registry, outcome).map_err(broken)?;
    is_as_declared(&undo, definition.reversible).map_err(broken)?;
    let Undo::Action {
        name, parameters, ..
    } = &undo
    else {
        return Ok(());
    };
    if case.fake.state().await == *state {
        let what = "`FakeSystem::state` shows nothing of what the mutation changed".to_owned();
        return Err(broken(what));
    }
    let parameters = Value::Object(parameters.clone());
    let back = case.planned_as(name, parameters.clone()).await;
    let mut back = back.map_err(|one| broken(one.what))?;
    if let Some((expected, now)) = undo.drift(&back.plan).first() {
        let now = now.map_or(Value::Null, |now| now.value.clone());
        let (name, then) = (&expected.name, &expected.value);
        return Err(broken(format!(
            "it expects `{name}` to be {then}, and it is {now}"
        )));
    }
    let what = format!("`{name}` with {parameters}");
    if !back.plan.verdict.may_be_sent() {
        let verdict = shown(&back.plan.verdict);
        return Err(broken(format!("{what}: its plan says {verdict}")));
    }
    let accepted = case.send(&back).await;
    let accepted = accepted.map_err(|error| broken(format!("{what}: {}", error.report())))?;
    back.accepted = Some(accepted);
    let (progress, _) = case.followed(&back).await.map_err(|one| broken(one.what))?;
    let now = case.fake.state().await;
    match progress {
        // What takes long is as it was before it is done.
        Progress::Applied { .. } | Progress::Pending { .. } if now == *state => Ok(()),
        Progress::Applied { .. } => Err(broken(difference(state, &now))),
        other => Err(broken(format!("{what} ended as {}", shown(&other)))),
    }
}
