//! Asks a gate: each request once, with what proves who asks, and over TLS where it leaves this machine.
//!
//! ```no_run
//! use gate_client::{Certificates, Client, Place, Who};
//!
//! # async fn example(token: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let place = Place::new("https://gate.example.com:7070", Certificates::default())?;
//! let client = Client::new(place, Who::token(token)?);
//! let answer = client.get("/api/v1/mode").await?;
//! println!("{}: {}", answer.status, answer.body);
//! # Ok(())
//! # }
//! ```
//!
//! It knows no path of a gate and no word of its answers.

#![forbid(unsafe_code)]

pub use client::{Answer, AskError, Asked, Client, Who};
pub use place::{Place, PlaceError, segment};
pub use system_http::{Body, Certificates, Identity, Pem, Sent, TransportError};

mod client;
mod place;

/// What the README shows is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
