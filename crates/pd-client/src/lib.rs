//! A typed client of TiKV's Placement Driver (PD) over HTTP that never sends a mutation twice.
//!
//! ```no_run
//! use pd_client::{Client, Error, ErrorClass, RegionId, StoreId};
//!
//! # async fn example() -> Result<(), Error> {
//! let pd = Client::new("pd-0:2379,pd-1:2379,pd-2:2379")?.with_caller_id("docs")?;
//! for store in pd.stores().await? {
//!     println!("{} at {}: {} leaders", store.id, store.address, store.status.leader_count);
//! }
//!
//! let (region, target) = (RegionId::new(12)?, StoreId::new(4)?);
//! match pd.add_transfer_leader_operator(region, target).await {
//!     // Acceptance is not completion: look at the region.
//!     Ok(accepted) => println!("{}", accepted.message),
//!     Err(error) => match error.class() {
//!         ErrorClass::Unanswered | ErrorClass::Unreadable => println!("look before trying again"),
//!         _ => println!("nothing was done: {}", error.report()),
//!     },
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Reads are tried on every endpoint, once each. A write is sent to the PD leader's own address,
//! once, on a connection of its own and only to the cluster that the client has known so far; it
//! goes on to another endpoint only when it is proved that it was not sent. A [`SendPermit`] is
//! asked last. [`Error`] keeps apart what is known of a request that failed. Dropping the future
//! of a write leaves its effect unknown.

#![forbid(unsafe_code)]

pub use builder::{ClientBuilder, Timeouts};
pub use client::Client;
pub use clock::ClockOffset;
pub use error::{Error, ErrorClass, InputError};
pub use ids::{ClusterId, IdError, MAX_ID, MemberId, PeerId, RegionId, StoreId};
pub use refusal::PdError;
pub use transport::Accepted;
pub use version::{Capability, Version};

#[doc(no_inline)]
pub use system_http::{
    Body, BodyChunks, BoxError, HeldPermit, HttpTransport, PermitRefused, SendPermit, Sent,
    SetupError, TransportError, WriteConnection, WriteTransport,
};

mod builder;
mod client;
mod error;
mod ids;

pub mod affinity;
pub mod checkers;
pub mod cluster;
pub mod config;
pub mod gauges;
pub mod hotspots;
pub mod maintenance;
pub mod members;
pub mod operators;
pub mod region_labels;
pub mod regions;
pub mod rules;
pub mod schedulers;
pub mod stores;
pub mod unsafe_recovery;

mod clock;
mod endpoint;
mod lenient;
mod refusal;
mod time;
mod transport;
mod version;

/// What the README shows is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
