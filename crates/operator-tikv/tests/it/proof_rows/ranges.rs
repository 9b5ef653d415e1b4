//! Ranges are told by their borders; a scattering by its operator alone.

use std::time::Duration;

use action_core::{Attribution, Progress, SettledState, Undo};
use pd_sim::{ForeignOperator, Version};
use serde_json::{Value, json};

use super::Fate::{AnswerLost, Answered, NeverArrived};
use super::{End, Fate, Fixture, ended, not_applied, undecided, unknown};
use crate::harness::{Run, applied};
use crate::request;

/// Merges the region into the next, which takes an end there; gives the border between them, and
/// the next.
async fn merged(fixture: &Fixture, fate: Fate) -> (Run<'_>, String, u64) {
    let (border, next) = fixture.next().await;
    let parameters = json!({"source_region_id": fixture.id, "target_region_id": next});
    let run = fixture.begin_with(fate, "merge_regions", parameters).await;
    fixture.sim.advance(Duration::from_secs(20));
    let is_merged = fixture.sim.peers(fixture.id).is_empty();
    assert_eq!(is_merged, !matches!(fate, NeverArrived), "{fate:?}");
    (run, border, next)
}

/// A merge that is split again at the old border.
#[tokio::test]
async fn a_merge_is_proven_by_its_borders() {
    let fixture = Fixture::start().await;
    let (run, border, next) = merged(&fixture, AnswerLost).await;
    let desc = "labeler-split-region";
    fixture.foreign(ForeignOperator::split(desc, next, [border.as_str()]));
    assert_eq!(ended(&run).await, undecided(desc));
    let settled = run.look_again().await;
    assert_eq!(settled.state, SettledState::Reversed, "{settled:?}");

    // By the neighbour's keys, when PD has forgotten it.
    let fixture = Fixture::start().await;
    let (run, ..) = merged(&fixture, AnswerLost).await;
    fixture.lost_memory();
    assert_eq!(ended(&run).await, undecided(""));
}

/// The region is gone, and the neighbour was split elsewhere: into which it was merged is not known.
#[tokio::test]
async fn a_merge_is_not_proven_by_a_split_at_another_border() {
    let fixture = Fixture::start().await;
    let (run, border, next) = merged(&fixture, AnswerLost).await;
    let inside = format!("{border}01");
    let split = ForeignOperator::split("labeler-split-region", next, [inside.as_str()]);
    fixture.foreign(split);
    assert_eq!(ended(&run).await, unknown("operator_superseded"));
}

/// PD moves the region's replicas to the neighbour's stores first.
#[tokio::test]
async fn a_merge_is_half_done_while_a_replica_lags() {
    for (lags, end) in [
        (true, unknown("half_moved")),
        (false, End::NotApplied("region_changed".to_owned(), false)),
    ] {
        let fixture = Fixture::start().await;
        let (run, ..) = merged(&fixture, NeverArrived).await;
        fixture.sim.remove_peer(fixture.id, fixture.other);
        fixture.sim.set_pending(fixture.id, fixture.third, lags);
        assert_eq!(ended(&run).await, end, "{lags}");
    }
}

/// A split that never arrived, and a leader that moved.
#[tokio::test]
async fn a_split_is_proven_by_its_borders() {
    let fixture = Fixture::start().await;
    let run = fixture.begin(NeverArrived, "split_region").await;
    fixture.balanced_elsewhere();
    assert_eq!(ended(&run).await, not_applied("operator_superseded"));
}

/// Another's merge made the region larger: that is no split.
#[tokio::test]
async fn a_region_that_grew_was_not_split() {
    let fixture = Fixture::start().await;
    let run = fixture.begin(NeverArrived, "split_region").await;
    merge_back(&fixture, fixture.next().await.1).await;
    assert_eq!(ended(&run).await, unknown("operator_superseded"));
}

/// Somebody has a region merged into this one.
async fn merge_back(fixture: &Fixture, part: u64) {
    let merge = json!({
        "name": "merge-region",
        "source_region_id": part,
        "target_region_id": fixture.id,
    });
    let merge = merge.to_string();
    assert_eq!(
        request(&fixture.sim, "POST", "/operators", &merge).await,
        200
    );
    fixture.sim.advance(Duration::from_secs(20));
    assert!(fixture.sim.peers(part).is_empty(), "merged back");
}

/// The parameters of a split at some places of the region.
async fn at(fixture: &Fixture, places: &[&str]) -> (Value, Vec<String>) {
    let pd = pd_client::Client::new(fixture.sim.endpoint()).unwrap();
    let id = pd_client::RegionId::new(fixture.id).unwrap();
    let start = pd.region(id).await.unwrap().unwrap().start_key;
    let keys = places.iter().map(|place| format!("{start}{place}"));
    let keys: Vec<String> = keys.collect();
    let parameters = json!({"region_id": fixture.id, "policy": "usekey", "keys": keys});
    (parameters, keys)
}

/// The part that has come of a split in two.
fn part(fixture: &Fixture, before: &[u64]) -> u64 {
    let ids = fixture.sim.region_ids();
    ids.into_iter().find(|id| !before.contains(id)).unwrap()
}

/// Of a split at a key that key is a border, whoever made it.
#[tokio::test]
async fn a_split_at_a_key_is_proven_by_that_key() {
    let fixture = Fixture::start().await;
    let (parameters, _) = at(&fixture, &["7F"]).await;
    let run = fixture
        .begin_with(AnswerLost, "split_region", parameters)
        .await;
    fixture.done();
    fixture.lost_memory();
    assert_eq!(ended(&run).await, undecided(""));

    // Split by another elsewhere: on either side of the key that was asked for.
    for place in ["3F", "BF"] {
        let fixture = Fixture::start().await;
        let (parameters, _) = at(&fixture, &["7F"]).await;
        let run = fixture.begin_with(NeverArrived, "split_region", parameters);
        let run = run.await;
        let (_, keys) = at(&fixture, &[place]).await;
        let desc = "labeler-split-region";
        fixture.foreign(ForeignOperator::split(desc, fixture.id, [keys[0].as_str()]));
        assert_eq!(ended(&run).await, unknown("operator_superseded"), "{place}");
    }
}

/// A split that was merged again is told by the merge, unless the key was said: a split elsewhere
/// would be merged alike.
#[tokio::test]
async fn a_split_that_was_merged_again_is_told_by_the_merge() {
    for (by_key, balanced) in [(false, false), (true, false), (false, true)] {
        let fixture = Fixture::start().await;
        let before = fixture.sim.region_ids();
        let run = match by_key {
            true => {
                let (parameters, _) = at(&fixture, &["7F"]).await;
                fixture
                    .begin_with(AnswerLost, "split_region", parameters)
                    .await
            }
            false => fixture.begin(AnswerLost, "split_region").await,
        };
        fixture.done();
        merge_back(&fixture, part(&fixture, &before)).await;
        // What came after it hides it.
        if balanced {
            fixture.balanced_elsewhere();
        }
        let expected = match by_key || balanced {
            true => unknown("operator_superseded"),
            false => undecided("admin-merge-region"),
        };
        assert_eq!(ended(&run).await, expected, "{by_key} {balanced}");
    }
}

/// PD ends a split and a merge by success when TiKV splits the region by itself, wherever that is.
#[tokio::test]
async fn success_by_a_split_of_tikvs_own_proves_nothing() {
    let changed = || End::NotApplied("region_changed".to_owned(), false);
    let fixture = Fixture::start().await;
    nobody_obeys(&fixture);
    let (parameters, _) = at(&fixture, &["7F"]).await;
    let run = fixture.begin_with(Answered, "split_region", parameters);
    let run = run.await;
    let (_, keys) = at(&fixture, &["3F"]).await;
    fixture.sim.split(fixture.id, &keys[0]);
    fixture.done();
    assert_succeeded(&fixture, fixture.id);
    assert_eq!(ended(&run).await, changed());

    let fixture = Fixture::start().await;
    let (run, next) = split_while_merging(&fixture).await;
    fixture.done();
    assert_succeeded(&fixture, next);
    assert_eq!(ended(&run).await, not_applied("operator_ended"));
}

/// A merge whose success is known is done, wherever TiKV splits the region later.
#[tokio::test]
async fn a_merge_that_succeeded_is_done_whatever_became_of_its_keys() {
    let fixture = Fixture::start().await;
    let (run, border, next) = merged(&fixture, Answered).await;
    fixture.sim.split(next, &format!("{border}7F"));
    let ours = End::Applied(Attribution::Ours, String::new());
    assert_eq!(ended(&run).await, ours);
}

/// A merge that no store carries out, and of which the neighbour is split by TiKV itself; gives the
/// neighbour as well.
async fn split_while_merging(fixture: &Fixture) -> (Run<'_>, u64) {
    nobody_obeys(fixture);
    let (border, next) = fixture.next().await;
    let parameters = json!({"source_region_id": fixture.id, "target_region_id": next});
    let run = fixture.begin_with(Answered, "merge_regions", parameters);
    let run = run.await;
    fixture.sim.split(next, &format!("{border}7F"));
    (run, next)
}

fn nobody_obeys(fixture: &Fixture) {
    for store in 1..=5 {
        fixture.sim.set_ignores_operators(store, true);
    }
}

fn assert_succeeded(fixture: &Fixture, region: u64) {
    let status = fixture.sim.operator_status(region).unwrap();
    assert!(status.contains("SUCCESS"), "{status}");
}

/// Before 7.5 the region's own half goes on when the neighbour's has ended.
#[tokio::test]
async fn a_merge_is_not_over_while_one_half_of_it_runs() {
    for (version, goes_on) in [(Version::V6_5, true), (Version::V7_5, false)] {
        let fixture = Fixture::of(version).await;
        let (run, next) = split_while_merging(&fixture).await;
        fixture.sim.advance(Duration::from_secs(60));
        assert_succeeded(&fixture, next);
        let progress = run.probe().await;
        let is_pending = matches!(progress, Progress::Pending { .. });
        assert_eq!(is_pending, goes_on, "{version:?}: {progress:?}");
    }
}

/// Two parts are merged again by our undo; of three none is.
#[tokio::test]
async fn a_split_in_three_has_no_undo() {
    for (places, has_undo) in [(vec!["7F"], true), (vec!["3F", "7F"], false)] {
        let fixture = Fixture::start().await;
        let (parameters, _) = at(&fixture, &places).await;
        let run = fixture
            .begin_with(Answered, "split_region", parameters)
            .await;
        let progress = run.settled(40).await;
        assert_eq!(applied(&progress, has_undo), Attribution::Ours);
        let undo = run.undo(&progress);
        assert_eq!(matches!(undo, Undo::Action { .. }), has_undo, "{undo:?}");
    }
}

#[tokio::test]
async fn a_scattering_is_proven_by_its_operator_alone() {
    let fixture = Fixture::start().await;
    let run = fixture.begin(NeverArrived, "scatter_region").await;
    assert_eq!(ended(&run).await, not_applied("no_trace"));

    let fixture = Fixture::start().await;
    let run = fixture.begin(NeverArrived, "scatter_region").await;
    fixture.balanced_elsewhere();
    assert_eq!(ended(&run).await, unknown("operator_superseded"));
}
