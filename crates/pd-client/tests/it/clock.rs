//! PD's clock, from the `Date` of its answers.

use std::time::{Duration, SystemTime};

use crate::replay::Replay;
use crate::{region, store};

#[tokio::test]
async fn the_date_of_answers_shows_how_far_clocks_differ() {
    let date = [("Date", "Tue, 24 Nov 2026 05:22:02 GMT")];
    let pd = Replay::new(200, &date, "\"The operator is created.\"").client();
    assert_eq!(pd.clock_offset(), None);
    let before = SystemTime::now();
    let accepted = pd
        .add_transfer_leader_operator(region(7), store(1))
        .await
        .unwrap();
    let dated = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_497_722);
    assert_eq!(accepted.date, Some(dated));
    let offset = pd.clock_offset().unwrap();
    let ahead = match dated.duration_since(before) {
        Ok(ahead) => i64::try_from(ahead.as_millis()).unwrap(),
        Err(behind) => -i64::try_from(behind.duration().as_millis()).unwrap(),
    };
    assert!(
        offset.ahead_ms.abs_diff(ahead + 500) <= 200,
        "{offset:?}, {ahead}"
    );
    assert!((500..700).contains(&offset.uncertainty_ms), "{offset:?}");
}

#[tokio::test]
async fn a_refusal_is_dated_too_and_clones_share_it() {
    let date = [("Date", "Tue, 24 Nov 2026 05:22:02 GMT")];
    let pd = Replay::new(500, &date, "\"no\"").client();
    let clone = pd.with_caller_id("other").unwrap();
    assert!(pd.stores().await.is_err());
    assert!(clone.clock_offset().is_some());
}

#[tokio::test]
async fn a_date_that_is_none_is_ignored() {
    let pd = Replay::new(200, &[("Date", "soon")], "null").client();
    pd.schedulers().await.unwrap();
    assert_eq!(pd.clock_offset(), None);
}
