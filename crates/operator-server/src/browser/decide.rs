//! One proposal: what it would do, and a person's yes or no.

use action_core::{Risk, printable};
use action_guard::{Phase, PlanHash, ProposalStatus};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use serde_json::json;

use crate::api::seen;
use crate::approvals::is_of_plan;
use crate::browser::forms::{self, Approve, Reject};
use crate::browser::page::{Page, page as whole, see};
use crate::browser::plan::{in_line, plan, when};
use crate::browser::session::{Signed, browsers, is_from_here, signed_in};
use crate::carry_on::carry_on_everywhere;
use crate::gate::{Cluster, Gate};
use crate::input::Named;
use crate::problem::Problem;

/// How long a reason may be, in bytes.
const LONGEST_REASON: usize = 1_000;

/// What it would do, word for word as it is approved.
pub(crate) async fn page(
    State(gate): State<Gate>,
    headers: HeaderMap,
    Named(id): Named<String>,
) -> Page {
    let Some(signed) = signed_in(&gate, &headers).await? else {
        let to = forms::id(&id).map_or_else(String::new, |id| format!("?to={id}"));
        return Ok(see(&format!("/login{to}")));
    };
    let (cluster, status) = seen(&gate, &signed.asker, &id).await?;
    let standing = cluster.guard.standing(&id).await?.to_string();
    let lines = standing.lines().map(printable).collect::<Vec<_>>();
    let proposal = &status.proposal;
    let phase = status.phase_at(Timestamp::now());
    let body = html! {
        table {
            tr { th { "Proposal" } td { code { (proposal.id) } } }
            tr { th { "Cluster" } td { (printable(proposal.target().called())) " (" (printable(&proposal.system)) ")" } }
            tr { th { "Requested by" } td { (printable(&proposal.request.actor)) ", " (proposal.request.proven_by) } }
            @if let Some(reason) = &proposal.request.reason { tr { th { "Reason" } td { (printable(reason)) } } }
            tr { th { "Risk" } td { (risk_of(cluster, &status).map_or_else(|| "not known".to_owned(), risk_word)) } }
            @if let Some(lease) = proposal.request.lease_ms {
                tr { th { "Lease" } td { "taken back " (lease.div_ceil(1000)) " s after it is run" } }
            }
            tr { th { "State" } td { (phase.to_string()) } }
            tr { th { "Open until" } td { (when(proposal.expires_at)) } }
            tr { th { "Plan" } td { code { (proposal.plan_hash) } } }
        }
        pre { (lines.join("\n")) }
        h2 { "Plan" }
        p { code { (printable(&proposal.request.action)) " " (in_line(&proposal.request.parameters)) } }
        (plan(proposal))
        (agreed(&status))
        @if phase.is_unsent() { (decisions(&gate, cluster, &signed, &status)) }
    };
    let title = printable(&proposal.request.action);
    Ok(whole(&title, Some(&signed), &body))
}

/// Who has agreed so far.
fn agreed(status: &ProposalStatus) -> Markup {
    html! {
        @if !status.approvals.is_empty() {
            h2 { "Approvals" }
            ul {
                @for approval in &status.approvals {
                    li {
                        (approval.by.as_str()) ", by " (approval.proof_word()) ", until " (when(approval.expires_at))
                        @if let Some(reason) = &approval.reason { ": " (printable(reason)) }
                    }
                }
            }
        }
    }
}

/// The buttons, each of which brings the hash of what is shown.
fn decisions(gate: &Gate, cluster: &Cluster, signed: &Signed, status: &ProposalStatus) -> Markup {
    let proposal = &status.proposal;
    let waits = status.phase_at(Timestamp::now()) == Phase::NeedsApproval;
    let is_too_old = is_fresh_enough(gate, cluster, signed, status).is_err();
    html! {
        h2 { "Decide" }
        @if !waits {
            p { "This proposal does not need an approval now." }
        } @else if is_too_old {
            p class="warning" {
                "This proposal has high risk, and your login is too old to approve it."
                " " a href={ "/login?fresh=true&to=" (proposal.id) } { "Log in again" }
            }
        } @else {
            form method="post" action={ "/proposals/" (proposal.id) "/approve" } {
                input type="hidden" name="csrf" value=(signed.csrf);
                input type="hidden" name="plan_hash" value=(proposal.plan_hash);
                label { "Reason " input name="reason" maxlength=(LONGEST_REASON); }
                " " button { "Approve this plan" }
            }
        }
        form method="post" action={ "/proposals/" (proposal.id) "/reject" } {
            input type="hidden" name="csrf" value=(signed.csrf);
            label { "Reason " input name="reason" maxlength=(LONGEST_REASON); }
            " " button { "Reject" }
        }
    }
}

/// The risk of what is asked for, where the action is known.
fn risk_of(cluster: &Cluster, status: &ProposalStatus) -> Option<Risk> {
    let catalogue = cluster.guard.catalogue();
    let definition = catalogue.definition(&status.proposal.request.action)?;
    definition.risk
}

fn risk_word(risk: Risk) -> String {
    json!(risk).as_str().unwrap_or_default().to_owned()
}

/// Refuses who proved too long ago who they are for what is of high risk, or of a risk that is not known.
fn is_fresh_enough(
    gate: &Gate,
    cluster: &Cluster,
    signed: &Signed,
    status: &ProposalStatus,
) -> Result<(), Problem> {
    let risk = risk_of(cluster, status);
    let within =
        SignedDuration::try_from(gate.options().fresh_login_within).unwrap_or(SignedDuration::ZERO);
    let age = Timestamp::now().duration_since(signed.session.auth_time);
    match risk.unwrap_or(Risk::High) < Risk::High || age <= within {
        true => Ok(()),
        false => {
            let minutes = gate.options().fresh_login_within.as_secs() / 60;
            let text = format!(
                "approving a high-risk proposal needs a login of the last {minutes} minutes: log in again"
            );
            Err(Problem::new(StatusCode::FORBIDDEN, "login_too_old", text))
        }
    }
}

/// A person agrees to the plan that they were shown.
pub(crate) async fn approve(
    State(gate): State<Gate>,
    headers: HeaderMap,
    Named(id): Named<String>,
    body: Bytes,
) -> Page {
    let trusted = gate.trusted();
    let browsers = browsers(&trusted)?;
    let signed = signed(&gate, &headers).await?;
    let asked: Approve = forms::read(&headers, &body)?;
    is_from_here(browsers, &headers, &asked.csrf, &signed.csrf)?;
    let (cluster, status) = seen(&gate, &signed.asker, &id).await?;
    let hash = json!(asked.plan_hash);
    let hash: PlanHash = serde_json::from_value(hash)
        .map_err(|_| Problem::invalid("invalid `plan_hash`: use 64 hexadecimal digits"))?;
    let state = gate.journal().state().await?;
    is_of_plan(&state, &status, &hash)?;
    signed.asker.may_let_others_send()?;
    signed
        .asker
        .may_ask_for(cluster, &status.proposal.request.action)?;
    is_fresh_enough(&gate, cluster, &signed, &status)?;
    let reason = reason(&asked.reason)?;
    let controls = cluster.guard.controls();
    controls
        .approve_by_session(&id, &hash, &signed.session, &browsers.key, reason)
        .await?;
    carry_on_everywhere(&gate).await;
    Ok(see(&format!("/proposals/{}", status.proposal.id)))
}

/// A person refuses it for good.
pub(crate) async fn reject(
    State(gate): State<Gate>,
    headers: HeaderMap,
    Named(id): Named<String>,
    body: Bytes,
) -> Page {
    let trusted = gate.trusted();
    let browsers = browsers(&trusted)?;
    let signed = signed(&gate, &headers).await?;
    let asked: Reject = forms::read(&headers, &body)?;
    is_from_here(browsers, &headers, &asked.csrf, &signed.csrf)?;
    let (cluster, status) = seen(&gate, &signed.asker, &id).await?;
    let reason = reason(&asked.reason)?;
    let reason = reason.unwrap_or_else(|| "rejected in a browser".to_owned());
    let controls = cluster.guard.controls();
    controls.reject(&id, &signed.asker.actor, &reason).await?;
    Ok(see(&format!("/proposals/{}", status.proposal.id)))
}

/// Who decides: nobody where nobody is logged in.
async fn signed(gate: &Gate, headers: &HeaderMap) -> Result<Signed, Problem> {
    let signed = signed_in(gate, headers).await?;
    signed.ok_or_else(|| {
        let text = "this browser is not logged in, or the session has expired: log in again";
        Problem::new(StatusCode::UNAUTHORIZED, "not_logged_in", text)
    })
}

/// Why, where somebody says it.
fn reason(text: &str) -> Result<Option<String>, Problem> {
    let text = text.trim();
    if text.len() > LONGEST_REASON {
        return Err(Problem::invalid(
            "`reason` is too long: use at most 1000 bytes",
        ));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}
