//! Asking the simulator as any client would.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use pd_sim::{Builder, Clock, Sim};
use serde_json::Value as Json;
use tokio::net::TcpStream;

/// An answer, read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) error_code: Option<String>,
    pub(crate) date: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends a request to the first member; `None` if no whole answer came back.
pub(crate) async fn send(sim: &Sim, method: &str, path: &str, body: &str) -> Option<Answer> {
    let headers = [("X-Caller-ID", "recorder")];
    let path = format!("/pd/api/v1{path}");
    ask(sim.endpoint(), method, &path, &headers, body)
        .await
        .ok()
}

/// Why no whole answer came back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// Nothing listens.
    Refused,
    /// The connection broke, or what came back is not HTTP.
    Broken,
}

/// Sends a request on a connection of its own.
pub(crate) async fn ask(
    endpoint: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Answer, Unanswered> {
    let address = endpoint.trim_start_matches("http://");
    let stream = TcpStream::connect(address)
        .await
        .map_err(|_| Unanswered::Refused)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|_| Unanswered::Broken)?;
    tokio::spawn(connection);
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", address);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request
        .body(Full::new(Bytes::from(body.to_owned())))
        .expect("a request");
    let response = sender.send_request(request).await;
    let response = response.map_err(|_| Unanswered::Broken)?;
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        Some(value.to_str().expect("a text header").to_owned())
    };
    let (content_type, error_code, date) = (
        header("content-type"),
        header("tidb-error-code"),
        header("date"),
    );
    let status = response.status().as_u16();
    let body = response.into_body().collect().await;
    let body = body.map_err(|_| Unanswered::Broken)?.to_bytes();
    Ok(Answer {
        status,
        content_type,
        error_code,
        date,
        body: body.to_vec(),
    })
}

pub(crate) async fn get(sim: &Sim, path: &str) -> Answer {
    send(sim, "GET", path, "").await.expect("an answer")
}

pub(crate) async fn post(sim: &Sim, path: &str, body: &str) -> Answer {
    send(sim, "POST", path, body).await.expect("an answer")
}

pub(crate) async fn delete(sim: &Sim, path: &str) -> Answer {
    send(sim, "DELETE", path, "").await.expect("an answer")
}

/// Five stores and sixty regions, on a stepped clock.
pub(crate) async fn start() -> Sim {
    start_with(|builder| builder).await
}

/// [`start`], with something different.
pub(crate) async fn start_with(change: impl FnOnce(Builder) -> Builder) -> Sim {
    let builder = Sim::builder().clock(Clock::Stepped).seed(7);
    change(builder).start().await.expect("the simulator starts")
}

/// Asks for an operator; the answer as status and text.
pub(crate) async fn operator(sim: &Sim, body: &Json) -> (u16, String) {
    let answer = post(sim, "/operators", &body.to_string()).await;
    let text = answer.text();
    let text = serde_json::from_str(&text).unwrap_or(text);
    (answer.status, text)
}

/// What `GET /operators/{region}` says before the operator's text.
pub(crate) async fn status_of(sim: &Sim, region: u64) -> (String, String) {
    let text = get(sim, &format!("/operators/{region}")).await.text();
    let text: String = serde_json::from_str(&text).expect("a text");
    let (status, operator) = text
        .strip_prefix("status: ")
        .and_then(|rest| rest.split_once(", operator: "))
        .unwrap_or_else(|| panic!("{text}"));
    let desc = operator.split(' ').next().unwrap_or_default();
    (status.to_owned(), desc.to_owned())
}

/// An answer has this status and this text.
#[track_caller]
pub(crate) fn says(answer: &Answer, status: u16, text: &str) {
    assert_eq!((answer.status, &*answer.text()), (status, text));
}

/// What a path answers, as JSON.
pub(crate) async fn json_of(sim: &Sim, path: &str) -> Json {
    serde_json::from_str(&get(sim, path).await.text()).expect("JSON")
}

/// The answer to an accepted operator.
pub(crate) const CREATED: &str = "The operator is created.";
/// The answer when the region has one that does not give way.
pub(crate) const HAS_ONE: &str =
    "[PD:operator:ErrAddOperator]failed to add operator, maybe already have one";
