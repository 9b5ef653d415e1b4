//! Moves a region's leader and looks at what becomes of it:
//! `cargo run --example watch_operator -- http://127.0.0.1:2379 REGION STORE`.
//!
//! Without a store it only shows what runs on the region, or ran last.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is its purpose"
)]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use pd_client::operators::OperatorStatus;
use pd_client::{Client, Error, ErrorClass, RegionId, StoreId};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.as_slice() {
        [endpoints, region] => show(endpoints, region).await,
        [endpoints, region, store] => transfer(endpoints, region, store).await,
        _ => {
            eprintln!("usage: watch_operator ENDPOINTS REGION [STORE]");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.report());
            ExitCode::FAILURE
        }
    }
}

async fn show(endpoints: &str, region: &str) -> Result<(), Error> {
    let pd = Client::new(endpoints)?.with_caller_id("watch-operator")?;
    match pd.operator(region.parse()?).await? {
        Some(report) => println!("{}: {}", report.status, report.operator.brief),
        None => println!("nothing in the last ten minutes"),
    }
    Ok(())
}

async fn transfer(endpoints: &str, region: &str, store: &str) -> Result<(), Error> {
    // Reads outlast a change of PD's leader; the one write does not wait.
    let pd = Client::new(endpoints)?
        .with_caller_id("watch-operator")?
        .with_read_deadline(Duration::from_secs(20));
    let (region, store): (RegionId, StoreId) = (region.parse()?, store.parse()?);
    match pd.add_transfer_leader_operator(region, store).await {
        Ok(accepted) => println!("{}", accepted.message),
        // It may have been accepted: go on and look.
        Err(error) if error.class() == ErrorClass::Unanswered => {
            println!("unclear: {}", error.report());
        }
        Err(error) => return Err(error),
    }
    let started = Instant::now();
    let mut last = String::new();
    while started.elapsed() < Duration::from_secs(60) {
        let running = pd.operator(region).await?;
        let line = match &running {
            Some(report) => format!("{}: {}", report.status, report.operator.brief),
            None => "PD knows of no operator".to_owned(),
        };
        if line != last {
            println!("{:>5} ms  {line}", started.elapsed().as_millis());
            last = line;
        }
        let runs = running.is_some_and(|report| report.status == OperatorStatus::Running);
        if !runs {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // The operator's status is about the operator. The region says what is true.
    let leader = pd.region(region).await?.and_then(|region| region.leader);
    match leader {
        Some(leader) => println!("led by store {}", leader.store_id),
        None => println!("led by nobody that PD knows of"),
    }
    Ok(())
}
