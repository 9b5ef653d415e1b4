//! A server that can do everything to a request but answer it properly.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What a client asks before it sends a write. Writes go to the endpoints as they were given; the
/// connection stays.
pub(crate) const BEFORE_WRITES: [(&str, &str); 2] = [
    (
        "GET /pd/api/v1/members ",
        "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{\"header\":{\"cluster_id\":7},\"members\":[]}",
    ),
    (
        "GET /pd/api/v1/cluster ",
        "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{\"id\":7}",
    ),
];

/// What happens to every request other than those that come before a write.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// The connection is reset before anything is read.
    ResetAfterAccept,
    /// The request is read, and the connection closed.
    CloseAfterRead,
    /// The request is read, and the connection reset.
    ResetAfterRead,
    /// The request is read, and never answered.
    Hang,
    /// These bytes are the answer, and the end.
    Answer(String),
    /// The first request of a connection is answered, the second read and the connection closed.
    AnswerThenClose(String),
    /// These bytes are the answer to everything, also to what comes before a write.
    AnswerEverything(String),
}

/// Counts what it receives.
pub(crate) struct FaultServer {
    pub(crate) address: SocketAddr,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

#[derive(Default)]
pub(crate) struct Counts {
    connections: AtomicUsize,
    requests: AtomicUsize,
}

impl FaultServer {
    pub(crate) async fn start(fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Arc::new(Counts::default());
        let counting = Arc::clone(&counts);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counting.connections.fetch_add(1, Ordering::SeqCst);
                let (fault, counts) = (fault.clone(), Arc::clone(&counting));
                tokio::spawn(async move { misbehave(stream, &fault, &counts).await });
            }
        });
        Self {
            address,
            counts,
            task,
        }
    }

    /// A server that answers like PD: yes to everything.
    pub(crate) async fn healthy() -> Self {
        Self::start(Fault::Answer(ok("\"The operator is created.\"\n"))).await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests that were read whole, but for those that come before a write.
    pub(crate) fn requests(&self) -> usize {
        self.counts.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An address that refuses connections.
pub(crate) async fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// A 200 with this JSON body.
pub(crate) fn ok(body: &str) -> String {
    answer("200 OK", "", body)
}

/// An answer with a length that is right.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

async fn misbehave(mut stream: TcpStream, fault: &Fault, counts: &Counts) {
    if matches!(fault, Fault::ResetAfterAccept) {
        stream.set_zero_linger().unwrap();
        return;
    }
    let mut answered = false;
    loop {
        let Some(request) = read_request(&mut stream).await else {
            return;
        };
        let mut before = BEFORE_WRITES.iter();
        if let Some((_, answer)) = before.find(|(asked, _)| request.starts_with(asked))
            && !matches!(fault, Fault::AnswerEverything(_))
        {
            let _ = stream.write_all(answer.as_bytes()).await;
            continue;
        }
        counts.requests.fetch_add(1, Ordering::SeqCst);
        match fault {
            Fault::ResetAfterAccept | Fault::CloseAfterRead => {}
            Fault::ResetAfterRead => stream.set_zero_linger().unwrap(),
            Fault::Hang => std::future::pending().await,
            Fault::AnswerThenClose(bytes) if !answered => {
                answered = true;
                let _ = stream.write_all(bytes.as_bytes()).await;
                continue;
            }
            Fault::AnswerThenClose(_) => {}
            Fault::Answer(bytes) | Fault::AnswerEverything(bytes) => {
                let _ = stream.write_all(bytes.as_bytes()).await;
            }
        }
        return;
    }
}

/// Head and body of the next request.
pub(crate) async fn read_request<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.trim().parse().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(length) => read.extend_from_slice(&chunk[..length]),
        }
    }
}
