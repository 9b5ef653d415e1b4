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

    /// Another format than the one asked for in general, for a verb with a flag of its own.
    pub(crate) fn set_format(&mut self, format: Format) {
        self.format = format;
    }

    /// Data: an object for programs, or text for people.
    pub(crate) fn show(&mut self, json: &impl Serialize, text: impl FnOnce() -> String) {
        if self.is_json() {
            self.json(json);
        } else {
            self.write(&printable_lines(&text()));
        }
    }

    /// A list: one object that holds it, a line for each, or text for people.
    pub(crate) fn show_list(&mut self, name: &str, items: &[Value], text: impl FnOnce() -> String) {
        match self.format {
            Format::Jsonl => items.iter().for_each(|item| self.json(item)),
            _ => self.show(&json!({name: items}), text),
        }
    }

    /// What people have read on stderr, for programs.
    pub(crate) fn for_programs(&mut self, json: &impl Serialize) {
        if self.is_json() {
            self.json(json);
        }
    }

    /// Something that happens, for programs that read line by line.
    pub(crate) fn event(&mut self, json: &impl Serialize) {
        if self.format == Format::Jsonl {
            self.json(json);
        }
    }

    /// A running text: data, or on stderr where the data is for programs.
    pub(crate) fn narrate(&mut self, text: &str) {
        if self.is_json() {
            note(text);
        } else {
            self.write(&printable_lines(text));
        }
    }

    /// One object of data, whatever the format.
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

    fn is_json(&self) -> bool {
        self.format != Format::Table
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
