//! Who decides, and what proves that it is them.

use crate::identity::{Actor, PrivateKey, Proof};

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
}

impl<'a> Decider<'a> {
    /// Somebody without a key.
    #[must_use]
    pub fn claimed(actor: &'a Actor) -> Self {
        let (key, proof) = (None, None);
        Self { actor, key, proof }
    }

    /// Somebody with a key.
    #[must_use]
    pub fn with_key(actor: &'a Actor, key: &'a PrivateKey) -> Self {
        Self {
            actor,
            key: Some(key),
            proof: None,
        }
    }

    /// Somebody who has signed it elsewhere, where their key is. What was signed is compared with what
    /// is decided.
    #[must_use]
    pub fn with_proof(actor: &'a Actor, proof: &'a Proof) -> Self {
        Self {
            actor,
            key: None,
            proof: Some(proof),
        }
    }

    /// What proves it, where it is proven.
    pub(crate) fn proof_by(&self, sign: impl FnOnce(&PrivateKey) -> Proof) -> Option<Proof> {
        self.proof.cloned().or_else(|| self.key.map(sign))
    }
}
