//! What PD limits and writes down of the requests it gets.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::client::Client;
use crate::error::Error;
use crate::lenient::{null_is_default, text_bool};
use crate::transport::Call;

impl Client {
    /// Which requests PD limits, and whether it writes them down.
    ///
    /// `GET /service-middleware/config`, all versions.
    pub async fn service_middleware(&self) -> Result<ServiceMiddleware, Error> {
        let call = Call::point("/service-middleware/config");
        self.read(call).await?.json()
    }
}

/// What PD limits and writes down.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ServiceMiddleware {
    /// What it writes down.
    pub audit: Audit,
    /// What it limits over HTTP.
    pub rate_limit: RateLimit,
    /// Every other item under PD's name for it, such as what it limits over gRPC.
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

/// What PD writes down of requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Audit {
    /// Whether it does.
    #[serde(deserialize_with = "text_bool")]
    pub enable_audit: bool,
}

/// What PD limits. It answers 429 to what is too much.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct RateLimit {
    /// Whether it does; off before 8.0 unless set.
    #[serde(deserialize_with = "text_bool")]
    pub enable_rate_limit: bool,
    /// How much of each request, by PD's name for it, such as `GetStore`.
    #[serde(deserialize_with = "null_is_default")]
    pub limiter_config: BTreeMap<String, Limiter>,
}

/// How much of one request PD takes. Zero is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Limiter {
    /// Per second.
    #[serde(rename = "QPS")]
    pub qps: f64,
    /// At once.
    #[serde(rename = "QPSBurst")]
    pub qps_burst: i64,
    /// At the same time.
    #[serde(rename = "ConcurrencyLimit")]
    pub concurrency: u64,
}
