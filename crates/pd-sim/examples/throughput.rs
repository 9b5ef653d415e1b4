//! How many requests a second the simulator answers on two cores:
//! `throughput [CONNECTIONS [SECONDS [ENDPOINT]]]`.
//!
//! Keeps as many connections busy with `GET /store/1`, each with one request at a time. Without an
//! endpoint it asks a simulator of its own, which shares the process and its two threads.

#![expect(clippy::print_stdout, reason = "what it measures is its output")]

use std::error::Error;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use pd_sim::Sim;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, default: u64| -> Result<u64, Failure> {
        let text = arguments.get(index);
        Ok(text
            .map(|text| text.parse())
            .transpose()?
            .unwrap_or(default))
    };
    let (connections, seconds) = (number(0, 64)?, number(1, 10)?);
    let sim = match arguments.get(2) {
        None => Some(Sim::builder().stores(1_000).regions(10_000).start().await?),
        Some(_) => None,
    };
    let given = arguments.get(2).cloned();
    let endpoint = given.unwrap_or_else(|| {
        sim.as_ref()
            .map(|sim| sim.endpoint().to_owned())
            .unwrap_or_default()
    });
    let begun = Instant::now();
    let end = begun + Duration::from_secs(seconds);
    let mut asking = JoinSet::new();
    for _ in 0..connections {
        asking.spawn(ask_until(endpoint.clone(), end));
    }
    let mut latencies: Vec<Duration> = Vec::new();
    while let Some(asked) = asking.join_next().await {
        latencies.extend(asked??);
    }
    let elapsed = begun.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let at = |share: f64| {
        let index = (latencies.len() as f64 * share) as usize;
        latencies.get(index).copied().unwrap_or_default()
    };
    println!(
        "{connections} connections: {:.0} requests a second, median {:?}, 99 % within {:?}",
        latencies.len() as f64 / elapsed,
        at(0.5),
        at(0.99),
    );
    Ok(())
}

/// Asks on one connection until the end; how long each answer took.
async fn ask_until(endpoint: String, end: Instant) -> Result<Vec<Duration>, Failure> {
    let address = endpoint.trim_start_matches("http://");
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut latencies = Vec::new();
    while Instant::now() < end {
        let request = Request::get("/pd/api/v1/store/1")
            .header("host", address)
            .body(Empty::<Bytes>::new())?;
        let asked = Instant::now();
        let response = sender.send_request(request).await?;
        if response.status() != 200 {
            return Err(format!("status {}", response.status()).into());
        }
        response.into_body().collect().await?;
        latencies.push(asked.elapsed());
    }
    Ok(latencies)
}
