//! Where the journal and the policy are, and who acts.

use std::path::PathBuf;
use std::sync::Arc;

use action_guard::{Actor, Desk, FileJournal, Guard, Journal, Policy, PrivateKey, Unrestricted};

use crate::connect::Connection;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::settings::config_file;

/// What holds where no policy is given.
const BUILT_IN: &str = include_str!("built-in-policy.toml");

/// Where the journal and the policy are, and who acts.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "State")]
pub(crate) struct State {
    /// Directory of the journal [default: operator in $XDG_STATE_HOME or ~/.local/state]
    #[arg(long, value_name = "DIR", env = "OPERATOR_STATE_DIR", global = true)]
    pub(crate) state_dir: Option<PathBuf>,

    /// Policy [default: policy.toml beside the config file, else a built-in one]
    #[arg(long, value_name = "FILE", env = "OPERATOR_POLICY", global = true)]
    pub(crate) policy: Option<PathBuf>,

    /// Who acts: `user:NAME` or `agent:NAME` [default: the user of this system]
    #[arg(long, value_name = "ACTOR", env = "OPERATOR_ACTOR", global = true)]
    pub(crate) actor: Option<String>,

    /// Your ed25519 key, to prove who you are where you decide (PEM)
    #[arg(long, value_name = "FILE", env = "OPERATOR_SIGN_WITH", global = true)]
    pub(crate) sign_with: Option<PathBuf>,
}

/// A policy and where it is from.
pub(crate) struct Loaded {
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
    pub(crate) fn policy(&self) -> Result<Loaded, Failure> {
        let path = self
            .policy
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
            let known = policy.check_actions(&crate::definitions());
            known.map(|()| policy)
        });
        let policy = policy.map_err(|error| Failure::policy(&source, &error))?;
        Ok(Loaded { policy, source })
    }

    /// The guard of a system, under the policy.
    pub(crate) fn guard(&self, connection: &Connection) -> Result<Guard, Failure> {
        let policy = self.policy()?.policy;
        let registry = crate::registry(connection)?;
        Ok(Guard::over(registry, self.journal()?).rules(Arc::new(policy)))
    }

    /// A guard with which nothing is proposed, only found out and finished. Works with a policy
    /// that is broken.
    pub(crate) fn bare_guard(&self, connection: &Connection) -> Result<Guard, Failure> {
        Ok(Guard::over(crate::registry(connection)?, self.journal()?))
    }

    /// A desk under the policy.
    pub(crate) fn desk(&self) -> Result<Desk, Failure> {
        let policy = self.policy()?.policy;
        Ok(Desk::new(self.journal()?, Arc::new(policy)))
    }

    /// A desk where only what needs no policy can be done: to look, and to stop. Works with a
    /// policy that is broken.
    pub(crate) fn bare_desk(&self) -> Result<Desk, Failure> {
        Ok(Desk::new(self.journal()?, Arc::new(Unrestricted)))
    }

    /// Who acts. Claimed, unless what they do is signed.
    pub(crate) fn actor(&self) -> Result<Actor, Failure> {
        let actor = self.actor.clone().unwrap_or_else(|| {
            let user = ["USER", "LOGNAME", "USERNAME"]
                .into_iter()
                .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
            format!("user:{}", user.as_deref().unwrap_or("unknown"))
        });
        actor
            .parse()
            .map_err(|error| Failure::usage(format!("{error}")).next("say who with `--actor`"))
    }

    /// The key of who acts, if they gave one.
    pub(crate) fn key(&self) -> Result<Option<PrivateKey>, Failure> {
        let Some(path) = &self.sign_with else {
            return Ok(None);
        };
        let wrong = |error: String| {
            let path = path.display();
            Failure::usage(format!("`--sign-with`: cannot use `{path}`: {error}"))
        };
        let pem = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let key = PrivateKey::parse_pem(&pem).map_err(|error| wrong(error.to_string()))?;
        Ok(Some(key))
    }

    /// Where the journal is.
    pub(crate) fn directory(&self) -> Result<PathBuf, Failure> {
        if let Some(directory) = &self.state_dir {
            return Ok(directory.clone());
        }
        // As the XDG specification says, a path that is not absolute is not meant.
        let state_home = std::env::var_os("XDG_STATE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| Some(std::env::home_dir()?.join(".local/state")));
        state_home
            .map(|home| home.join("operator"))
            .ok_or_else(|| Failure::usage("there is no home directory: give `--state-dir`"))
    }
}
