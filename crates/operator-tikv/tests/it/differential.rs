//! Plans predict PD: what a plan says PD would answer, beside what PD answers.
//!
//! Thousands of random requests of every kind are planned and then sent. Against the simulated PD
//! the fixtures are random too: stores in every state, rules, labels, operators at work, drains,
//! lagging and silent replicas, joint states, four versions. Against a real PD, when
//! `PD_ENDPOINTS` is set, requests are planned only, unless `PD_MUTATE_CLUSTER_ID` is the cluster
//! id that PD reports: then they are sent as well, and taken back where they can be.
//!
//! ```text
//! cargo test -p operator-tikv --test it differential -- --nocapture
//! DIFFERENTIAL_SEED=7 DIFFERENTIAL_FIXTURES=40 cargo test … differential -- --nocapture
//! PD_ENDPOINTS=http://127.0.0.1:2379 cargo test … differential::live -- --nocapture
//! ```

pub(crate) mod dice;
mod fixtures;
mod ground;
mod live;
mod requests;
mod tally;

use std::env;

use pd_sim::Sim;

use dice::Dice;
use fixtures::Fixture;
use ground::Ground;
use requests::Known;
use tally::Tally;

/// Requests made in each fixture.
const REQUESTS: usize = 16;

pub(crate) fn number(name: &str, default: u64) -> u64 {
    let set = env::var(name).ok();
    set.map_or(default, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_say_what_pd_answers() {
    let seed = number("DIFFERENTIAL_SEED", 1);
    let fixtures = number("DIFFERENTIAL_FIXTURES", 80);
    let mut tasks = tokio::task::JoinSet::new();
    for part in 0..4 {
        tasks.spawn(async move {
            let mut tally = Tally::default();
            for number in (part..fixtures).step_by(4) {
                one_fixture(seed.wrapping_mul(1_000_003) + number, &mut tally).await;
            }
            tally
        });
    }
    let mut tally = Tally::default();
    while let Some(part) = tasks.join_next().await {
        tally.add(part.unwrap());
    }
    eprintln!("{}", tally.table());
    assert!(
        tally.total() >= 1_000 || fixtures < 100,
        "{}",
        tally.total()
    );
    tally.check();
    // Here nothing changes by itself between a plan and PD's answer.
    assert_eq!(tally.overtaken(), 0);
}

async fn one_fixture(seed: u64, tally: &mut Tally) {
    let mut dice = Dice::new(seed);
    let fixture = Fixture::random(&mut dice).await;
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
