//! Answers recorded from real PD servers, through the client.

use std::collections::BTreeMap;

use pd_client::{Error, ErrorClass};
use serde::Deserialize;
use serde_json::Value;

use crate::recorded_calls::call;
use crate::region;
use crate::replay::Replay;

const RECORDINGS: &[(&str, &str)] = &[
    (
        "v6.5.12",
        include_str!("../../../../tests/recordings/pd-v6.5.12.json"),
    ),
    (
        "v7.5.7",
        include_str!("../../../../tests/recordings/pd-v7.5.7.json"),
    ),
    (
        "v8.5.7",
        include_str!("../../../../tests/recordings/pd-v8.5.7.json"),
    ),
    (
        "v9.0-dev",
        include_str!("../../../../tests/recordings/pd-v9.0-dev.json"),
    ),
];

/// What operating needs: every operator kind, and what PD refuses of stores, schedulers,
/// configuration, rules and members.
const OPERATING: &[(&str, &str)] = &[
    (
        "operating v6.5.12",
        include_str!("../../../../tests/recordings/operating-v6.5.12.json"),
    ),
    (
        "operating v7.5.7",
        include_str!("../../../../tests/recordings/operating-v7.5.7.json"),
    ),
    (
        "operating v8.5.7",
        include_str!("../../../../tests/recordings/operating-v8.5.7.json"),
    ),
    (
        "operating v9.0-dev",
        include_str!("../../../../tests/recordings/operating-v9.0-dev.json"),
    ),
];

#[derive(Deserialize)]
struct Recording {
    steps: Vec<Step>,
}

#[derive(Deserialize)]
pub(crate) struct Step {
    name: String,
    pub(crate) request: RecordedRequest,
    response: RecordedResponse,
}

#[derive(Deserialize)]
pub(crate) struct RecordedRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Value,
}

#[derive(Deserialize)]
struct RecordedResponse {
    status: u16,
    content_type: Option<String>,
    #[serde(default)]
    error_code: Option<String>,
    body: String,
}

impl Step {
    fn replay(&self) -> Replay {
        let mut headers = Vec::new();
        headers.extend(
            self.response
                .content_type
                .as_deref()
                .map(|value| ("content-type", value)),
        );
        headers.extend(
            self.response
                .error_code
                .as_deref()
                .map(|value| ("tidb-error-code", value)),
        );
        let replay = Replay::new(self.response.status, &headers, &self.response.body);
        if self.request.path == "/members" {
            replay.answering_members()
        } else {
            replay
        }
    }

    /// A number of the request's body.
    pub(crate) fn id(&self, field: &str) -> Option<u64> {
        self.request.body.get(field)?.as_u64()
    }

    /// The request's path from the last `separator` on, as a number.
    pub(crate) fn path_id(&self, separator: char) -> Option<u64> {
        self.request
            .path
            .rsplit(separator)
            .next()?
            .parse()
            .ok()
            .filter(|id| *id > 0)
    }
}

#[tokio::test]
async fn every_recorded_success_of_a_call_we_have_is_read() {
    let mut counts = BTreeMap::new();
    for (version, recording) in RECORDINGS.iter().chain(OPERATING) {
        let recording: Recording = serde_json::from_str(recording).unwrap();
        let (mut decoded, mut things, mut none, mut refused, mut unsent) = (0, 0, 0, 0, 0);
        for step in &recording.steps {
            let replay = step.replay();
            let Some(result) = call(&replay.client(), step).await else {
                continue;
            };
            let success = step.response.status == 200;
            match result {
                Ok(count) if success => (decoded, things) = (decoded + 1, things + count),
                Ok(count) => {
                    assert_eq!(count, 0, "{version} {}", step.name);
                    none += 1;
                }
                // What PD would misread does not leave the client.
                Err(Error::Input(_)) => {
                    assert!(replay.asked().is_empty());
                    unsent += 1;
                    continue;
                }
                Err(error) => {
                    assert!(!success, "{version} {}: {}", step.name, error.report());
                    refused += 1;
                }
            }
            same_request(&replay, step, version);
        }
        println!(
            "{version}: {decoded} answers read ({things} things), {none} none, {refused} refused, \
             {unsent} not sent"
        );
        counts.insert(*version, (decoded, none, refused, unsent));
    }
    // Read, "none", refused and not sent: a step that falls silently out of the test shows here.
    let expected = [
        ("v6.5.12", (70, 5, 28, 0)),
        ("v7.5.7", (71, 5, 27, 0)),
        ("v8.5.7", (71, 5, 27, 0)),
        ("v9.0-dev", (70, 6, 27, 0)),
        ("operating v6.5.12", (121, 5, 70, 0)),
        ("operating v7.5.7", (129, 5, 62, 0)),
        ("operating v8.5.7", (129, 5, 62, 0)),
        ("operating v9.0-dev", (126, 6, 64, 0)),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
}

/// The request recorded is the one the client sends.
#[track_caller]
fn same_request(replay: &Replay, step: &Step, version: &str) {
    let asked = replay.asked();
    assert_eq!(asked.len(), 1, "{version} {}", step.name);
    assert_eq!(
        asked[0].method().as_str(),
        step.request.method,
        "{version} {}",
        step.name
    );
    let path = asked[0].uri().path();
    let recorded = step.request.path.split('?').next().unwrap();
    assert_eq!(
        path,
        format!("/pd/api/v1{recorded}"),
        "{version} {}",
        step.name
    );
    let body: Value = serde_json::from_slice(asked[0].body()).unwrap_or_default();
    // A text was sent as it is.
    let recorded = match &step.request.body {
        Value::String(raw) => serde_json::from_str(raw).unwrap(),
        body => body.clone(),
    };
    assert!(
        same(&body, &recorded),
        "{version} {}: {body} {recorded}",
        step.name
    );
}

/// Equal, where 1 is 1.0 as in Go.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(ours), Value::Number(theirs)) => ours.as_f64() == theirs.as_f64(),
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| same(a, b))
        }
        (Value::Object(ours), Value::Object(theirs)) => {
            let matches = |(key, value)| theirs.get(key).is_some_and(|other| same(value, other));
            ours.len() == theirs.len() && ours.iter().all(matches)
        }
        (ours, theirs) => ours == theirs,
    }
}

#[tokio::test]
async fn every_recorded_refusal_is_classified() {
    let mut codes = 0;
    let mut classes: BTreeMap<String, usize> = BTreeMap::new();
    for (version, recording) in RECORDINGS.iter().chain(OPERATING) {
        let recording: Recording = serde_json::from_str(recording).unwrap();
        for step in recording
            .steps
            .iter()
            .filter(|step| step.response.status != 200)
        {
            let replay = step.replay();
            let error = replay
                .client()
                .cancel_operator(region(1))
                .await
                .unwrap_err();
            let body = step.response.body.as_str();
            let at = format!("{version} {}: {}", step.name, error.report());
            // A path that PD takes for another is answered with a redirect. We send none.
            let decided =
                !body.starts_with("PANIC: ") && !(300..400).contains(&step.response.status);
            let expected = if !decided {
                ErrorClass::Unanswered
            } else {
                ErrorClass::Refused
            };
            assert_eq!(error.class(), expected, "{at}");
            *classes
                .entry(format!("{:?} {}", error.class(), step.response.status))
                .or_default() += 1;
            let Some(answer) = error.answer() else {
                assert!(matches!(error, Error::Redirected { .. }), "{at}");
                continue;
            };
            codes += usize::from(answer.code.is_some());
            // PD's words byte for byte.
            match serde_json::from_str::<Value>(body) {
                Ok(Value::String(words)) => assert_eq!(error.to_string(), words, "{at}"),
                Ok(Value::Object(object)) if !object.is_empty() => {
                    assert_eq!(object["msg"], *error.to_string(), "{at}");
                }
                Ok(_) => assert!(answer.message.is_empty(), "{at}"),
                Err(_) => assert_eq!(answer.body, body, "{at}"),
            }
            // A read would say the same.
            let read = replay.client().cluster().await.unwrap_err();
            assert_eq!(read.class(), error.class(), "{at}");
        }
    }
    println!("{codes} with a code, {classes:?}");
    assert_eq!(classes.values().sum::<usize>(), 1_054);
}
