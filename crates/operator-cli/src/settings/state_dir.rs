//! Where the journal and the policy are, and who acts.

use std::path::PathBuf;
use std::time::Duration;

use action_guard::{Actor, PrivateKey};
use clap::builder::TypedValueParser as _;
use jiff::SignedDuration;

use crate::program::program;
use crate::settings::database::Database;
use crate::terminal::failure::Failure;

/// Where the journal and the policy are, and who acts.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "State")]
pub(crate) struct State {
    /// Directory of the journal [default: named like this program, in $XDG_STATE_HOME or ~/.local/state]
    #[arg(long, value_name = "DIR", env = "OPERATOR_STATE_DIR", global = true)]
    pub(crate) state_dir: Option<PathBuf>,

    /// A PostgreSQL database that has the journal, `postgres://HOST/DATABASE?user=NAME&sslmode=verify-full`:
    /// then `--state-dir` is not used
    #[arg(
        long,
        value_name = "URL",
        env = "OPERATOR_JOURNAL",
        hide_env_values = true,
        value_parser = clap::builder::StringValueParser::new().map(Database::from),
        global = true
    )]
    pub(super) journal: Option<Database>,

    /// Policy file in TOML [default: policy.toml beside the config file, or a built-in policy]
    #[arg(long, value_name = "FILE", env = "OPERATOR_POLICY_FILE", global = true)]
    pub(crate) policy_file: Option<PathBuf>,

    /// The requester: `user:NAME` or `agent:NAME` [default: the user of this system]
    #[arg(long, value_name = "ACTOR", env = "OPERATOR_ACTOR", global = true)]
    pub(crate) actor: Option<String>,

    /// Check again this long after a change was proven whether it is still in effect; 0s does not
    /// check [default: 3s]
    #[arg(
        long,
        value_name = "DURATION",
        env = "OPERATOR_SETTLE_FOR",
        global = true,
        value_parser = length_or_none,
    )]
    pub(crate) settle_for: Option<Duration>,

    /// How long a proxy may hold back a request that got no answer, before it can be called not
    /// applied [default: 0s]
    #[arg(
        long,
        value_name = "DURATION",
        env = "OPERATOR_HELD_FOR",
        global = true,
        value_parser = length_or_none,
    )]
    pub(crate) held_for: Option<Duration>,

    /// Your ed25519 key, to sign your decisions (PEM)
    #[arg(long, value_name = "FILE", env = "OPERATOR_SIGN_WITH", global = true)]
    pub(crate) sign_with: Option<PathBuf>,

    /// What was given of it, before the config file filled in the rest.
    #[arg(skip)]
    given: Vec<String>,

    /// Who acts by the config file.
    #[arg(skip)]
    pub(super) configured_actor: Option<String>,

    /// Who acts by what proves it at a gate, whatever is said here.
    #[arg(skip)]
    pub(crate) proven: Option<Actor>,
}

/// A length of time that may be none, such as `3s` or `0s`.
fn length_or_none(text: &str) -> Result<Duration, String> {
    let wrong = || format!("invalid duration `{text}`: write it as `500ms`, `3s` or `0s`");
    let length: SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(length).map_err(|_| wrong())
}

impl State {
    pub(super) fn given(&self) -> &[String] {
        &self.given
    }

    /// Keeps what was given, for commands to copy.
    pub(super) fn keep_given(&mut self) {
        let path = |path: &PathBuf| path.display().to_string();
        self.given = [
            ("--state-dir", self.state_dir.as_ref().map(path)),
            ("--journal", self.journal.as_ref().and_then(Database::flag)),
            ("--policy-file", self.policy_file.as_ref().map(path)),
            (
                "--held-for",
                self.held_for.map(|held| format!("{}ms", held.as_millis())),
            ),
        ]
        .into_iter()
        .filter_map(|(flag, value)| Some([flag.to_owned(), value?]))
        .flatten()
        .collect();
    }

    /// Who acts. Claimed, unless what they do is signed.
    pub(crate) fn actor(&self) -> Result<Actor, Failure> {
        if let Some(proven) = &self.proven {
            return Ok(proven.clone());
        }
        Self::actor_or_user(self.actor.clone())
    }

    /// Who would act in the next command, without `--actor`.
    pub(crate) fn actor_without_flag(&self) -> Result<Actor, Failure> {
        if let Some(proven) = &self.proven {
            return Ok(proven.clone());
        }
        let named = std::env::var("OPERATOR_ACTOR").ok();
        Self::actor_or_user(named.or_else(|| self.configured_actor.clone()))
    }

    /// Who is named, else the user that the process runs as.
    fn actor_or_user(named: Option<String>) -> Result<Actor, Failure> {
        let say_who = |error: String| Failure::usage(error).next("say who with `--actor`");
        let actor = match named {
            Some(actor) => actor,
            // By the user that the process runs as: what the environment says is anybody's to set.
            None => match whoami::username() {
                Ok(user) => format!("user:{user}"),
                Err(error) => {
                    return Err(say_who(format!("this system has no name for you: {error}")));
                }
            },
        };
        let parsed = actor.parse::<Actor>();
        parsed.map_err(|error| say_who(error.to_string()))
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

    /// Refuses what cannot be where the journal is.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.journal.as_ref().map_or(Ok(()), Database::check)
    }

    /// The database that has the journal, if one has.
    pub(crate) fn database(&self) -> Option<&Database> {
        self.journal.as_ref()
    }

    /// Whether there is a journal, without making one.
    pub(crate) fn has_journal(&self) -> bool {
        let in_files = || {
            self.directory()
                .is_ok_and(|path| path.join("journal").exists())
        };
        self.journal.is_some() || in_files()
    }

    /// Where the journal is, as data calls it and as people are told.
    pub(crate) fn place(&self) -> Result<(&'static str, String), Failure> {
        match &self.journal {
            Some(database) => Ok(("journal", database.shown())),
            None => Ok(("state_dir", self.directory()?.display().to_string())),
        }
    }

    /// Where the journal in files is.
    pub(crate) fn directory(&self) -> Result<PathBuf, Failure> {
        if cfg!(windows) {
            // What keeps two processes apart there, and a record on disk, was never tried.
            let text =
                "a state directory (`--state-dir`) is supported on Linux and macOS, not on Windows";
            return Err(Failure::usage(text).next("work at a gate: `--server URL`"));
        }
        if let Some(directory) = &self.state_dir {
            return Ok(directory.clone());
        }
        // As the XDG specification says, a path that is not absolute is not meant.
        let state_home = std::env::var_os("XDG_STATE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| Some(std::env::home_dir()?.join(".local/state")));
        state_home
            .map(|home| home.join(program().name))
            .ok_or_else(|| Failure::usage("there is no home directory: give `--state-dir`"))
    }
}
