//! The journal, a page at a time: of people what is about their clusters, of agents what is theirs.

use std::collections::BTreeMap;

use action_guard::{Entry, Journal, JournalError, Record};
use axum::Extension;
use axum::Json;
use axum::extract::State as Gated;
use axum::response::IntoResponse as _;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::Answer;
use crate::gate::Gate;
use crate::input::Filter;
use crate::who::Asker;

/// How many records a page has unless it is said, and at most.
const PAGE: usize = 100;
const LONGEST_PAGE: usize = 500;

/// How many records are looked through for a page.
const LOOKED_AT: usize = 1_000;

/// How long a page may be, in bytes of its records.
const LARGEST_PAGE: usize = 8 << 20;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
    proposal: Option<String>,
}

/// Records with higher numbers than `after`, the oldest first; `next` is the `after` of the next page.
pub(crate) async fn journal(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Filter(wanted): Filter<Wanted>,
) -> Answer {
    let journal = gate.journal();
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE);
    let looked_at = match &wanted.proposal {
        Some(id) => {
            let mut entries = journal.entries_of(id).await?;
            entries.retain(|entry| entry.seq > wanted.after);
            entries
        }
        None => journal.entries(wanted.after, LOOKED_AT).await?,
    };
    let head = journal.head().await?;
    let end = looked_at.last().map_or(wanted.after, |entry| entry.seq);
    let mut readers = Readers::new(&gate, &asker);
    let (mut page, mut bytes, mut last) = (Vec::new(), 0, end);
    for entry in &looked_at {
        if !readers.may_see(entry).await? {
            continue;
        }
        let shown = shown(entry);
        bytes += shown.to_string().len();
        if page.len() == limit || (bytes > LARGEST_PAGE && !page.is_empty()) {
            last = page.last().map_or(end, |(seq, _)| *seq);
            break;
        }
        page.push((entry.seq, shown));
    }
    let is_more = last < end || (wanted.proposal.is_none() && end < head.seq);
    let entries: Vec<Value> = page.into_iter().map(|(_, shown)| shown).collect();
    let head = asker.sees_all().then_some(head);
    let next = is_more.then_some(last);
    Ok(Json(json!({ "entries": entries, "next": next, "head": head })).into_response())
}

/// Who may see which record, with what is known of its proposal.
pub(crate) struct Readers<'g> {
    gate: &'g Gate,
    asker: &'g Asker,
    requesters: BTreeMap<String, Option<String>>,
}

impl<'g> Readers<'g> {
    pub(crate) fn new(gate: &'g Gate, asker: &'g Asker) -> Self {
        let requesters = BTreeMap::new();
        Self {
            gate,
            asker,
            requesters,
        }
    }

    pub(crate) async fn may_see(&mut self, entry: &Entry) -> Result<bool, JournalError> {
        // All that came before, of everybody: those who may see it see it record by record.
        if matches!(entry.record, Record::Checkpoint { .. }) {
            return Ok(false);
        }
        let is_theirs = match &entry.target {
            Some(target) => self.asker.reaches(target) && self.gate.serves(target),
            None => self.asker.sees_all(),
        };
        if !is_theirs || self.asker.actor.is_user() {
            return Ok(is_theirs);
        }
        let Some(id) = entry.record.proposal_id() else {
            return Ok(false);
        };
        if !self.requesters.contains_key(id) {
            let requester = requester(self.gate.journal(), id).await?;
            self.requesters.insert(id.to_owned(), requester);
        }
        let requester = self.requesters.get(id).cloned().flatten();
        Ok(requester.is_some_and(|requester| self.asker.may_see(&requester)))
    }
}

/// Who asked for a proposal, however long ago.
async fn requester(journal: &dyn Journal, id: &str) -> Result<Option<String>, JournalError> {
    if let Some(status) = journal.state().await?.proposal_status(id) {
        return Ok(Some(status.proposal.request.actor.clone()));
    }
    let entries = journal.entries_of(id).await?;
    Ok(entries.into_iter().find_map(|entry| match entry.record {
        Record::Proposed { proposal, .. } => Some(proposal.request.actor),
        _ => None,
    }))
}

/// A record with its place in the chain, as it is read again.
pub(crate) fn shown(entry: &Entry) -> Value {
    json!({
        "v": entry.v,
        "seq": entry.seq,
        "at": entry.at,
        "instance": entry.instance,
        "prev": entry.prev,
        "target": entry.target,
        "record": entry.record,
        "hash": entry.hash,
    })
}
