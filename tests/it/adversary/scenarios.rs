//! What happens in a run, by kind. Everything a scenario does at random it does by its random.

use std::time::Duration;

use action_core::{FailureKind, Workflow};
use action_guard::{Decider, Mode, StartOptions, Workflows};
use pd_sim::Sim;
use serde_json::json;

use crate::adversary::asked::{Asked, What};
use crate::adversary::child::Order;
use crate::adversary::fixture::{Death, Fixture, ana};
use crate::adversary::forgery;
use crate::adversary::judge::{judge, nothing_sent_again_without_answer};
use crate::adversary::policies;
use crate::adversary::proxy::Trouble;
use crate::adversary::random::Random;
use crate::adversary::tally::{Broken, Tally};

/// Kinds of runs, each tried as often as any other.
pub(super) const KINDS: &[&str] = &[
    "kills",
    "network",
    "slow leaders",
    "foreign operators",
    "restarts",
    "concurrent",
    "stops",
    "undos",
    "releases",
    "workflows",
    "forgeries",
    "clocks",
    "other clusters",
    "policies",
];

/// Who acts.
const ACTORS: &[&str] = &["user:ana", "agent:night", "user:bob"];

/// What becomes of writes where the network is bad. What is held is held for less than what was not
/// answered is waited for.
const WRITES: &[Trouble] = &[
    Trouble::Drop,
    Trouble::LoseAnswer,
    Trouble::Hold(Duration::from_millis(500)),
    Trouble::Hold(Duration::from_millis(3_500)),
    Trouble::Hold(Duration::from_millis(9_000)),
    Trouble::HoldAnswer(Duration::from_millis(3_500)),
    Trouble::Refuse(500, "PANIC: runtime error: index out of range\n"),
    Trouble::Refuse(403, "<html>forbidden</html>"),
    Trouble::Refuse(429, "Too Many Requests\n"),
    Trouble::Replace(500, "[PD:apiutil:ErrRedirect]redirect failed\n"),
    Trouble::Replace(403, "<html>forbidden</html>"),
    // What limits a rate does so before it hands anything on: these words of PD's are believed.
    Trouble::Replace(429, "<html>slow down</html>"),
    Trouble::Replace(200, "<html>welcome</html>"),
    Trouble::Cut,
];

/// One run of a kind.
pub(super) async fn run(kind: &'static str, seed: u64) -> Tally {
    let mut random = Random::new(seed);
    let members = match kind {
        "slow leaders" => 3,
        "other clusters" => 1,
        _ => random.pick(&[1, 1, 3]),
    };
    let mut fixture = Fixture::new(seed, &mut random, members).await;
    let mut tally = Tally::default();
    *tally.runs.entry(kind).or_default() += 1;
    if random.one_in(4) || kind == "network" {
        fixture.trouble(random.pick(WRITES));
        fixture.reads_in_trouble(random.pick(&[0, 6, 20]));
    }
    let mut asked = vec![match kind {
        "undos" | "releases" => Asked::lasting(&fixture, &mut random),
        "foreign operators" => Asked::on_a_region(&fixture.sim, &mut random),
        _ => Asked::any(&fixture, &mut random),
    }];
    let others = match kind {
        "foreign operators" => true,
        "kills" | "network" | "slow leaders" | "restarts" | "concurrent" => random.one_in(2),
        _ => false,
    };
    let one = asked[0].clone();
    match kind {
        "kills" => kills(&fixture, &one, others, &mut random).await,
        "network" => {
            if random.one_in(6) {
                // Told of what holds requests so long, it waits for that too.
                fixture.held_for_ms = 12_000;
                fixture.calm();
                fixture.trouble(Trouble::Hold(Duration::from_secs(22)));
            }
            let run = fixture.run("user:ana", &one, some_death(&mut random, 6));
            tokio::join!(run, beside(&fixture, &one, others, random.below(1_000)));
        }
        "slow leaders" => slow_leaders(&fixture, &one, others, &mut random).await,
        "foreign operators" => {
            let run = fixture.run("user:ana", &one, some_death(&mut random, 2));
            tokio::join!(run, beside(&fixture, &one, true, random.below(1_000)));
            one.beside(&fixture.sim, &mut random);
        }
        "restarts" => {
            let at = random.below(30);
            let run = fixture.run("user:ana", &one, some_death(&mut random, 3));
            let restart = async {
                fixture.after_requests(at).await;
                fixture.lose_leader(&mut random);
            };
            tokio::join!(run, restart);
            beside(&fixture, &one, others, random.below(1_000)).await;
        }
        "concurrent" => concurrent(&fixture, &mut asked, others, &mut random).await,
        "stops" => stops(&fixture, &mut asked, &mut random, &mut tally).await,
        "undos" => undos(&fixture, &one, &mut random).await,
        "releases" => releases(&fixture, &one, &mut random, &mut tally).await,
        "workflows" => workflows(&fixture, &mut asked, &mut random, &mut tally).await,
        "forgeries" => forgery::journal(&fixture, &one, &mut random, &mut tally).await,
        "clocks" => forgery::clock(&fixture, &one, &mut random, &mut tally).await,
        "policies" => {
            fixture.policy = Some(policies::path(fixture.path()));
            let deaths = [some_death(&mut random, 4), some_death(&mut random, 4)];
            policies::change(&fixture, &mut asked, deaths, &mut random, &mut tally).await;
        }
        _ => other_clusters(&fixture, &one, seed, &mut random).await,
    }
    fixture.find_outcomes().await;
    let set = others && matches!(one.what, What::Setting { .. });
    judge(&fixture, &asked, set, &mut tally).await;
    if kind == "workflows" {
        nothing_sent_again_without_answer(&fixture, &mut tally).await;
    }
    tally.kills += *fixture.kills.lock().unwrap();
    tally.faults += fixture.network.lock().unwrap().faults;
    tally
}

fn some_death(random: &mut Random, one_in: u64) -> Death {
    match random.one_in(one_in) {
        true => Death::any(random),
        false => Death::None,
    }
}

/// Others do things at the same place, while requests come by and for a while after.
async fn beside(fixture: &Fixture, asked: &Asked, others: bool, seed: u64) {
    if !others {
        return;
    }
    let mut random = Random::new(seed);
    let mut at = random.below(12);
    for _ in 0..1 + random.below(6) {
        fixture.after_requests(at).await;
        asked.beside(&fixture.sim, &mut random);
        at += random.below(12);
    }
}

/// It dies as PD is asked; others come between; somebody finds out.
async fn kills(fixture: &Fixture, asked: &Asked, others: bool, random: &mut Random) {
    let death = Death::any(random);
    if matches!(death, Death::Accepted) {
        // So that it is dead before the answer comes.
        fixture.trouble(Trouble::HoldAnswer(Duration::from_millis(1_500)));
    }
    fixture.run("user:ana", asked, death).await;
    if others {
        for _ in 0..1 + random.below(4) {
            asked.beside(&fixture.sim, random);
        }
    }
    if random.one_in(3) {
        // Who finds out dies too.
        let orders = fixture.orders("system", vec![Order::Recover]);
        let requests = usize::try_from(1 + random.below(12)).unwrap();
        fixture
            .process(orders, Death::AfterRequests(requests))
            .await;
    }
}

async fn slow_leaders(fixture: &Fixture, asked: &Asked, others: bool, random: &mut Random) {
    let (at, stops) = (random.below(15), random.one_in(2));
    fixture.reads_in_trouble(random.pick(&[3, 6, 12]));
    let (run, seed) = (some_death(random, 6), random.below(1_000));
    let run = fixture.run("user:ana", asked, run);
    let elections = async {
        fixture.after_requests(at).await;
        if stops && fixture.members > 1 {
            let leader = fixture.sim.leader_name();
            let leader = leader.and_then(|name| name.trim_start_matches("pd").parse().ok());
            let leader: usize = leader.unwrap_or(0);
            fixture.sim.stop_member(leader).await;
            fixture.lose_leader(random);
            fixture.after_requests(at + 10).await;
            // Somebody else may have its port by now: then it stays away.
            let _ = fixture.sim.start_member(leader).await;
        } else {
            fixture.lose_leader(random);
        }
    };
    tokio::join!(run, elections, beside(fixture, asked, others, seed));
}

/// From some moment on new connections lead to another cluster, in which it looks done or not.
async fn other_clusters(fixture: &Fixture, asked: &Asked, seed: u64, random: &mut Random) {
    let other = Sim::builder()
        .cluster_id(42)
        .stores(5)
        .regions(6)
        .seed(seed);
    let other = other.start().await.unwrap();
    if random.one_in(2) {
        asked.is_so_in(&other);
    }
    let (at, back, death) = (random.below(40), random.one_in(2), some_death(random, 3));
    let lead = |to: Option<String>| fixture.network.lock().unwrap().elsewhere = to;
    if random.one_in(2) {
        fixture.trouble(random.pick(WRITES));
    }
    let run = fixture.run("user:ana", asked, death);
    let elsewhere = async {
        fixture.after_requests(at).await;
        lead(Some(other.endpoint().to_owned()));
        if back {
            fixture.after_requests(at + 20).await;
            lead(None);
        }
    };
    tokio::join!(run, elsewhere);
    fixture.recover().await;
}

/// Several processes on one state directory, at the same or at other things.
async fn concurrent(fixture: &Fixture, asked: &mut Vec<Asked>, others: bool, random: &mut Random) {
    let mut all = vec![asked[0].clone()];
    for _ in 0..1 + random.below(3) {
        all.push(match random.one_in(2) {
            true => asked[0].clone(),
            false => Asked::any(fixture, random),
        });
    }
    let runs = all.iter().enumerate().map(|(place, one)| {
        let death = some_death(random, 4);
        fixture.run(ACTORS[place % ACTORS.len()], one, death)
    });
    let runs: Vec<_> = runs.collect();
    let seed = random.below(1_000);
    tokio::join!(all_of(runs), beside(fixture, &all[0], others, seed));
    asked.extend(all);
}

async fn all_of(runs: Vec<impl Future<Output = ()>>) {
    let mut runs: Vec<_> = runs.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|context| {
        runs.retain_mut(|run| run.as_mut().poll(context).is_pending());
        match runs.is_empty() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
}

/// Somebody stops everything, or sets the mode to observe, while processes are at it.
async fn stops(fixture: &Fixture, asked: &mut Vec<Asked>, random: &mut Random, tally: &mut Tally) {
    let second = Asked::any(fixture, random);
    let (first, at, kill_switch) = (asked[0].clone(), random.below(40), random.one_in(2));
    let slow = random.one_in(2);
    if slow {
        fixture.reads_in_trouble(4);
    }
    let processes = async {
        let one = fixture.run("user:ana", &first, Death::None);
        let other = fixture.run("agent:night", &second, Death::None);
        tokio::join!(one, other);
    };
    let stop = async {
        fixture.after_requests(at).await;
        let controls = fixture.controls();
        let nobody_sends = if kill_switch {
            let stop = controls.stop(&ana(), "a test").await;
            stop.is_ok_and(|stop| stop.still_sending.is_empty())
        } else {
            let ana = ana();
            let mode = controls.set_mode(Mode::Observe, Decider::claimed(&ana), "a test");
            mode.await.is_ok()
        };
        if nobody_sends {
            fixture.proxies.settle().await;
            fixture.log.stop(true);
            tally.stops += 1;
        }
    };
    tokio::join!(processes, stop);
    asked.push(second);
    // What comes after it is refused too.
    fixture.run("user:bob", &first, Death::None).await;
}

/// It is taken back while it is under way, or after, by one or by several.
async fn undos(fixture: &Fixture, asked: &Asked, random: &mut Random) {
    let (at, death) = (random.below(40), some_death(random, 3));
    let held = random.one_in(3);
    if held {
        fixture.calm();
        fixture.trouble(Trouble::Hold(random.pause(&[300, 1_500, 5_000])));
    }
    let (also, death_of_undo) = (random.one_in(3), some_death(random, 4));
    let first = fixture.run("user:ana", asked, death);
    let undo = async {
        fixture.after_requests(at).await;
        let undo = |actor| fixture.orders(actor, vec![Order::Undo]);
        let one = fixture.process(undo("user:ana"), death_of_undo);
        let other = async {
            if also {
                fixture.process(undo("user:bob"), Death::None).await;
            }
        };
        tokio::join!(one, other);
    };
    tokio::join!(first, undo);
}

/// What is in force is given up: not by an agent whose it is not, but by its owner or a person.
async fn releases(fixture: &Fixture, asked: &Asked, random: &mut Random, tally: &mut Tally) {
    let (owner, death) = (
        random.pick(&["user:ana", "agent:night"]),
        some_death(random, 3),
    );
    fixture.run(owner, asked, death).await;
    let controls = fixture.controls();
    let effects: Vec<String> = fixture.state().await.effects.keys().cloned().collect();
    for id in effects {
        let stranger = "agent:other".parse().unwrap();
        if controls.release(&id, &stranger, "not mine").await.is_ok() {
            tally.broke(Broken::Rule, format!("{stranger} gave up {id} of {owner}"));
        }
        if random.one_in(2) {
            let by = random.pick(&[owner, "user:bob"]).parse().unwrap();
            // It may be in flight still.
            let _ = controls.release(&id, &by, "it is theirs now").await;
        }
    }
}

/// A person starts, an agent goes on; what fails is tried again.
async fn workflows(
    fixture: &Fixture,
    asked: &mut Vec<Asked>,
    random: &mut Random,
    tally: &mut Tally,
) {
    let limit = loop {
        let limit = Asked::lasting(fixture, random);
        if matches!(limit.what, What::Setting { .. }) {
            break limit;
        }
    };
    let moved = Asked::on_a_region(&fixture.sim, random);
    let retry = json!({"times": 3, "first": "1s", "longest": "2s"});
    let step = |id: &str, one: &Asked| json!({"id": id, "action": one.name, "parameters": one.parameters, "retry": retry});
    let document = json!({"title": "a test", "steps": [
        step("limit", &limit),
        {"id": "look", "confirm": "Look at it."},
        step("move", &moved),
        {"id": "back", "undo": "limit", "retry": retry},
    ]});
    fixture.trouble(random.pick(WRITES));
    fixture.trouble(random.pick(&[WRITES[0], WRITES[4], WRITES[6], Trouble::None]));
    let held_long = random.one_in(8);
    if held_long {
        // Longer than anybody told it: what was not answered is not sent again by itself.
        fixture.calm();
        fixture.trouble(Trouble::HoldTillTheEnd);
    }
    let direct = Workflows::new(crate::guard_in(fixture.sim.endpoint(), &fixture.directory));
    let workflow = Workflow::read(&document).unwrap();
    let ana = ana();
    let id = loop {
        // A machine that is busy is no part of the scenario.
        let started = direct.start(&workflow, &ana, StartOptions::default());
        match started.await {
            Ok(flow) => break flow.id.clone(),
            Err(error) => assert_eq!(error.kind(), FailureKind::Unavailable, "{error}"),
        }
    };
    let run = |actor| fixture.orders(actor, vec![Order::Workflow { id: id.clone() }]);
    fixture
        .process(run("user:ana"), some_death(random, 2))
        .await;
    fixture
        .process(run("agent:night"), some_death(random, 3))
        .await;
    let agent = "agent:night".parse().unwrap();
    let by_agent = direct.confirm(&id, "look", Decider::claimed(&agent), None);
    if by_agent.await.is_ok() {
        tally.broke(Broken::Rule, "an agent confirmed".to_owned());
    }
    let bob = "user:bob".parse().unwrap();
    // Where a step failed before, it is not the next step.
    let _ = direct
        .confirm(&id, "look", Decider::claimed(&bob), None)
        .await;
    fixture
        .process(run("agent:night"), some_death(random, 2))
        .await;
    fixture.process(run("user:ana"), Death::None).await;
    if held_long {
        // It is known to be later than was waited for: that it is not sent again is what counts.
        asked.clear();
    } else {
        *asked = vec![limit, moved];
    }
}
