//! The judge itself: it finds each thing that must never be, put into a history that was right.

use serde_json::json;

use crate::adversary::asked::{Asked, What};
use crate::adversary::child::Order;
use crate::adversary::fixture::{Death, Fixture};
use crate::adversary::judge::judge;
use crate::adversary::random::Random;
use crate::adversary::request_log::Seen;
use crate::adversary::tally::{Broken, Tally};

const ITEM: &str = "leader-schedule-limit";
const LIMIT: u64 = 9;

/// Makes of what was seen something that must never be.
type Alter = fn(&mut Vec<Seen>);

async fn found(fixture: &Fixture, asked: &Asked, seen: &[Seen]) -> Vec<Broken> {
    fixture.log.replace(seen.to_vec());
    let mut tally = Tally::default();
    judge(fixture, std::slice::from_ref(asked), false, &mut tally).await;
    tally.broken.into_iter().map(|(broken, _)| broken).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_judge_finds_each_thing_that_must_never_be() {
    let fixture = Fixture::new(7, &mut Random::new(7), 1).await;
    let asked = Asked {
        name: "set_leader_schedule_limit",
        parameters: json!({"limit": LIMIT}),
        what: What::Setting {
            item: ITEM,
            value: LIMIT,
        },
    };
    fixture.run("user:ana", &asked, Death::None).await;
    let right = fixture.log.seen();
    assert_eq!(right.len(), 1);
    assert_eq!(found(&fixture, &asked, &right).await, []);

    let cases: [(Alter, &[Broken]); 6] = [
        (|seen| seen.push(seen[0].clone()), &[Broken::Double]),
        (|seen| seen[0].was_intended = false, &[Broken::Unintended]),
        (
            |seen| seen[0].caller = "nobody we know".to_owned(),
            &[Broken::Unintended, Broken::Misreported],
        ),
        (|seen| seen[0].after_stop = true, &[Broken::AfterStop]),
        (|seen| seen[0].while_denied = true, &[Broken::Rule]),
        // It says that it was applied by us, and PD has accepted nothing.
        (|seen| seen[0].accepted = None, &[Broken::Misreported]),
    ];
    for (place, (alter, expected)) in cases.into_iter().enumerate() {
        let mut seen = right.clone();
        alter(&mut seen);
        let found = found(&fixture, &asked, &seen).await;
        assert_eq!(found, expected, "case {place}");
    }

    // It is taken back, which nobody has seen, and is in force all the same.
    let undo = fixture.orders("user:ana", vec![Order::Undo]);
    fixture.process(undo, Death::None).await;
    assert!(fixture.state().await.effects.is_empty());
    fixture.sim.set_schedule(ITEM, LIMIT);
    let found = found(&fixture, &asked, &right).await;
    assert!(found.contains(&Broken::Unlisted), "{found:?}");
}
