//! Who decides, and what proves that it is them.

use jiff::Timestamp;

use crate::identity::{Actor, PrivateKey, Proof};
use crate::policy::Enables;

/// Somebody who decides, with their key if they have one: given to [`Controls::approve`](crate::Controls::approve),
/// [`Controls::set_mode`](crate::Controls::set_mode) and the others that a policy can want proven.
///
/// ```
/// # use action_guard::Decider;
/// let ana = "user:ana".parse()?;
/// let decider = Decider::claimed(&ana);
/// # Ok::<(), action_guard::ActorError>(())
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Decider<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// Signs what they decide. Without, and without a proof, who it is is claimed and not proven.
    pub key: Option<&'a PrivateKey>,
    /// What they have signed elsewhere.
    pub proof: Option<&'a Proof>,
    /// The key of the gate that knows them, which says so where they do not sign.
    pub gate: Option<&'a PrivateKey>,
}

impl<'a> Decider<'a> {
    /// Somebody without a key.
    #[must_use]
    pub fn claimed(actor: &'a Actor) -> Self {
        Self {
            actor,
            key: None,
            proof: None,
            gate: None,
        }
    }

    /// Somebody with a key.
    #[must_use]
    pub fn with_key(actor: &'a Actor, key: &'a PrivateKey) -> Self {
        Self {
            actor,
            key: Some(key),
            ..Self::claimed(actor)
        }
    }

    /// Somebody who has signed it elsewhere, where their key is. What was signed is compared with what
    /// is decided.
    #[must_use]
    pub fn with_proof(actor: &'a Actor, proof: &'a Proof) -> Self {
        Self {
            actor,
            proof: Some(proof),
            ..Self::claimed(actor)
        }
    }

    /// The same, whom a gate knows: where they do not sign, it says so with its key, and what they enabled
    /// is verified by that before each send.
    #[must_use]
    pub fn known_to(mut self, gate: Option<&'a PrivateKey>) -> Self {
        self.gate = gate;
        self
    }

    /// What the gate says of what they enable, where they have not signed it.
    pub(crate) fn attested(&self, what: Enables<'_>, after: u64, now: Timestamp) -> Option<Proof> {
        let gate = self
            .gate
            .filter(|_| self.key.is_none() && self.proof.is_none());
        gate.map(|key| what.signed_by_gate(self.actor, after, now, key))
    }

    /// What proves it, where it is proven.
    pub(crate) fn proof_by(&self, sign: impl FnOnce(&PrivateKey) -> Proof) -> Option<Proof> {
        self.proof.cloned().or_else(|| self.key.map(sign))
    }
}
