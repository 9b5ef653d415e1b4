//! Asking the simulator as any client would.

use pd_sim::Sim;

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

/// Sends a request; `None` if no whole answer came back.
pub(crate) async fn send(sim: &Sim, method: &str, path: &str, body: &str) -> Option<Answer> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client");
    let method = method.parse().expect("a method");
    let response = client
        .request(method, format!("{}/pd/api/v1{path}", sim.endpoint()))
        .header("X-Caller-ID", "recorder")
        .body(body.to_owned())
        .send()
        .await
        .ok()?;
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        Some(value.to_str().expect("a text header").to_owned())
    };
    let (content_type, error_code, date) = (
        header("content-type"),
        header("tidb-error-code"),
        header("date"),
    );
    Some(Answer {
        status: response.status().as_u16(),
        content_type,
        error_code,
        date,
        body: response.bytes().await.ok()?.to_vec(),
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
