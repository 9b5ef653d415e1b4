//! Who logs in with a browser, once that is known to be usable.

use std::collections::BTreeMap;
use std::sync::Arc;

use action_guard::{Actor, Approval, BrowserSession, Hash, LoginLink, PrivateKey, ProvenBy};
use serde_json::json;

use crate::browser::oidc::Provider;
use crate::issuers::{is_private, refused, resource_server};
use crate::known::Known;
use crate::trust::{Trust, TrustError};

/// Who logs in with a browser, and by what this gate vouches for them.
pub(crate) struct Browsers {
    /// Where this gate is, as browsers write it.
    pub(crate) origin: String,
    pub(crate) key: Arc<PrivateKey>,
    pub(crate) provider: Option<Provider>,
    /// The rows of the config file, by their hashes.
    rows: BTreeMap<String, Row>,
    by_uid: BTreeMap<u32, String>,
}

/// A person, and how they log in.
pub(crate) struct Row {
    pub(crate) known: Known,
    proof: ProvenBy,
}

impl Browsers {
    /// Those of a list; `None` where it has nobody.
    pub(crate) fn new(
        trust: &Trust,
        key: Option<Arc<PrivateKey>>,
        before: Option<&Self>,
    ) -> Result<Option<Self>, TrustError> {
        if trust.login.is_none() && trust.local_users.is_empty() {
            return Ok(None);
        }
        let wrong = |problem| refused("browsers", problem);
        let url = trust.url.as_deref();
        let url = url.ok_or_else(|| wrong("browsers return to the gate at its `url`: set it"))?;
        let origin = resource_server(url)?;
        if !is_private(&origin) {
            return Err(wrong(
                "the `url` must be `https://…`, or `http://…` on loopback",
            ));
        }
        if trust.identity.is_some() && origin.starts_with("http:") {
            return Err(wrong(
                "the gate uses TLS, but its `url` is `http://…`: use `https://…`",
            ));
        }
        let key = key
            .ok_or_else(|| wrong("set `session_key`, with which the gate signs their decisions"))?;
        let mut all = Self {
            origin,
            key,
            provider: None,
            rows: BTreeMap::new(),
            by_uid: BTreeMap::new(),
        };
        if let Some(login) = &trust.login {
            let before = before.and_then(|before| before.provider.as_ref());
            let provider = Provider::new(login, &all.origin, before)?;
            for (sub, known) in provider.subjects() {
                all.is_the_same_elsewhere(trust, sub, known)?;
                let issuer = login.name.clone();
                let row = row_of("oidc", &[&login.issuer, sub], &known.actor);
                all.add(
                    row,
                    known,
                    ProvenBy::Oidc {
                        issuer,
                        owner: None,
                    },
                )?;
            }
            all.provider = Some(provider);
        }
        for user in &trust.local_users {
            let row = row_of("link", &[&user.uid.to_string()], &user.known.actor);
            all.add(row.clone(), &user.known, ProvenBy::Link { uid: user.uid })?;
            if all.by_uid.insert(user.uid, row).is_some() {
                let who = user.known.actor.as_str();
                return Err(refused(who, "its `uid` is listed twice"));
            }
        }
        Ok(Some(all))
    }

    fn add(&mut self, row: String, known: &Known, proof: ProvenBy) -> Result<(), TrustError> {
        let who = known.actor.as_str();
        if !known.actor.is_user() {
            return Err(refused(
                who,
                "only people (`user:NAME`) can log in with a browser",
            ));
        }
        let mut others = self.rows.values();
        let is_taken = |other: &Row| {
            other.known.actor.is_same(&known.actor) && other.proof.word() == proof.word()
        };
        if others.any(is_taken) {
            return Err(refused(who, "it is listed twice (names ignore case)"));
        }
        let known = known.clone();
        self.rows.insert(row, Row { known, proof });
        Ok(())
    }

    /// Refuses a name that an issuer of access tokens has for somebody else.
    fn is_the_same_elsewhere(
        &self,
        trust: &Trust,
        sub: &str,
        known: &Known,
    ) -> Result<(), TrustError> {
        let login = trust.login.as_ref().map(|login| login.issuer.as_str());
        let elsewhere = trust.issuers.iter().flat_map(|issuer| {
            let is_it = login == Some(issuer.issuer.as_str());
            issuer.subjects.iter().map(move |one| (is_it, one))
        });
        for (is_it, other) in elsewhere {
            let is_same_name = other.known.actor.is_same(&known.actor);
            if is_same_name && !(is_it && other.sub == sub) {
                let who = known.actor.as_str();
                return Err(refused(
                    who,
                    "this name is already used by another issuer or another `sub`",
                ));
            }
        }
        Ok(())
    }

    /// Whether browsers reach it over TLS.
    pub(crate) fn is_tls(&self) -> bool {
        self.origin.starts_with("https:")
    }

    /// The row by which somebody is logged in, while it is there.
    pub(crate) fn row(&self, session: &BrowserSession) -> Option<&Row> {
        let row = self.rows.get(&session.row)?;
        let is_theirs = row.known.actor == session.actor && row.proof == *session.actor.proven_by();
        is_theirs.then_some(row)
    }

    /// The same of who is about to: a row, and whom it proves.
    pub(crate) fn of_subject(&self, issuer: &str, sub: &str) -> Option<(&str, Actor)> {
        let known = self.provider.as_ref()?.known(sub)?;
        let row = row_of("oidc", &[issuer, sub], &known.actor);
        let (row, found) = self.rows.get_key_value(&row)?;
        Some((row, found.actor()))
    }

    /// Whether there are users of this host who have links made.
    pub(crate) fn has_links(&self) -> bool {
        !self.by_uid.is_empty()
    }

    /// The row of a user of this host, and whom a link of theirs proves.
    pub(crate) fn of_uid(&self, uid: u32) -> Option<(&str, Actor)> {
        let row = self.by_uid.get(&uid)?;
        let found = self.rows.get(row)?;
        Some((row, found.actor()))
    }

    /// Whom a link proves, while its row is there.
    pub(crate) fn of_link(&self, link: &LoginLink) -> Option<Actor> {
        let actor = self.rows.get(&link.row)?.actor();
        let is_theirs = actor == link.actor && actor.proven_by() == link.actor.proven_by();
        is_theirs.then_some(actor)
    }

    /// The row by which somebody was logged in when they approved, while it is there.
    pub(crate) fn of_approval(&self, approval: &Approval) -> Option<&Row> {
        let row = self.rows.get(&approval.attested.as_ref()?.row)?;
        let is_theirs = row.known.actor == approval.by && row.proof == *approval.by.proven_by();
        is_theirs.then_some(row)
    }
}

impl Row {
    /// Who it is, and how that is proven.
    pub(crate) fn actor(&self) -> Actor {
        self.known.actor.clone().proven(self.proof.clone())
    }
}

/// What a row is called in the journal, which has no `sub`.
fn row_of(how: &str, by: &[&str], actor: &Actor) -> String {
    let text = json!([how, by, actor.as_str()]).to_string();
    Hash::of(text.as_bytes()).to_string()
}
