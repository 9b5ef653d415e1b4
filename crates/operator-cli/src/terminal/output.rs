//! Data on stdout, everything else on stderr.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write as _};

use action_core::{ActionDefinition, printable, printable_lines};
use anstream::AutoStream;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::terminal::exit_code::Exit;
use crate::terminal::observed::{self, View};
use crate::terminal::secretless::{lines_without_secrets, without_secrets};
use crate::terminal::style::{has_colour, marked_printable, painted};
use crate::terminal::table::{prose, prose_on_stderr, set_wide};
use crate::terminal::values::text_of;

/// What data looks like: tables for people, with the columns that there is room for or all (`wide`), one
/// object for programs, an object on each line as things happen, or ids alone. The flags, the config file and [`Output`] know formats from here alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Table,
    Wide,
    Json,
    Jsonl,
    Yaml,
    Name,
}

impl Format {
    /// Whether people read it, and not programs.
    fn is_text(self) -> bool {
        matches!(self, Self::Table | Self::Wide | Self::Name)
    }
}

/// Which schema the documents have. It goes up when a member changes its meaning or goes away.
const SCHEMA_VERSION: u32 = 1;

/// A document and its schema.
#[derive(Serialize)]
struct Document<'d, T> {
    schema_version: u32,
    #[serde(flatten)]
    members: &'d T,
}

/// Where the command writes.
///
/// A reader that goes away does not stop the command: what was started is followed to its end.
pub struct Output {
    format: Format,
    failure: Option<io::Error>,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        if format == Format::Wide {
            set_wide();
        }
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
    pub fn show(&mut self, json: &impl Serialize, text: impl FnOnce() -> String) {
        match self.format {
            format if format.is_text() => self.write(&shown(&prose(&text()))),
            _ => self.document(json),
        }
    }

    /// The same of a text that is copied into a file: its lines are as long as they are.
    #[cfg(feature = "mcp")]
    pub(crate) fn show_as_it_is(&mut self, json: &impl Serialize, text: &str) {
        match self.format {
            format if format.is_text() => self.write(&shown(text)),
            _ => self.document(json),
        }
    }

    /// What an observation gave.
    pub(crate) fn show_observed(&mut self, action: &ActionDefinition, value: &Value, view: &View) {
        if self.format == Format::Name {
            let names = observed::names(action, value);
            return names.iter().for_each(|name| self.write(&shown(name)));
        }
        self.show(value, || observed::report(action, value, view));
    }

    /// A list: one object that holds it, a line for each, or text for people.
    pub(crate) fn show_list<T: Serialize>(
        &mut self,
        name: &str,
        items: &[T],
        text: impl FnOnce() -> String,
    ) {
        self.show_lists(&[(name, items)], text);
    }

    /// Several lists, in the same way.
    pub(crate) fn show_lists<T: Serialize>(
        &mut self,
        lists: &[(&str, &[T])],
        text: impl FnOnce() -> String,
    ) {
        let items = lists.iter().flat_map(|(_, items)| *items);
        match self.format {
            Format::Jsonl => items.for_each(|item| self.document(item)),
            Format::Name => items.for_each(|item| self.id(item)),
            Format::Table | Format::Wide | Format::Json | Format::Yaml => {
                let object = lists.iter().map(|(name, items)| (*name, *items));
                self.show(&object.collect::<BTreeMap<_, _>>(), text);
            }
        }
    }

    /// The id of an item.
    fn id(&mut self, item: &impl Serialize) {
        let item = serde_json::to_value(item).unwrap_or_default();
        let ids = ["/id", "/proposal/id", "/made/id", "/seq"].map(|at| item.pointer(at));
        if let Some(id) = ids.into_iter().flatten().next() {
            self.write(&shown(&text_of(id)));
        }
    }

    /// What people have read on stderr, for programs.
    pub fn for_programs(&mut self, json: &impl Serialize) {
        if !self.format.is_text() {
            self.document(json);
        }
    }

    /// Something that happens, for programs that read line by line.
    pub(crate) fn event(&mut self, json: &impl Serialize) {
        if self.format == Format::Jsonl {
            self.document(json);
        }
    }

    /// A running text: data, or on stderr where the data is for programs.
    pub fn narrate(&mut self, text: &str) {
        match self.format.is_text() {
            true => self.write(&marked_lines(&lines_without_secrets(&prose(text)))),
            false => note(text),
        }
    }

    /// A document of this program: it says by which schema it is to be read.
    fn document(&mut self, members: &impl Serialize) {
        let is_object = serde_json::to_value(members).is_ok_and(|value| value.is_object());
        let schema_version = SCHEMA_VERSION;
        match is_object {
            true => self.json(&Document {
                schema_version,
                members,
            }),
            false => self.json(members),
        }
    }

    /// One object in a form that others have laid down, whatever the format.
    pub(crate) fn json(&mut self, value: &impl Serialize) {
        let json = match self.format {
            Format::Jsonl => serde_json::to_string(value),
            _ => serde_json::to_string_pretty(value),
        };
        match json.map(|json| without_secrets(&json)) {
            Ok(json) if self.format == Format::Yaml => self.yaml(&json),
            // Unsafe characters are left only inside of strings, where their escape means them.
            Ok(json) => self.write(&printable_lines(&json)),
            Err(error) => self.failure = Some(error.into()),
        }
    }

    #[cfg(feature = "yaml")]
    fn yaml(&mut self, json: &str) {
        let value = serde_json::from_str::<Value>(json).unwrap_or_default();
        match serde_saphyr::to_string(&value) {
            Ok(yaml) => self.write(printable_lines(&yaml).trim_end()),
            Err(error) => self.failure = Some(io::Error::other(error)),
        }
    }

    /// JSON is YAML, too.
    #[cfg(not(feature = "yaml"))]
    fn yaml(&mut self, json: &str) {
        self.write(&printable_lines(json));
    }

    /// A secret that the command was asked for: the one thing that is written as it is.
    pub(crate) fn secret(&mut self, secret: &str, json: impl FnOnce(&str) -> Value) {
        let json = |secret: &str| {
            let mut json = json(secret);
            json["schema_version"] = SCHEMA_VERSION.into();
            json
        };
        match self.format {
            Format::Jsonl => self.write(&json(secret).to_string()),
            // JSON is YAML.
            Format::Json | Format::Yaml => self.write(&format!("{:#}", json(secret))),
            Format::Table | Format::Wide | Format::Name => self.write(secret),
        }
    }

    /// Lines about what is going on.
    pub fn note(&self, text: &str) {
        note(text);
    }

    /// What people read with the data, on stderr where the data is for programs.
    pub(crate) fn note_beside_data(&self, text: &str) {
        if !self.format.is_text() {
            note(text);
        }
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
        let has_colour = self.format.is_text() && has_colour(&io::stdout());
        let text = match self.format.is_text() {
            true => Cow::Owned(painted(text, has_colour)),
            false => Cow::Borrowed(text),
        };
        let mut stdout = io::stdout().lock();
        let written = match has_colour {
            true => writeln!(AutoStream::auto(stdout), "{text}"),
            false => writeln!(stdout, "{text}").and_then(|()| stdout.flush()),
        };
        match written {
            // Whoever reads has read enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            Err(error) => self.failure = Some(error),
            Ok(()) => {}
        }
    }
}

/// Lines on stderr. When nobody can read them there is nobody to tell.
pub fn note(text: &str) {
    let (stderr, has_colour) = (io::stderr(), has_colour(&io::stderr()));
    let text = painted(&shown(&prose_on_stderr(text)), has_colour);
    let _ = match has_colour {
        true => writeln!(AutoStream::auto(stderr.lock()), "{text}"),
        false => writeln!(stderr.lock(), "{text}"),
    };
}

/// Longer lines are cut where people read them: what a server answers can be long.
const LONGEST_LINE: usize = 2_000;

/// The same lines as a terminal may get them, but for marks.
fn marked_lines(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(marked_printable).collect();
    lines.join("\n")
}

/// As a terminal gets it.
fn shown(text: &str) -> String {
    let text = marked_lines(&lines_without_secrets(text));
    let lines = text.split('\n').map(|line| {
        let Some((end, _)) = line.char_indices().nth(LONGEST_LINE) else {
            return line.to_owned();
        };
        let (begin, rest) = line.split_at_checked(end).unwrap_or((line, ""));
        format!("{begin}… ({} more characters)", rest.chars().count())
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_says_its_schema_first_and_keeps_its_members() {
        let document = Document {
            schema_version: SCHEMA_VERSION,
            members: &json!({"a": [1], "b": {"c": null}}),
        };
        assert_eq!(
            serde_json::to_string(&document).unwrap(),
            r#"{"schema_version":1,"a":[1],"b":{"c":null}}"#
        );
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_says_so() {
        let short = format!("one\n{}", "é".repeat(LONGEST_LINE));
        assert_eq!(shown(&short), short);
        let long = format!("{}{}\nnext", "é".repeat(LONGEST_LINE), "x".repeat(15));
        let expected = format!("{}… (15 more characters)\nnext", "é".repeat(LONGEST_LINE));
        assert_eq!(shown(&long), expected);
    }
}
