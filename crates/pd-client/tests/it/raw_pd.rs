//! A PD down to its bytes: each connection follows a script.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use pd_client::{Accepted, Client, Error};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::fault_server::read_request;
use crate::{quick, region};

/// The write that [`write`] sends.
pub(crate) const WRITE: &str = "DELETE /pd/api/v1/operators/12";

/// A write, whichever.
pub(crate) async fn write(pd: &Client) -> Result<Accepted, Error> {
    pd.cancel_operator(region(12)).await
}

/// What happened, in order: requests read, and what a test adds.
pub(crate) type Events = Arc<Mutex<Vec<String>>>;

/// Says which cluster it is of, and leaves the rest to a script.
pub(crate) struct RawPd {
    pub(crate) events: Events,
    address: SocketAddr,
    cluster_id: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

/// One connection to it.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) events: Events,
    cluster_id: Arc<AtomicU64>,
}

impl RawPd {
    /// Begins with cluster 7.
    pub(crate) async fn start<F>(script: impl Fn(Connection) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (events, cluster_id) = (Events::default(), Arc::new(AtomicU64::new(7)));
        let (theirs, theirs_too) = (Arc::clone(&events), Arc::clone(&cluster_id));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(script(Connection {
                    stream,
                    events: Arc::clone(&theirs),
                    cluster_id: Arc::clone(&theirs_too),
                }));
            }
        });
        Self {
            events,
            address,
            cluster_id,
            task,
        }
    }

    /// A PD that says yes to every write.
    pub(crate) async fn willing() -> Self {
        Self::start(|mut connection| async move {
            while connection.next_write().await.is_some() {
                connection.answer("200 OK", "null").await;
            }
        })
        .await
    }

    pub(crate) fn client(&self) -> Client {
        quick().endpoints(&self.url()).build().unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Is of another cluster from now on, as when another server is started at its address.
    pub(crate) fn become_cluster(&self, id: u64) {
        self.cluster_id.store(id, Ordering::SeqCst);
    }

    /// What happened since the last time.
    pub(crate) fn take_events(&self) -> Vec<String> {
        std::mem::take(&mut *self.events.lock().unwrap())
    }
}

impl Drop for RawPd {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Connection {
    /// Answers what comes before a write, and returns the next request that does not.
    pub(crate) async fn next_write(&mut self) -> Option<String> {
        loop {
            let request = self.next_request().await?;
            let id = self.cluster_id.load(Ordering::SeqCst);
            match request.as_str() {
                "GET /pd/api/v1/members" => {
                    let members = format!("{{\"header\":{{\"cluster_id\":{id}}},\"members\":[]}}");
                    self.answer("200 OK", &members).await;
                }
                "GET /pd/api/v1/cluster" => self.answer_check().await,
                _ => return Some(request),
            }
        }
    }

    /// Method and path of the next request.
    pub(crate) async fn next_request(&mut self) -> Option<String> {
        let request = read_request(&mut self.stream).await?;
        let line = request.split(" HTTP/1.1").next().unwrap().to_owned();
        self.events.lock().unwrap().push(line.clone());
        Some(line)
    }

    pub(crate) async fn answer_check(&mut self) {
        let id = self.cluster_id.load(Ordering::SeqCst);
        self.answer("200 OK", &format!("{{\"id\":{id}}}")).await;
    }

    pub(crate) async fn answer(&mut self, status: &str, body: &str) {
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
        let _ = self.stream.write_all(answer.as_bytes()).await;
    }
}
