//! Plans predict PD: what a plan says PD would answer, beside what PD answers.
//!
//! Thousands of random requests of every kind are planned and then sent. Against the simulated PD
//! the fixtures are random too: stores in every state, TiFlash among them, rules, labels, isolation,
//! running operators, drains, lagging and silent replicas, lost majorities, joint states, overrides,
//! unsafe recovery, four versions and a version without a number. Against a real PD, when
//! `PD_ENDPOINTS` is set, requests are planned only, unless `PD_MUTATE_CLUSTER_ID` is the cluster
//! id that PD reports: then they are sent as well, and taken back where they can be.
//!
//! ```text
//! cargo test -p operator-tikv --test it differential -- --nocapture
//! DIFFERENTIAL_SEED=7 DIFFERENTIAL_PER_VERSION=10000 cargo test … differential -- --nocapture
//! PD_ENDPOINTS=http://127.0.0.1:2379 cargo test … differential::live -- --nocapture
//! ```

pub(crate) mod dice;
mod fixtures;
mod ground;
mod live;
mod requests;
mod tally;

use std::collections::BTreeMap;
use std::env;

use pd_sim::Sim;

use dice::Dice;
use fixtures::Fixture;
use ground::Ground;
use requests::Known;
use tally::Tally;

use crate::VERSIONS;

/// Requests made in each fixture.
const REQUESTS: u64 = 16;

/// What is undecided where PD says no version, and only there.
const NO_NUMBER: &str = "version_unknown";

pub(crate) fn number(name: &str, default: u64) -> u64 {
    let set = env::var(name).ok();
    set.map_or(default, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_say_what_pd_answers() {
    let seed = number("DIFFERENTIAL_SEED", 1);
    let per_version = number("DIFFERENTIAL_PER_VERSION", 320);
    let versions = VERSIONS.len() as u64;
    let fixtures = versions * per_version.div_ceil(REQUESTS);
    let mut tasks = tokio::task::JoinSet::new();
    for part in 0..4 {
        tasks.spawn(async move {
            let mut tallies = Tallies::default();
            for number in (part..fixtures).step_by(4) {
                one_fixture(seed.wrapping_mul(1_000_003) + number, number, &mut tallies).await;
            }
            tallies
        });
    }
    let mut tallies = Tallies::default();
    while let Some(part) = tasks.join_next().await {
        let part = part.unwrap();
        tallies.numbered.add(part.numbered);
        tallies.unnumbered.add(part.unnumbered);
        for (version, count) in part.sent {
            *tallies.sent.entry(version).or_default() += count;
        }
    }
    let Tallies {
        numbered,
        unnumbered,
        sent,
    } = tallies;
    eprintln!(
        "{}\nwithout a number:\n{}",
        numbered.table(),
        unnumbered.table()
    );
    eprintln!("requests by version: {sent:?}");
    assert_eq!(numbered.total() + unnumbered.total(), fixtures * REQUESTS);
    numbered.check(&[]);
    unnumbered.check(&[NO_NUMBER]);
    // Here nothing changes by itself between a plan and PD's answer.
    assert_eq!(numbered.overtaken() + unnumbered.overtaken(), 0);
}

/// Counts of fixtures whose PD says its version, and of those whose does not.
#[derive(Default)]
struct Tallies {
    numbered: Tally,
    unnumbered: Tally,
    /// Requests by version.
    sent: BTreeMap<String, u64>,
}

async fn one_fixture(seed: u64, number: u64, tallies: &mut Tallies) {
    let mut dice = Dice::new(seed);
    let version = VERSIONS[usize::try_from(number).unwrap() % VERSIONS.len()];
    let fixture = Fixture::random(&mut dice, version).await;
    let version = format!("{version:?}");
    *tallies.sent.entry(version).or_default() += REQUESTS;
    let tally = if fixture.has_number {
        &mut tallies.numbered
    } else {
        &mut tallies.unnumbered
    };
    let sim: &Sim = &fixture.sim;
    let mut ground = Ground::new(sim.endpoint());
    let mut known = Known::of(&ground).await;
    for _ in 0..REQUESTS {
        if dice.one_in(6) {
            sim.advance(dice.time());
            // The clock has jumped: a new client finds out.
            ground = Ground::new(sim.endpoint());
            known = Known::of(&ground).await;
        }
        let (name, parameters) = requests::random(&mut dice, &known);
        let told = format!("seed {seed}, {:?}: {name} {parameters}", fixture.version);
        ground.compare(name, parameters, &told, tally).await;
    }
}
