//! Any guarded registry as a server of the Model Context Protocol.
//!
//! A [`Server`] is made of a [`Guard`](action_guard::Guard) and of who asks through it. What it offers
//! is derived from the definitions of the actions: an observation is a tool that reads, a mutation one
//! that proposes, asks the policy, sends once and follows. It names no action and no system.
//!
//! The journal is the authority: no tool approves anything, and no argument is consent. What waits for
//! people is approved elsewhere, and then carried out by `execute_proposal`, by who asked for it.
//!
//! The README has an example.
//!
//! [`Server`] is an [`rmcp::ServerHandler`], so that every transport of that crate runs it, in both
//! eras of the protocol. With the feature `http` it is a tower service too, which serves each request for
//! the caller that a layer before it has proven.

#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(feature = "http")]
pub use caller::Caller;
#[cfg(feature = "http")]
pub use http_service::{HttpOptions, HttpResponse, HttpService};
pub use offer::{Ceiling, OfferError};
#[cfg(feature = "proxy")]
pub use proxy::Proxy;
// What stands in the signatures here, in the version that fits them.
pub use rmcp;
pub use server::{ServeError, Server};

mod answer;
#[cfg(feature = "http")]
mod caller;
mod carry_out;
mod desk;
mod errors;
mod flow_answer;
mod flow_cover;
mod flow_steps;
mod handler;
#[cfg(feature = "http")]
mod http_service;
#[cfg(feature = "http")]
mod http_sessions;
mod lines;
mod listed;
mod offer;
mod own_tools;
mod progress;
mod prompts;
#[cfg(feature = "proxy")]
mod proxy;
mod read_answers;
mod resources;
mod rulings;
mod runs;
mod schemas;
mod served;
mod server;
mod shown;
mod tasks;
mod workflows;
