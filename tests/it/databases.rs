//! Guards on several hosts, whose journal is a database.

use std::io::Write as _;
use std::time::Duration;

use action_core::OutcomeKind;
use action_guard::{Actor, Decider, Guard, Mode, Record, Standing};
use action_guard_sql::SqlJournal;
use pd_sim::{Fault, Sim};
use serde_json::json;

use crate::{propose, records, registry};

/// What one host sends, all hosts know; what one person stops, no host sends.
async fn two_hosts(sim: &Sim, journals: [SqlJournal; 2]) {
    let ana: Actor = "user:ana".parse().unwrap();
    let [one, other] = journals
        .map(|journal| Guard::new(registry(sim.endpoint()), journal).settle_for(Duration::ZERO));
    let controls = one.controls();
    let mode = controls.set_mode(Mode::Execute, Decider::claimed(&ana), "a test");
    mode.await.unwrap();
    let region = sim.region_ids()[3];
    let leader = sim.leader_of(region).unwrap();
    let peers = sim.peers(region);
    let to = peers.iter().find(|peer| peer.store_id != leader).unwrap();
    let transfer = json!({"region_id": region, "to_store_id": to.store_id});
    sim.fault(Fault::reply_lost_after_apply("POST", "/operators"));
    let proposal = propose(&one, "transfer_leader", transfer).await;
    let report = one
        .execute(&proposal, &proposal.requester().unwrap(), &mut |_| {})
        .await
        .unwrap()
        .into_report()
        .unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied, "{report:?}");
    let seen = records(&other).await;
    assert!(matches!(
        seen.as_slice(),
        [
            Record::Proposed { .. },
            Record::Intent { .. },
            Record::Answer { .. },
            Record::Outcome { .. },
        ]
    ));

    let back = json!({"region_id": region, "to_store_id": leader});
    let back = propose(&one, "transfer_leader", back).await;
    let stop = other.controls().stop(&ana, "a test").await.unwrap();
    assert_eq!(stop.cancelled.len(), 1);
    let standing = one
        .execute(&back, &back.requester().unwrap(), &mut |_| {})
        .await
        .unwrap();
    assert!(
        matches!(standing, Standing::Cancelled { .. }),
        "{standing:?}"
    );
    assert_eq!(sim.received("POST", "/operators"), 1);

    let reset = one.controls();
    reset.reset(Decider::claimed(&ana), "a test").await.unwrap();
    let mode = other.controls();
    let mode = mode.set_mode(Mode::Execute, Decider::claimed(&ana), "a test");
    mode.await.unwrap();
    let back = json!({"region_id": region, "to_store_id": leader});
    let back = propose(&other, "transfer_leader", back).await;
    let report = other
        .execute(&back, &back.requester().unwrap(), &mut |_| {})
        .await
        .unwrap()
        .into_report()
        .unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied, "{report:?}");
    assert_eq!(sim.leader_of(region), Some(leader));
    assert_eq!(sim.received("POST", "/operators"), 2);
    one.journal().verify().await.unwrap();
}

async fn sim() -> Sim {
    let sim = Sim::builder().stores(5).regions(30).seed(7);
    sim.start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn guards_share_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let one = SqlJournal::sqlite(directory.path()).await.unwrap();
    let other = SqlJournal::sqlite(directory.path()).await.unwrap();
    two_hosts(&sim().await, [one, other]).await;
}

/// In a schema of this process, which stays until the server goes.
#[tokio::test(flavor = "multi_thread")]
async fn guards_share_postgres() {
    let url = std::env::var("DATABASE_URL").unwrap_or_default();
    if !url.starts_with("postgres://") || !url.contains("@127.0.0.1:") {
        let why = "DATABASE_URL is not of a PostgreSQL server on 127.0.0.1";
        let _ = writeln!(std::io::stderr(), "skipped: {why}");
        return;
    }
    let schema = format!("end_to_end_{}", std::process::id());
    let options = SqlJournal::options().schema(schema);
    let one = options.clone().postgres(&url).await.unwrap();
    let other = options.postgres(&url).await.unwrap();
    two_hosts(&sim().await, [one, other]).await;
}
