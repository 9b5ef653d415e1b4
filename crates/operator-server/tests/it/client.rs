//! Requests as they are on the wire.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::openapi;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let json = serde_json::from_str(&self.body);
        json.unwrap_or_else(|error| unreachable!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

/// Asks with these lines in the head.
pub(crate) async fn ask(
    to: SocketAddr,
    method: &str,
    path: &str,
    head: &[&str],
    body: &str,
) -> Answer {
    let stream = TcpStream::connect(to).await.unwrap();
    let answer = ask_over(stream, &to.to_string(), method, path, head, body).await;
    openapi::holds(to, method, path, &answer).await;
    answer
}

/// The same over a connection that is there.
pub(crate) async fn ask_over(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    host: &str,
    method: &str,
    path: &str,
    head: &[&str],
    body: &str,
) -> Answer {
    let mut request = format!("{method} {path} HTTP/1.1\r\n");
    if !head
        .iter()
        .any(|line| line.to_lowercase().starts_with("host:"))
    {
        request += &format!("Host: {host}\r\n");
    }
    for line in head {
        request += &format!("{line}\r\n");
    }
    let length = body.len();
    request += &format!("Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    // Who refuses early reads no more.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    read(&String::from_utf8(answer).unwrap())
}

fn read(answer: &str) -> Answer {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let is_chunked = head.to_lowercase().contains("transfer-encoding: chunked");
    Answer {
        status: status.unwrap_or(0),
        head: head.to_lowercase(),
        body: if is_chunked {
            unchunked(body)
        } else {
            body.to_owned()
        },
    }
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let length = usize::from_str_radix(length.trim(), 16).unwrap_or(0);
        if length == 0 {
            break;
        }
        whole += &rest[..length];
        body = rest[length..].trim_start_matches("\r\n");
    }
    whole
}
