//! A PD to try the other examples on: `cargo run --example simulated_pd -- REGIONS [PD]`.

#![expect(clippy::print_stdout, reason = "this is its purpose")]

use pd_sim::{Sim, Version};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let regions = arguments.next().map_or(Ok(60), |text| text.parse())?;
    let version = match arguments.next().as_deref() {
        None | Some("8.5") => Version::V8_5,
        Some("6.5") => Version::V6_5,
        Some("7.5") => Version::V7_5,
        Some("9.0") => Version::V9_0,
        Some(_) => return Err("PD is one of 6.5, 7.5, 8.5, 9.0".into()),
    };
    let sim = Sim::builder()
        .version(version)
        .regions(regions)
        .members(3)
        .start()
        .await?;
    println!("{}", sim.endpoints().join(","));
    // Until it is killed.
    std::future::pending().await
}
