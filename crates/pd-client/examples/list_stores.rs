//! Shows the stores of a cluster: `cargo run --example list_stores -- http://127.0.0.1:2379`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is its purpose"
)]

use std::process::ExitCode;

use pd_client::{Client, Error};

#[tokio::main]
async fn main() -> ExitCode {
    let endpoints = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "http://127.0.0.1:2379".to_owned());
    match list_stores(&endpoints).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.report());
            ExitCode::FAILURE
        }
    }
}

async fn list_stores(endpoints: &str) -> Result<(), Error> {
    let pd = Client::new(endpoints)?.with_caller_id("list-stores")?;
    println!(
        "cluster {}, PD {}",
        pd.cluster().await?.id,
        pd.version().await?
    );
    for store in pd.stores().await? {
        let status = &store.status;
        println!(
            "store {} at {}: {:?}, {} leaders, {} regions, {} of {} free",
            store.id,
            // What a store calls itself is not fit for a terminal as it is.
            store.address.escape_debug(),
            store.state_name,
            status.leader_count,
            status.region_count,
            status.available,
            status.capacity,
        );
    }
    Ok(())
}
