//! etcd as a subject, through its v3 JSON gateway: actions that plan, prove and undo.
//!
//! ```no_run
//! use action_core::ActionRegistry;
//! use operator_etcd::Etcd;
//! use serde_json::json;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut registry = ActionRegistry::new();
//! registry.register(Etcd::at("etcd-0:2379,etcd-1:2379,etcd-2:2379")?)?;
//! println!("{}", registry.observe("list_members", json!({})).await?);
//! # Ok(())
//! # }
//! ```
//!
//! PD has an etcd in itself, which its client addresses serve: it is a cluster as any other here.

#![forbid(unsafe_code)]

pub use alarms::AlarmKind;
pub use cluster::{Etcd, EtcdSettings};
pub use error::Error;
pub use facts::LeaderFacts;
pub use ids::{MemberId, NotAnId};
pub use mutations::{
    AddLearnerMember, Compact, DatabaseFacts, DefragmentMember, DisarmAlarm, MoveLeader,
    PromoteMember, RemoveMember,
};
pub use observations::{
    AlarmView, AlarmsView, CheckInvariants, Doctor, Findings, Invariants, ListAlarms, ListMembers,
    MemberStatus, MemberView, Members, SafeToStop, StatusView, StopSafety, Why,
};

mod alarms;
mod catalogue;
mod cluster;
mod error;
mod facts;
mod ids;
mod mutations;
mod observations;
mod wire;

/// What the README shows is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
