//! Processes that operate a cluster and are killed: PD sees no send without an intent and none
//! twice, and every outcome is what PD has in the end.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use action_core::OutcomeKind;
use action_guard::{FileJournal, Guard, Phase, Record};
use pd_sim::{Fault, Sim, Write};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::{guard, guard_in, propose, records};

/// Where a child is made to die, and how often that is passed before.
const BOUNDARIES: &[&str] = &[
    "journal.synced:0",
    "guard.planned",
    "journal.write:1",
    "journal.sync:1",
    "guard.intent",
    "send.before",
    "send.after",
    "journal.sync:2",
    "guard.answered",
    "guard.probed:0",
    "guard.followed",
    "journal.sync:3",
    "journal.synced:3",
];

/// One after the other at the boundaries; so many times, and so many in a campaign.
const ROUNDS: usize = 2;
const MANY_ROUNDS: usize = 9;

const CHILD: &str = "OPERATE_AND_DIE";

/// What one child was to do, and where its journal is.
struct Run {
    region: u64,
    to: u64,
    point: &'static str,
    directory: TempDir,
    child: Child,
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_dies_while_operating_leaves_nothing_unseen_doubled_or_misjudged() {
    let rounds = match std::env::var_os("CAMPAIGN") {
        Some(_) => MANY_ROUNDS,
        None => ROUNDS,
    };
    let sim = Sim::builder()
        .stores(5)
        .regions(200)
        .seed(7)
        .start()
        .await
        .unwrap();
    let mut regions = sim.region_ids().into_iter();
    let (mut sent, mut applied, mut not_applied) = (0, 0, 0);
    for round in 0..rounds {
        let mut runs = Vec::new();
        for point in BOUNDARIES {
            if round % 2 == 1 {
                sim.fault(Fault::reply_lost_after_apply("POST", "/operators"));
            }
            let mut run = start(&sim, regions.next().unwrap(), point).await;
            // One at a time while they run: this machine may be small.
            let ended = run.child.wait().unwrap();
            assert!(ended.code().is_none(), "{point} was not reached: {ended}");
            runs.push(run);
        }
        // The time in which something can still happen passes for all together.
        let mut recoveries = JoinSet::new();
        for run in runs {
            let guard = guard_in(sim.endpoint(), &run.directory);
            recoveries.spawn(async move {
                let reports = guard.recover(&mut |_| {}).await.unwrap();
                let unknown = |kind| kind == OutcomeKind::Unknown;
                assert!(
                    !reports.iter().any(|report| unknown(report.outcome.result)),
                    "{reports:?}"
                );
                (run, guard)
            });
        }
        while let Some(recovered) = recoveries.join_next().await {
            let (run, guard) = recovered.unwrap();
            let writes = sim.writes();
            let (intent, result) = ended(&guard).await;
            let ours = |write: &&Write| write.caller_id.is_some() && write.caller_id == intent;
            let sends = writes.iter().filter(ours).count();
            let of_region = |write: &&Write| {
                let body: Value = serde_json::from_str(&write.body).unwrap_or_default();
                body["region_id"] == run.region
            };
            let region = writes.iter().filter(of_region);
            assert_eq!(
                region.count(),
                sends,
                "{}: sent without an intent",
                run.point
            );
            assert!(sends <= 1, "{}: sent {sends} times", run.point);
            sent += sends;
            let moved = sim.leader_of(run.region) == Some(run.to);
            match result {
                Some(OutcomeKind::Applied) if moved => applied += 1,
                Some(OutcomeKind::NotApplied) if !moved => not_applied += 1,
                None if !moved && intent.is_none() => {}
                other => unreachable!("{}: {other:?}, and it moved: {moved}", run.point),
            }
        }
    }
    println!(
        "killed {}, sent {sent}, applied {applied}, not applied {not_applied}",
        rounds * BOUNDARIES.len()
    );
    assert!(sent > rounds * 4 && applied > 0 && not_applied > 0);
}

/// The id of the intent that was written, and how it ended.
async fn ended(guard: &Guard) -> (Option<String>, Option<OutcomeKind>) {
    guard.journal().verify().await.unwrap();
    assert_eq!(guard.state().await.unwrap().unsettled().count(), 0);
    let (mut intent, mut result) = (None, None);
    for record in records(guard).await {
        match record {
            Record::Intent { id, .. } => intent = Some(id),
            Record::Outcome { outcome, .. } => result = Some(outcome.result),
            _ => {}
        }
    }
    (intent, result)
}

async fn start(sim: &Sim, region: u64, point: &'static str) -> Run {
    let (_, directory) = guard(sim.endpoint()).await;
    let leader = sim.leader_of(region);
    let peers = sim.peers(region);
    let other = peers.iter().find(|peer| Some(peer.store_id) != leader);
    let to = other.unwrap().store_id;
    let path = directory.path().display();
    let child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::one_that_nobody_kills_moves_a_leader",
            "--quiet",
        ])
        .env(CHILD, format!("{} {region} {to} {path}", sim.endpoint()))
        .env("ACTION_GUARD_DIE_AT", point)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Run {
        region,
        to,
        point,
        directory,
        child,
    }
}

/// What a child does; without a parent it does the same, and nobody kills it.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_nobody_kills_moves_a_leader() {
    let phase = match std::env::var(CHILD) {
        Ok(given) => {
            let mut words = given.splitn(4, ' ');
            let mut word = || words.next().unwrap();
            let (endpoint, region, to, directory) = (word(), word(), word(), word());
            let journal = FileJournal::open(directory).unwrap();
            let guard = Guard::new(crate::registry(endpoint), journal).settle_for(Duration::ZERO);
            move_leader(&guard, json!(region.parse::<u64>().unwrap()), json!(to)).await
        }
        Err(_) => {
            let sim = Sim::builder()
                .stores(5)
                .regions(30)
                .seed(7)
                .start()
                .await
                .unwrap();
            let (guard, _directory) = guard(sim.endpoint()).await;
            let region = sim.region_ids()[3];
            let leader = sim.leader_of(region);
            let peers = sim.peers(region);
            let other = peers.iter().find(|peer| Some(peer.store_id) != leader);
            let to = other.unwrap().store_id.to_string();
            move_leader(&guard, json!(region), json!(to)).await
        }
    };
    assert_eq!(phase, Phase::Applied);
}

async fn move_leader(guard: &Guard, region: Value, to: Value) -> Phase {
    let request = json!({"region_id": region, "to_store_id": to});
    let proposal = propose(guard, "transfer_leader", request).await;
    guard
        .execute(&proposal, &proposal.requester().unwrap(), &mut |_| {})
        .await
        .unwrap()
        .into_report()
        .unwrap();
    guard.proposal_status(&proposal.id).await.unwrap().phase
}
