//! Browser sessions: a gate opens and ends them, and who has the secret of one is its person.

use std::sync::Arc;

use jiff::Timestamp;
use subtle::ConstantTimeEq as _;

use crate::guard::authority::rules_now;
use crate::guard::controls::Controls;
use crate::guard::controls::tokens::{MakeTokenError, TokenError};
use crate::identity::{Actor, BrowserSecret, BrowserSession, LoginLink, PrivateKey, Proof};
use crate::journal::CommitError;
use crate::proposal::time;
use crate::records::Record;
use crate::state::State;

/// Somebody who has just logged in, or is to be let in by a link.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "made by callers")]
pub struct NewSession {
    /// Who, and how that was proven.
    pub actor: Actor,
    /// By what the gate's config file knows them, as a hash.
    pub row: String,
    /// When they last proved it.
    pub auth_time: Timestamp,
    /// It counts before this.
    pub expires_at: Timestamp,
}

impl Controls {
    /// Opens a session. Its secret is given to the caller and is nowhere else. This gate says with its key
    /// that it is right: who can write the journal cannot make one that counts.
    ///
    /// # Errors
    /// When the rules list no such gate, or the journal cannot be written.
    pub async fn open_session(
        &self,
        new: NewSession,
        key: &PrivateKey,
    ) -> Result<(BrowserSession, BrowserSecret), MakeTokenError> {
        self.open(new, None, key).await
    }

    /// The same by a link, which is used up by that.
    ///
    /// # Errors
    /// As [`open_session`](Self::open_session), and when the link was used, is over, or is another's.
    pub async fn open_session_by_link(
        &self,
        new: NewSession,
        link: &LoginLink,
        key: &PrivateKey,
    ) -> Result<(BrowserSession, BrowserSecret), MakeTokenError> {
        self.open(new, Some(link.id.clone()), key).await
    }

    async fn open(
        &self,
        new: NewSession,
        link: Option<String>,
        key: &PrivateKey,
    ) -> Result<(BrowserSession, BrowserSecret), MakeTokenError> {
        let (secret, now) = (BrowserSecret::of_session()?, time::clock());
        let hash = secret.hash();
        let mut session = BrowserSession {
            id: BrowserSession::id_of(&hash),
            hash,
            actor: new.actor,
            row: new.row,
            auth_time: new.auth_time,
            expires_at: new.expires_at,
            link,
            proof: nothing(key, now),
        };
        session.proof = Proof::of_session(&session, now, key);
        let (rules, record) = (Arc::clone(&self.rules), session.clone());
        self.commit(move |_, _| {
            record.is_vouched_for(&*rules_now(&rules))?;
            let session = Box::new(record);
            Ok(Record::SessionOpened { session })
        })
        .await?;
        Ok((session, secret))
    }

    /// Whether the rules list the key of a gate, by which it says what it knows.
    #[must_use]
    pub fn lists_gate(&self, key: &PrivateKey) -> bool {
        rules_now(&self.rules).lists_gate(key)
    }

    /// Ends a session. Whoever it is may end it: it only ends something.
    ///
    /// # Errors
    /// When it is over, or the journal cannot be written.
    pub async fn end_session(&self, id: &str, by: &Actor, reason: &str) -> Result<(), CommitError> {
        let record = Record::SessionEnded {
            id: id.to_owned(),
            by: self.trust.known(by)?,
            reason: reason.to_owned(),
        };
        self.commit(|_, _| Ok(record)).await
    }

    /// Whose session a text is. Whether its person is still listed is for who knows the list.
    ///
    /// # Errors
    /// When it is nobody's, or is over.
    pub async fn session(&self, text: &str) -> Result<Arc<BrowserSession>, TokenError> {
        let secret = BrowserSecret::parse_session(text).ok_or(TokenError::Malformed)?;
        let hash = secret.hash();
        let state = self.journal.state().await.map_err(TokenError::Journal)?;
        let found = state.sessions.get(&BrowserSession::id_of(&hash));
        let found = found.filter(|session| is_same(&session.hash, &hash));
        let session = found.ok_or(TokenError::Unknown)?;
        if session.expires_at <= now(&state) {
            return Err(TokenError::Unknown);
        }
        let vouched = session.is_vouched_for(&*rules_now(&self.rules));
        vouched.map_err(TokenError::Over)?;
        Ok(Arc::clone(session))
    }

    /// Makes a link by which somebody logs in, once.
    ///
    /// # Errors
    /// As [`open_session`](Self::open_session).
    pub async fn make_link(
        &self,
        new: NewSession,
        key: &PrivateKey,
    ) -> Result<(LoginLink, BrowserSecret), MakeTokenError> {
        let (secret, now) = (BrowserSecret::of_link()?, time::clock());
        let hash = secret.hash();
        let mut link = LoginLink {
            id: LoginLink::id_of(&hash),
            hash,
            actor: new.actor,
            row: new.row,
            expires_at: new.expires_at,
            proof: nothing(key, now),
        };
        link.proof = Proof::of_link(&link, now, key);
        let (rules, record) = (Arc::clone(&self.rules), link.clone());
        self.commit(move |_, _| {
            record.is_vouched_for(&*rules_now(&rules))?;
            let link = Box::new(record);
            Ok(Record::LinkMade { link })
        })
        .await?;
        Ok((link, secret))
    }

    /// Which link a text is.
    ///
    /// # Errors
    /// When it is none, was used, or is over.
    pub async fn link(&self, text: &str) -> Result<Arc<LoginLink>, TokenError> {
        let secret = BrowserSecret::parse_link(text).ok_or(TokenError::Malformed)?;
        let hash = secret.hash();
        let state = self.journal.state().await.map_err(TokenError::Journal)?;
        let found = state.links.get(&LoginLink::id_of(&hash));
        let found = found.filter(|link| is_same(&link.hash, &hash));
        let link = found.ok_or(TokenError::Unknown)?;
        if link.expires_at <= now(&state) {
            return Err(TokenError::Unknown);
        }
        let vouched = link.is_vouched_for(&*rules_now(&self.rules));
        vouched.map_err(TokenError::Over)?;
        Ok(Arc::clone(link))
    }
}

/// What stands in place of a signature until there is one.
fn nothing(key: &PrivateKey, at: Timestamp) -> Proof {
    Proof {
        key: key.public().to_string(),
        at,
        signature: "".into(),
    }
}

/// Who finds an id by trying has found the beginning of a hash, and no secret.
fn is_same(kept: &str, given: &str) -> bool {
    bool::from(kept.as_bytes().ct_eq(given.as_bytes()))
}

fn now(state: &State) -> Timestamp {
    let clock = time::clock();
    state.at.map_or(clock, |at| at.max(clock))
}
