//! An adversary between processes that operate a cluster and PD: it kills them, loses and holds what
//! they send, does things beside them, stops them, takes back what they do, and changes what they
//! have written. PD's own history is the judge of what they say in the end.
//!
//! A handful of runs by default, three minutes in a campaign, as many as are asked for else:
//!
//! ```text
//! ADVERSARY_RUNS=10000 ADVERSARY_AT_ONCE=64 CAMPAIGN_SEED=7 cargo test … adversary -- --nocapture
//! ```
//!
//! A run is repeated by `ADVERSARY_SEED`, which a failure prints: what is done to it is the same,
//! when exactly is up to the machine.

mod asked;
mod child;
mod fixture;
mod forgery;
mod judge;
mod judge_judged;
mod policies;
mod proxy;
mod random;
mod request_log;
mod scenarios;
mod tally;

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::adversary::scenarios::KINDS;
use crate::adversary::tally::{Broken, Tally};

/// How long runs are begun in a campaign. The last of them take a while to end.
const CAMPAIGN: Duration = Duration::from_secs(110);

/// How many failures are told in full.
const TOLD: usize = 5;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_twice_unseen_or_misreported_whatever_goes_wrong() {
    let seed = number("CAMPAIGN_SEED").unwrap_or(1);
    let one = number("ADVERSARY_SEED");
    let (runs, until) = match (one, number("ADVERSARY_RUNS"), std::env::var_os("CAMPAIGN")) {
        (Some(_), _, _) => (1, None),
        (None, Some(runs), _) => (runs, None),
        (None, None, Some(_)) => (u64::MAX, Some(Instant::now() + CAMPAIGN)),
        (None, None, None) => (KINDS.len() as u64, None),
    };
    let many = runs > KINDS.len() as u64;
    let at_once = usize::try_from(number("ADVERSARY_AT_ONCE").unwrap_or(24)).unwrap();
    let mut all = Tally::default();
    let mut under_way = JoinSet::new();
    let mut next = 0;
    loop {
        let is_over = next >= runs || until.is_some_and(|until| Instant::now() > until);
        while !is_over && next < runs && under_way.len() < at_once {
            let seed = match (one, many) {
                (Some(one), _) => one,
                (None, true) => seed.wrapping_mul(1_000_003).wrapping_add(next),
                // One of each kind, of those that do not wait for long.
                (None, false) => next,
            };
            let kind = KINDS[usize::try_from(seed % KINDS.len() as u64).unwrap()];
            let run = tokio::spawn(scenarios::run(kind, seed));
            under_way.spawn(async move { (seed, kind, run.await) });
            next += 1;
        }
        let Some(ended) = under_way.join_next().await else {
            break;
        };
        let (seed, kind, tally) = ended.unwrap();
        let tally = tally.unwrap_or_else(|panic| {
            let mut tally = Tally::default();
            tally.broke(Broken::Rule, format!("the run itself: {panic}"));
            tally
        });
        for (broken, told) in &tally.broken {
            if all.broken.len() < TOLD {
                eprintln!("ADVERSARY_SEED={seed} ({kind}): {broken:?}: {told}");
            } else {
                eprintln!("ADVERSARY_SEED={seed} ({kind}): {broken:?}");
            }
        }
        all.add(tally);
    }
    println!("CAMPAIGN_SEED={seed}\n{all}");
    let broken: Vec<Broken> = all.broken.iter().map(|(broken, _)| *broken).collect();
    assert!(broken.is_empty(), "CAMPAIGN_SEED={seed}: {broken:?}");
    // It would be easy to be right by deciding nothing.
    assert!(all.applied + all.not_applied > all.unknown, "{all}");
}
