//! The gate from outside, as agents, people and attackers see it.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod attacks;
mod browser_attacks;
#[cfg(target_os = "linux")]
mod browser_links;
mod browser_rows;
mod browsers;
mod certificates;
mod client;
mod events;
mod house;
mod input;
mod jwt;
#[path = "../../../operator-mcp/tests/it/lamps.rs"]
mod lamps;
mod login_provider;
mod mutual_tls;
mod openapi;
mod pauses;
mod people;
mod provider;
mod routes;
mod served;
mod streams;
mod tls;
mod who_may;
mod workflows;
