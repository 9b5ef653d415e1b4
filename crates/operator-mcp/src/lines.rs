//! Messages over stdin and stdout, one a line.
//!
//! As `rmcp` does it, but for what cannot be read: where that has an id, whoever waits for its answer is
//! told.

use std::io;
use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use rmcp::RoleServer;
use rmcp::model::{ClientJsonRpcMessage, ErrorData, RequestId, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::{DEFAULT_MAX_LINE_LENGTH, JsonRpcMessageCodec};
use rmcp::transport::io::{StdioReader, StdioWriter, stdio_pipes};
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Mutex;
use tokio_util::codec::{AnyDelimiterCodec, AnyDelimiterCodecError, FramedRead, FramedWrite};

/// What is written, until it is closed.
type Writer<W> = Arc<Mutex<Option<FramedWrite<W, JsonRpcMessageCodec<ServerJsonRpcMessage>>>>>;

/// A client at the other end of two pipes.
pub(crate) struct Lines<R, W> {
    read: FramedRead<R, AnyDelimiterCodec>,
    write: Writer<W>,
}

impl Lines<StdioReader, StdioWriter> {
    pub(crate) fn stdio() -> Self {
        let (read, write) = stdio_pipes();
        Self::new(read, write)
    }
}

impl<R: AsyncRead, W: AsyncWrite> Lines<R, W> {
    pub(crate) fn new(read: R, write: W) -> Self {
        let lines = AnyDelimiterCodec::new_with_max_length(
            b"\n".to_vec(),
            Vec::new(),
            DEFAULT_MAX_LINE_LENGTH,
        );
        let messages = FramedWrite::new(write, JsonRpcMessageCodec::default());
        Self {
            read: FramedRead::new(read, lines),
            write: Arc::new(Mutex::new(Some(messages))),
        }
    }
}

impl<R, W> Transport<RoleServer> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let write = Arc::clone(&self.write);
        async move {
            match &mut *write.lock().await {
                Some(write) => write.send(message).await.map_err(io::Error::from),
                None => Err(io::ErrorKind::NotConnected.into()),
            }
        }
    }

    /// Loses nothing when it is dropped.
    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            match self.read.next().await? {
                Ok(line) => match read(&line) {
                    Line::Message(message) => return Some(*message),
                    Line::Nothing => {}
                    Line::Wrong(error, id) => {
                        let message = ServerJsonRpcMessage::error(error, id);
                        self.send(message).await.ok()?;
                    }
                },
                // The rest of that line is left out.
                Err(AnyDelimiterCodecError::MaxChunkLengthExceeded) => {
                    tracing::warn!("message skipped: larger than 16 MiB");
                }
                Err(AnyDelimiterCodecError::Io(error)) => {
                    tracing::warn!(%error, "cannot read from the client any more");
                    return None;
                }
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        drop(self.write.lock().await.take());
        Ok(())
    }
}

/// What a line is.
enum Line {
    Message(Box<ClientJsonRpcMessage>),
    /// Nothing that anybody waits for an answer to.
    Nothing,
    Wrong(ErrorData, Option<RequestId>),
}

/// No more of a message than its id, however deep the rest is and whatever its texts hold.
#[derive(Deserialize)]
struct Head {
    id: Option<RequestId>,
}

fn read(line: &[u8]) -> Line {
    let line = line
        .strip_prefix(b"\xEF\xBB\xBF".as_slice())
        .unwrap_or(line);
    let wrong = match serde_json::from_slice(line) {
        Ok(message) => return Line::Message(Box::new(message)),
        Err(wrong) => wrong,
    };
    let id = match serde_json::from_slice::<Head>(line) {
        Ok(Head { id }) => id,
        // What is no JSON is not answered, as in the other SDKs: two that answer it never end.
        Err(_) => return Line::Nothing,
    };
    match serde_json::from_slice::<Value>(line) {
        Ok(message) if id.is_none() && message.get("method").is_some() => Line::Nothing,
        Ok(_) => Line::Wrong(
            ErrorData::invalid_request("not a request of the protocol", None),
            id,
        ),
        Err(_) if id.is_none() => Line::Nothing,
        Err(_) => {
            let why = format!("cannot read the message: {wrong}");
            Line::Wrong(ErrorData::parse_error(why, None), id)
        }
    }
}
