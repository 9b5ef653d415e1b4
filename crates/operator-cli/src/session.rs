//! What a command works with: the journal, the policy, and the guard over both.

use std::sync::Arc;

use action_guard::{Controls, FileJournal, Guard, Journal, Policy, Unrestricted};

use crate::settings::config_file::config_file;
use crate::settings::connection::Connection;
use crate::settings::state_dir::State;
use crate::subjects;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;

/// What holds where no policy is given.
const BUILT_IN: &str = include_str!("built-in-policy.toml");

/// A policy and where it is from.
pub(crate) struct LoadedPolicy {
    pub(crate) policy: Policy,
    /// The file, or that it is built in.
    pub(crate) source: String,
}

impl State {
    /// The journal, made if there is none yet.
    pub(crate) fn journal(&self) -> Result<Arc<dyn Journal>, Failure> {
        let directory = self.directory()?;
        let journal = FileJournal::open(&directory).map_err(|error| {
            let (place, error) = (directory.display(), action_core::report(&error));
            Failure::new(
                Exit::Failed,
                "journal",
                format!("cannot keep a journal in `{place}`, so nothing is sent: {error}"),
            )
            .next("name another directory with `--state-dir`")
        })?;
        Ok(Arc::new(journal))
    }

    /// The policy that holds.
    pub(crate) fn policy(&self) -> Result<LoadedPolicy, Failure> {
        let path = self
            .policy_file
            .clone()
            .or_else(|| config_file("policy.toml").filter(|path| path.exists()));
        let (text, source) = match path {
            Some(path) => {
                let source = path.display().to_string();
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    Failure::usage(format!("cannot read the policy `{source}`: {error}"))
                })?;
                (text, source)
            }
            None => (BUILT_IN.to_owned(), "built in".to_owned()),
        };
        let policy = text.parse::<Policy>().and_then(|policy| {
            let known = policy.check_actions(&subjects::definitions());
            known.map(|()| policy)
        });
        let policy = policy.map_err(|error| Failure::policy(&source, &error))?;
        Ok(LoadedPolicy { policy, source })
    }

    /// The guard of a system, under the policy.
    pub(crate) fn guard(&self, connection: &Connection) -> Result<Guard, Failure> {
        let policy = self.policy()?.policy;
        let registry = subjects::registry(connection)?;
        let guard = Guard::over(registry, self.journal()?).rules(Arc::new(policy));
        Ok(self.patient(guard))
    }

    /// A guard with which nothing is proposed, only found out and finished. Works with a policy
    /// that is broken.
    pub(crate) fn bare_guard(&self, connection: &Connection) -> Result<Guard, Failure> {
        let guard = Guard::over(subjects::registry(connection)?, self.journal()?);
        Ok(self.patient(guard))
    }

    /// The guard, looking whether things held when it is to.
    fn patient(&self, guard: Guard) -> Guard {
        match self.settle_for {
            Some(wait) => guard.settle_for(wait),
            None => guard,
        }
    }

    /// The decisions people take, under the policy.
    pub(crate) fn controls(&self) -> Result<Controls, Failure> {
        let policy = self.policy()?.policy;
        Ok(Controls::new(self.journal()?, Arc::new(policy)))
    }

    /// The same for decisions that need no policy: to look, and to stop. Works with a policy
    /// that is broken.
    pub(crate) fn bare_controls(&self) -> Result<Controls, Failure> {
        Ok(Controls::new(self.journal()?, Arc::new(Unrestricted)))
    }
}
