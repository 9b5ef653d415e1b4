//! What a guard asks before a proposal is recorded, sent, approved or a switch is set.

// length: one trait, and what allows everything.

use std::fmt;
use std::sync::Arc;

use action_core::{ActionDefinition, Plan};
use jiff::Timestamp;
use serde_json::Value;

use crate::identity::{Actor, AgentToken, Proof, StatementSignature, Target};
use crate::policy::always::AlwaysDenied;
use crate::policy::explain::Weighed;
use crate::policy::question::{Act, Ask};
use crate::policy::statements::{self, Confirmed, SignedRequest};
use crate::proposal::{Approval, Mode, Proposal, Refusal, Ruling};
use crate::state::{Pause, ProposalStatus, State};

/// What may be carried out, and who must agree. A policy is one of these.
///
/// Asked within the transaction that writes the answer down, so that what it sees of the state
/// cannot change before that.
pub trait Rules: fmt::Debug + Send + Sync + 'static {
    /// The rules as they are now, to decide one thing by; `None` when these never change.
    fn snapshot(&self) -> Option<Arc<dyn Rules>> {
        None
    }

    /// Which rules these are, for the records: the hash of a policy's text. `None` for rules that
    /// are no policy.
    fn version(&self) -> Option<String> {
        None
    }

    /// Why a newer version of these rules is not in force, if there is one that is wrong: a sentence
    /// that names it. Nothing is sent meanwhile.
    fn problem(&self) -> Option<String> {
        None
    }

    /// The text that they were read from, if they were.
    fn text(&self) -> Option<Arc<str>> {
        None
    }

    /// What they say of a request, planned or not, and how they come to that.
    fn weigh(&self, ask: &Ask<'_>, state: &State) -> Weighed;

    /// Whether they deny what is asked whatever the action is given, at any time and in any mode. An
    /// empty system is one that is not known.
    fn always_denied(&self, _: &Ask<'_>) -> AlwaysDenied {
        AlwaysDenied::No
    }

    /// What is to become of a new proposal.
    fn rule(
        &self,
        proposal: &Proposal,
        definition: &ActionDefinition,
        state: &State,
        now: Timestamp,
    ) -> Ruling;

    /// Whether an approved proposal may still be sent, now that it was planned anew: budgets,
    /// windows, and rules that have changed since.
    ///
    /// That the approvals are enough, unexpired and unused, that the mode and the kill switch allow
    /// it, and that nothing else changes the same things, is checked without this.
    ///
    /// # Errors
    /// Why not.
    fn allow_send(
        &self,
        status: &ProposalStatus,
        definition: &ActionDefinition,
        replanned: &Plan,
        state: &State,
        now: Timestamp,
    ) -> Result<(), Refusal>;

    /// Whether what was allowed when its intent was written is still allowed right before its first
    /// byte: windows that have closed since, and rules that have changed. Budgets have been counted
    /// with the intent.
    ///
    /// # Errors
    /// Why not.
    fn allow_at_send(
        &self,
        status: &ProposalStatus,
        definition: &ActionDefinition,
        replanned: &Plan,
        state: &State,
        now: Timestamp,
    ) -> Result<(), Refusal>;

    /// Whether somebody is who they are said to be, as far as these rules want to know.
    ///
    /// # Errors
    /// What is missing, or does not fit.
    fn vouch(
        &self,
        act: Act,
        by: &Actor,
        statement: &Value,
        signature: Option<&StatementSignature>,
    ) -> Result<(), Refusal>;

    /// Whether the key of somebody who was proven by a signature is listed still.
    fn lists_key_of(&self, _: &Actor) -> bool {
        true
    }

    /// Whether a gate says it that these rules know by its key.
    ///
    /// # Errors
    /// When they know no such gate, or the signature is not its.
    fn vouch_by_gate(&self, by: &Actor, _: &Value, _: &Proof) -> Result<(), Refusal> {
        Err(Refusal::NotProven {
            by: by.clone(),
            why: "no rules list the key of the gate that says so",
        })
    }

    /// Whether an agreement is by whom it says: by their signature, or by a gate that has it from a browser
    /// session of theirs.
    ///
    /// # Errors
    /// What is missing, or does not fit.
    fn vouch_for_approval(&self, id: &str, approval: &Approval) -> Result<(), Refusal> {
        if let (Some(attested), None) = (&approval.attested, &approval.signature) {
            let of = (&*attested.session, &*attested.row, attested.auth_time);
            let statement = approval.attested_statement(id, of);
            return self.vouch_by_gate(&approval.by, &statement, &attested.proof);
        }
        let statement = approval.statement(id);
        self.vouch(
            Act::Approve,
            &approval.by,
            &statement,
            approval.signature.as_ref(),
        )
    }

    /// Whether the mode is set by whom it says. To stop sends takes no proof.
    ///
    /// # Errors
    /// What is missing, or does not fit.
    fn vouch_for_mode(
        &self,
        mode: Mode,
        target: Option<&Target>,
        by: &Actor,
        proof: Option<&Proof>,
        state: &State,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if mode == Mode::Observe {
            return Ok(());
        }
        let statement = |at| statements::mode_statement(mode, target, by, state.last_switch, at);
        check_switch(self, Act::Mode, by, proof, statement, now)
    }

    /// Whether a token was made by whom it says, as the rules are now: who made it is still one whose
    /// key they list.
    ///
    /// # Errors
    /// What is missing, or does not fit.
    fn vouch_for_token(&self, made: &AgentToken) -> Result<(), Refusal> {
        let AgentToken {
            hash,
            grant,
            by,
            proof,
            ..
        } = made;
        let statement = statements::token_statement(hash, grant, by, proof.at);
        self.vouch(Act::Approve, by, &statement, Some(&proof.signature))
    }

    /// Whether a step of a workflow is confirmed by whom it says.
    ///
    /// # Errors
    /// What is missing, or does not fit.
    fn vouch_for_confirmation(
        &self,
        confirmed: &Confirmed<'_>,
        by: &Actor,
        proof: Option<&Proof>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let statement = |at| statements::confirm_statement(confirmed, by, at);
        check_switch(self, Act::Approve, by, proof, statement, now)
    }

    /// Whether a request to a gate is by whom it says: signed lately, with the key that the rules list for
    /// them.
    ///
    /// # Errors
    /// What is missing, or does not fit.
    fn vouch_for_request(
        &self,
        request: &SignedRequest<'_>,
        (by, at): (&Actor, Timestamp),
        signature: &StatementSignature,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        statements::fresh(at, by, now)?;
        let statement = statements::request_statement(request, by, at);
        self.vouch(Act::Approve, by, &statement, Some(signature))
    }

    /// Whether the time is confirmed by whom it says.
    ///
    /// # Errors
    /// What is missing, or does not fit.
    fn vouch_for_clock(
        &self,
        by: &Actor,
        proof: Option<&Proof>,
        state: &State,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let statement = |at| statements::clock_statement(by, state.last_switch, at);
        check_switch(self, Act::Mode, by, proof, statement, now)
    }

    /// Whether the pause of an agent is ended by whom it says.
    ///
    /// # Errors
    /// What is missing, or does not fit.
    fn vouch_for_resume(
        &self,
        pause: &Pause,
        by: &Actor,
        proof: Option<&Proof>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let statement = |at| statements::resume_statement(&pause.agent, by, pause.seq, at);
        check_switch(self, Act::KillReset, by, proof, statement, now)
    }

    /// What is said of somebody who takes back a lasting effect of ours by this action, or gives it
    /// up, at a time.
    fn rule_taking_back(
        &self,
        definition: &ActionDefinition,
        actor: &Actor,
        system: &str,
        state: &State,
        at: Timestamp,
    ) -> Ruling;

    /// Whether the kill switch is reset by whom it says.
    ///
    /// # Errors
    /// What is missing, or does not fit.
    fn vouch_for_reset(
        &self,
        target: Option<&Target>,
        by: &Actor,
        proof: Option<&Proof>,
        state: &State,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let statement = |at| statements::reset_statement(target, by, state.last_switch, at);
        check_switch(self, Act::KillReset, by, proof, statement, now)
    }
}

/// Allows everything that the mode and the kill switch allow; what an action itself declares to
/// need approval needs one person's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unrestricted;

impl Unrestricted {
    fn says(definition: &ActionDefinition) -> Ruling {
        if definition.requires_approval {
            return Ruling::Approve {
                rule: "the action requires approval".to_owned(),
                by: Vec::new(),
                count: 1,
                ttl_ms: 900_000,
                signed: false,
                proven_by: Vec::new(),
            };
        }
        Ruling::Allow {
            rule: "no policy".to_owned(),
        }
    }
}

impl Rules for Unrestricted {
    fn weigh(&self, ask: &Ask<'_>, _: &State) -> Weighed {
        Weighed::new(Self::says(ask.definition))
    }

    fn rule(&self, _: &Proposal, definition: &ActionDefinition, _: &State, _: Timestamp) -> Ruling {
        Self::says(definition)
    }

    fn rule_taking_back(
        &self,
        definition: &ActionDefinition,
        _: &Actor,
        _: &str,
        _: &State,
        _: Timestamp,
    ) -> Ruling {
        Self::says(definition)
    }

    fn allow_send(
        &self,
        _: &ProposalStatus,
        _: &ActionDefinition,
        _: &Plan,
        _: &State,
        _: Timestamp,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    fn allow_at_send(
        &self,
        _: &ProposalStatus,
        _: &ActionDefinition,
        _: &Plan,
        _: &State,
        _: Timestamp,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    fn vouch(
        &self,
        _: Act,
        by: &Actor,
        _: &Value,
        signature: Option<&StatementSignature>,
    ) -> Result<(), Refusal> {
        match signature {
            None => Ok(()),
            Some(_) => Err(Refusal::NotProven {
                by: by.clone(),
                why: "it is signed, but no policy lists a key",
            }),
        }
    }
}

/// Refuses a switch whose maker is not proven as the rules want it.
fn check_switch(
    rules: &(impl Rules + ?Sized),
    act: Act,
    by: &Actor,
    proof: Option<&Proof>,
    statement: impl FnOnce(Timestamp) -> Value,
    now: Timestamp,
) -> Result<(), Refusal> {
    let Some(proof) = proof else {
        return rules.vouch(act, by, &Value::Null, None);
    };
    proof.fresh(by, now)?;
    rules.vouch(act, by, &statement(proof.at), Some(&proof.signature))
}
