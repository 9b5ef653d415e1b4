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

/// The beginnings of paths that the simulator does not have, by group, each with its reason. Their
/// steps stay in the recordings, for whoever brings a call back.
const NOT_SIMULATED: [(&str, &str); 18] = [
    // Sums, histograms and orders over regions: a plan and a probe are about regions they can name,
    // and count from the regions themselves, which `/regions/key` and `/regions/check` give.
    ("GET", "/regions/check/hist"),
    ("GET", "/regions/range-holes"),
    ("GET", "/regions/replicated"),
    ("GET", "/regions/size"),
    ("GET", "/regions/writeflow"),
    ("GET", "/stats/region"),
    // Other ways to a region: `/region/id` and `/regions/key` give the same facts, also those of a
    // neighbour, and both are replayed.
    ("GET", "/region/key"),
    ("GET", "/regions/sibling"),
    // Many regions at once: the answer is a percentage and does not say of which regions, so no
    // outcome can be proven from it. `/operators` does the same for one region.
    ("POST", "/regions/accelerate"),
    ("POST", "/regions/scatter"),
    ("POST", "/regions/split"),
    // Taking a member out for good has no undo. Who leads, and who leads first, is set by
    // `/leader/transfer` and `/members/name`, which are there.
    ("DELETE", "/members"),
    // PD about itself: the cluster's version is in `/config`, whether it lives in `/health`; safe
    // points, rate limits, replication to a second data centre and buckets are not simulated.
    ("GET", "/config/cluster-version"),
    ("GET", "/hotspot/buckets"),
    ("GET", "/min-resolved-ts"),
    ("GET", "/ping"),
    ("GET", "/replication_mode"),
    ("GET", "/service-middleware"),
];

/// What is left out was recorded: a path that no recording has needs no reason.
#[test]
fn what_is_left_out_was_recorded() {
    let versions = ["v6.5.12", "v7.5.7", "v8.5.7", "v9.0-dev"];
    let mut left_out = Vec::new();
    for version in versions {
        let mut steps = Recording::read(&format!("pd-{version}")).steps;
        steps.extend(Recording::read(&format!("operating-{version}")).steps);
        let all = steps.len();
        steps.retain(|step| !step.is_simulated());
        println!("{version}: {} of {all} steps left out", steps.len());
        left_out.extend(steps);
    }
    for (method, beginning) in NOT_SIMULATED {
        let is_meant =
            |step: &Step| step.request.method == method && step.request.path.starts_with(beginning);
        assert!(left_out.iter().any(is_meant), "{method} {beginning}");
    }
}

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
