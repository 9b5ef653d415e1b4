//! A policy in a file that is read again for every decision, so that a running process obeys it.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use action_core::{ActionDefinition, Plan};
use jiff::Timestamp;
use serde_json::Value;

use crate::identity::{Actor, Proof, StatementSignature};
use crate::policy::always::AlwaysDenied;
use crate::policy::explain::Weighed;
use crate::policy::problem::PolicyError;
use crate::policy::question::{Act, Ask};
use crate::policy::rules_trait::Rules;
use crate::policy::{LONGEST_POLICY, Policy};
use crate::proposal::{Proposal, Refusal, Ruling};
use crate::records::Hash;
use crate::state::{ProposalStatus, State};

/// A policy in a file that is read again for every decision. When what is there then is not a valid
/// policy, the last valid one decides what is proposed and agreed to, nothing is sent, and
/// [`problem`](Rules::problem) says what is wrong.
#[derive(Debug)]
pub struct PolicyFile {
    path: PathBuf,
    definitions: Vec<ActionDefinition>,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    policy: Arc<Policy>,
    /// Of the bytes that were read last, valid or not; `None` when they could not be read.
    seen: Option<Hash>,
    problem: Option<String>,
}

/// A file that is not a policy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyFileError {
    /// It cannot be read.
    #[error("cannot read the policy `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It is wrong.
    #[error(transparent)]
    Wrong(#[from] PolicyError),
}

impl PolicyFile {
    /// A policy about these actions.
    ///
    /// # Errors
    /// When it cannot be read, or is wrong.
    pub fn open(
        path: impl Into<PathBuf>,
        definitions: Vec<ActionDefinition>,
    ) -> Result<Self, PolicyFileError> {
        let path = path.into();
        let text = read(&path).map_err(|source| {
            let path = path.clone();
            PolicyFileError::Unreadable { path, source }
        })?;
        let held = Held {
            policy: Arc::new(policy(&text, &definitions)?),
            seen: Some(Hash::of(&text)),
            problem: None,
        };
        Ok(Self {
            path,
            definitions,
            held: Mutex::new(held),
        })
    }

    /// The policy that is in force: what is in the file now, or what was last valid.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        let mut held = self.held();
        let read = read(&self.path);
        let seen = read.as_ref().ok().map(|text| Hash::of(text));
        if seen.is_some() && seen == held.seen {
            return Arc::clone(&held.policy);
        }
        let found = match read {
            Ok(text) => policy(&text, &self.definitions).map_err(|error| self.is_wrong(&error)),
            Err(error) => {
                let path = self.path.display();
                Err(format!("cannot read the policy `{path}`: {error}"))
            }
        };
        held.seen = seen;
        match found {
            Ok(policy) => {
                tracing::info!(path = %self.path.display(), "policy reloaded");
                held.policy = Arc::new(policy);
                held.problem = None;
            }
            Err(problem) => {
                if held.problem.as_ref() != Some(&problem) {
                    let problem = &*action_core::redacted(&problem);
                    tracing::warn!(problem, "policy not reloaded");
                }
                held.problem = Some(problem);
            }
        }
        Arc::clone(&held.policy)
    }

    fn is_wrong(&self, error: &PolicyError) -> String {
        let problems: Vec<_> = error.problems().iter().map(ToString::to_string).collect();
        let path = self.path.display();
        format!("invalid policy `{path}`: {}", problems.join("; "))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is in a file, unless that is no file that ends, or too long for a policy.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ));
    }
    let mut text = Vec::new();
    let longest = u64::try_from(LONGEST_POLICY).unwrap_or(u64::MAX);
    File::open(path)?
        .take(longest.saturating_add(1))
        .read_to_end(&mut text)?;
    Ok(text)
}

fn policy(text: &[u8], definitions: &[ActionDefinition]) -> Result<Policy, PolicyError> {
    Policy::read(&String::from_utf8_lossy(text), definitions)
}

impl Rules for PolicyFile {
    fn snapshot(&self) -> Option<Arc<dyn Rules>> {
        Some(self.policy())
    }

    fn version(&self) -> Option<String> {
        self.policy().version()
    }

    fn problem(&self) -> Option<String> {
        let _current = self.policy();
        self.held().problem.clone()
    }

    fn text(&self) -> Option<Arc<str>> {
        self.policy().text()
    }

    fn weigh(&self, ask: &Ask<'_>, state: &State) -> Weighed {
        self.policy().weigh(ask, state)
    }

    fn always_denied(&self, ask: &Ask<'_>) -> AlwaysDenied {
        Policy::always_denied(&self.policy(), ask)
    }

    fn rule(
        &self,
        proposal: &Proposal,
        definition: &ActionDefinition,
        state: &State,
        now: Timestamp,
    ) -> Ruling {
        self.policy().rule(proposal, definition, state, now)
    }

    fn allow_send(
        &self,
        status: &ProposalStatus,
        definition: &ActionDefinition,
        replanned: &Plan,
        state: &State,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let policy = self.policy();
        policy.allow_send(status, definition, replanned, state, now)
    }

    fn allow_at_send(
        &self,
        status: &ProposalStatus,
        definition: &ActionDefinition,
        replanned: &Plan,
        state: &State,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let policy = self.policy();
        policy.allow_at_send(status, definition, replanned, state, now)
    }

    fn rule_taking_back(
        &self,
        definition: &ActionDefinition,
        actor: &Actor,
        system: &str,
        state: &State,
        at: Timestamp,
    ) -> Ruling {
        let policy = self.policy();
        policy.rule_taking_back(definition, actor, system, state, at)
    }

    fn vouch(
        &self,
        act: Act,
        by: &Actor,
        statement: &Value,
        signature: Option<&StatementSignature>,
    ) -> Result<(), Refusal> {
        self.policy().vouch(act, by, statement, signature)
    }

    fn lists_key_of(&self, who: &Actor) -> bool {
        self.policy().lists_key_of(who)
    }

    fn vouch_by_gate(&self, by: &Actor, statement: &Value, proof: &Proof) -> Result<(), Refusal> {
        self.policy().vouch_by_gate(by, statement, proof)
    }
}
