//! What is read from PD: by plans, and by those that follow a drain.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use action_core::{ActionRegistry, Attempt, Progress, Sent};
use jiff::Timestamp;
use operator_tikv::Tikv;
use pd_sim::Sim;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::Failed;
use crate::report::Report;

/// So many leaders each store has, about.
const LEADERS: u64 = 30;

pub(crate) fn measure(runtime: &Runtime, report: &mut Report) -> Result<(), Failed> {
    runtime.block_on(async {
        for stores in [5, 1_000] {
            among(stores, report).await?;
        }
        Ok(())
    })
}

async fn among(stores: u64, report: &mut Report) -> Result<(), Failed> {
    let sim = Sim::builder().stores(stores).regions(stores * LEADERS);
    let sim = sim.start().await?;
    let relay = Relay::before(&sim).await?;
    let mut registry = ActionRegistry::new();
    registry.register(Tikv::new(pd_client::Client::new(relay.address.as_str())?))?;
    let region = sim.region_ids()[0];
    let leader = sim.leader_of(region).ok_or("a region without a leader")?;
    let held: Vec<u64> = sim.peers(region).iter().map(|peer| peer.store_id).collect();
    let other = held.iter().find(|store| **store != leader);
    let free = (1..=stores).find(|store| !held.contains(store));
    let (Some(other), Some(free)) = (other, free) else {
        return Err("a region with one replica, or on all stores".into());
    };
    let moves = json!({"region_id": region, "from_store_id": other, "to_store_id": free});
    for (name, parameters) in [
        (
            "transfer_leader",
            json!({"region_id": region, "to_store_id": other}),
        ),
        ("transfer_peer", moves),
        ("add_peer", json!({"region_id": region, "store_id": free})),
        ("drain_store", json!({"store_id": leader})),
        ("offline_store", json!({"store_id": leader})),
    ] {
        let before = relay.seen(&sim);
        registry.plan(name, parameters).await?;
        report.fact(
            format!("read by a plan of `{name}` among {stores} stores"),
            relay.since(&sim, before),
        );
    }
    let drain = json!({"store_id": leader});
    let looks = drained(&registry, &sim, &relay, &drain).await?;
    report.fact(
        format!("read by those that follow a drain of {LEADERS} leaders among {stores} stores"),
        looks,
    );
    Ok(())
}

/// What is read until a drain is proven, and how often is looked.
async fn drained(
    registry: &ActionRegistry,
    sim: &Sim,
    relay: &Relay,
    drain: &Value,
) -> Result<String, Failed> {
    let plan = registry.plan("drain_store", drain.clone()).await?;
    let now = u64::try_from(Timestamp::now().as_millisecond())?;
    let attempt = Attempt::new("bench", now, plan.clock);
    let accepted = registry
        .send("drain_store", drain.clone(), &plan.before, &attempt)
        .await?;
    let (before, begun) = (relay.seen(sim), std::time::Instant::now());
    let mut each = tokio::time::interval(Duration::from_secs(1));
    for looks in 1_u64..60 {
        each.tick().await;
        let elapsed = u64::try_from(begun.elapsed().as_millis())?;
        let sent = Sent::new(attempt.clone(), Some(accepted.clone()), elapsed);
        let progress = registry
            .probe("drain_store", drain.clone(), &plan.before, &sent)
            .await?;
        if let Progress::Applied { .. } = progress {
            return Ok(format!("{looks} looks, {}", relay.since(sim, before)));
        }
    }
    Err("the drain was not proven within a minute".into())
}

/// Between the client and PD: counts what PD answers.
struct Relay {
    address: String,
    bytes: Arc<AtomicU64>,
}

impl Relay {
    async fn before(sim: &Sim) -> Result<Self, Failed> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let to = sim.endpoint().trim_start_matches("http://").to_owned();
        let bytes = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&bytes);
        tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                tokio::spawn(relayed(from, to.clone(), Arc::clone(&counted)));
            }
        });
        Ok(Self { address, bytes })
    }

    fn seen(&self, sim: &Sim) -> (u64, usize) {
        (self.bytes.load(Ordering::Relaxed), sim.received_total())
    }

    fn since(&self, sim: &Sim, (bytes, reads): (u64, usize)) -> String {
        let (all, total) = self.seen(sim);
        format!(
            "{:.1} kB in {} requests",
            (all - bytes) as f64 / 1e3,
            total - reads
        )
    }
}

async fn relayed(from: TcpStream, to: String, counted: Arc<AtomicU64>) -> std::io::Result<()> {
    let (mut asks, mut answered) = from.into_split();
    let (mut answers, mut asked) = TcpStream::connect(to).await?.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut asks, &mut asked).await });
    let mut buffer = vec![0; 65_536];
    loop {
        let read = answers.read(&mut buffer).await?;
        if read == 0 {
            return answered.shutdown().await;
        }
        counted.fetch_add(read as u64, Ordering::Relaxed);
        answered.write_all(&buffer[..read]).await?;
    }
}
