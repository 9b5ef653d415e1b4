//! Instant queries of the Prometheus HTTP API, typed and bounded.
//!
//! ```no_run
//! # async fn example() -> Result<(), prom_client::Error> {
//! let prometheus = prom_client::Client::new("http://prometheus:9090")?;
//! for sample in prometheus.query("up == 0").await? {
//!     println!("{:?} is down", sample.labels.get("instance"));
//! }
//! # Ok(())
//! # }
//! ```
//!
//! It asks what is, never what was: one expression, one time, one list of numbers. Whatever speaks
//! the same API will do: Thanos, VictoriaMetrics, Mimir. Nothing is sent twice, no redirect is
//! followed, no proxy is read from the environment, and an answer has a largest size.

#![forbid(unsafe_code)]

pub use client::{Client, ClientBuilder};
pub use error::Error;
pub use sample::Sample;

mod client;
mod error;
mod sample;

/// What the README shows is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
