//! How long a big cluster takes to start and how much memory it holds:
//! `scale [STORES [REGIONS]]`, 1,000 and 1,000,000 by default.
//!
//! Prints the time to start, what a minute of its time costs with a drain going on, and the peak
//! resident memory.

#![expect(clippy::print_stdout, reason = "what it measures is its output")]

use std::error::Error;
use std::time::{Duration, Instant};

use pd_sim::{Clock, Sim};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let stores = numbers.next().transpose()?.unwrap_or(1_000);
    let regions = numbers.next().transpose()?.unwrap_or(1_000_000);
    let begun = Instant::now();
    let sim = Sim::builder()
        .clock(Clock::Stepped)
        .stores(stores)
        .regions(regions)
        .start()
        .await?;
    let started = begun.elapsed();
    let peak_at_start = peak_memory()?;
    let idle = Instant::now();
    sim.advance(Duration::from_secs(60));
    let idle = idle.elapsed();
    sim.set_evicting(1, true);
    let busy = Instant::now();
    sim.advance(Duration::from_secs(60));
    let busy = busy.elapsed();
    println!("{stores} stores, {regions} regions");
    println!("started in {:.2} s", started.as_secs_f64());
    println!("peak memory after the start {} MiB", peak_at_start / 1024);
    println!("an idle minute takes {:.0} ms", idle.as_secs_f64() * 1e3);
    println!(
        "a minute of draining a store takes {:.0} ms, {} leaders left",
        busy.as_secs_f64() * 1e3,
        sim.leader_count(1)
    );
    println!("peak memory {} MiB", peak_memory()? / 1024);
    Ok(())
}

/// In KiB, as the kernel counts it.
fn peak_memory() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(number.ok_or("no VmHWM in /proc/self/status")?.parse()?)
}
