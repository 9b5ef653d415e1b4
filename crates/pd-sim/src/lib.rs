//! A TiKV Placement Driver and its stores in one process, on real sockets.
//!
//! The simulator answers PD's HTTP API byte for byte as a real PD does, and its stores do what PD
//! asks of them, on a clock that is either real or moved by the test. What it answers is held to
//! recordings of real servers. Requests can be made to fail on the way in and on the way out.
//!
//! ```
//! use std::time::Duration;
//!
//! use pd_sim::{Clock, Fault, Sim, Version};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use tokio::net::TcpStream;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sim = Sim::builder()
//!     .version(Version::V8_5)
//!     .stores(5)
//!     .regions(60)
//!     .clock(Clock::Stepped)
//!     .seed(1)
//!     .start()
//!     .await?;
//!
//! let region = sim.region_ids()[0];
//! let body = format!(r#"{{"name":"transfer-leader","region_id":{region},"to_store_id":2}}"#);
//! let request = format!(
//!     "POST /pd/api/v1/operators HTTP/1.1\r\nhost: pd\r\ncontent-length: {}\r\n\r\n{body}",
//!     body.len()
//! );
//!
//! // The reply gets lost after PD has accepted: the client cannot know, the simulator does.
//! sim.fault(Fault::reply_lost_after_apply("POST", "/operators"));
//! let mut client = TcpStream::connect(sim.endpoint().trim_start_matches("http://")).await?;
//! client.write_all(request.as_bytes()).await?;
//! assert_eq!(client.read(&mut [0; 64]).await.unwrap_or(0), 0);
//! assert!(sim.operator(region).is_some());
//!
//! sim.advance(Duration::from_secs(1));
//! assert_eq!(sim.leader_of(region), Some(2));
//! assert_eq!(sim.received("POST", "/operators"), 1);
//! # Ok(())
//! # }
//! ```
//!
//! In reading order: [`Sim`] and its [`Builder`]; [`Fault`]; [`ForeignOperator`] and the other
//! ways to set up a test; then, inside, the cluster model and the HTTP API on top of it.

mod api;
mod builder;
mod clock;
mod cluster;
mod control;
mod drip;
mod errors;
mod fault;
mod gotext;
mod inspect;
mod placement_rule;
mod received;
mod scenario;
mod server;
mod settings;
mod sim;
mod store_metrics;
mod version;
mod wire;

pub use crate::builder::Builder;
pub use crate::clock::Clock;
pub use crate::cluster::members::Outage;
pub use crate::cluster::region::{Epoch, HotFlow, Peer, Role};
pub use crate::cluster::rules::RuleRole;
pub use crate::cluster::store::StoreState;
pub use crate::fault::Fault;
pub use crate::inspect::RegionState;
pub use crate::placement_rule::PlacementRule;
pub use crate::received::Write;
pub use crate::scenario::ForeignOperator;
pub use crate::sim::{Error, Sim};
pub use crate::store_metrics::StoreLoad;
pub use crate::version::Version;

/// What the README shows is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
