//! The handle: how the system is reached, how it refuses, what it answers, how it is written to.

use action_core::{Accepted, Addresses, Attempt, Connect, ConnectError, TlsFiles};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use subject_http::{Call, Dialect, HttpClient, HttpError, NotDone, Whose};

/// One system.
#[derive(Debug, Clone)]
pub struct SubjectName {
    http: HttpClient,
}

/// How a system is reached.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectNameSettings {
    /// Where it is, such as `http://127.0.0.1:8080`.
    #[schemars(extend("x-env" = "SUBJECT_NAME_ADDR"))]
    pub address: Addresses,
    /// TLS to it.
    #[serde(default)]
    pub tls: TlsFiles,
}

/// How it refuses: with 409 and a text nothing was done; any other answer decides nothing.
const DIALECT: Dialect = Dialect {
    name: "subject_name",
    refused: |status, body| match status {
        409 => NotDone::refused("above_limit", body),
        _ => NotDone::unclear(format!("status {status}: {body}")),
    },
};

/// What `GET /identity` answers.
#[derive(Debug, Deserialize)]
pub(crate) struct Who {
    pub(crate) id: String,
}

/// What `GET /level` answers.
#[derive(Debug, Deserialize)]
pub(crate) struct Level {
    pub(crate) level: u64,
    /// Above this it refuses.
    pub(crate) limit: u64,
}

#[async_trait]
impl Connect for SubjectName {
    type Settings = SubjectNameSettings;
    const TITLE: &'static str = "subject_name";
    const ANSWERS: &'static str = "subject_name";
    const ADDRESS: &'static str = "address";

    async fn connect(settings: SubjectNameSettings) -> Result<Self, ConnectError> {
        let (address, tls) = (&settings.address, &settings.tls);
        let http = HttpClient::connect(DIALECT, Self::ADDRESS, address, tls)?;
        Ok(Self { http })
    }
}

impl SubjectName {
    pub(crate) async fn who(&self) -> Result<Who, HttpError> {
        self.http.read(Call::get("/identity")).await
    }

    pub(crate) async fn level(&self) -> Result<Level, HttpError> {
        self.http.read(Call::get("/level")).await
    }

    /// Sends one write, to the system that it was planned for and to no other.
    pub(crate) async fn send(&self, call: Call, attempt: &Attempt) -> Result<Accepted, HttpError> {
        let whose = Whose {
            ask: Call::get("/identity"),
            named: |who: &Who| who.id.clone(),
            expected: attempt.system.as_deref(),
        };
        let at = self.http.first();
        let answer: Value = self.http.write(at, whose, call, attempt).await?;
        Ok(Accepted::new(answer.to_string()))
    }
}
