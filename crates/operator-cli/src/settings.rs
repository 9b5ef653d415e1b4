//! Where a command finds what it needs: a flag, else the environment, else the config file, else
//! the default.

pub(crate) mod config_file;
pub(crate) mod connection;
pub(crate) mod database;
#[cfg(feature = "mcp")]
pub(crate) mod file_flags;
pub(crate) mod hint;
#[cfg(not(feature = "proxy"))]
mod no_server;
#[cfg(feature = "serve")]
pub(crate) mod serve;
#[cfg(feature = "proxy")]
pub(crate) mod server;
pub(crate) mod state_dir;

use std::path::PathBuf;
use std::sync::Arc;

use action_guard::{Actor, Target};

use crate::flags;
use crate::terminal::failure::Failure;
use crate::terminal::output::Format;

use self::connection::Connection;
use self::database::Database;
#[cfg(not(feature = "proxy"))]
use self::no_server::Server;
#[cfg(feature = "proxy")]
use self::server::Server;
use self::state_dir::State;

/// Flags that every command has.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Global {
    /// Format of the data on stdout; everything else goes to stderr [default: table]
    #[arg(short, long, value_enum, global = true)]
    pub(crate) output: Option<Format>,

    /// Config file [default: config.toml in a folder named like this program, in $XDG_CONFIG_HOME or ~/.config]
    #[arg(long, value_name = "FILE", env = "OPERATOR_CONFIG", global = true)]
    config: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) connection: Connection,

    #[command(flatten)]
    pub(crate) state: State,

    #[command(flatten)]
    pub(crate) server: Server,
}

impl Global {
    /// The same for who acts without `--actor`, which names somebody else.
    #[cfg(feature = "proxy")]
    pub(crate) fn without_actor_flag(&self) -> Result<Self, Failure> {
        let mut global = self.clone();
        global.state.actor = Some(self.state.actor_without_flag()?.to_string());
        Ok(global)
    }

    /// The flags that lead another command to the same system and the same state directory.
    pub(crate) fn flags(&self) -> Vec<String> {
        if self.server.is_given() {
            return self.flags_to_the_gate(false);
        }
        let mut flags = self.connection.flags();
        flags.extend(self.flags_of_state());
        flags
    }

    /// Those that lead to the same cluster at the same gate, for who gives this command or for anybody.
    fn flags_to_the_gate(&self, for_anybody: bool) -> Vec<String> {
        let mut flags = self.flags_to_all_of_the_gate(for_anybody);
        if let Some(cluster) = self.connection.cluster_given() {
            flags.extend(["--cluster".to_owned(), cluster.to_owned()]);
        }
        flags
    }

    fn flags_to_all_of_the_gate(&self, for_anybody: bool) -> Vec<String> {
        let mut flags = self.server.flags(for_anybody);
        if let Some(key) = self.state.sign_with.as_ref().filter(|_| !for_anybody) {
            flags.extend(["--sign-with".to_owned(), key.display().to_string()]);
        }
        flags
    }

    /// Those of the state directory alone.
    fn flags_of_state(&self) -> Vec<String> {
        if self.server.is_given() {
            return self.flags_to_all_of_the_gate(false);
        }
        let config = self.config.as_ref().map(|path| path.display().to_string());
        let config = config.map(|path| ["--config".to_owned(), path]);
        let mut flags = self.state.given().to_vec();
        flags.extend(config.into_iter().flatten());
        flags
    }

    /// A command line for a person to copy: it goes to the same place as this one. What stops and
    /// allows sends is for all clusters unless its words say for which.
    pub(crate) fn command(&self, words: &[&str]) -> String {
        let is_switch = matches!(words.first(), Some(&("mode" | "kill-switch")));
        let flags = match is_switch {
            true => self.flags_of_state(),
            false => self.flags(),
        };
        let words = words.iter().map(|word| (*word).to_owned());
        flags::command_line(&words.chain(flags).collect::<Vec<_>>())
    }

    /// The same, for whoever gives this one: they act then as they do now.
    pub(crate) fn own_command(&self, words: &[&str]) -> String {
        let acting = self.state.actor().ok();
        match acting.filter(|acting| self.state.actor_without_flag().ok().as_ref() != Some(acting))
        {
            Some(acting) => self.command(&[words, &["--actor", acting.as_str()]].concat()),
            None => self.command(words),
        }
    }

    /// The same after a failure, as it works when it is copied: a person signs at a gate as who they are,
    /// and what takes a person says nothing of how an agent is known.
    pub(crate) fn next_command(&self, words: &[&str]) -> String {
        let takes_a_person = matches!(words.first(), Some(&("mode" | "kill-switch" | "resume")));
        if !self.server.is_given() {
            return self.command(words);
        }
        if self.state.sign_with.is_some() {
            return self.own_command(words);
        }
        match takes_a_person {
            true => self.command_for_anybody(words),
            false => self.command(words),
        }
    }

    /// Whether it is a person who gives this one.
    pub(crate) fn is_given_by_a_person(&self) -> bool {
        self.state.actor().is_ok_and(|acting| acting.is_user())
    }

    /// The same for somebody else, and who that is where the command does not say it. A person gives it
    /// themselves, as nobody is handed a person's name to act by, and no agent that of another.
    pub(crate) fn command_of(&self, who: &str, words: &[&str]) -> String {
        if self.server.is_given() {
            return format!("{}   # given by {who}", self.command_for_anybody(words));
        }
        let acting = self.state.actor().ok();
        let may_name = |whose: &Actor| {
            let own = |acting: &Actor| acting.is_user() || acting.is_same(whose);
            !whose.is_user() && acting.as_ref().is_some_and(own)
        };
        if who.parse().is_ok_and(|whose: Actor| may_name(&whose)) {
            self.command(&[words, &["--actor", who]].concat())
        } else {
            format!("{}   # given by {who}", self.command(words))
        }
    }

    /// The same for whoever runs it, and nobody else: not for who acts by the config file.
    pub(crate) fn command_of_whoever_runs_it(&self, words: &[&str]) -> String {
        if self.server.is_given() {
            return self.command_for_anybody(words);
        }
        let command = self.command(words);
        match self.state.configured_actor {
            Some(_) => format!("{command} --actor \"user:$(id -un)\""),
            None => command,
        }
    }

    /// A command to the same gate, with nothing of who gives this one.
    fn command_for_anybody(&self, words: &[&str]) -> String {
        let words = words.iter().map(|word| (*word).to_owned());
        let flags = self.flags_to_the_gate(true);
        flags::command_line(&words.chain(flags).collect::<Vec<_>>())
    }

    /// The same, to the system of a record.
    pub(crate) fn to(&self, target: &Target) -> Result<Self, Failure> {
        let connection = self.connection.to(target)?;
        Ok(Self {
            connection,
            ..self.clone()
        })
    }

    /// What the config file says of the gate now: it is read again.
    #[cfg(feature = "serve")]
    pub(crate) fn serve(&self) -> Result<serve::Serve, Failure> {
        let Some((path, config)) = config_file::read(self.config.as_deref())? else {
            return Ok(serve::Serve::default());
        };
        let mut serve = config.serve.clone().unwrap_or_default();
        for cluster in serve.clusters() {
            config_file::cluster(&config, cluster)?;
        }
        for file in serve.files() {
            *file = config_file::beside(&path, file);
        }
        Ok(serve)
    }

    /// Fills in what is not given from the config file. What is wrong about its clusters keeps nobody
    /// from stopping, and neither does anything else in it where the state directory is given.
    pub(crate) fn resolve(mut self, is_stop: bool) -> Result<Self, Failure> {
        self.state.keep_given();
        let read = match config_file::read(self.config.as_deref()) {
            Err(_) if is_stop && self.state.state_dir.is_some() => None,
            read => read?,
        };
        let Some((path, config)) = read else {
            self.state.check()?;
            self.connection.check_named(&[])?;
            return Ok(self);
        };
        let beside = |path_in: &PathBuf| config_file::beside(&path, path_in);
        self.output = self.output.or(config.output);
        let state = &mut self.state;
        if state.journal.is_none() {
            state.journal = config.journal.clone().map(Database::from);
        }
        state.check()?;
        let fill = |given: &mut Option<PathBuf>, configured: &Option<PathBuf>| {
            if given.is_none() {
                *given = configured.as_ref().map(beside);
            }
        };
        fill(&mut state.state_dir, &config.state_dir);
        fill(&mut state.policy_file, &config.policy_file);
        fill(&mut state.sign_with, &config.sign_with);
        state.configured_actor.clone_from(&config.actor);
        if state.actor.is_none() {
            state.actor.clone_from(&state.configured_actor);
        }
        self.connection.names = config_file::names(&config);
        if !is_stop {
            config_file::check_names(&self.connection.names)?;
        }
        if let Some(name) = self.connection.choose(config.cluster.as_deref()) {
            match config_file::cluster(&config, &name) {
                Ok(cluster) if !is_stop => self.connection.fill(&name, cluster, &path)?,
                Err(unknown) if !is_stop || self.connection.is_asked_for() => return Err(unknown),
                _ => {}
            }
        }
        self.connection.config = Some(Arc::new((path, config)));
        Ok(self)
    }
}
