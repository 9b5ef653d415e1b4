//! A proxy before each member of PD, which counts what is sent and does to it what networks do.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::http::request::Parts;
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::adversary::random::Random;
use crate::adversary::request_log::RequestLog;

/// Asked for by a test, to know that what came before it was seen.
const MARK: &str = "/mark";

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    None,
    /// The connection is closed; nothing is handed on.
    Drop,
    /// It is handed on, and the connection is closed instead of an answer.
    LoseAnswer,
    /// It is handed on when its sender has given it up, or died, and looks; after so long at most.
    Hold(Duration),
    /// It is handed on when all is over: [`RequestLog::release`].
    HoldTillTheEnd,
    /// The answer comes when its sender has given it up, or died; after so long at most.
    HoldAnswer(Duration),
    /// Something else answers, and nothing is handed on.
    Refuse(u16, &'static str),
    /// It is handed on, and something else answers.
    Replace(u16, &'static str),
    /// Half of the answer comes.
    Cut,
}

/// What the network does, and how often.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) random: Random,
    /// One in so many reads is in trouble; 0 for none.
    pub(super) reads: u64,
    /// What becomes of the next writes, the first at the back.
    pub(super) writes: Vec<Trouble>,
    /// Where new connections lead, when not to PD: another cluster.
    pub(super) elsewhere: Option<String>,
    /// How many requests were in trouble.
    pub(super) faults: u64,
}

/// So many requests say that a sender which has given up a write looks what became of it.
const LOOKS: usize = 8;

const READS: &[Trouble] = &[
    Trouble::Drop,
    Trouble::LoseAnswer,
    Trouble::HoldAnswer(Duration::from_millis(300)),
    Trouble::HoldAnswer(Duration::from_millis(2_500)),
    Trouble::Refuse(500, "[PD:apiutil:ErrRedirect]redirect failed\n"),
    Trouble::Refuse(503, "no leader"),
    Trouble::Refuse(429, "Too Many Requests\n"),
    Trouble::Cut,
];

impl Network {
    fn trouble(&mut self, is_write: bool) -> Trouble {
        let trouble = match is_write {
            true => self.writes.pop().unwrap_or(Trouble::None),
            false if self.reads > 0 && self.random.one_in(self.reads) => self.random.pick(READS),
            false => Trouble::None,
        };
        self.faults += u64::from(trouble != Trouble::None);
        trouble
    }
}

/// The proxies, one for each member of PD.
pub(super) struct Proxies {
    addresses: Vec<String>,
    listeners: JoinSet<()>,
}

/// What a proxy does its work with.
#[derive(Clone)]
struct Between {
    address: String,
    upstream: String,
    is_elsewhere: bool,
    /// What PD calls its members, and what they are called here.
    names: Vec<(String, String)>,
    network: Arc<Mutex<Network>>,
    log: Arc<RequestLog>,
}

impl Proxies {
    pub(super) async fn before(
        members: &[String],
        network: &Arc<Mutex<Network>>,
        log: &Arc<RequestLog>,
    ) -> Self {
        let mut bound = Vec::new();
        let mut names = Vec::new();
        for member in members {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = format!("http://{}", listener.local_addr().unwrap());
            names.push((member.clone(), address));
            bound.push(listener);
        }
        let mut listeners = JoinSet::new();
        for (listener, (member, address)) in bound.into_iter().zip(&names) {
            let between = Arc::new(Between {
                address: address.clone(),
                is_elsewhere: false,
                upstream: member.trim_start_matches("http://").to_owned(),
                names: names.clone(),
                network: Arc::clone(network),
                log: Arc::clone(log),
            });
            listeners.spawn(listen(listener, between));
        }
        Self {
            addresses: names.into_iter().map(|(_, address)| address).collect(),
            listeners,
        }
    }

    /// Where PD seems to be.
    pub(super) fn addresses(&self) -> String {
        self.addresses.join(",")
    }

    /// Returns when what was sent before this has been seen: it goes the same way, three times.
    pub(super) async fn settle(&self) {
        for address in self.addresses.iter().cycle().take(3 * self.addresses.len()) {
            let request = Request::get(MARK).body(Full::default()).unwrap();
            let _ = exchange(address.trim_start_matches("http://"), request).await;
        }
    }
}

impl Between {
    /// What a connection that is made now leads to.
    fn now(between: &Arc<Self>) -> Arc<Self> {
        let elsewhere = between.network.lock().unwrap().elsewhere.clone();
        let Some(endpoint) = elsewhere else {
            return Arc::clone(between);
        };
        Arc::new(Self {
            upstream: endpoint.trim_start_matches("http://").to_owned(),
            is_elsewhere: true,
            names: vec![(endpoint, between.address.clone())],
            ..Self::clone(between)
        })
    }
}

impl Drop for Proxies {
    fn drop(&mut self) {
        self.listeners.abort_all();
    }
}

async fn listen(listener: TcpListener, between: Arc<Between>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let _ = stream.set_nodelay(true);
                let between = Between::now(&between);
                connections.spawn(async move {
                    let service = service_fn(move |request| respond(Arc::clone(&between), request));
                    let served = server::Builder::new().serve_connection(TokioIo::new(stream), service);
                    // A connection that breaks is what was wanted, or its client's business.
                    let _ = served.await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn respond(
    between: Arc<Between>,
    request: Request<Incoming>,
) -> Result<Response<Part>, Closed> {
    let (head, body) = request.into_parts();
    if head.uri.path() == MARK {
        return Ok(Response::new(Part::whole(Bytes::new())));
    }
    let body = body.collect().await.map_err(|_| Closed)?.to_bytes();
    // What PD keeps in etcd is read by a `POST`.
    let reads = head.method == "GET" || head.uri.path() == "/v3/kv/range";
    let is_write = !reads;
    let trouble = between.network.lock().unwrap().trouble(is_write);
    let write = is_write.then(|| between.log.write(&head, &body, trouble));
    between.log.request();
    let kept = between.log.keep();
    // Dropped with this, when the connection is.
    let (_waits, given_up) = oneshot::channel();
    // What holds a request hands it on, whoever gave it up.
    let handed_on = tokio::spawn(async move {
        let request = (head, body);
        let answer = hand_on(&between, request, trouble, write, given_up).await;
        drop(kept);
        answer
    });
    handed_on.await.map_err(|_| Closed)?
}

async fn hand_on(
    between: &Between,
    (head, body): (Parts, Bytes),
    trouble: Trouble,
    write: Option<usize>,
    mut given_up: oneshot::Receiver<()>,
) -> Result<Response<Part>, Closed> {
    match trouble {
        Trouble::Drop => return Err(Closed),
        Trouble::Refuse(status, words) => return Ok(other(status, words)),
        Trouble::Hold(longest) => {
            let looked = async {
                // Nothing is ever said: the other end goes.
                let _ = (&mut given_up).await;
                between.log.more_requests(LOOKS).await;
            };
            let _ = timeout(longest, looked).await;
        }
        Trouble::HoldTillTheEnd => between.log.released().await,
        _ => {}
    }
    let names = head.uri.path().contains("/members") || head.uri.path().contains("/leader");
    let request = Request::from_parts(head, Full::new(body));
    if write.is_some() {
        between.log.handed_on();
    }
    let (mut head, mut body) = exchange(&between.upstream, request).await?;
    match write {
        Some(write) if between.is_elsewhere => between.log.elsewhere(write),
        Some(write) => between.log.answered(write, head.status.as_u16()),
        None => {}
    }
    if names {
        let mut text = String::from_utf8_lossy(&body).into_owned();
        for (member, address) in &between.names {
            text = text.replace(member, address);
        }
        body = text.into();
    }
    head.headers.remove("content-length");
    match trouble {
        Trouble::LoseAnswer => return Err(Closed),
        Trouble::HoldAnswer(longest) => {
            let _ = timeout(longest, given_up).await;
        }
        Trouble::Replace(status, words) => return Ok(other(status, words)),
        _ => {}
    }
    let part = match trouble {
        Trouble::Cut => Part::half(body),
        _ => Part::whole(body),
    };
    Ok(Response::from_parts(head, part))
}

fn other(status: u16, words: &'static str) -> Response<Part> {
    let mut response = Response::new(Part::whole(Bytes::from_static(words.as_bytes())));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

async fn exchange(
    address: &str,
    request: Request<Full<Bytes>>,
) -> Result<(hyper::http::response::Parts, Bytes), Closed> {
    let stream = TcpStream::connect(address).await.map_err(|_| Closed)?;
    let _ = stream.set_nodelay(true);
    let made = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = made.map_err(|_| Closed)?;
    let connection = tokio::spawn(connection);
    let answer = async {
        let response = sender.send_request(request).await.map_err(|_| Closed)?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|_| Closed)?;
        Ok((head, body.to_bytes()))
    };
    let answer = answer.await;
    connection.abort();
    answer
}

/// The connection is closed instead of answering.
#[derive(Debug, thiserror::Error)]
#[error("closed")]
pub(super) struct Closed;

/// An answer's body, or half of it.
struct Part {
    left: Option<Bytes>,
    announced: u64,
    is_cut: bool,
}

impl Part {
    fn whole(body: Bytes) -> Self {
        Self {
            announced: body.len() as u64,
            left: Some(body),
            is_cut: false,
        }
    }

    fn half(body: Bytes) -> Self {
        Self {
            announced: body.len() as u64,
            left: Some(body.slice(..body.len() / 2)),
            is_cut: true,
        }
    }
}

impl Body for Part {
    type Data = Bytes;
    type Error = Closed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Closed>>> {
        match self.left.take() {
            Some(piece) if !piece.is_empty() => Poll::Ready(Some(Ok(Frame::data(piece)))),
            _ if self.is_cut => Poll::Ready(Some(Err(Closed))),
            _ => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}
