//! Records what a PD answers: `record http://127.0.0.1:2379 sequence.json > recording.json`.
//!
//! A sequence is a list of requests, sent one after another:
//!
//! ```json
//! [{"name": "add-peer", "method": "POST", "path": "/operators", "wait_ms": 0,
//!   "body": {"name": "add-peer", "region_id": "${r1}", "store_id": "${r1.absent0}"}}]
//! ```
//!
//! `${…}` stands for what is read from PD before the first step: `r1`, `r2`, … are the regions in
//! the order of their keys that have a leader and three peers, without the first and the last two;
//! `.leader`, `.follower0`, `.absent0` are stores, `.start`, `.middle` and `.end` keys in hex. A
//! text that is nothing else than `${…}` becomes a number where the value is one.
//!
//! The sequences in `tests/recordings/sequences` change the cluster. Record on one that is thrown
//! away after.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What the names in `${…}` stand for.
type Places = BTreeMap<String, Value>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, sequence] = arguments.as_slice() else {
        return Err("usage: record ENDPOINT SEQUENCE.json".into());
    };
    let pd = Pd {
        endpoint: endpoint.trim_end_matches('/').to_owned(),
        client: reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()?,
    };
    let version = pd.get("/version").await?;
    let places = places(&pd.get("/regions").await?);
    let sequence: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(sequence)?)?;
    let mut steps = Vec::new();
    for step in &sequence {
        let wait_ms = step["wait_ms"].as_u64().unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        let method = step["method"].as_str().unwrap_or("GET");
        let path = filled_text(step["path"].as_str().ok_or("a step has no path")?, &places)?;
        let body = filled(&step["body"], &places)?;
        let response = pd.ask(method, &path, &body).await?;
        steps.push(json!({
            "name": step["name"],
            "wait_ms": wait_ms,
            "request": {"method": method, "path": path, "body": body},
            "response": response,
        }));
    }
    let recording = json!({"pd": version["version"], "steps": steps});
    serde_json::to_writer_pretty(std::io::stdout(), &recording)?;
    Ok(())
}

struct Pd {
    endpoint: String,
    client: reqwest::Client,
}

impl Pd {
    async fn get(&self, path: &str) -> Result<Value> {
        let answer = self.ask("GET", path, &Value::Null).await?;
        Ok(serde_json::from_str(
            answer["body"].as_str().unwrap_or_default(),
        )?)
    }

    /// Sends and gives the answer as it is recorded.
    async fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}/pd/api/v1{path}", self.endpoint);
        let request = self.client.request(method.parse()?, url);
        let request = request.header("X-Caller-ID", "recorder");
        let request = match body {
            Value::Null => request,
            Value::String(raw) => request.body(raw.clone()),
            value => request.body(value.to_string()),
        };
        let response = request.send().await?;
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let (status, content_type, error_code) = (
            response.status().as_u16(),
            header("content-type"),
            header("tidb-error-code"),
        );
        Ok(json!({
            "status": status,
            "content_type": content_type,
            "error_code": error_code,
            "body": without_origin(&response.text().await?),
        }))
    }
}

/// A panic's stack and the deploy path tell where a binary was built and is run, and nothing else.
fn without_origin(body: &str) -> String {
    if let (true, Some((first, _))) = (body.starts_with("PANIC: "), body.split_once('\n')) {
        return format!("{first}\n<stack>");
    }
    let lines = body
        .split('\n')
        .map(|line| match line.split_once(r#""deploy_path": "#) {
            Some((before, rest)) => {
                let comma = if rest.ends_with(',') { "," } else { "" };
                format!(r#"{before}"deploy_path": "<path>"{comma}"#)
            }
            None => line.to_owned(),
        });
    lines.collect::<Vec<_>>().join("\n")
}

fn places(regions: &Value) -> Places {
    let mut regions: Vec<&Value> = regions["regions"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    regions.sort_by_key(|region| region["start_key"].as_str().unwrap_or_default());
    let inner = regions.len().saturating_sub(3);
    let whole = regions.into_iter().skip(1).take(inner).filter(|region| {
        let peers = region["peers"].as_array().map_or(0, Vec::len);
        peers == 3 && region["leader"]["store_id"].is_u64()
    });
    let mut places = Places::new();
    for (index, region) in whole.enumerate() {
        let name = format!("r{}", index + 1);
        let leader = region["leader"]["store_id"].as_u64().unwrap_or_default();
        let peers = region["peers"].as_array().into_iter().flatten();
        let held: Vec<u64> = peers.filter_map(|peer| peer["store_id"].as_u64()).collect();
        let followers = held.iter().copied().filter(|store| *store != leader);
        let absent = (1..=5).filter(|store| !held.contains(store));
        for (index, store) in followers.enumerate() {
            places.insert(format!("{name}.follower{index}"), json!(store));
        }
        for (index, store) in absent.enumerate() {
            places.insert(format!("{name}.absent{index}"), json!(store));
        }
        let start = region["start_key"].as_str().unwrap_or_default();
        places.insert(format!("{name}.leader"), json!(leader));
        places.insert(format!("{name}.start"), json!(start));
        places.insert(format!("{name}.middle"), json!(format!("{start}80")));
        places.insert(format!("{name}.end"), region["end_key"].clone());
        places.insert(name, region["id"].clone());
    }
    places
}

fn filled(value: &Value, places: &Places) -> Result<Value> {
    Ok(match value {
        Value::String(text) => {
            let whole = text
                .strip_prefix("${")
                .and_then(|rest| rest.strip_suffix('}'));
            match whole {
                Some(name) if !name.contains('$') => found(name, places)?.clone(),
                _ => Value::String(filled_text(text, places)?),
            }
        }
        Value::Array(elements) => {
            let elements = elements.iter().map(|element| filled(element, places));
            Value::Array(elements.collect::<Result<_>>()?)
        }
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, member)| Ok((name.clone(), filled(member, places)?)));
            Value::Object(members.collect::<Result<_>>()?)
        }
        other => other.clone(),
    })
}

fn filled_text(text: &str, places: &Places) -> Result<String> {
    let mut pieces = text.split("${");
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once('}').ok_or("`${` without `}`")?;
        match found(name, places)? {
            Value::String(value) => whole.push_str(value),
            value => whole.push_str(&value.to_string()),
        }
        whole.push_str(rest);
    }
    Ok(whole)
}

fn found<'a>(name: &str, places: &'a Places) -> Result<&'a Value> {
    places
        .get(name)
        .ok_or_else(|| format!("the cluster has no `{name}`").into())
}
