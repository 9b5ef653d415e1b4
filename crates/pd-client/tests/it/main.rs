//! The client from outside: against a fake PD, recorded answers, and servers that misbehave.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod answers;
mod clock;
mod elections;
mod environment;
mod fault_server;
mod faults;
mod gauges;
mod input;
mod input_writes;
mod more_recorded_calls;
#[cfg(not(any(feature = "tls-aws-lc", feature = "tls-ring")))]
mod no_tls;
mod operating_calls;
mod raw_pd;
mod recorded_calls;
mod recordings;
mod replay;
mod routes;
mod scans;
mod simulated;
mod spans;
#[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
mod tls;
#[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
mod tls_files;
#[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
mod tls_server;
mod trap_list;
mod traps;
mod versions;
mod wire;
mod wire_placement;
mod wire_reads;
mod wire_writes;
mod write_connections;

use std::time::Duration;

use pd_client::{Client, ClientBuilder, RegionId, StoreId, Timeouts};

/// Settings with time-outs that a test can wait for.
fn quick() -> ClientBuilder {
    Client::builder().timeouts(Timeouts {
        connect: Duration::from_secs(1),
        point: Duration::from_secs(2),
        list: Duration::from_secs(2),
        write: Duration::from_secs(2),
    })
}

fn region(id: u64) -> RegionId {
    RegionId::new(id).unwrap()
}

fn store(id: u64) -> StoreId {
    StoreId::new(id).unwrap()
}
