//! Ranges are told by their borders; a scattering by its operator alone.

use std::time::Duration;

use action_core::SettledState;
use pd_sim::ForeignOperator;
use serde_json::json;

use super::Fate::{AnswerLost, NeverArrived};
use super::{Fixture, ended, not_applied, undecided, unknown};

/// A merge that is split again at the old border.
#[tokio::test]
async fn a_merge_is_proven_by_its_borders() {
    let fixture = Fixture::start().await;
    let pd = pd_client::Client::new(fixture.sim.endpoint()).unwrap();
    let found = pd
        .region(pd_client::RegionId::new(fixture.id).unwrap())
        .await;
    let border = found.unwrap().unwrap().end_key;
    let next = pd.region_by_key(&border).await.unwrap().unwrap().id.get();
    let parameters = json!({"source_region_id": fixture.id, "target_region_id": next});
    let merge = fixture.begin_with(AnswerLost, "merge_regions", parameters);
    let run = merge.await;
    fixture.sim.advance(Duration::from_secs(20));
    assert!(fixture.sim.peers(fixture.id).is_empty(), "merged");
    let desc = "labeler-split-region";
    fixture.foreign(ForeignOperator::split(desc, next, [border.as_str()]));
    assert_eq!(ended(&run).await, undecided(desc));
    let settled = run.look_again().await;
    assert_eq!(settled.state, SettledState::Reversed, "{settled:?}");
}

/// A split that never arrived, and a leader that moved.
#[tokio::test]
async fn a_split_is_proven_by_its_borders() {
    let fixture = Fixture::start().await;
    let run = fixture.begin(NeverArrived, "split_region").await;
    fixture.balanced_elsewhere();
    assert_eq!(ended(&run).await, not_applied("operator_superseded"));
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
