//! What is asked for, and what it would do.

use std::time::Duration;

use action_core::{Plan, Undo};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::identity::{Actor, ActorError, ProvenBy, Target};

pub use drift::{ChangedBy, Drift, plan_difference};
pub use intent::{Answer, Intent};
pub use phase::Phase;
pub use plan_hash::{PlanHash, PlanHashError};
pub use refusal::Refusal;
pub use report::{Event, Report};
pub use ruling::{Approval, Attested, Mode, Ruled, Ruling};
pub(crate) use ruling::{NO_RULE, NO_RULE_ALLOWS};
pub use standing::{OutdatedBy, Standing, Waits};
pub(crate) use standing_words::words;
pub(crate) use step_attempt_id::StepAttemptId;

pub(crate) mod drift;
mod intent;
mod phase;
mod plan_hash;
mod refusal;
mod report;
mod ruling;
mod standing;
mod standing_words;
mod step_attempt_id;
pub(crate) mod time;

/// A mutation that somebody asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Request {
    /// The action's name.
    pub action: String,
    /// Its parameters.
    pub parameters: Value,
    /// Who asks, such as `user:…`, `agent:…` or `system`.
    pub actor: String,
    /// How it was proven that it is them. Only a guard that takes [nobody's
    /// word](crate::Guard::only_proven) for it writes this down.
    #[serde(default, skip_serializing_if = "ProvenBy::is_claimed")]
    pub proven_by: ProvenBy,
    /// Who carries it out beside who asks, as when somebody resumes a workflow of somebody else.
    /// The rules speak for each of them, and the strictest decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carried_out_by: Vec<Actor>,
    /// The gate that proposes it, where it carries on a workflow of who asks. The rules do not speak for
    /// it: it has no authority but theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried_on_by: Option<Actor>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What ties it to other requests and to the caller's own records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// What stands for this request and no other, of the same one who asks and to the same system: at
    /// most 256 bytes. See [`Guard::propose_once`](crate::Guard::propose_once).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// How long a lasting effect may stay before it is taken back, in milliseconds. Something has
    /// to run then: see [`Guard::reap`](crate::Guard::reap).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_ms: Option<u64>,
}

/// Who asks: text, which is claimed, or an [`Actor`] with how it was proven.
#[derive(Debug, Clone)]
pub struct Requester {
    actor: String,
    proven_by: ProvenBy,
}

impl From<&str> for Requester {
    fn from(claimed: &str) -> Self {
        claimed.to_owned().into()
    }
}

impl From<String> for Requester {
    fn from(actor: String) -> Self {
        let proven_by = ProvenBy::Claimed;
        Self { actor, proven_by }
    }
}

impl From<&Actor> for Requester {
    fn from(actor: &Actor) -> Self {
        Self {
            actor: actor.to_string(),
            proven_by: actor.proven_by().clone(),
        }
    }
}

impl Request {
    /// A request without a reason.
    #[must_use]
    pub fn new(action: impl Into<String>, parameters: Value, who: impl Into<Requester>) -> Self {
        let Requester { actor, proven_by } = who.into();
        Self {
            action: action.into(),
            parameters,
            actor,
            proven_by,
            carried_out_by: Vec::new(),
            carried_on_by: None,
            reason: None,
            correlation_id: None,
            idempotency_key: None,
            lease_ms: None,
        }
    }

    /// The same request, carried out by somebody beside who asks.
    #[must_use]
    pub fn carried_out_by(mut self, who: &Actor) -> Self {
        if !self.may_be_carried_out_by(who) {
            self.carried_out_by.push(who.clone());
        }
        self
    }

    /// The same request, proposed by a gate that carries on a workflow of who asks.
    #[must_use]
    pub(crate) fn carried_on_by(mut self, who: &Actor) -> Self {
        self.carried_on_by = who.is_gate().then(|| who.clone());
        self
    }

    /// Whether this one may carry it out: who asks, or one of those named beside them, for whom the rules
    /// have spoken, or a gate, which carries it out for them.
    #[must_use]
    pub fn may_be_carried_out_by(&self, who: &Actor) -> bool {
        if who.is_gate() {
            return true;
        }
        let asks = who.as_str().eq_ignore_ascii_case(&self.actor);
        asks || self.carried_out_by.iter().any(|named| named.is_same(who))
    }

    /// How it was proven who each of those is that are at it: who asks, and who carries it out beside
    /// them.
    pub fn proofs(&self) -> impl Iterator<Item = (&str, &ProvenBy)> {
        let others = self.carried_out_by.iter();
        let others = others.map(|who| (who.as_str(), who.proven_by()));
        std::iter::once((self.actor.as_str(), &self.proven_by)).chain(others)
    }

    /// Who of those that are at it this person [answers for](ProvenBy::owner), and how that one is proven:
    /// they do not agree to it besides.
    #[must_use]
    pub fn owned_by(&self, who: &Actor) -> Option<(&str, &ProvenBy)> {
        let is_owner = |owner: &str| owner.eq_ignore_ascii_case(who.as_str());
        self.proofs()
            .find(|(_, proof)| proof.owner().is_some_and(is_owner))
    }

    /// Whether only people are at it: who asks, and each who carries it out beside them.
    pub(crate) fn is_of_people(&self) -> bool {
        let asks = self.actor.parse::<Actor>().is_ok_and(|who| who.is_user());
        asks && self.carried_out_by.iter().all(Actor::is_user)
    }

    /// The same request with a reason.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// The same request, tied to others.
    #[must_use]
    pub fn correlation_id(mut self, id: impl Into<String>) -> Self {
        self.correlation_id = Some(id.into());
        self
    }

    /// The same request, by a key that stands for it.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// Whether both ask for the same, whoever asks and why.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.action == other.action
            && self.parameters == other.parameters
            && self.lease_ms == other.lease_ms
    }

    /// The same request; what it leaves in force is to be taken back after this long.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease_ms = Some(u64::try_from(lease.as_millis()).unwrap_or(u64::MAX));
        self
    }
}

/// A request and what it would do, as far as could be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Proposal {
    /// Unique, and later than those made before.
    pub id: String,
    /// What is asked for, its parameters in the schema's own types.
    pub request: Request,
    /// The kind of system that it is for: the name of its subject.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// What that system is called here, if it has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Which system it is for, in the system's own words. It is never sent to another.
    pub system: String,
    /// What it would do.
    pub plan: Plan,
    /// What would take it back, or why nothing would.
    pub undo: Undo,
    /// What must not be changed by another mutation meanwhile.
    pub resources: Vec<String>,
    /// What it would leave in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasting_effect: Option<String>,
    /// The number of the last record of the journal when it was planned; what changed the same
    /// things after that outdates its plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_after: Option<u64>,
    /// The proposal whose effect this one takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// What the rules say for each who is at it, when there is more than one. What they say of the
    /// proposal is the strictest of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rulings: Vec<Ruled>,
    /// Which rules said so: the hash of the policy's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What an approval is bound to.
    pub plan_hash: PlanHash,
    /// After this it is not carried out any more.
    pub expires_at: Timestamp,
}

impl Proposal {
    /// Who asked for it.
    ///
    /// # Errors
    /// When they are not named as actors are.
    pub fn requester(&self) -> Result<Actor, ActorError> {
        let actor: Actor = self.request.actor.parse()?;
        Ok(actor.proven(self.request.proven_by.clone()))
    }

    /// Which system it is for.
    #[must_use]
    pub fn target(&self) -> Target {
        Target {
            subject: self.subject.clone(),
            cluster: self.cluster.clone(),
            system: self.system.clone(),
        }
    }

    /// A proposal that changes no resource and leaves nothing in force.
    #[must_use]
    pub fn new(
        id: impl Into<String>,
        request: Request,
        system: impl Into<String>,
        plan: Plan,
        undo: Undo,
        expires_at: Timestamp,
    ) -> Self {
        let system = system.into();
        let plan_hash = hash_of(&request, &system, &plan, expires_at);
        Self {
            id: id.into(),
            request,
            subject: String::new(),
            cluster: None,
            system,
            plan,
            undo,
            resources: Vec::new(),
            lasting_effect: None,
            planned_after: None,
            undoes: None,
            rulings: Vec::new(),
            policy: None,
            plan_hash,
            expires_at,
        }
    }

    /// Whether the hash of its plan is that of what it says: who reads a proposal from elsewhere finds that
    /// out before they agree. Not where a secret was taken out of its parameters.
    #[must_use]
    pub fn is_as_hashed(&self) -> bool {
        self.hash_as_it_is() == self.plan_hash
    }

    /// The hash of what it is now, whatever it says that it is.
    pub(crate) fn hash_as_it_is(&self) -> PlanHash {
        hash_of(&self.request, &self.system, &self.plan, self.expires_at)
    }
}

fn hash_of(request: &Request, system: &str, plan: &Plan, expires_at: Timestamp) -> PlanHash {
    let (action, parameters) = (&request.action, &request.parameters);
    PlanHash::of(action, parameters, system, &plan.preconditions, expires_at)
}
