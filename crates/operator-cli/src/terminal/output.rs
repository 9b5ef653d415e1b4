//! Data on stdout, everything else on stderr.

use std::io::{self, ErrorKind, Write as _};

use action_core::{printable, printable_lines};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::terminal::exit_code::Exit;

/// What data looks like: tables for people, one object for programs, or an object on each line,
/// as things happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Table,
    Json,
    Jsonl,
}

/// Where the command writes.
///
/// A reader that goes away does not stop the command: what was started is followed to its end.
pub(crate) struct Output {
    format: Format,
    failure: Option<io::Error>,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            failure: None,
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.format != Format::Table
    }

    /// Whether an object is one line, and more than one may come.
    pub(crate) fn is_lines(&self) -> bool {
        self.format == Format::Jsonl
    }

    /// Lines of data.
    pub(crate) fn data(&mut self, text: &str) {
        self.write(&printable_lines(text));
    }

    /// One object of data.
    pub(crate) fn json(&mut self, value: &impl Serialize) {
        let json = match self.format {
            Format::Jsonl => serde_json::to_string(value),
            _ => serde_json::to_string_pretty(value),
        };
        match json {
            // Unsafe characters are left only inside of strings, where their escape means them.
            Ok(json) => self.write(&printable_lines(&json)),
            Err(error) => self.failure = Some(error.into()),
        }
    }

    /// A list: one object that holds it, or a line for each.
    pub(crate) fn list(&mut self, name: &str, items: &[Value]) {
        if self.is_lines() {
            items.iter().for_each(|item| self.json(item));
        } else {
            self.json(&json!({name: items}));
        }
    }

    /// Lines about what is going on.
    pub(crate) fn note(&self, text: &str) {
        note(text);
    }

    /// How the command ends, given that its output may have gone nowhere.
    pub(crate) fn finish(self, exit: Exit) -> Exit {
        match self.failure {
            Some(error) => {
                note(&format!(
                    "error: cannot write to stdout: {}",
                    printable(&error.to_string())
                ));
                if exit == Exit::Done {
                    Exit::Failed
                } else {
                    exit
                }
            }
            None => exit,
        }
    }

    fn write(&mut self, text: &str) {
        let mut stdout = io::stdout().lock();
        let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
        match written {
            // Whoever reads has read enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            Err(error) => self.failure = Some(error),
            Ok(()) => {}
        }
    }
}

/// Lines on stderr. When nobody can read them there is nobody to tell.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", printable_lines(text));
}
