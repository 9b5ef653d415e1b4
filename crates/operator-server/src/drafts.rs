//! What would be proposed: planned and shown, and written down nowhere.

use action_guard::Draft;
use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Gated;
use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use crate::api::{Answer, seen};
use crate::gate::{Cluster, Gate};
use crate::input::{Named, read};
use crate::problem::Problem;
use crate::proposals::{Undone, Wanted, may_undo};
use crate::who::Asker;

/// What an action would do, whoever asks and whatever the policy says.
pub(crate) async fn plan(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(name): Named<String>,
    body: Bytes,
) -> Answer {
    let cluster = asker.cluster(&gate, &name)?;
    let wanted: Wanted = read(&body)?;
    of_no_draft(wanted.draft.as_deref())?;
    let name = &wanted.action;
    asker.may_ask_for(cluster, name)?;
    let catalogue = cluster.guard.catalogue();
    let parameters = catalogue.validate(name, Value::Object(wanted.parameters))?;
    let plan = catalogue.plan(name, parameters.clone()).await?;
    let undo = catalogue.undo(name, parameters.clone(), &plan.before, None, None)?;
    let system = catalogue.identity(name).await?;
    let planned = json!({
        "action": name,
        "parameters": parameters,
        "system": system,
        "plan": plan,
        "undo": undo,
    });
    Ok(Json(planned).into_response())
}

/// What would be proposed for who asks, and what the policy says of it.
pub(crate) async fn draft(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(name): Named<String>,
    body: Bytes,
) -> Answer {
    let cluster = asker.cluster(&gate, &name)?;
    let wanted: Wanted = read(&body)?;
    of_no_draft(wanted.draft.as_deref())?;
    let request = wanted.request(&asker, cluster)?;
    drafted(&gate, &asker, cluster, &cluster.guard.draft(request).await?).await
}

/// The same of what takes a proposal back.
pub(crate) async fn draft_undo(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(id): Named<String>,
    body: Bytes,
) -> Answer {
    let (cluster, status) = seen(&gate, &asker, &id).await?;
    may_undo(&asker, cluster, &status.proposal.undo)?;
    let Undone { reason, draft } = read(&body)?;
    of_no_draft(draft.as_deref())?;
    let guard = &cluster.guard;
    let draft = guard.draft_undo(&id, &asker.actor, &reason).await?;
    drafted(&gate, &asker, cluster, &draft).await
}

/// Refuses a draft of a draft.
fn of_no_draft(draft: Option<&str>) -> Result<(), Problem> {
    match draft {
        Some(_) => Err(Problem::invalid("`draft` is only valid for a new proposal")),
        None => Ok(()),
    }
}

async fn drafted(gate: &Gate, asker: &Asker, cluster: &Cluster, draft: &Draft) -> Answer {
    let (proposal, ruling) = (draft.proposal(), draft.ruling());
    let may_be_sent = cluster.guard.may_be_sent(proposal).await?;
    gate.shown().keep(&proposal.id, &asker.actor);
    let shown = json!({ "proposal": proposal, "ruling": ruling, "may_be_sent": may_be_sent });
    Ok(Json(shown).into_response())
}
