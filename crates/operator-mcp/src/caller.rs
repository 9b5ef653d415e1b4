//! Who asks over HTTP.

use action_guard::Actor;

use crate::offer::Ceiling;

/// Who asks, as a layer before the service has proven it: it is inserted into the extensions of each
/// request. A session belongs to all of it: with another ceiling or another token, too, its id is
/// unknown.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Caller {
    /// The actor.
    pub actor: Actor,
    /// What may be done at most, under the ceiling of the server.
    pub ceiling: Ceiling,
}

impl Caller {
    /// An actor, under a ceiling.
    #[must_use]
    pub fn new(actor: Actor, ceiling: Ceiling) -> Self {
        Self { actor, ceiling }
    }
}

/// Whether all of it is the same, also how it was proven who it is, which an actor alone leaves out.
impl PartialEq for Caller {
    fn eq(&self, other: &Self) -> bool {
        let proven = self.actor.proven_by() == other.actor.proven_by();
        proven && self.actor == other.actor && self.ceiling == other.ceiling
    }
}

impl Eq for Caller {}
