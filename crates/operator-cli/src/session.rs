//! What a command works with: the journal, the policy, and the guard over both.

use std::sync::{Arc, Once};

use action_guard::policy::PolicyFileError;
use action_guard::{
    Controls, FileJournal, Guard, Journal, Policy, PolicyFile, Rules, Unrestricted,
};

use crate::settings::config_file::config_file;
use crate::settings::connection::Connection;
use crate::settings::state_dir::State;
use crate::subjects;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::note;

/// What holds where no policy is given.
const BUILT_IN: &str = include_str!("built-in-policy.toml");

/// Whether it was said that everybody can write the state directory.
static WARNED: Once = Once::new();

/// A policy and where it is from.
pub(crate) struct LoadedPolicy {
    pub(crate) policy: Policy,
    /// The same for a guard, which reads the file again.
    pub(crate) rules: Arc<dyn Rules>,
    /// The file, or that it is built in.
    pub(crate) source: String,
    /// Whether it is from a file.
    #[cfg_attr(
        not(feature = "serve"),
        expect(dead_code, reason = "for a server only")
    )]
    pub(crate) is_file: bool,
}

impl State {
    /// The journal, made if there is none yet.
    pub(crate) fn journal(&self) -> Result<Arc<dyn Journal>, Failure> {
        if let Some(database) = self.database() {
            return database.open();
        }
        let directory = self.directory()?;
        let journal = FileJournal::open(&directory).map_err(|error| {
            let (place, error) = (directory.display(), action_core::report(&error));
            Failure::new(
                Exit::Failed,
                "journal",
                format!("nothing was sent: cannot keep a journal in `{place}`: {error}"),
            )
            .next("give another directory with `--state-dir`")
        })?;
        warn_of_others(&journal);
        Ok(Arc::new(journal))
    }

    /// The same for what only reads, or is about what is there.
    pub(crate) fn journal_to_read(&self) -> Result<Arc<dyn Journal>, Failure> {
        self.must_exist()?;
        self.journal()
    }

    /// Refuses a state directory that was named and is not there: that is a slip, and it is not made.
    pub(crate) fn must_exist(&self) -> Result<(), Failure> {
        let in_files = self.database().is_none();
        let given = self.state_dir.as_ref().filter(|given| !given.exists());
        if let Some(given) = given.filter(|_| in_files) {
            let text = format!("no state directory at `{}`", given.display());
            return Err(
                Failure::usage(text).next("check `--state-dir` or OPERATOR_STATE_DIR; the first command that changes something creates the directory")
            );
        }
        Ok(())
    }

    /// The same for who stops sends, or looks whether they are stopped: what keeps a journal from
    /// being made, such as a file where a directory belongs, keeps nobody from that.
    pub(crate) fn journal_to_stop(&self) -> Result<Arc<dyn Journal>, Failure> {
        // While it cannot be reached nothing is sent anyway.
        if let Some(database) = self.database() {
            return database.open();
        }
        let journal = FileJournal::open_to_stop(self.directory()?);
        warn_of_others(&journal);
        Ok(Arc::new(journal))
    }

    /// The policy that holds.
    pub(crate) fn policy(&self) -> Result<LoadedPolicy, Failure> {
        let path = self
            .policy_file
            .clone()
            .or_else(|| config_file("policy.toml").filter(|path| path.exists()));
        let Some(path) = path else {
            let source = "built in".to_owned();
            let policy = BUILT_IN.parse::<Policy>().and_then(|policy| {
                let known = policy.check_actions(subjects::of_all_kinds());
                known.map(|()| policy)
            });
            let policy = policy.map_err(|error| Failure::policy(&source, error.problems()))?;
            let rules = Arc::new(policy.clone());
            return Ok(LoadedPolicy {
                policy,
                rules,
                source,
                is_file: false,
            });
        };
        let source = path.display().to_string();
        let file =
            PolicyFile::open(path, subjects::of_all_kinds().to_vec()).map_err(
                |error| match error {
                    PolicyFileError::Wrong(error) => Failure::policy(&source, error.problems()),
                    other => Failure::usage(action_core::report(&other)),
                },
            )?;
        Ok(LoadedPolicy {
            policy: Policy::clone(&file.policy()),
            rules: Arc::new(file),
            source,
            is_file: true,
        })
    }

    /// The guard of a system, under the policy.
    pub(crate) async fn guard(&self, connection: &Connection) -> Result<Guard, Failure> {
        let rules = self.policy()?.rules;
        let registry = connection.registry().await?;
        let guard = Guard::over(registry, self.journal()?).rules(rules);
        let guard = guard.clusters(connection.names.clone());
        Ok(self.patient(guard))
    }

    /// A guard with which nothing is proposed, only found out and finished. Works with a policy
    /// that is broken.
    pub(crate) async fn bare_guard(&self, connection: &Connection) -> Result<Guard, Failure> {
        let guard = Guard::over(connection.registry().await?, self.journal()?);
        let guard = guard.clusters(connection.names.clone());
        Ok(self.patient(guard))
    }

    /// The guard, waiting as long as it is to.
    pub(crate) fn patient(&self, mut guard: Guard) -> Guard {
        if let Some(wait) = self.settle_for {
            guard = guard.settle_for(wait);
        }
        if let Some(longest) = self.held_for {
            guard = guard.held_for(longest);
        }
        guard
    }

    /// The decisions people take, under the policy.
    pub(crate) fn controls(&self) -> Result<Controls, Failure> {
        let rules = self.policy()?.rules;
        Ok(Controls::new(self.journal()?, rules).actions(subjects::of_all_kinds().to_vec()))
    }

    /// The same for decisions that need no policy. Works with a policy that is broken.
    pub(crate) fn bare_controls(&self) -> Result<Controls, Failure> {
        Ok(Controls::new(self.journal()?, Arc::new(Unrestricted)))
    }

    /// The same for a stop. Works where no journal can be made, too.
    pub(crate) fn controls_to_stop(&self) -> Result<Controls, Failure> {
        Ok(Controls::new(
            self.journal_to_stop()?,
            Arc::new(Unrestricted),
        ))
    }
}

/// Says once when everybody can write the state directory.
fn warn_of_others(journal: &FileJournal) {
    if journal.is_writable_by_all() {
        let place = journal.directory().display();
        WARNED.call_once(|| {
            note(&format!(
                "warning: every user of this machine can write to `{place}` and could forge its records: run `chmod o-w` on it"
            ));
        });
    }
}
