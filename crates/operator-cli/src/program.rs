//! What the command is called, and what it is a command for.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use action_core::{Connect, SubjectKind};
use async_trait::async_trait;
use clap::{ArgMatches, Command};

use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::terminal::table;

/// A command line over any number of kinds of systems.
#[derive(Default)]
pub struct Program {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) about: String,
    pub(crate) subjects: Vec<SubjectKind>,
    pub(crate) verbs: BTreeMap<String, Box<dyn Verb>>,
}

/// A verb that a program has besides those that all have.
#[async_trait(?Send)]
pub trait Verb: Send + Sync {
    /// Its name, what it is, and what it takes.
    fn command(&self) -> Command;

    /// Does what it is for.
    ///
    /// # Errors
    /// What keeps it from its result.
    async fn main(&self, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure>;
}

/// A process has one command line, and its parts are made when they are first needed.
static PROGRAM: OnceLock<Program> = OnceLock::new();

impl Program {
    /// A command of this name and version.
    #[must_use]
    pub fn new(name: &'static str, version: &'static str) -> Self {
        Self {
            name,
            version,
            ..Self::default()
        }
    }

    /// What it says of itself, where that is not made of its subjects.
    #[must_use]
    pub fn about(mut self, text: &str) -> Self {
        text.clone_into(&mut self.about);
        self
    }

    /// For systems of this kind, too.
    #[must_use]
    pub fn subject<S: Connect>(mut self) -> Self {
        self.subjects.push(SubjectKind::of::<S>());
        self
    }

    /// With this verb, too.
    #[must_use]
    pub fn verb(mut self, verb: impl Verb + 'static) -> Self {
        let name = verb.command().get_name().to_owned();
        self.verbs.insert(name, Box::new(verb));
        self
    }
}

/// Makes this the program that runs, unless one does.
pub(crate) fn set(program: Program) {
    table::set_name(program.name);
    PROGRAM.get_or_init(|| program);
}

/// The program that runs.
pub(crate) fn program() -> &'static Program {
    PROGRAM.get_or_init(|| Program::new("operator", ""))
}
