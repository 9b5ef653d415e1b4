//! The simulator from outside: over HTTP, on a stepped clock.

mod http;
mod normal;
mod recording;
mod replay;
mod slice;
