//! What is kept at hand, and what only the journal has.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::proposal::Phase;
use crate::state::{Activity, ProposalStatus, State};

/// How many ended proposals are kept at hand; the journal has all.
const ENDED_KEPT: usize = 32;

/// How long sendings are kept at hand, for budgets.
const ACTIVITY_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// How many sendings are kept at hand at most.
const MOST_ACTIVITY: usize = 4_096;

impl State {
    pub(super) fn end(&mut self, id: &str, phase: Phase, at: Timestamp) {
        if let Some(mut status) = self.open.remove(id) {
            let ended = Arc::make_mut(&mut status);
            ended.phase = phase;
            ended.ended_at = Some(at);
            self.push_ended(status);
        }
    }

    pub(super) fn push_ended(&mut self, status: Arc<ProposalStatus>) {
        let at = status.ended_at.unwrap_or(status.proposed_at);
        self.step_attempt_ended(&status, at);
        self.ended.push_back(status);
        while self.ended.len() > ENDED_KEPT {
            self.ended.pop_front();
        }
    }

    /// Ends what was not carried out in time, and what has ended by itself.
    pub(super) fn expire(&mut self, at: Timestamp) {
        self.effects.retain(|_, effect| !effect.is_over(at));
        let mut over: Vec<String> = self.open.expired(at).cloned().collect();
        over.sort_unstable();
        for id in over {
            self.end(&id, Phase::Expired, at);
        }
    }

    pub(super) fn remember(&mut self, activity: Activity) {
        let oldest = activity.at.checked_sub(ACTIVITY_KEPT).ok();
        let kept = Arc::make_mut(&mut self.activity);
        while let Some(first) = kept.first() {
            let too_old = oldest.is_some_and(|oldest| first.at < oldest);
            if !too_old && kept.len() < MOST_ACTIVITY {
                break;
            }
            if !too_old {
                self.activity_complete_since = Some(first.at);
            }
            kept.drop_first();
        }
        kept.push(activity);
    }
}
