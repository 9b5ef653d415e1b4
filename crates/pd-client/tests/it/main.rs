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
mod read_connections;
mod recorded_calls;
mod recordings;
mod replay;
mod routes;
mod scans;
mod send_permits;
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
use pd_sim::{Builder, Clock, Sim, Version};

/// Settings with time-outs that a test can wait for.
fn quick() -> ClientBuilder {
    Client::builder().timeouts(Timeouts {
        connect: Duration::from_secs(1),
        point: Duration::from_secs(2),
        list: Duration::from_secs(2),
        write: Duration::from_secs(2),
    })
}

/// A simulated PD that keeps still, and a client of all of its members.
async fn simulated_pd(
    version: Version,
    settings: impl FnOnce(Builder) -> Builder,
) -> (Sim, Client) {
    let builder = Sim::builder()
        .version(version)
        .clock(Clock::Stepped)
        .seed(7);
    let sim = settings(builder).start().await.unwrap();
    let pd = quick().endpoint_list(sim.endpoints()).build().unwrap();
    (sim, pd)
}

fn region(id: u64) -> RegionId {
    RegionId::new(id).unwrap()
}

fn store(id: u64) -> StoreId {
    StoreId::new(id).unwrap()
}
