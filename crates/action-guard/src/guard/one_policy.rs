//! Several gates on one journal: all of them work by one policy, or none proposes and sends.

use crate::guard::Guard;
use crate::guard::authority::rules_now;
use crate::guard::error::GuardError;
use crate::journal::JournalError;
use crate::proposal::Refusal;
use crate::records::Record;
use crate::state::State;

/// So many digits of a hash are shown.
const SHOWN: usize = 12;

impl Guard {
    /// The same guard, one of a gate, of which there may be several on one journal: each writes down by
    /// which policy it works. While one that lives works by another, nothing is proposed or sent.
    #[must_use]
    pub fn of_a_gate(mut self) -> Self {
        self.is_of_a_gate = true;
        self
    }

    /// Writes down by which policy this gate works, unless that is there.
    ///
    /// # Errors
    /// When the journal cannot be read or written.
    pub async fn gate_opened(&self) -> Result<(), GuardError> {
        let Some(policy) = rules_now(&self.rules).version() else {
            return Ok(());
        };
        let state = self.state().await?;
        if self.is_written(&state, &policy) {
            return Ok(());
        }
        let record = Record::GateOpened { policy };
        self.commit(|_, _| Ok(vec![record])).await.map(drop)?;
        Ok(())
    }

    /// Writes down that this gate is over, if it was open.
    ///
    /// # Errors
    /// When the journal cannot be read or written.
    pub async fn gate_closed(&self) -> Result<(), GuardError> {
        let me = self.journal.instance().to_owned();
        let closed = move |state: &State, _| {
            let is_open = state.gates.contains_key(&me);
            Ok(is_open.then(|| Record::GateClosed {}).into_iter().collect())
        };
        self.commit(closed).await.map(drop)?;
        Ok(())
    }

    /// Another gate that lives and works by another policy, if there is one.
    ///
    /// # Errors
    /// When the journal cannot be read, or whether a gate lives cannot be found out.
    pub async fn other_policy(&self) -> Result<Option<Refusal>, JournalError> {
        let state = self.journal.state().await?;
        self.other_policy_in(&state).await
    }

    /// The same by a state.
    pub(super) async fn other_policy_in(
        &self,
        state: &State,
    ) -> Result<Option<Refusal>, JournalError> {
        let Some(ours) = rules_now(&self.rules).version() else {
            return Ok(None);
        };
        for (gate, other) in state.gates_by_another(&ours) {
            let is_other = gate != self.journal.instance();
            if is_other && self.journal.is_alive(gate).await? {
                let shown = |hash: &str| hash.chars().take(SHOWN).collect();
                return Ok(Some(Refusal::OtherPolicy {
                    gate: gate.clone(),
                    theirs: shown(&other.policy),
                    ours: shown(&ours),
                }));
            }
        }
        Ok(None)
    }

    /// Refuses to begin anything while a gate that lives works by another policy, and says to others by
    /// which one this works.
    pub(super) async fn is_of_one_policy(&self) -> Result<(), GuardError> {
        if !self.is_of_a_gate {
            return Ok(());
        }
        self.gate_opened().await?;
        match self.other_policy().await? {
            Some(refusal) => Err(refusal.into()),
            None => Ok(()),
        }
    }

    /// The same right before a send, when nothing is written any more: what others do not know yet is not
    /// sent by.
    pub(super) async fn may_send_by_policy(&self, state: &State) -> Result<(), String> {
        if !self.is_of_a_gate {
            return Ok(());
        }
        let policy = rules_now(&self.rules).version();
        if policy.is_some_and(|policy| !self.is_written(state, &policy)) {
            return Err("the policy has changed, and other gates were not told yet".to_owned());
        }
        match self.other_policy_in(state).await {
            Ok(None) => Ok(()),
            Ok(Some(refusal)) => Err(refusal.to_string()),
            Err(error) => Err(action_core::report(&error)),
        }
    }

    /// Whether the journal has by which policy this gate works.
    fn is_written(&self, state: &State, policy: &str) -> bool {
        let own = state.gates.get(self.journal.instance());
        own.is_some_and(|own| own.policy == policy)
    }
}
