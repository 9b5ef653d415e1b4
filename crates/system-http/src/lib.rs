//! HTTP/1.1 to a system that is operated: what is read may be asked again, a write is sent once.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use http::Request;
//! use system_http::{Certificates, Connections, Limits, OneWrite, Sent, WriteTransport};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let connections = Connections::new(None, Certificates::default(), Duration::from_secs(2))?;
//! let limits = Limits { time: Duration::from_secs(5), body: 64 * 1024 };
//!
//! let question = Request::get("http://127.0.0.1:2379/version").body("".into())?;
//! println!("{}", system_http::read(&connections, question, limits).await?.status);
//!
//! let mut write = OneWrite::connect(&connections, "http://127.0.0.1:2379", limits.time).await?;
//! // Who is at the other end is asked on the very connection that the write is sent on.
//! let who = Request::get("http://127.0.0.1:2379/version").body("".into())?;
//! write.read(who, limits).await?;
//! let change = Request::post("http://127.0.0.1:2379/change").body("{}".into())?;
//! match write.send(change, None, limits).await {
//!     Ok(answer) => println!("answered {}", answer.status),
//!     Err(error) if error.sent == Sent::No => println!("nothing was sent"),
//!     Err(_) => println!("look before trying again"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! It knows no system: no path, no status of an answer and no word in it means anything here. It
//! follows no redirect, tries nothing a second time, reads no proxy from the environment and takes
//! no answer that is larger than it was told.

#![forbid(unsafe_code)]

pub use body::BodyError;
pub use certificates::{Certificates, Identity, Pem};
pub use connections::Connections;
pub use error::{BoxError, SetupError, report};
pub use exchange::{Answer, Limits, read};
pub use one_write::OneWrite;
pub use origin::{Origin, OriginError};
pub use permit::{HeldPermit, PermitRefused, SendPermit};
pub use transport::{
    Body, BodyChunks, HttpTransport, Sent, TransportError, WriteConnection, WriteTransport,
};

mod exchange;
mod one_write;
mod origin;
mod permit;
mod transport;

mod body;
mod certificates;
mod connection;
mod connections;
mod deadline;
mod error;
mod gate;
#[cfg(not(any(feature = "tls-aws-lc", feature = "tls-ring")))]
mod no_tls;
#[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
mod tls;
#[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
pub use tls::pem_problem;

#[cfg(feature = "testing")]
pub mod testing;

#[cfg(not(any(feature = "tls-aws-lc", feature = "tls-ring")))]
use no_tls as tls;

/// What the README shows is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
