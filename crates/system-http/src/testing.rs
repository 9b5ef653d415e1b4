//! For tests of clients: a server whose requests and answers can be lost.
//!
//! ```
//! use system_http::testing::{FakeAnswer, FakeApi, FakeRequest, FakeServer};
//!
//! /// A system that holds one number.
//! struct Number(u64);
//!
//! impl FakeApi for Number {
//!     fn is_write(&self, request: &FakeRequest) -> bool {
//!         request.method != "GET"
//!     }
//!
//!     fn answer(&mut self, request: &FakeRequest) -> FakeAnswer {
//!         if self.is_write(request) {
//!             self.0 += 1;
//!         }
//!         FakeAnswer::new(200, self.0.to_string())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let server = FakeServer::start(Number(7)).await?;
//! server.lose_next_answer();
//! // A client of `server.origin()` that writes now gets no answer.
//! assert_eq!(server.writes(), 0);
//! # Ok(())
//! # }
//! ```

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What a fake system answers.
pub trait FakeApi: Send + 'static {
    /// Whether a request changes something. Writes are counted, and can be lost.
    fn is_write(&self, request: &FakeRequest) -> bool;

    /// Carries a request out.
    fn answer(&mut self, request: &FakeRequest) -> FakeAnswer;
}

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FakeRequest {
    /// Which of the fake's servers it arrived at, from 0.
    pub server: usize,
    /// In capitals.
    pub method: String,
    /// With its query.
    pub path: String,
    /// Its body.
    pub body: String,
}

/// What a request is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FakeAnswer {
    /// HTTP's status.
    pub status: u16,
    /// Said to be JSON.
    pub body: String,
}

impl FakeAnswer {
    /// This status with this body.
    #[must_use]
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        let body = body.into();
        Self { status, body }
    }
}

/// Servers on loopback, all of one system. They end when this is dropped.
pub struct FakeServer<A> {
    origins: Vec<String>,
    shared: Arc<Mutex<Shared<A>>>,
    _tasks: JoinSet<()>,
}

struct Shared<A> {
    api: A,
    writes: u64,
    lose: Option<Lose>,
}

#[derive(Clone, Copy)]
enum Lose {
    Request,
    Answer,
}

impl<A: FakeApi> FakeServer<A> {
    /// One server, on a port of its own.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start(api: A) -> io::Result<Self> {
        Self::start_several(1, |_| api).await
    }

    /// Several servers of one system, which is told their origins.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start_several(count: usize, api: impl FnOnce(&[String]) -> A) -> io::Result<Self> {
        let mut listeners = Vec::new();
        let mut origins = Vec::new();
        for _ in 0..count {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            origins.push(format!("http://{}", listener.local_addr()?));
            listeners.push(listener);
        }
        let shared = Arc::new(Mutex::new(Shared {
            api: api(&origins),
            writes: 0,
            lose: None,
        }));
        let mut tasks = JoinSet::new();
        for (server, listener) in listeners.into_iter().enumerate() {
            tasks.spawn(listen(server, listener, Arc::clone(&shared)));
        }
        Ok(Self {
            origins,
            shared,
            _tasks: tasks,
        })
    }

    /// Where the first server is, such as `http://127.0.0.1:40100`.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.origins.first().map_or("", String::as_str)
    }

    /// Where all of them are.
    #[must_use]
    pub fn origins(&self) -> &[String] {
        &self.origins
    }

    /// Looks at the system, or changes it behind its clients' backs.
    pub fn with<T>(&self, look: impl FnOnce(&mut A) -> T) -> T {
        look(&mut locked(&self.shared).api)
    }

    /// How many writes have arrived.
    #[must_use]
    pub fn writes(&self) -> u64 {
        locked(&self.shared).writes
    }

    /// The next write is neither carried out nor counted; its connection is closed.
    pub fn lose_next_request(&self) {
        locked(&self.shared).lose = Some(Lose::Request);
    }

    /// The next write is carried out, and its connection is closed without an answer.
    pub fn lose_next_answer(&self) {
        locked(&self.shared).lose = Some(Lose::Answer);
    }
}

async fn listen<A: FakeApi>(server: usize, listener: TcpListener, shared: Arc<Mutex<Shared<A>>>) {
    // They end with the set.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(server, stream, Arc::clone(&shared)));
    }
}

async fn serve<A: FakeApi>(server: usize, mut stream: TcpStream, shared: Arc<Mutex<Shared<A>>>) {
    let mut received = Vec::new();
    while let Some(request) = next_request(server, &mut stream, &mut received).await {
        let answer = match locked(&shared).handle(&request) {
            Some(answer) => answer,
            None => return,
        };
        let FakeAnswer { status, body } = answer;
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status} Fake\r\ncontent-type: application/json\r\ncontent-length: \
             {length}\r\n\r\n{body}"
        );
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The next whole request; `None` when the client is gone or speaks something else.
async fn next_request(
    server: usize,
    stream: &mut TcpStream,
    received: &mut Vec<u8>,
) -> Option<FakeRequest> {
    loop {
        if let Some((request, length)) = parsed(server, received) {
            received.drain(..length);
            return Some(request);
        }
        if stream.read_buf(received).await.ok()? == 0 {
            return None;
        }
    }
}

/// The request that these bytes begin with, and how many are its own.
fn parsed(server: usize, received: &[u8]) -> Option<(FakeRequest, usize)> {
    let end = received.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(received.get(..end)?);
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_it = name.eq_ignore_ascii_case("content-length");
        is_it.then(|| value.trim().parse::<usize>().ok())?
    });
    let end_of_body = end + length.unwrap_or(0);
    let body = String::from_utf8_lossy(received.get(end..end_of_body)?).into_owned();
    let request = FakeRequest {
        server,
        method,
        path,
        body,
    };
    Some((request, end_of_body))
}

impl<A: FakeApi> Shared<A> {
    /// The answer, unless it is lost.
    fn handle(&mut self, request: &FakeRequest) -> Option<FakeAnswer> {
        if !self.api.is_write(request) {
            return Some(self.api.answer(request));
        }
        let lose = self.lose.take();
        if matches!(lose, Some(Lose::Request)) {
            return None;
        }
        self.writes += 1;
        let answer = self.api.answer(request);
        lose.is_none().then_some(answer)
    }
}

fn locked<A>(shared: &Mutex<Shared<A>>) -> MutexGuard<'_, Shared<A>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
