//! Figures for a Prometheus: of states and counts, with names of clusters and of nobody.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use action_guard::{Phase, State};
use axum::extract::{Request, State as Gated};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;

use crate::gate::Gate;

/// Counts what is answered.
pub(crate) async fn counted(Gated(gate): Gated<Gate>, request: Request, next: Next) -> Response {
    // What stands behind the `?` may be a code of a login.
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let answer = next.run(request).await;
    let status = answer.status().as_u16();
    if status >= 400 {
        tracing::debug!(%method, path, status, "refused");
    }
    gate.answered().count(status);
    answer
}

/// All of them, as they are now, in the text format of Prometheus.
pub(crate) async fn metrics(Gated(gate): Gated<Gate>) -> Response {
    let mut page = Page::default();
    let answered = gate.answered().counts();
    let answered = answered.map(|(class, count)| (format!("status=\"{class}xx\""), count));
    page.add("requests_total", "counter", "Answered requests.", answered);
    let listening = gate.listeners().count() as u64;
    page.gauge("event_streams", "Open event streams.", listening);
    let state = gate.journal().state().await;
    page.gauge(
        "journal_readable",
        "Whether the journal can be read.",
        state.is_ok().into(),
    );
    if let Ok(state) = state {
        page.gauge(
            "journal_records",
            "The number of the last record.",
            state.seq,
        );
        if let Some(cluster) = gate.clusters().values().next() {
            let other = cluster.guard.other_policy().await;
            let differs = !matches!(other, Ok(None));
            page.gauge(
                "policies_differ",
                "Whether another gate on this journal uses another policy, or may.",
                differs.into(),
            );
        }
        let is_stopped = gate.journal().is_stopped().await.unwrap_or(true);
        of_clusters(&gate, &state, is_stopped, &mut page);
    }
    let form = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (form, page.0).into_response()
}

fn of_clusters(gate: &Gate, state: &State, is_stopped: bool, page: &mut Page) {
    let now = Timestamp::now();
    let of_each = |figure: &dyn Fn(&str) -> u64| -> Vec<(String, u64)> {
        let clusters = gate.clusters().iter();
        let figures = clusters.map(|(name, one)| (label(name), figure(&one.target.system)));
        figures.collect()
    };
    let stopped = |system: &str| u64::from(is_stopped || state.killed_on(system).is_some());
    let stopped = of_each(&stopped);
    page.add(
        "stopped",
        "gauge",
        "Whether the kill switch is set.",
        stopped,
    );
    let clusters = gate.clusters().iter();
    let executes = clusters.map(|(name, one)| {
        let observing = one.guard.observing(state, &one.target.system);
        (label(name), u64::from(observing.is_none()))
    });
    let executes: Vec<_> = executes.collect();
    page.add(
        "executes",
        "gauge",
        "Whether the mode is execute, and who set it is verified.",
        executes,
    );
    let in_force = state.in_force(now);
    let effects = |is_over: bool| {
        of_each(&|system| {
            let effects = in_force.iter().filter(|effect| effect.system == system);
            effects
                .filter(|effect| !is_over || effect.lease_over)
                .count() as u64
        })
    };
    page.add(
        "effects_in_force",
        "gauge",
        "Lasting effects that are or may be in force.",
        effects(false),
    );
    page.add(
        "effects_overdue",
        "gauge",
        "Lasting effects whose lease has expired.",
        effects(true),
    );
    of_proposals(gate, state, now, page);
    of_checks(gate, page);
}

/// What the gate's own checks found, once there was a look.
fn of_checks(gate: &Gate, page: &mut Page) {
    let clusters = gate.clusters().keys();
    let checked = clusters.map(|name| (name, gate.checks().of(name)));
    let checked: Vec<_> = checked.filter(|(_, one)| one.looked_at.is_some()).collect();
    let seconds = |at: Timestamp| u64::try_from(at.as_second()).unwrap_or_default();
    let counts = checked.iter();
    page.add(
        "findings",
        "gauge",
        "What the last look found that should not be so.",
        counts.map(|(name, one)| (label(name), one.findings.len() as u64)),
    );
    let oldest = checked.iter().filter_map(|(name, one)| {
        let first = one.findings.iter().map(|found| found.first_seen).min()?;
        Some((label(name), seconds(first)))
    });
    page.add(
        "finding_oldest_first_seen_timestamp_seconds",
        "gauge",
        "When the oldest of these was first seen.",
        oldest,
    );
    let looked_at = checked
        .iter()
        .filter_map(|(name, one)| Some((label(name), seconds(one.looked_at?))));
    page.add(
        "checked_timestamp_seconds",
        "gauge",
        "When the cluster was last looked at.",
        looked_at,
    );
    let failed = checked.iter();
    page.add(
        "checks_failed",
        "gauge",
        "How many checks could not be made then.",
        failed.map(|(name, one)| (label(name), one.failed.len() as u64)),
    );
}

fn of_proposals(gate: &Gate, state: &State, now: Timestamp, page: &mut Page) {
    let mut phases: BTreeMap<String, u64> = BTreeMap::new();
    for (name, cluster) in gate.clusters() {
        for phase in [
            Phase::NeedsApproval,
            Phase::Approved,
            Phase::Executing,
            Phase::Unknown,
        ] {
            let open = state.open.values().filter(|status| {
                status.proposal.system == cluster.target.system && status.phase_at(now) == phase
            });
            let word = serde_json::to_value(phase).unwrap_or_default();
            let word = word.as_str().unwrap_or_default();
            phases.insert(
                format!("{},phase=\"{word}\"", label(name)),
                open.count() as u64,
            );
        }
    }
    page.add(
        "proposals_open",
        "gauge",
        "Proposals that have not ended.",
        phases,
    );
}

/// The name of a cluster, as a label.
fn label(name: &str) -> String {
    let name = name
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("cluster=\"{name}\"")
}

/// A page in the text format.
#[derive(Default)]
struct Page(String);

impl Page {
    fn gauge(&mut self, name: &str, about: &str, value: u64) {
        self.add(name, "gauge", about, [(String::new(), value)]);
    }

    fn add(
        &mut self,
        name: &str,
        kind: &str,
        about: &str,
        values: impl IntoIterator<Item = (String, u64)>,
    ) {
        let name = format!("operator_gate_{name}");
        // Into a text nothing fails to be written.
        let _ = writeln!(self.0, "# HELP {name} {about}\n# TYPE {name} {kind}");
        for (labels, value) in values {
            let _ = match labels.as_str() {
                "" => writeln!(self.0, "{name} {value}"),
                labels => writeln!(self.0, "{name}{{{labels}}} {value}"),
            };
        }
    }
}
