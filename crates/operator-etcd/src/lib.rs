//! etcd as a subject, through its v3 JSON gateway: actions that plan, prove and undo.
//!
//! ```no_run
//! use action_core::ActionRegistry;
//! use operator_etcd::{Client, Etcd};
//! use serde_json::json;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new("etcd-0:2379,etcd-1:2379,etcd-2:2379", Default::default())?;
//! let mut registry = ActionRegistry::new();
//! registry.register(Etcd::new(client))?;
//! println!("{}", registry.observe("list_members", json!({})).await?);
//! # Ok(())
//! # }
//! ```
//!
//! PD has an etcd in itself, which its client addresses serve: it is a cluster as any other here.

#![forbid(unsafe_code)]

pub use client::Client;
pub use cluster::Etcd;
pub use error::Error;
pub use ids::MemberId;
pub use mutations::{LeaderFacts, MoveLeader};
pub use observations::{ListMembers, MemberStatus, MemberView, Members, StatusView};

mod catalogue;
mod client;
mod cluster;
mod error;
mod facts;
mod ids;
mod mutations;
mod observations;
mod send_permit;
mod wire;
