//! Browser sessions, and the links by which people log in.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::fold::refuse::{invalid_record, person};
use crate::identity::{Actor, BrowserSession, LoginLink, ProvenBy};
use crate::proposal::Refusal;
use crate::state::State;

/// No session lasts longer.
const LONGEST_SESSION: SignedDuration = SignedDuration::from_hours(24);

/// So far may the clocks of a gate and of the journal be apart. A session that is over is not opened again
/// later by what its gate once said.
const LATEST: SignedDuration = SignedDuration::from_mins(5);

/// No link lasts longer.
const LONGEST_LINK: SignedDuration = SignedDuration::from_mins(5);

/// How many sessions, and how many links, one person has at a time: a further one ends the oldest.
const MOST_OF_ONE: usize = 16;

impl State {
    pub(super) fn session_opened(
        &mut self,
        session: &BrowserSession,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        person(&session.actor, "log in with a browser")?;
        let proof = session.actor.proven_by();
        let wrong = if session.expires_at <= at {
            "a session that has expired"
        } else if session.expires_at.duration_since(at) > LONGEST_SESSION {
            "a session that lasts for more than a day"
        } else if session.proof.at.duration_since(at).abs() > LATEST {
            "a session that a gate opened at another time"
        } else if session.id != BrowserSession::id_of(&session.hash)
            || self.sessions.contains_key(&session.id)
        {
            "a session that belongs to another gate"
        } else if !match &session.link {
            None => matches!(proof, ProvenBy::Oidc { .. }),
            Some(id) => self.opens(id, session, at),
        } {
            "a session without proof: its link was used, has expired, or belongs to somebody else"
        } else {
            self.sessions.retain(|_, other| other.expires_at > at);
            self.links.retain(|_, link| link.expires_at > at);
            if let Some(link) = &session.link {
                self.links.remove(link);
            }
            let when = |one: &BrowserSession| one.proof.at;
            make_room(
                &mut self.sessions,
                |one| one.actor.is_same(&session.actor),
                when,
            );
            self.sessions
                .insert(session.id.clone(), Arc::new(session.clone()));
            return Ok(());
        };
        Err(invalid_record(wrong))
    }

    /// Whether a link is there, and logs this one in.
    fn opens(&self, id: &str, session: &BrowserSession, at: Timestamp) -> bool {
        self.links.get(id).is_some_and(|link| {
            link.expires_at > at
                && link.actor.is_same(&session.actor)
                && link.actor.proven_by() == session.actor.proven_by()
                && link.row == session.row
        })
    }

    pub(super) fn session_ended(&mut self, id: &str, by: &Actor) -> Result<(), Refusal> {
        person(by, "end a browser session")?;
        match self.sessions.remove(id) {
            Some(_) => Ok(()),
            None => Err(invalid_record("the end of a session that has expired")),
        }
    }

    pub(super) fn link_made(&mut self, link: &LoginLink, at: Timestamp) -> Result<(), Refusal> {
        person(&link.actor, "log in with a link")?;
        let wrong = if link.expires_at <= at {
            "a link that has expired"
        } else if link.expires_at.duration_since(at) > LONGEST_LINK {
            "a link that lasts for more than five minutes"
        } else if !matches!(link.actor.proven_by(), ProvenBy::Link { .. }) {
            "an unknown link"
        } else if link.id != LoginLink::id_of(&link.hash) || self.links.contains_key(&link.id) {
            "a link that belongs to another gate"
        } else {
            self.links.retain(|_, other| other.expires_at > at);
            let when = |one: &LoginLink| one.proof.at;
            make_room(&mut self.links, |one| one.actor.is_same(&link.actor), when);
            self.links.insert(link.id.clone(), Arc::new(link.clone()));
            return Ok(());
        };
        Err(invalid_record(wrong))
    }
}

/// Ends the oldest of somebody's, where one more would be too many.
fn make_room<T>(
    all: &mut BTreeMap<String, Arc<T>>,
    is_theirs: impl Fn(&T) -> bool,
    when: impl Fn(&T) -> Timestamp,
) {
    let theirs = all.iter().filter(|(_, one)| is_theirs(one));
    if theirs.clone().count() < MOST_OF_ONE {
        return;
    }
    let oldest = theirs.min_by_key(|(id, one)| (when(one), (*id).clone()));
    if let Some(id) = oldest.map(|(id, _)| id.clone()) {
        all.remove(&id);
    }
}
