//! Recordings of real PD servers.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use serde_json::ser::Formatter;

#[derive(Debug, Deserialize)]
pub(crate) struct Recording {
    pub(crate) steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Step {
    pub(crate) name: String,
    /// How long the recorder waited before.
    #[serde(default)]
    pub(crate) wait_ms: u64,
    pub(crate) request: Request,
    pub(crate) response: Response,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    body: Json,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    #[serde(default)]
    pub(crate) error_code: Option<String>,
    pub(crate) body: String,
}

impl Recording {
    /// Reads `tests/recordings/<name>.json` of the workspace.
    pub(crate) fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/recordings")
            .join(format!("{name}.json"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).expect("a recording")
    }

    /// The first answer recorded under a name.
    pub(crate) fn body(&self, name: &str) -> &str {
        let step = self.steps.iter().find(|step| step.name == name);
        &step.expect("a recorded step").response.body
    }
}

impl Request {
    /// The bytes that were sent, where the recorder put no spaces.
    pub(crate) fn compact_body(&self) -> String {
        match &self.body {
            Json::Null => String::new(),
            Json::String(raw) => raw.clone(),
            value => value.to_string(),
        }
    }

    /// The bytes that were sent: the recorder put a space after every colon and comma.
    pub(crate) fn body(&self) -> String {
        match &self.body {
            Json::Null => String::new(),
            Json::String(raw) => raw.clone(),
            value => {
                let mut bytes = Vec::new();
                let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Spaced);
                value.serialize(&mut serializer).expect("JSON is written");
                String::from_utf8(bytes).expect("JSON is UTF-8")
            }
        }
    }
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        w: &mut W,
        first: bool,
    ) -> io::Result<()> {
        w.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, w: &mut W) -> io::Result<()> {
        w.write_all(b": ")
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        w: &mut W,
        first: bool,
    ) -> io::Result<()> {
        w.write_all(if first { b"" } else { b", " })
    }
}
