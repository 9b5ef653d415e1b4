//! What is signed to enable sends, and whether it counts.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::identity::{Actor, PrivateKey, Proof, Target};
use crate::policy::question::Act;
use crate::policy::rules_trait::Rules;
use crate::policy::statements::{mode_statement, resume_statement};
use crate::proposal::{Mode, Refusal};
use crate::state::Enabled;

/// What is enabled again.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Enables<'a> {
    /// Sends to one system, or to all.
    Mode(Option<&'a Target>),
    /// What an agent does.
    Agent(&'a Actor),
}

impl Enables<'_> {
    fn act(self) -> Act {
        match self {
            Self::Mode(_) => Act::Mode,
            Self::Agent(_) => Act::KillReset,
        }
    }

    /// What who enables it signs.
    fn statement(self, by: &Actor, after: u64, at: Timestamp) -> Value {
        match self {
            Self::Mode(target) => mode_statement(Mode::Execute, target, by, after, at),
            Self::Agent(agent) => resume_statement(agent, by, after, at),
        }
    }

    /// What a gate signs that they asked.
    fn attested(self, by: &Actor, after: u64, at: Timestamp) -> Value {
        json!({
            "statement": "attest",
            "what": self.statement(by, after, at),
            "proven_by": by.proven_by(),
        })
    }

    /// Signs, as a gate, that somebody whom it knows has asked for it.
    pub(crate) fn signed_by_gate(
        self,
        by: &Actor,
        after: u64,
        at: Timestamp,
        key: &PrivateKey,
    ) -> Proof {
        Proof::new(key, at, &self.attested(by, after, at))
    }
}

impl Enabled {
    /// Whether it was them, as the rules are now: by their own signature, or by that of a gate that knew
    /// them.
    pub(crate) fn is_vouched_for(
        &self,
        rules: &dyn Rules,
        what: Enables<'_>,
    ) -> Result<(), Refusal> {
        let (by, after) = (&self.by, self.after);
        if let Some(proof) = self.proof.as_ref().or(self.attested.as_ref()) {
            proof.fresh(by, self.at)?;
        }
        if let Some(proof) = &self.proof {
            let statement = what.statement(by, after, proof.at);
            return rules.vouch(what.act(), by, &statement, Some(&proof.signature));
        }
        rules.vouch(what.act(), by, &Value::Null, None)?;
        let unsigned = |why| {
            let by = by.clone();
            Err(Refusal::NotProven { by, why })
        };
        match &self.attested {
            _ if by.proven_by().is_claimed() => {
                unsigned("it is not signed, and the identity is only claimed")
            }
            None => unsigned(
                "it is not signed; without a signature of theirs the gate must sign it, by a `session_key` that the policy lists as `[[gate]]`",
            ),
            Some(proof) => rules.vouch_by_gate(by, &what.attested(by, after, proof.at), proof),
        }
    }
}
