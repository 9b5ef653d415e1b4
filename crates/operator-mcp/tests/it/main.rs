//! The server, asked by a client of the official SDK, in both eras of the protocol.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod bench;
mod calls;
mod http;
mod http_abuse;
mod http_bench;
mod lamps;
mod listing;
mod resources;
mod rulings;
mod shown;
mod tasks;
mod workflows;
