//! Moves that were cancelled, superseded or forgotten on the way, as seen on real servers.

use std::time::Duration;

use action_core::{Attribution, Progress, Verdict};
use pd_sim::{Outage, Sim};
use serde_json::json;

use crate::harness::{Run, stalled};
use crate::{VERSIONS, region, stepped};

struct Fixture<'a> {
    sim: &'a Sim,
    run: Run<'a>,
    id: u64,
    from: u64,
    to: u64,
}

/// A move, accepted just now; of the first region, or of any.
async fn begun(sim: &Sim, first: bool) -> Fixture<'_> {
    let (mut id, _, mut from, mut to) = region(sim);
    if first {
        id = sim.region_ids()[0];
        let held: Vec<u64> = sim.peers(id).iter().map(|peer| peer.store_id).collect();
        from = *held
            .iter()
            .find(|store| sim.leader_of(id) != Some(**store))
            .unwrap();
        to = (1..=5).find(|store| !held.contains(store)).unwrap();
    }
    let parameters = json!({"region_id": id, "from_store_id": from, "to_store_id": to});
    let run = Run::begin(sim, "transfer_peer", parameters).await;
    assert_eq!(run.failure, None);
    Fixture {
        sim,
        run,
        id,
        from,
        to,
    }
}

impl Fixture<'_> {
    async fn cancel(&self) {
        let pd = pd_client::Client::new(self.sim.endpoint()).unwrap();
        let id = pd_client::RegionId::new(self.id).unwrap();
        pd.cancel_operator(id).await.unwrap();
    }

    fn stores(&self) -> Vec<u64> {
        let peers = self.sim.peers(self.id);
        let mut stores: Vec<u64> = peers.iter().map(|peer| peer.store_id).collect();
        stores.sort_unstable();
        stores
    }

    fn has_moved(&self) -> bool {
        let stores = self.stores();
        stores.contains(&self.to) && !stores.contains(&self.from) && stores.len() == 3
    }
}

/// Cancelled at every point of the move: what the probe says in the end is what became of the
/// region, and on the way it never calls a region that still changes "not moved".
#[tokio::test]
async fn a_cancelled_move_is_judged_by_the_region_alone() {
    let (mut moved, mut reverted) = (0, 0);
    for version in VERSIONS {
        for cancel_after_ms in (0..1_000).step_by(150) {
            let sim = stepped(version).start().await.unwrap();
            let fixture = begun(&sim, false).await;
            let original = fixture.stores();
            fixture.sim.advance(Duration::from_millis(cancel_after_ms));
            if fixture.has_moved() || fixture.sim.operator(fixture.id).is_none() {
                continue;
            }
            fixture.cancel().await;
            let mut last = fixture.run.probe().await;
            for _ in 0..120 {
                match &last {
                    Progress::Pending { .. } => {}
                    Progress::NotApplied { .. } => {
                        assert_eq!(fixture.stores(), original, "{last:?}")
                    }
                    Progress::Applied { .. } => assert!(fixture.has_moved(), "{last:?}"),
                    other => unreachable!("{other:?}"),
                }
                fixture.sim.advance(Duration::from_millis(500));
                last = fixture.run.probe().await;
            }
            match &last {
                Progress::Applied { by, .. } => {
                    // Cancelled, and finished by PD's checkers: not by an operator of ours.
                    assert_eq!(*by, Attribution::Undecided, "{last:?}");
                    assert!(fixture.has_moved());
                    moved += 1;
                }
                Progress::NotApplied { .. } => {
                    assert_eq!(fixture.stores(), original);
                    reverted += 1;
                }
                other => unreachable!("{version:?}, {cancel_after_ms} ms: {other:?}"),
            }
        }
    }
    assert!(
        moved > 0 && reverted > 0,
        "{moved} moved, {reverted} did not"
    );
}

/// A split that no store carries out holds the region's only slot: four replicas, for as long as
/// it is watched, and the repetition is refused.
#[tokio::test]
async fn a_region_that_stays_half_moved_is_never_called_not_moved() {
    for version in VERSIONS {
        let builder = stepped(version)
            .executes_splits(false)
            .labeler_split_keys(["7200000000000000FB"]);
        let sim = builder.start().await.unwrap();
        let fixture = begun(&sim, true).await;
        fixture.sim.advance(Duration::from_millis(300));
        assert_eq!(fixture.stores().len(), 4, "{version:?}");
        fixture.cancel().await;
        let mut half_moved = 0;
        for _ in 0..30 {
            fixture.sim.advance(Duration::from_secs(1));
            if fixture.stores().len() != 4 {
                break;
            }
            let progress = fixture.run.probe().await;
            assert_eq!(stalled(&progress), "half_moved");
            let Progress::Pending { stalled, .. } = &progress else {
                unreachable!("{progress:?}");
            };
            let waits = "PD's checkers finish";
            assert!(stalled[0].text.contains(waits), "{stalled:?}");
            half_moved += 1;
        }
        assert!(half_moved > 0, "{version:?}");
        if fixture.stores().len() == 4 {
            let again = fixture.run.parameters.clone();
            let again = Run::begin(&sim, "transfer_peer", again).await;
            let Verdict::WouldReject { text, .. } = &again.plan.verdict else {
                unreachable!("{:?}", again.plan.verdict);
            };
            assert_eq!(again.failure.as_deref(), Some(text.as_str()));
            assert!(
                text.starts_with("cannot add peer store_id:") && text.ends_with(' '),
                "{text:?}"
            );
        }
    }
}

/// After the move PD's own `remove-orphan-peer` ends with SUCCESS: that is not ours.
#[tokio::test]
async fn a_checkers_success_is_not_ours() {
    for version in VERSIONS {
        let mut seen = 0;
        for cancel_after_ms in (100..1_000).step_by(50) {
            let sim = stepped(version).start().await.unwrap();
            let fixture = begun(&sim, false).await;
            fixture.sim.advance(Duration::from_millis(cancel_after_ms));
            if fixture.sim.operator(fixture.id).is_none() {
                break;
            }
            fixture.cancel().await;
            fixture.sim.advance(Duration::from_secs(15));
            let status = fixture.sim.operator_status(fixture.id).unwrap_or_default();
            if status.contains("SUCCESS") && status.contains("remove-orphan-peer") {
                seen += 1;
                let progress = fixture.run.probe().await;
                if let Progress::Applied { by, .. } = &progress {
                    assert!(fixture.has_moved(), "{progress:?}");
                    assert_eq!(*by, Attribution::Undecided, "{progress:?}");
                }
            }
        }
        assert!(seen > 0, "{version:?}: no orphan was removed");
    }
}

/// A new PD leader knows of no operator; what the stores were told still happens.
#[tokio::test]
async fn a_forgotten_operator_is_judged_by_the_region() {
    let sim = stepped(VERSIONS[2]).start().await.unwrap();
    let fixture = begun(&sim, false).await;
    fixture.sim.advance(Duration::from_millis(300));
    fixture
        .sim
        .change_leader(Duration::from_secs(1), Outage::NoLeader);
    fixture.sim.advance(Duration::from_secs(2));
    let original = fixture.run.plan.before["peers"].as_array().map(Vec::len);
    for _ in 0..60 {
        let progress = fixture.run.probe().await;
        match &progress {
            Progress::Applied { .. } => assert!(fixture.has_moved(), "{progress:?}"),
            Progress::NotApplied { .. } => {
                assert_eq!(Some(fixture.stores().len()), original, "{progress:?}")
            }
            _ => {}
        }
        fixture.sim.advance(Duration::from_secs(1));
    }
    let progress = fixture.run.probe().await;
    assert!(
        !matches!(progress, Progress::Pending { .. }),
        "{progress:?}"
    );
}
