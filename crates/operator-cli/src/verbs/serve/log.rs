//! The log of a gate: a line of JSON on stderr for each event, without secrets.

use std::fmt::Debug;
use std::io::Write as _;

use clap::{Arg, ArgMatches};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// Libraries that say each frame they send: of them warnings only.
const TALKATIVE: [&str; 4] = ["h2", "hyper", "rmcp", "tower"];

/// `--log-level`.
pub(super) fn level() -> Arg {
    Arg::new("log-level")
        .long("log-level")
        .value_name("LEVEL")
        .default_value("info")
        .value_parser(["off", "error", "warn", "info", "debug"])
        .help("What is logged at least, as lines of JSON on stderr: with `debug` each refused request too")
}

/// Logs from now on what this process does.
pub(super) fn begin(matches: &ArgMatches) {
    let level = matches.get_one::<String>("log-level");
    let level = level.and_then(|level| level.parse().ok());
    let level = level.unwrap_or(LevelFilter::INFO);
    let few = TALKATIVE.map(|target| (target, level.min(LevelFilter::WARN)));
    let wanted = Targets::new().with_default(level).with_targets(few);
    let log = tracing_subscriber::registry().with(wanted).with(Lines);
    // A program that is built on this may have a log of its own.
    let _ = tracing::subscriber::set_global_default(log);
}

struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let line = line(event, Timestamp::now());
        // Nothing waits for who reads the log.
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    }
}

fn line(event: &Event<'_>, at: Timestamp) -> Value {
    let mut fields = Fields(Map::new());
    event.record(&mut fields);
    let meta = event.metadata();
    let level = meta.level().as_str().to_lowercase();
    let mut line = json!({"at": at.to_string(), "level": level, "target": meta.target()});
    if let Value::Object(line) = &mut line {
        line.append(&mut fields.0);
    }
    line
}

/// What an event says.
struct Fields(Map<String, Value>);

impl Fields {
    fn add(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, action_core::redacted(value).into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    struct Kept(Arc<Mutex<Vec<Value>>>);

    impl<S: Subscriber> Layer<S> for Kept {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let line = line(event, Timestamp::UNIX_EPOCH);
            self.0.lock().unwrap().push(line);
        }
    }

    #[test]
    fn a_line_has_what_an_event_says_and_no_secret() {
        let kept = Arc::new(Mutex::new(vec![]));
        let log = tracing_subscriber::registry().with(Kept(Arc::clone(&kept)));
        tracing::subscriber::with_default(log, || {
            let error = "password=hunter2 is wrong";
            tracing::warn!(target: "gate", status = 403, error, "refused");
        });
        let lines = kept.lock().unwrap();
        let [line] = lines.as_slice() else {
            unreachable!("{lines:?}")
        };
        assert_eq!(line["at"], "1970-01-01T00:00:00Z");
        assert_eq!(line["level"], "warn");
        assert_eq!(line["target"], "gate");
        assert_eq!(line["status"], 403);
        assert_eq!(line["message"], "refused");
        assert!(!line.to_string().contains("hunter2"), "{line}");
    }
}
