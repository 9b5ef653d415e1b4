//! What a gate signs of people who come with a browser, and whether it counts.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::identity::{Actor, BrowserSession, LoginLink, PrivateKey, Proof};
use crate::policy::rules_trait::Rules;
use crate::proposal::{Approval, Attested, Refusal};

impl Approval {
    /// What a gate signs of an agreement that it has from a browser session.
    pub(crate) fn attested_statement(
        &self,
        id: &str,
        (session, row, auth): (&str, &str, Timestamp),
    ) -> Value {
        json!({
            "statement": "approve by session",
            "proposal": id,
            "plan_hash": self.plan_hash,
            "by": self.by.as_str(),
            "proven_by": self.by.proven_by(),
            "expires_at": self.expires_at.to_string(),
            "reason": self.reason,
            "session": session,
            "row": row,
            "auth_time": auth.to_string(),
        })
    }

    /// The same agreement to a proposal, as a gate has it from a browser session.
    pub(crate) fn attested(
        mut self,
        id: &str,
        session: &BrowserSession,
        at: Timestamp,
        key: &PrivateKey,
    ) -> Self {
        let of = (&*session.id, &*session.row, session.auth_time);
        let statement = self.attested_statement(id, of);
        let proof = Proof::new(key, at, &statement);
        self.attested = Some(Box::new(Attested::new(session, proof)));
        self
    }
}

impl Proof {
    /// Signs, as a gate, that somebody has logged in with a browser.
    pub(crate) fn of_session(session: &BrowserSession, at: Timestamp, key: &PrivateKey) -> Self {
        Self::new(key, at, &session_statement(session))
    }

    /// Signs, as a gate, that a link was made.
    pub(crate) fn of_link(link: &LoginLink, at: Timestamp, key: &PrivateKey) -> Self {
        Self::new(key, at, &link_statement(link))
    }
}

impl dyn Rules {
    /// Whether they list the key of a gate.
    pub(crate) fn lists_gate(&self, key: &PrivateKey) -> bool {
        let statement = json!({ "statement": "gate" });
        let proof = Proof::new(key, Timestamp::UNIX_EPOCH, &statement);
        self.vouch_by_gate(&Actor::system(), &statement, &proof)
            .is_ok()
    }
}

impl BrowserSession {
    /// Whether somebody has logged in, as the rules are now: at a gate whose key they list.
    pub(crate) fn is_vouched_for(&self, rules: &dyn Rules) -> Result<(), Refusal> {
        rules.vouch_by_gate(&self.actor, &session_statement(self), &self.proof)
    }
}

impl LoginLink {
    /// Whether a link is a gate's, as the rules are now.
    pub(crate) fn is_vouched_for(&self, rules: &dyn Rules) -> Result<(), Refusal> {
        rules.vouch_by_gate(&self.actor, &link_statement(self), &self.proof)
    }
}

/// What a gate signs of a browser session.
fn session_statement(session: &BrowserSession) -> Value {
    json!({
        "statement": "session",
        "hash": session.hash,
        "actor": session.actor.as_str(),
        "proven_by": session.actor.proven_by(),
        "row": session.row,
        "auth_time": session.auth_time.to_string(),
        "expires_at": session.expires_at.to_string(),
        "link": session.link,
    })
}

/// What a gate signs of a link.
fn link_statement(link: &LoginLink) -> Value {
    json!({
        "statement": "link",
        "hash": link.hash,
        "actor": link.actor.as_str(),
        "proven_by": link.actor.proven_by(),
        "row": link.row,
        "expires_at": link.expires_at.to_string(),
    })
}
