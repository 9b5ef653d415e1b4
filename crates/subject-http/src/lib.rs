//! What a subject is made of whose system speaks JSON over HTTP: a client that keeps what
//! [`Mutation::send`](action_core::Mutation::send) promises, its errors, and TLS from settings.
//!
//! ```no_run
//! use action_core::{Addresses, Attempt, TlsFiles};
//! use serde_json::{Value, json};
//! use subject_http::{Call, Dialect, HttpClient, NotDone, Whose};
//!
//! /// What the system says when it refuses: a text, with a status of 4xx.
//! fn refused(status: u16, body: &str) -> NotDone {
//!     match status {
//!         400..500 => NotDone::refused("refused", body),
//!         _ => NotDone::unclear(format!("status {status}: {body}")),
//!     }
//! }
//!
//! # async fn example(attempt: &Attempt) -> Result<(), Box<dyn std::error::Error>> {
//! let hub = Dialect { name: "the hub", refused };
//! let addresses = Addresses("http://127.0.0.1:8080".to_owned());
//! let client = HttpClient::connect(hub, "address", &addresses, &TlsFiles::default())?;
//! let lamp: Value = client.read(Call::get("/lamp")).await?;
//! println!("{lamp}");
//!
//! // One write, to the hub that it was planned for and no other, with the attempt's permit.
//! let whose = Whose {
//!     ask: Call::get("/identity"),
//!     named: |who: &Value| who["serial"].to_string(),
//!     expected: attempt.system.as_deref(),
//! };
//! let switch = Call::put("/lamp", &json!({ "on": true }));
//! let answer: Value = client.write(client.first(), whose, switch, attempt).await?;
//! # Ok(())
//! # }
//! ```
//!
//! It knows no system: what a refusal is, the subject says. It never sends a write a second time.

#![forbid(unsafe_code)]

pub use call::Call;
pub use client::{Dialect, HttpClient, NotDone, Whose};
pub use error::HttpError;
pub use permit::AttemptPermit;
pub use settings::{certificates, read, readable};
pub use system_http::Origin;

mod call;
mod client;
mod error;
mod permit;
mod settings;

/// What the README shows is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
