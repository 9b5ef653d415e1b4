//! `operator sim`: a simulated cluster to try things on, served until interrupted.

use async_trait::async_trait;
use operator_cli::clap::{self, ArgMatches, Args, Command, FromArgMatches as _};
use operator_cli::{Exit, Failure, Output, Verb};
use pd_sim::{Sim, Version};
use serde_json::json;

/// What is simulated.
#[derive(Debug, Args)]
struct Flags {
    /// PD release to answer as: 6.5, 7.5, 8.5 or 9.0
    #[arg(long, value_name = "VERSION", default_value = "8.5", value_parser = version)]
    pd_version: Version,
    /// Number of stores
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    stores: u64,
    /// Number of regions
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=5_000_000))]
    regions: u64,
    /// Number of PD members
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=9))]
    members: u8,
    /// Port of the first member on 127.0.0.1, the others use the next ones; 0 picks free ports
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
    /// Seed of all random choices, including the cluster id
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Serve /sim/control, which arms faults and moves time
    #[arg(long)]
    control: bool,
}

fn version(text: &str) -> Result<Version, String> {
    let number = text.trim_start_matches('v');
    let known = [Version::V6_5, Version::V7_5, Version::V8_5, Version::V9_0];
    let release = |version: &Version| {
        let number = version.number().trim_start_matches('v').to_owned();
        let minor = number.rsplit_once('.').map(|(minor, _)| minor.to_owned());
        (number, minor.unwrap_or_default())
    };
    let found = known.iter().find(|version| {
        let (whole, minor) = release(version);
        number == whole || number == minor
    });
    found
        .copied()
        .ok_or_else(|| "known are 6.5, 7.5, 8.5 and 9.0".to_owned())
}

/// As PD's ids of clusters look.
const FIRST_ID: u64 = 7_711_603_448_021_978_000;

/// The verb: serves, says where, and waits to be interrupted.
pub(crate) struct Serve;

#[async_trait(?Send)]
impl Verb for Serve {
    fn command(&self) -> Command {
        Flags::augment_args(Command::new("sim"))
            .about("Serve a simulated cluster on this machine until interrupted")
    }

    async fn main(&self, matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
        serve(matches, output).await
    }
}

async fn serve(matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    let flags = Flags::from_arg_matches(matches).map_err(|e| Failure::usage(e.to_string()))?;
    let mut builder = Sim::builder();
    // A cluster gets its id by chance, and two of them side by side must not be one.
    if flags.seed > 0 {
        builder = builder.cluster_id(FIRST_ID.saturating_add(flags.seed));
    }
    let sim = builder
        .version(flags.pd_version)
        .stores(flags.stores)
        .regions(flags.regions)
        .members(usize::from(flags.members))
        .port(flags.port)
        .seed(flags.seed)
        .control(flags.control)
        .balance_leader(true)
        .start()
        .await
        .map_err(|error| {
            Failure::new(Exit::Failed, "sim", error.to_string())
                .next("give another --port, or leave it out")
        })?;
    let version = flags.pd_version.number();
    output.show(
        &json!({
            "endpoints": sim.endpoints(),
            "pd_version": version,
            "stores": flags.stores,
            "regions": flags.regions,
        }),
        || sim.endpoints().join("\n"),
    );
    output.note(&format!(
        "PD {version} with {} stores and {} regions; interrupt to end",
        flags.stores, flags.regions
    ));
    tokio::signal::ctrl_c()
        .await
        .map_err(|error| Failure::new(Exit::Failed, "sim", error.to_string()))?;
    Ok(Exit::Done)
}
