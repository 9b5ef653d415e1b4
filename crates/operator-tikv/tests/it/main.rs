//! The subject from outside, against the simulated PD of four versions.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod after_restart;
mod big_reads;
mod catalogue;
mod conformance;
mod differential;
mod doctor;
mod drain;
mod half_moved;
mod harness;
mod interleavings;
mod invariants;
mod metrics;
mod observations;
mod obstacles;
mod outcomes;
mod plans;
mod proof;
mod proof_rows;
mod reasons;
mod reversals;
mod rolling_drain;
mod round_trips;
mod staying;
mod stop_safety;
mod targets;
mod why;
mod wire;

use std::time::{Duration, SystemTime};

use action_core::{Accepted, Attempt, ClockOffset, Sent};
use operator_tikv::{RegionId, StoreId, Tikv};
use pd_sim::{Builder, Clock, Fault, Sim, Version};
use serde_json::Value;

const VERSIONS: [Version; 4] = [Version::V6_5, Version::V7_5, Version::V8_5, Version::V9_0];

/// A small cluster on a clock that only the test moves.
fn stepped(version: Version) -> Builder {
    Sim::builder()
        .version(version)
        .clock(Clock::Stepped)
        .start_time(SystemTime::now())
        .stores(5)
        .regions(20)
        .seed(3)
}

fn tikv(sim: &Sim) -> Tikv {
    Tikv::new(pd_client::Client::new(sim.endpoint()).unwrap())
}

fn region_id(id: u64) -> RegionId {
    RegionId::new(id).unwrap()
}

fn store_id(id: u64) -> StoreId {
    StoreId::new(id).unwrap()
}

/// A region, the store that leads it, another that has a voter, and one that has nothing of it.
fn region(sim: &Sim) -> (u64, u64, u64, u64) {
    let id = sim.region_ids()[2];
    let leader = sim.leader_of(id).unwrap();
    let held: Vec<u64> = sim.peers(id).iter().map(|peer| peer.store_id).collect();
    let other = *held.iter().find(|store| **store != leader).unwrap();
    let free = (1..=5).find(|store| !held.contains(store)).unwrap();
    (id, leader, other, free)
}

/// A sending, on the simulated clock.
struct Sending {
    attempt: Attempt,
    accepted: Option<Accepted>,
    at: SystemTime,
}

impl Sending {
    /// About to be sent now.
    fn now(sim: &Sim) -> Self {
        let at = sim.now();
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let at_ms = u64::try_from(since.as_millis()).unwrap();
        Self {
            attempt: Attempt::new("attempt-1", at_ms, Some(ClockOffset::new(0, 500))),
            accepted: None,
            at,
        }
    }

    /// What is known of it now.
    fn sent(&self, sim: &Sim) -> Sent {
        let elapsed = sim.now().duration_since(self.at).unwrap_or(Duration::ZERO);
        let elapsed = u64::try_from(elapsed.as_millis()).unwrap();
        Sent::new(self.attempt.clone(), self.accepted.clone(), elapsed)
    }
}

/// Asks the simulated PD itself, as somebody else would. Gives the answer's status.
async fn request(sim: &Sim, method: &str, path: &str, body: &str) -> u16 {
    answer(sim, method, path, body).await.0
}

/// What the simulated PD says, as JSON.
async fn get(sim: &Sim, path: &str) -> Value {
    serde_json::from_str(&answer(sim, "GET", path, "").await.1).unwrap()
}

/// From now on the simulated PD's answer to a read is changed on its way.
async fn altered(sim: &Sim, path: &str, change: impl FnOnce(&mut Value)) {
    let mut body = get(sim, path).await;
    change(&mut body);
    let body = body.to_string();
    sim.fault(Fault::answer("GET", path, 200, "application/json", &body).always());
}

/// From now on the simulated PD says something else of one store.
async fn altered_store(sim: &Sim, id: u64, change: impl Fn(&mut Value)) {
    altered(sim, "/stores", |body| {
        let stores = body["stores"].as_array_mut().unwrap();
        stores
            .iter_mut()
            .filter(|store| store["store"]["id"] == id)
            .for_each(&change);
    })
    .await;
    altered(sim, &format!("/store/{id}"), change).await;
}

async fn answer(sim: &Sim, method: &str, path: &str, body: &str) -> (u16, String) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let host = sim.endpoint().trim_start_matches("http://");
    let mut connection = tokio::net::TcpStream::connect(host).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} /pd/api/v1{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap();
    (status.parse().unwrap(), body.to_owned())
}
