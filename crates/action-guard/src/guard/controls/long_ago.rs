//! Proposals that ended so long ago that the state has dropped them.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::guard::Controls;
use crate::journal::JournalError;
use crate::proposal::Phase;
use crate::records::{Entry, Record};
use crate::state::ProposalStatus;

/// How many records are looked through at a time.
const AT_A_TIME: usize = 1_000;

impl Controls {
    /// Proposals whose ids begin with this text, as the journal tells them, however long ago they
    /// ended: the oldest first, at most so many. Reads the journal once.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn recorded(
        &self,
        beginning: &str,
        most: usize,
    ) -> Result<Vec<ProposalStatus>, JournalError> {
        let entries = self.journal().entries_with(beginning).await?;
        let ids = entries
            .iter()
            .filter_map(|entry| match &entry.record {
                Record::Proposed { proposal, .. } => Some(proposal.id.as_str()),
                _ => None,
            })
            .filter(|id| id.starts_with(beginning));
        let mut found = Vec::new();
        for id in ids.take(most) {
            found.extend(self.told(id, &entries).await?);
        }
        Ok(found)
    }

    /// A proposal as its records tell it. What took it back has records of its own.
    async fn told(
        &self,
        id: &str,
        entries: &[Entry],
    ) -> Result<Option<ProposalStatus>, JournalError> {
        let is_its = |entry: &&Entry| {
            entry.record.proposal_id() == Some(id) || entry.record.undoes() == Some(id)
        };
        let mut entries: Vec<Entry> = entries.iter().filter(is_its).cloned().collect();
        let undoes = entries
            .iter()
            .filter(|entry| entry.record.undoes().is_some());
        let undoes = undoes.filter_map(|entry| entry.record.proposal_id());
        let undoes: BTreeSet<String> = undoes.map(str::to_owned).collect();
        for undo in undoes.iter().filter(|undo| *undo != id) {
            entries.extend(self.journal().entries_of(undo).await?);
        }
        let Some(status) = ProposalStatus::by_records(id, &entries) else {
            return Ok(None);
        };
        if !status.phase.is_unsent() {
            return Ok(Some(status));
        }
        // It expired, or the kill switch cancelled it: neither is a record of its own.
        let until = status.proposal.expires_at;
        entries.extend(self.kills(status.seq, until).await?);
        let told = ProposalStatus::by_records(id, &entries);
        Ok(told.map(|mut status| {
            if status.phase_at(Timestamp::now()) == Phase::Expired {
                (status.phase, status.ended_at) = (Phase::Expired, Some(until));
            }
            status
        }))
    }

    /// The records by which the kill switch was set after a record, until then.
    async fn kills(&self, mut after: u64, until: Timestamp) -> Result<Vec<Entry>, JournalError> {
        let mut found = Vec::new();
        loop {
            let entries = self.journal().entries(after, AT_A_TIME).await?;
            let Some(last) = entries.last() else {
                return Ok(found);
            };
            let is_over = last.at > until;
            after = last.seq;
            let is_meant =
                |entry: &Entry| entry.at <= until && matches!(entry.record, Record::Killed { .. });
            found.extend(entries.into_iter().filter(is_meant));
            if is_over {
                return Ok(found);
            }
        }
    }
}
