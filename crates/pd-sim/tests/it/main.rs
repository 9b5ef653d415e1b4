//! The simulator from outside: over HTTP, on a stepped clock.

mod http;
mod slice;
