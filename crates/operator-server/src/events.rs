//! What happens, as it is written down: the records that who asks may see, as server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State as Gated;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::unfold;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::api::Answer;
use crate::gate::Gate;
use crate::input::Filter;
use crate::listeners::Place;
use crate::problem::Problem;
use crate::records::{Readers, shown};
use crate::who::Asker;

/// Between two looks whether something was written down.
const LOOK: Duration = Duration::from_millis(500);

/// How many records are read at a time.
const AT_A_TIME: usize = 200;

/// Whoever is silent for longer may be gone.
const ALIVE: Duration = Duration::from_secs(15);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct From {
    /// Records with higher numbers than this; without it and `Last-Event-ID`, those from now on.
    after: Option<u64>,
}

/// The id of each event is the number of its record: who comes again with the last one misses nothing.
pub(crate) async fn events(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    headers: HeaderMap,
    Filter(from): Filter<From>,
) -> Answer {
    let head = gate.journal().head().await?.seq;
    let (name, after) = match last(&headers)? {
        Some(last) => ("Last-Event-ID", last),
        None => ("after", from.after.unwrap_or(head)),
    };
    // Who has seen more than there is has seen another journal: records would be missed in silence.
    if after > head {
        let text = format!("`{name}` is {after}, but the last record of this journal is {head}");
        return Err(Problem::invalid(text));
    }
    let place = gate.listeners().place(asker.actor.as_str());
    let place = place.ok_or_else(|| {
        let text = "too many event streams: at most four per caller, and 64 in total";
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", text)
    })?;
    let listening = Listening {
        gate,
        asker,
        after,
        seen: VecDeque::new(),
        place,
    };
    let events = unfold(listening, next);
    let alive = KeepAlive::new().interval(ALIVE);
    Ok(Sse::new(events).keep_alive(alive).into_response())
}

/// The number of the last record that who comes again has seen.
fn last(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(last) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let number = last.to_str().ok().and_then(|text| text.parse().ok());
    let wrong = || Problem::invalid("invalid `Last-Event-ID`: use the number of a record");
    number.map(Some).ok_or_else(wrong)
}

/// One who listens, and how far they are.
struct Listening {
    gate: Gate,
    asker: Asker,
    after: u64,
    seen: VecDeque<Value>,
    place: Place,
}

type Next = Option<(Result<Event, Infallible>, Listening)>;

/// The next record that they may see. The end, where the journal cannot be read: they come again.
async fn next(mut listening: Listening) -> Next {
    loop {
        if let Some(record) = listening.seen.pop_front() {
            return Some((Ok(event(&record)), listening));
        }
        if !listening.read().await? {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = listening.place.ended() => return None,
            }
        }
    }
}

fn event(record: &Value) -> Event {
    let kind = record["record"]["kind"].as_str().unwrap_or("record");
    let event = Event::default().id(record["seq"].to_string());
    event.event(kind).data(record.to_string())
}

impl Listening {
    /// Whether there was something to read.
    async fn read(&mut self) -> Option<bool> {
        let journal = self.gate.journal();
        let entries = journal.entries(self.after, AT_A_TIME).await.ok()?;
        let Some(last) = entries.last() else {
            return Some(false);
        };
        self.after = last.seq;
        let mut readers = Readers::new(&self.gate, &self.asker);
        for entry in &entries {
            if readers.may_see(entry).await.ok()? {
                self.seen.push_back(shown(entry));
            }
        }
        Some(true)
    }
}
