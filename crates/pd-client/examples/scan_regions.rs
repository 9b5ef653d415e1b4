//! Counts the regions of a cluster, however many there are, in the memory of one page:
//! `cargo run --release --example scan_regions -- http://127.0.0.1:2379 1024`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is its purpose"
)]

use std::num::NonZeroU16;
use std::process::ExitCode;
use std::time::Instant;

use pd_client::{Client, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let endpoints = arguments
        .next()
        .unwrap_or_else(|| "http://127.0.0.1:2379".to_owned());
    let page_size = arguments.next().and_then(|size| size.parse().ok());
    match scan(&endpoints, page_size).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.report());
            ExitCode::FAILURE
        }
    }
}

async fn scan(endpoints: &str, page_size: Option<NonZeroU16>) -> Result<(), Error> {
    let pd = Client::new(endpoints)?.with_caller_id("scan-regions")?;
    let mut scan = pd.scan_regions("", "")?;
    if let Some(size) = page_size {
        scan = scan.page_size(size);
    }
    let (mut pages, mut regions, mut mib, mut leaderless) = (0_u64, 0_u64, 0_i64, 0_u64);
    let started = Instant::now();
    while let Some(page) = scan.next_page().await? {
        pages += 1;
        for region in page {
            regions += 1;
            mib += region.approximate_size;
            leaderless += u64::from(region.leader.is_none());
        }
    }
    println!("{regions} regions of {mib} MiB in {pages} pages, {leaderless} without a leader");
    println!("took {:.1} s", started.elapsed().as_secs_f64());
    if let Some(peak) = peak_memory() {
        println!("peak memory {peak}");
    }
    Ok(())
}

/// The most memory this process has had at a time, where the system says so.
fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(
        line.split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" "),
    )
}
