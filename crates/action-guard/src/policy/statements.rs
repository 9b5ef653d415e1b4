//! What people sign, and whose agreement fits.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::identity::{
    Actor, AgentToken, NoRandomness, PrivateKey, Proof, ProvenBy, StatementSignature, Target,
    TokenGrant, TokenSecret,
};
use crate::policy::pattern::matches_actor;
use crate::proposal::{Approval, Mode, Refusal, Ruling};

/// How old, or how far ahead, a signed switch or request may be.
pub(crate) const SIGNED_FRESH: SignedDuration = SignedDuration::from_mins(5);

impl Approval {
    /// What is signed to agree to a proposal: everything that the agreement says.
    #[must_use]
    pub fn statement(&self, id: &str) -> Value {
        json!({
            "statement": "approve",
            "proposal": id,
            "plan_hash": self.plan_hash,
            "by": self.by.as_str(),
            "expires_at": self.expires_at.to_string(),
            "reason": self.reason,
        })
    }

    /// The same agreement to a proposal, signed.
    #[must_use]
    pub fn signed(mut self, id: &str, key: &PrivateKey) -> Self {
        self.signature = Some(key.sign(&self.statement(id)));
        self.signed_with = Some(key.public().to_string());
        self
    }

    /// Whether it is one of those that a ruling asks for. That its signature is right is for the
    /// rules to say, which know whose key is whose.
    pub(crate) fn fits(&self, id: &str, ruling: &Ruling) -> Result<(), Refusal> {
        let Ruling::Approve {
            by,
            signed,
            proven_by,
            ..
        } = ruling
        else {
            return Ok(());
        };
        let is_among = |pattern: &String| matches_actor(pattern, self.by.as_str());
        if !by.is_empty() && !by.iter().any(is_among) {
            return Err(Refusal::NotAmongApprovers {
                id: id.to_owned(),
                by: self.by.clone(),
                among: by.clone(),
            });
        }
        if *signed && self.signature.is_none() {
            return Err(Refusal::NotProven {
                by: self.by.clone(),
                why: "the policy requires a signed approval",
            });
        }
        let is_named = proven_by.iter().any(|word| word == self.proof_word());
        let why = match self.attested.is_some() {
            true if !is_named => {
                "the rule takes no approval that is proven so: `approval_proven_by` names what it takes"
            }
            false if !proven_by.is_empty() && !is_named => {
                "the rule takes approvals only that are proven as its `approval_proven_by` says"
            }
            _ => return Ok(()),
        };
        Err(Refusal::NotProven {
            by: self.by.clone(),
            why,
        })
    }
}

/// A step that somebody says is done.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Confirmed<'a> {
    /// The workflow.
    pub flow: &'a str,
    /// The step.
    pub step: &'a str,
    /// What they say of it.
    pub note: Option<&'a str>,
}

impl<'a> Confirmed<'a> {
    /// A step of a workflow.
    #[must_use]
    pub fn new(flow: &'a str, step: &'a str, note: Option<&'a str>) -> Self {
        Self { flow, step, note }
    }
}

/// A request to a [gate](crate::Guard::only_proven), which somebody signs as a whole.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct SignedRequest<'a> {
    /// The gate, by the name that it is asked for: what `Host` says.
    pub host: &'a str,
    /// How it is asked: `GET`, `POST`.
    pub method: &'a str,
    /// The path with its query.
    pub path: &'a str,
    /// The SHA-256 of its body, as hexadecimal digits.
    pub body: &'a str,
}

impl<'a> SignedRequest<'a> {
    /// A request to a gate.
    #[must_use]
    pub fn new(host: &'a str, method: &'a str, path: &'a str, body: &'a str) -> Self {
        Self {
            host,
            method,
            path,
            body,
        }
    }

    /// Signs it as a whole. Counts for a few minutes.
    #[must_use]
    pub fn signed(&self, by: &Actor, at: Timestamp, key: &PrivateKey) -> StatementSignature {
        key.sign(&request_statement(self, by, at))
    }
}

impl Proof {
    /// Signs that a step of a workflow is done.
    #[must_use]
    pub fn of_confirmation(
        confirmed: &Confirmed<'_>,
        by: &Actor,
        at: Timestamp,
        key: &PrivateKey,
    ) -> Self {
        Self::new(key, at, &confirm_statement(confirmed, by, at))
    }

    /// Signs the setting of a mode, for one system or for all. `last_switch` is [`State::last_switch`](crate::State): the
    /// signature is good for the next switch only.
    #[must_use]
    pub fn of_mode(
        mode: Mode,
        target: Option<&Target>,
        by: &Actor,
        last_switch: u64,
        at: Timestamp,
        key: &PrivateKey,
    ) -> Self {
        let statement = mode_statement(mode, target, by, last_switch, at);
        Self::new(key, at, &statement)
    }

    /// Signs a token for an agent, by the hash of its secret.
    fn of_token(
        hash: &str,
        grant: &TokenGrant,
        by: &Actor,
        at: Timestamp,
        key: &PrivateKey,
    ) -> Self {
        Self::new(key, at, &token_statement(hash, grant, by, at))
    }

    /// Signs that it is as late as the clock shows.
    #[must_use]
    pub fn of_clock(by: &Actor, last_switch: u64, at: Timestamp, key: &PrivateKey) -> Self {
        Self::new(key, at, &clock_statement(by, last_switch, at))
    }

    /// Signs the reset of the kill switch, of one system or of all.
    #[must_use]
    pub fn of_reset(
        target: Option<&Target>,
        by: &Actor,
        last_switch: u64,
        at: Timestamp,
        key: &PrivateKey,
    ) -> Self {
        Self::new(key, at, &reset_statement(target, by, last_switch, at))
    }

    /// Signs the end of a pause of an agent. `pause` is the [number](crate::Pause::seq) of its record: the
    /// signature is good for that pause only.
    #[must_use]
    pub fn of_resume(
        agent: &Actor,
        by: &Actor,
        pause: u64,
        at: Timestamp,
        key: &PrivateKey,
    ) -> Self {
        Self::new(key, at, &resume_statement(agent, by, pause, at))
    }

    pub(super) fn new(key: &PrivateKey, at: Timestamp, statement: &Value) -> Self {
        Self {
            key: key.public().to_string(),
            at,
            signature: key.sign(statement),
        }
    }

    /// Refuses what was signed long ago, or is said to be signed later.
    pub(super) fn fresh(&self, by: &Actor, now: Timestamp) -> Result<(), Refusal> {
        fresh(self.at, by, now)
    }
}

impl AgentToken {
    /// Makes a token for an agent, signed by a person who answers for it. What it proves begins when it is
    /// [written down](crate::Controls::add_token), within five minutes.
    ///
    /// # Errors
    /// When the system gives no random bits.
    pub fn signed(
        mut grant: TokenGrant,
        by: &Actor,
        at: Timestamp,
        key: &PrivateKey,
    ) -> Result<(Self, TokenSecret), NoRandomness> {
        let secret = TokenSecret::generate()?;
        let claimed = |who: &Actor| who.clone().proven(ProvenBy::Claimed);
        grant.actor = claimed(&grant.actor);
        grant.clusters.sort_unstable();
        grant.clusters.dedup();
        let (by, hash) = (claimed(by), secret.hash());
        let proof = Proof::of_token(&hash, &grant, &by, at, key);
        Ok((Self::new(hash, grant, by, proof), secret))
    }

    /// Refuses one that was signed long ago.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> Result<(), Refusal> {
        self.proof.fresh(&self.by, now)
    }
}

/// Refuses what was signed long before, or is said to be signed later.
pub(super) fn fresh(at: Timestamp, by: &Actor, now: Timestamp) -> Result<(), Refusal> {
    if at.duration_since(now).abs() <= SIGNED_FRESH {
        return Ok(());
    }
    Err(Refusal::NotProven {
        by: by.clone(),
        why: "the signature is older than five minutes or from the future",
    })
}

/// What is signed to ask a gate.
pub(super) fn request_statement(request: &SignedRequest<'_>, by: &Actor, at: Timestamp) -> Value {
    json!({
        "statement": "request",
        "gate": request.host,
        "method": request.method,
        "path": request.path,
        "body": request.body,
        "by": by.as_str(),
        "at": at.to_string(),
    })
}

/// What is signed to confirm a step.
pub(super) fn confirm_statement(confirmed: &Confirmed<'_>, by: &Actor, at: Timestamp) -> Value {
    json!({
        "statement": "confirm",
        "workflow": confirmed.flow,
        "step": confirmed.step,
        "note": confirmed.note,
        "by": by.as_str(),
        "at": at.to_string(),
    })
}

/// What is signed to make a token.
pub(super) fn token_statement(hash: &str, grant: &TokenGrant, by: &Actor, at: Timestamp) -> Value {
    json!({
        "statement": "token",
        "hash": hash,
        "actor": grant.actor.as_str(),
        "expires_at": grant.expires_at.to_string(),
        "clusters": grant.clusters,
        "up_to": grant.up_to,
        "by": by.as_str(),
        "at": at.to_string(),
    })
}

/// What is signed to set the mode.
pub(super) fn mode_statement(
    mode: Mode,
    target: Option<&Target>,
    by: &Actor,
    last_switch: u64,
    at: Timestamp,
) -> Value {
    json!({
        "statement": "mode",
        "mode": mode,
        "target": target,
        "by": by.as_str(),
        "after": last_switch,
        "at": at.to_string(),
    })
}

/// What is signed to end the pause of an agent. Names fold case, and what is signed does not.
pub(super) fn resume_statement(agent: &Actor, by: &Actor, pause: u64, at: Timestamp) -> Value {
    json!({
        "statement": "resume",
        "agent": agent.as_str().to_ascii_lowercase(),
        "by": by.as_str(),
        "after": pause,
        "at": at.to_string(),
    })
}

/// What is signed to confirm the time.
pub(super) fn clock_statement(by: &Actor, last_switch: u64, at: Timestamp) -> Value {
    json!({
        "statement": "clock",
        "by": by.as_str(),
        "after": last_switch,
        "at": at.to_string(),
    })
}

/// What is signed to reset the kill switch.
pub(super) fn reset_statement(
    target: Option<&Target>,
    by: &Actor,
    last_switch: u64,
    at: Timestamp,
) -> Value {
    json!({
        "statement": "kill_reset",
        "target": target,
        "by": by.as_str(),
        "after": last_switch,
        "at": at.to_string(),
    })
}
