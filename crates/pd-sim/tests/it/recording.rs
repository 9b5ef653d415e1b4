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

/// What no call of `pd-client` asks for, and the simulator has no path for.
const NOT_SIMULATED: [(&str, &str); 29] = [
    ("GET", "/config/cluster-version"),
    ("GET", "/config/placement-rule"),
    ("GET", "/config/region-label/rule/"),
    ("GET", "/config/rule_group"),
    ("GET", "/config/rules/group"),
    ("GET", "/config/rules/key"),
    ("GET", "/hotspot/buckets"),
    ("GET", "/labels"),
    ("GET", "/min-resolved-ts"),
    ("GET", "/ping"),
    ("GET", "/region/id/89/label/"),
    ("GET", "/region/key"),
    ("GET", "/regions/check/hist"),
    ("GET", "/regions/range-holes"),
    ("GET", "/regions/replicated"),
    ("GET", "/regions/sibling"),
    ("GET", "/regions/size"),
    ("GET", "/regions/writeflow"),
    ("GET", "/replication_mode"),
    ("GET", "/service-middleware"),
    ("GET", "/stats/region"),
    ("GET", "/stores/check"),
    ("DELETE", "/members"),
    ("DELETE", "/operators "),
    ("PATCH", "/"),
    ("POST", "/leader/resign"),
    ("POST", "/regions/accelerate"),
    ("POST", "/regions/scatter"),
    ("POST", "/regions/split"),
];

impl Step {
    /// Whether the simulator has a path for it.
    pub(crate) fn is_simulated(&self) -> bool {
        let (method, path) = (&self.request.method, format!("{} ", self.request.path));
        !NOT_SIMULATED
            .iter()
            .any(|(other, beginning)| method == other && path.starts_with(beginning))
    }
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
