//! The fold: which record may follow, and what it changes.

use std::sync::Arc;

use crate::fold::refuse::{invalid_record, person};
use crate::proposal::Refusal;
use crate::records::{Entry, Record};
use crate::state::{Enabled, Pause, State};

impl State {
    /// Adds one entry, or refuses it and stays as it is.
    ///
    /// # Errors
    /// Why it cannot follow what is here.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), Refusal> {
        if entry.seq != self.seq.saturating_add(1) && !self.is_new() {
            return Err(invalid_record(format!(
                "record {} after record {}",
                entry.seq, self.seq
            )));
        }
        let at = entry.at;
        match &entry.record {
            Record::Checkpoint { state, .. } => self.checkpoint(state)?,
            Record::Proposed { proposal, ruling } => self.proposed(proposal, ruling, at)?,
            Record::Approved { id, approval } => self.approved(id, approval, at)?,
            Record::Rejected { id, by, reason } => self.rejected(id, by, reason, at)?,
            Record::Cancelled { id, by, reason } => self.cancelled(id, by, reason, at)?,
            Record::Expired { id } => self.expired(id, at)?,
            Record::Intent { id, intent } => self.intent(id, intent, &entry.instance, at)?,
            Record::Answer { id, answer } => self.answered(id, answer, &entry.instance, at)?,
            Record::Outcome { id, outcome, undo } => {
                self.owned(id, "given an outcome", &entry.instance)?;
                self.not_taken_over(id)?;
                self.conclude(id, outcome, undo.as_ref(), at)?;
            }
            Record::Adopted { id, from } => self.adopted(id, from, &entry.instance, at)?,
            Record::Resolved {
                id,
                by,
                result,
                reason,
            } => self.resolved(id, by, *result, reason, at)?,
            Record::Released { id, by, .. } => self.released(id, by)?,
            Record::BreakGlass {
                id,
                by,
                answer,
                outcome,
                ..
            } => self.break_glass(id, by, answer, outcome)?,
            Record::Mode { .. } | Record::Killed { .. } | Record::Reset { .. } => {
                self.of_switches(entry)?;
            }
            Record::ClockConfirmed { by, .. } => person(by, "confirm the clock")?,
            Record::FlowStarted { id, started } => self.flow_started(id, started, at)?,
            Record::FlowStep { id, step, event } => self.flow_step(id, step, event, at)?,
            Record::FlowResumed { id, by, .. } => self.flow_resumed(id, by, at)?,
            Record::FlowCancelled { id, by, reason } => self.flow_cancelled(id, by, reason, at)?,
            Record::FlowCompensating { id, by, reason } => {
                self.flow_compensating(id, by, reason, at)?;
            }
            // Tokens, sessions, links, pauses and gates.
            _ => self.of_who_asks(entry)?,
        }
        self.switched(entry);
        self.seq = entry.seq;
        self.at = Some(at);
        Ok(())
    }

    /// The mode and the kill switch.
    fn of_switches(&mut self, entry: &Entry) -> Result<(), Refusal> {
        match &entry.record {
            Record::Mode {
                target,
                mode,
                by,
                proof,
                attested,
                ..
            } => {
                let enabled = Enabled::new(
                    by,
                    (self.last_switch, entry.at),
                    proof.as_ref(),
                    attested.as_ref(),
                );
                self.set_mode(target.as_ref(), *mode, enabled)
            }
            Record::Killed { target, by, reason } => {
                self.kill(target.as_ref(), by, reason, entry.at)
            }
            Record::Reset { target, by, .. } => self.reset(target.as_ref(), by),
            _ => Err(invalid_record("a record of another kind")),
        }
    }

    /// What is about who asks, and whom.
    fn of_who_asks(&mut self, entry: &Entry) -> Result<(), Refusal> {
        let at = entry.at;
        match &entry.record {
            Record::TokenMade { made } => self.token_made(made, at),
            Record::TokenRevoked { id, by, reason } => self.token_revoked(id, by, reason, at),
            Record::SessionOpened { session } => self.session_opened(session, at),
            Record::SessionEnded { id, by, .. } => self.session_ended(id, by),
            Record::LinkMade { link } => self.link_made(link, at),
            Record::AgentPaused {
                agent,
                until,
                by,
                reason,
            } => self.agent_paused(Pause {
                agent: agent.clone(),
                by: by.clone(),
                reason: reason.clone(),
                at,
                until: *until,
                seq: entry.seq,
                ended: None,
                resumed: None,
                earlier: None,
            }),
            Record::AgentResumed {
                agent,
                by,
                reason,
                proof,
                attested,
            } => {
                // Which pause it is, is added where that is known.
                let resumed = Enabled::new(by, (0, at), proof.as_ref(), attested.as_ref());
                self.agent_resumed(agent, resumed, reason, at)
            }
            Record::GateOpened { policy } => self.gate_opened(&entry.instance, policy, at),
            Record::GateClosed {} => self.gate_closed(&entry.instance),
            _ => Err(invalid_record("a record of another kind")),
        }
    }

    /// Keeps which record set the mode or the kill switch last.
    fn switched(&mut self, entry: &Entry) {
        let Some(target) = entry.record.switches() else {
            return;
        };
        self.last_switch = entry.seq;
        match target {
            Some(target) => self.switch_mut(target).last_switch = entry.seq,
            None => self.last_switch_of_all = entry.seq,
        }
    }

    fn is_new(&self) -> bool {
        self.seq == 0
    }

    fn checkpoint(&mut self, state: &State) -> Result<(), Refusal> {
        if self.is_new() {
            *self = state.clone();
        } else if self != state && !self.is_same_but_for_names(state) {
            return Err(invalid_record(
                "a checkpoint that does not match the records before it",
            ));
        }
        Ok(())
    }

    /// Whether two are the same, but for who carried an effect out where one of them does not say it:
    /// earlier versions of this program did not keep that.
    fn is_same_but_for_names(&self, other: &Self) -> bool {
        let (mut one, mut other) = (self.clone(), other.clone());
        one.forget_who_enabled();
        other.forget_who_enabled();
        for (id, effect) in &mut one.effects {
            if let Some(theirs) = other.effects.get_mut(id)
                && effect.carried_out_by.is_none() != theirs.carried_out_by.is_none()
            {
                Arc::make_mut(effect).carried_out_by = None;
                Arc::make_mut(theirs).carried_out_by = None;
            }
        }
        one == other
    }
}
