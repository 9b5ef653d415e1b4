//! What a gate leads to, and within which bounds.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use action_guard::{
    Actor, Controls, Guard, Journal, JournalError, MemoryJournal, Policy, Refusal, Target,
};
use operator_mcp::{Ceiling, HttpOptions, HttpService, OfferError, Server};

use crate::answered::Answered;
use crate::browser::Used;
use crate::came::Came;
use crate::carried::Carried;
use crate::checks::Checks;
use crate::listeners::Listeners;
use crate::rates::Rates;
use crate::shown::Shown;
use crate::trust::{Trust, TrustError};
use crate::trusted::Trusted;

/// How a gate is reached, and how much is asked of it at most.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// What `Host` may say, with or without a port. `localhost`, `127.0.0.1` and `::1` unless set.
    pub hosts: Vec<String>,
    /// Whether it is served without TLS to other machines too: whoever is on the way then reads the
    /// tokens, and acts with them. Not unless set.
    pub plain_beyond_loopback: bool,
    /// How many bytes a request may have. 1 MiB unless set.
    pub most_body_bytes: usize,
    /// How many connections there may be at a time. 256 unless set.
    pub most_connections: usize,
    /// How often an actor may ask within a minute, and all who are not proven together. 600 unless set.
    pub most_per_minute: u32,
    /// How long the head of a request may take, and its body. 10 seconds unless set.
    pub read_within: Duration,
    /// How long an answer waits for an outcome before it says that it is in progress. 45 seconds unless
    /// set.
    pub answer_within: Duration,
    /// Between two looks at what was left open and what its lease is over for. 30 seconds unless set.
    pub keep_up_every: Duration,
    /// Between two looks at what should not be so at the clusters: what observations of roles
    /// [`Leftovers`](action_core::Role::Leftovers) and [`Invariants`](action_core::Role::Invariants) find.
    /// Not at all unless set.
    pub check_every: Option<Duration>,
    /// How old the keys of an issuer of JWTs may be before they are asked for again. 5 minutes unless set.
    pub keys_fresh_for: Duration,
    /// How often they are asked for at most, such as for keys that nobody has. 30 seconds unless set.
    pub keys_at_most_every: Duration,
    /// How often it is looked at whether who asked is still proven, while an answer comes bit by bit. 10
    /// seconds unless set.
    pub proof_again_every: Duration,
    /// How long a browser session lasts that nothing is asked in. 30 minutes unless set.
    pub session_idle: Duration,
    /// How long a browser session lasts at most. 8 hours unless set, and never more than a day.
    pub session_life: Duration,
    /// How long ago who approves a high risk in a browser may have proven who they are. 15 minutes unless
    /// set.
    pub fresh_login_within: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            hosts: ["localhost", "127.0.0.1", "::1"].map(Into::into).into(),
            plain_beyond_loopback: false,
            most_body_bytes: 1 << 20,
            most_connections: 256,
            most_per_minute: 600,
            read_within: Duration::from_secs(10),
            answer_within: Duration::from_secs(45),
            keep_up_every: Duration::from_secs(30),
            check_every: None,
            keys_fresh_for: Duration::from_mins(5),
            keys_at_most_every: Duration::from_secs(30),
            proof_again_every: Duration::from_secs(10),
            session_idle: Duration::from_mins(30),
            session_life: Duration::from_hours(8),
            fresh_login_within: Duration::from_mins(15),
        }
    }
}

/// Why a gate is not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// There is nothing to serve.
    #[error("no cluster to serve")]
    NoCluster,
    /// Two clusters have one name.
    #[error("the cluster `{0}` is already served")]
    Twice(String),
    /// Its actions are no tools.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// Others could read the tokens on the way.
    #[error(
        "`{0}` can be reached from other machines, and without TLS others on the network can read the tokens"
    )]
    Plain(SocketAddr),
    /// Its journal cannot be read, or is not whole.
    #[error("the journal cannot be verified")]
    Journal(#[source] JournalError),
    /// It cannot be listened to.
    #[error("cannot listen")]
    Listen(#[from] std::io::Error),
}

/// One process that holds the keys, and knows who asks. Cheap to clone; clones are the same gate.
#[derive(Clone)]
pub struct Gate {
    options: Arc<Options>,
    clusters: Arc<BTreeMap<String, Cluster>>,
    rates: Arc<Rates>,
    trusted: Arc<RwLock<Arc<Trusted>>>,
    came: Arc<Came>,
    shown: Arc<Shown>,
    listeners: Arc<Listeners>,
    answered: Arc<Answered>,
    used: Arc<Used>,
    carried: Arc<Carried>,
    checks: Arc<Checks>,
    /// The journal of a gate to nothing, which is never opened.
    none: Arc<MemoryJournal>,
}

#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) guard: Guard,
    pub(crate) ceiling: Ceiling,
    pub(crate) target: Target,
    pub(crate) mcp: HttpService,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate")
            .field("clusters", &self.clusters.keys())
            .finish_non_exhaustive()
    }
}

impl Gate {
    /// A gate to nothing yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options: Arc::new(options),
            clusters: Arc::default(),
            rates: Arc::default(),
            trusted: Arc::default(),
            came: Arc::default(),
            shown: Arc::default(),
            listeners: Arc::default(),
            answered: Arc::default(),
            used: Arc::default(),
            carried: Arc::default(),
            checks: Arc::default(),
            none: Arc::default(),
        }
    }

    /// The same gate, which shows this and believes these.
    ///
    /// # Errors
    /// When something of it cannot be used.
    pub fn trusting(self, trust: &Trust) -> Result<Self, TrustError> {
        let trusted = Trusted::new(trust, &self.trusted())?;
        *self.held() = Arc::new(trusted);
        Ok(self)
    }

    /// Shows this and believes these from now on, all of it at once: for connections that are made
    /// from now on, and for each request.
    ///
    /// # Errors
    /// When something of it cannot be used. Then nothing of it is, and what was there before holds.
    pub fn trust(&self, trust: &Trust) -> Result<(), TrustError> {
        let trusted = Trusted::new(trust, &self.trusted())?;
        let mut held = self.held();
        if held.tls.is_some() != trusted.tls.is_some() {
            return Err(TrustError::Scheme);
        }
        *held = Arc::new(trusted);
        Ok(())
    }

    /// The same gate, to this cluster, too, by its name. Its guard takes nobody's word from here on. All
    /// guards of a gate share one journal.
    ///
    /// # Errors
    /// When there is one of this name, or its actions are no tools.
    pub fn cluster(
        mut self,
        target: Target,
        guard: Guard,
        most: Ceiling,
    ) -> Result<Self, GateError> {
        let trusted = Arc::clone(&self.trusted);
        let guard = guard.clusters([target.clone()]).only_proven().of_a_gate();
        let catalogue = guard.catalogue();
        let guard = guard.approvers(move |status, approval| {
            let trusted = trusted.read().unwrap_or_else(PoisonError::into_inner);
            let proposal = &status.proposal;
            let action = catalogue.definition(&proposal.request.action);
            let approver = trusted.approver(approval);
            approver.is_some_and(|known| known.may_approve(&proposal.target(), action, most))
        });
        let (trusted, catalogue) = (Arc::clone(&self.trusted), guard.catalogue());
        let guard = guard.askers(move |who, on, action| {
            let trusted = trusted.read().unwrap_or_else(PoisonError::into_inner);
            let definition = catalogue.definition(action);
            // What the gate takes back by itself is for the policy to say.
            let is_covered = definition.is_none_or(|action| most.covers(action));
            who.is_gate() || (is_covered && trusted.may_ask(who, on, definition))
        });
        let name = target.called().to_owned();
        let server = Server::new(guard.clone(), Actor::system(), most)?;
        let server = server.answer_within(self.options.answer_within);
        let mut http = HttpOptions::default();
        http.allowed_hosts.clone_from(&self.options.hosts);
        http.most_body_bytes = self.options.most_body_bytes;
        let cluster = Cluster {
            guard,
            ceiling: most,
            target,
            mcp: server.over_http(http),
        };
        let clusters = Arc::make_mut(&mut self.clusters);
        if clusters.insert(name.clone(), cluster).is_some() {
            return Err(GateError::Twice(name));
        }
        Ok(self)
    }

    /// What is set so that something will be refused, in words, for who opens it.
    pub async fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let trusted = self.trusted();
        let key = trusted.key.as_deref();
        if key.is_some_and(|key| !self.controls().lists_gate(key)) {
            let text = "the policy does not list this gate's `session_key` as a `[[gate]]`: logins, and switches without a signature, are refused";
            warnings.push(text.to_owned());
        }
        let Ok(state) = self.journal().state().await else {
            return warnings;
        };
        for cluster in self.clusters().values() {
            let refusal = cluster.guard.observing(&state, &cluster.target.system);
            if let Some(refusal @ Refusal::NotEnabled { .. }) = refusal {
                warnings.push(format!("{}: {refusal}", cluster.target.called()));
            }
        }
        warnings
    }

    fn held(&self) -> RwLockWriteGuard<'_, Arc<Trusted>> {
        self.trusted.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn trusted(&self) -> Arc<Trusted> {
        let held = self.trusted.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&held)
    }

    pub(crate) fn rates(&self) -> &Rates {
        &self.rates
    }

    /// How many requests were answered.
    pub(crate) fn answered(&self) -> &Answered {
        &self.answered
    }

    /// When browser sessions were last used here.
    pub(crate) fn used(&self) -> &Used {
        &self.used
    }

    /// What it found by looking by itself.
    pub(crate) fn checks(&self) -> &Checks {
        &self.checks
    }

    /// The workflows that it carries on.
    pub(crate) fn carried(&self) -> &Arc<Carried> {
        &self.carried
    }

    /// Those who listen to what happens.
    pub(crate) fn listeners(&self) -> &Listeners {
        &self.listeners
    }

    /// The signatures of requests that have come.
    pub(crate) fn came(&self) -> &Came {
        &self.came
    }

    /// The drafts that were shown.
    pub(crate) fn shown(&self) -> &Shown {
        &self.shown
    }

    pub(crate) fn clusters(&self) -> &BTreeMap<String, Cluster> {
        &self.clusters
    }

    /// Whether it leads to this system.
    pub(crate) fn serves(&self, target: &Target) -> bool {
        let mut clusters = self.clusters.values();
        clusters.any(|cluster| cluster.target.is_same_system(target))
    }

    /// The one journal of all clusters.
    pub(crate) fn journal(&self) -> &dyn Journal {
        let first = self.clusters.values().next();
        first.map_or(&*self.none, |cluster| cluster.guard.journal())
    }

    /// Where people decide. All clusters share one journal.
    pub(crate) fn controls(&self) -> Controls {
        let first = self.clusters.values().next();
        first.map_or_else(
            || {
                let journal = Arc::clone(&self.none);
                Controls::new(journal, Arc::new(Policy::default())).only_proven()
            },
            |cluster| cluster.guard.controls(),
        )
    }
}
