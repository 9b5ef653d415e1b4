//! The gate: one process that holds the keys, and knows who asks.
//!
//! A [`Gate`] serves the guards of any number of clusters over one journal: to agents as tools of the
//! Model Context Protocol and as JSON, to people who approve by a signature. It takes nobody's word for
//! who they are; what it does not know is refused.
//!
//! ```no_run
//! # async fn example(guard: action_guard::Guard) -> Result<(), Box<dyn std::error::Error>> {
//! use operator_mcp::Ceiling;
//! use operator_server::{Gate, Options};
//! use tokio::net::TcpListener;
//!
//! let prod = action_guard::Target::new("tikv", "7012").named("prod");
//! let gate = Gate::new(Options::default()).cluster(prod, guard, Ceiling::default())?;
//! let listener = TcpListener::bind("127.0.0.1:7070").await?;
//! gate.serve(listener, std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

pub use gate::{Gate, GateError, Options};
pub use issuer::{Algorithm, AlgorithmError, Issuer, Kind, Subject};
pub use known::Known;
pub use login::{LocalUser, Login};
pub use trust::{CertificateName, Client, ServerIdentity, Trust, TrustError};

mod answered;
mod answers;
mod api;
mod approvals;
mod bounded;
mod browser;
mod came;
mod carried;
mod carry_on;
mod certificates;
mod checks;
mod credentials;
mod drafts;
mod events;
mod evidence;
mod gate;
mod input;
mod issuer;
mod issuers;
mod jwks;
mod jwt;
mod keep_up;
mod known;
mod listen;
mod listeners;
mod login;
mod metadata;
mod metrics;
mod openapi;
mod pauses;
mod problem;
mod proof;
mod proposals;
mod rates;
mod records;
mod route;
mod routes;
mod serve;
mod settle;
mod shown;
mod signatures;
mod signed;
mod streams;
mod switches;
mod tls;
mod trust;
mod trusted;
mod who;
mod workflow_decisions;
mod workflows;

/// What the README shows is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
