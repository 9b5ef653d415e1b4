//! What a gate says piece by piece.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{BoxStream, unfold};
use rmcp::transport::streamable_http_client::SseError;
use sse_stream::{Sse, SseStream};
use system_http::{Body, TransportError};
use tokio::time::timeout;

/// How long nothing may come: a gate answers within 45 seconds, and fills open streams meanwhile.
pub(super) const SILENT: Duration = Duration::from_secs(120);

/// How long an answer may be, and an event, in bytes.
pub(super) const MOST: usize = 16 * 1024 * 1024;

pub(super) async fn next(body: &mut Body) -> Result<Option<Bytes>, TransportError> {
    match timeout(SILENT, body.next()).await {
        Ok(next) => next.map_err(TransportError::maybe_sent),
        Err(silent) => Err(TransportError::maybe_sent(silent)),
    }
}

pub(super) fn events(body: Body) -> BoxStream<'static, Result<Sse, SseError>> {
    let pieces = unfold(Some((body, Event::default())), async |rest| {
        let (mut body, mut event) = rest?;
        let piece = match next(&mut body).await {
            Ok(piece) => piece?,
            Err(error) => return Some((Err(error), None)),
        };
        match event.goes_on(&piece) {
            true => Some((Ok(piece), Some((body, event)))),
            false => {
                let error = format!("an event larger than {MOST} bytes");
                Some((Err(TransportError::maybe_sent(error)), None))
            }
        }
    });
    SseStream::from_bytes_stream(pieces).boxed()
}

/// How long an event is so far, which an empty line ends.
#[derive(Default)]
struct Event {
    bytes: usize,
    is_line_empty: bool,
}

impl Event {
    /// Whether it is still no longer than an answer may be.
    fn goes_on(&mut self, piece: &[u8]) -> bool {
        for byte in piece {
            self.bytes += 1;
            match byte {
                b'\n' if self.is_line_empty => *self = Self::default(),
                b'\n' => self.is_line_empty = true,
                b'\r' => {}
                _ => self.is_line_empty = false,
            }
            if self.bytes > MOST {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_ends_with_an_empty_line_and_not_before() {
        let mut short = Event::default();
        for _ in 0..2 {
            assert!(short.goes_on(b"data: x\r"));
            assert!(short.goes_on(&b"\n".repeat(MOST)));
            assert!(short.goes_on(&b"\ndata: x\n\r\n".repeat(MOST / 8)));
        }
        for line in ["x", "data: x\n"] {
            let mut long = Event::default();
            let most = MOST / line.len() * line.len();
            assert!(long.goes_on(line.repeat(MOST / line.len()).as_bytes()));
            assert!(
                !long.goes_on(line.repeat(1 + (MOST - most)).as_bytes()),
                "{line:?}"
            );
        }
    }
}
