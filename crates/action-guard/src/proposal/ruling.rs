//! What rules and people say to a proposal, and whether anything may be sent.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::{Actor, BrowserSession, Proof, ProvenBy, StatementSignature};
use crate::proposal::plan_hash::PlanHash;

/// What decides where no rule matches, in the place of a rule's name.
pub(crate) const NO_RULE: &str = "no rule matches";

/// Why it says no then.
pub(crate) const NO_RULE_ALLOWS: &str = "no rule of the policy allows it";

/// That the rules say no: by which rule, if there is one, and why.
pub(super) fn denied(rule: &str, reason: &str) -> String {
    match (rule, reason) {
        (NO_RULE, NO_RULE_ALLOWS) => format!("denied: {NO_RULE}"),
        (NO_RULE, _) => format!("denied: {reason}"),
        _ => format!("denied by rule `{rule}`: {reason}"),
    }
}

pub(super) fn subject_of(cluster: Option<&str>) -> String {
    cluster.map_or_else(String::new, |cluster| format!("cluster `{cluster}` is "))
}

pub(super) fn to(cluster: Option<&str>) -> String {
    cluster.map_or_else(String::new, |cluster| format!(" to cluster `{cluster}`"))
}

pub(super) fn of(by: Option<&str>) -> String {
    by.map_or_else(String::new, |by| format!("of `{by}` "))
}

/// What the rules say of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ruling", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ruling {
    /// It may be carried out.
    Allow {
        /// The rule that says so.
        rule: String,
    },
    /// It may be carried out when so many agree.
    Approve {
        /// The rule that says so.
        rule: String,
        /// Whose agreement counts, as patterns over actor ids; empty for any person.
        by: Vec<String>,
        /// How many must agree.
        count: u32,
        /// How long an agreement lasts, in milliseconds.
        ttl_ms: u64,
        /// Whether an agreement counts only with a signature.
        #[serde(default)]
        signed: bool,
        /// How it must be proven who agrees, as the words for it; empty for any way but a browser session.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        proven_by: Vec<String>,
    },
    /// It may not be carried out.
    Deny {
        /// The rule that says so.
        rule: String,
        /// Why, for people.
        reason: String,
    },
}

/// What the rules say of a proposal for one of those who are at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ruled {
    /// For whom, as an [`Actor`] is written.
    pub actor: String,
    /// What they say.
    pub ruling: Ruling,
}

impl Ruled {
    /// What the rules say for somebody.
    #[must_use]
    pub fn new(actor: impl Into<String>, ruling: Ruling) -> Self {
        let actor = actor.into();
        Self { actor, ruling }
    }
}

impl Ruling {
    /// How many agreements it takes.
    pub(crate) fn approvals_needed(&self) -> usize {
        match self {
            Self::Approve { count, .. } => usize::try_from(*count).unwrap_or(usize::MAX).max(1),
            _ => 0,
        }
    }

    /// How strict it is: a denial more than an approval, and that more than to allow.
    pub(crate) fn strictness(&self) -> u8 {
        match self {
            Self::Allow { .. } => 0,
            Self::Approve { .. } => 1,
            Self::Deny { .. } => 2,
        }
    }

    /// The rule that decided.
    #[must_use]
    pub fn rule(&self) -> &str {
        match self {
            Self::Allow { rule } | Self::Approve { rule, .. } | Self::Deny { rule, .. } => rule,
        }
    }
}

/// A person's agreement to exactly one plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Approval {
    /// Who. Never the one who asked.
    pub by: Actor,
    /// The plan that they saw, by its hash.
    pub plan_hash: PlanHash,
    /// After this it counts no more.
    pub expires_at: Timestamp,
    /// Why, if they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The key that signed it, if one did; without, the identity is claimed and not proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_with: Option<String>,
    /// The signature over [`statement`](Self::statement).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<StatementSignature>,
    /// That a gate has it from a browser session of theirs, if it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attested: Option<Box<Attested>>,
}

/// That a gate has an agreement from a browser session of who agrees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attested {
    /// The session, by its id.
    pub session: String,
    /// By what the gate's config file knew them, as a hash: another row of the same name is not this one.
    pub row: String,
    /// When they had last proven to whom they logged in that it is them.
    pub auth_time: Timestamp,
    /// The gate that says so.
    pub proof: Proof,
}

impl Attested {
    /// What a gate says of a session.
    #[must_use]
    pub fn new(session: &BrowserSession, proof: Proof) -> Self {
        Self {
            session: session.id.clone(),
            row: session.row.clone(),
            auth_time: session.auth_time,
            proof,
        }
    }
}

impl Approval {
    /// Whether it is signed. That the signature is right is for the rules to say.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.signature.is_some()
    }

    /// Whether more than the word of a process says whose it is: their signature, or that of a gate. That
    /// it is right is for the rules to say.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.signature.is_some() || self.attested.is_some()
    }

    /// The word for how it is proven whose it is.
    #[must_use]
    pub fn proof_word(&self) -> &'static str {
        match (&self.signature, &self.attested) {
            (Some(_), _) => ProvenBy::Signature.word(),
            (None, Some(_)) => self.by.proven_by().word(),
            (None, None) => ProvenBy::Claimed.word(),
        }
    }

    /// An unsigned agreement.
    #[must_use]
    pub fn new(by: Actor, plan_hash: PlanHash, expires_at: Timestamp) -> Self {
        Self {
            by,
            plan_hash,
            expires_at,
            reason: None,
            signed_with: None,
            signature: None,
            attested: None,
        }
    }
}

/// Whether anything may be sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mode {
    /// Nothing is sent; proposals can be made and decided.
    #[default]
    Observe,
    /// What is approved may be sent.
    Execute,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_names_its_rule_if_there_is_one() {
        assert_eq!(denied(NO_RULE, NO_RULE_ALLOWS), "denied: no rule matches");
        assert_eq!(denied(NO_RULE, "too late"), "denied: too late");
        assert_eq!(denied("night", "rest"), "denied by rule `night`: rest");
    }
}
