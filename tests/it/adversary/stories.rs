//! What happens in a run, by kind. Everything a story does at random it does by its dice.

use std::time::Duration;

use action_core::{FailureKind, Workflow};
use action_guard::{Decider, Mode, StartOptions, Workflows};
use pd_sim::Sim;
use serde_json::json;

use crate::adversary::asked::{Asked, What};
use crate::adversary::child::Order;
use crate::adversary::dice::Dice;
use crate::adversary::forgery;
use crate::adversary::judge::{judge, nothing_sent_again_without_answer};
use crate::adversary::proxy::Trouble;
use crate::adversary::scene::{Death, Scene, ana};
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
    let mut dice = Dice::new(seed);
    let members = match kind {
        "slow leaders" => 3,
        "other clusters" => 1,
        _ => dice.pick(&[1, 1, 3]),
    };
    let mut scene = Scene::new(seed, &mut dice, members).await;
    let mut tally = Tally::default();
    *tally.runs.entry(kind).or_default() += 1;
    if dice.one_in(4) || kind == "network" {
        scene.trouble(dice.pick(WRITES));
        scene.reads_in_trouble(dice.pick(&[0, 6, 20]));
    }
    let mut asked = vec![match kind {
        "undos" | "releases" => Asked::lasting(&scene, &mut dice),
        "foreign operators" => Asked::on_a_region(&scene.sim, &mut dice),
        _ => Asked::any(&scene, &mut dice),
    }];
    let others = match kind {
        "foreign operators" => true,
        "kills" | "network" | "slow leaders" | "restarts" | "concurrent" => dice.one_in(2),
        _ => false,
    };
    let one = asked[0].clone();
    match kind {
        "kills" => kills(&scene, &one, others, &mut dice).await,
        "network" => {
            if dice.one_in(6) {
                // Told of what holds requests so long, it waits for that too.
                scene.held_for_ms = 12_000;
                scene.calm();
                scene.trouble(Trouble::Hold(Duration::from_secs(22)));
            }
            let run = scene.run("user:ana", &one, some_death(&mut dice, 6));
            tokio::join!(run, beside(&scene, &one, others, dice.below(1_000)));
        }
        "slow leaders" => slow_leaders(&scene, &one, others, &mut dice).await,
        "foreign operators" => {
            let run = scene.run("user:ana", &one, some_death(&mut dice, 2));
            tokio::join!(run, beside(&scene, &one, true, dice.below(1_000)));
            one.beside(&scene.sim, &mut dice);
        }
        "restarts" => {
            let at = dice.below(30);
            let run = scene.run("user:ana", &one, some_death(&mut dice, 3));
            let restart = async {
                scene.after_requests(at).await;
                scene.lose_leader(&mut dice);
            };
            tokio::join!(run, restart);
            beside(&scene, &one, others, dice.below(1_000)).await;
        }
        "concurrent" => concurrent(&scene, &mut asked, others, &mut dice).await,
        "stops" => stops(&scene, &mut asked, &mut dice, &mut tally).await,
        "undos" => undos(&scene, &one, &mut dice).await,
        "releases" => releases(&scene, &one, &mut dice, &mut tally).await,
        "workflows" => workflows(&scene, &mut asked, &mut dice, &mut tally).await,
        "forgeries" => forgery::journal(&scene, &one, &mut dice, &mut tally).await,
        "clocks" => forgery::clock(&scene, &one, &mut dice, &mut tally).await,
        _ => other_clusters(&scene, &one, seed, &mut dice).await,
    }
    scene.find_outcomes().await;
    let set = others && matches!(one.what, What::Setting { .. });
    judge(&scene, &asked, set, &mut tally).await;
    if kind == "workflows" {
        nothing_sent_again_without_answer(&scene, &mut tally).await;
    }
    tally.kills += *scene.kills.lock().unwrap();
    tally.faults += scene.network.lock().unwrap().faults;
    tally
}

fn some_death(dice: &mut Dice, one_in: u64) -> Death {
    match dice.one_in(one_in) {
        true => Death::any(dice),
        false => Death::None,
    }
}

/// Others do things at the same place, while requests come by and for a while after.
async fn beside(scene: &Scene, asked: &Asked, others: bool, seed: u64) {
    if !others {
        return;
    }
    let mut dice = Dice::new(seed);
    let mut at = dice.below(12);
    for _ in 0..1 + dice.below(6) {
        scene.after_requests(at).await;
        asked.beside(&scene.sim, &mut dice);
        at += dice.below(12);
    }
}

/// It dies as PD is asked; others come between; somebody finds out.
async fn kills(scene: &Scene, asked: &Asked, others: bool, dice: &mut Dice) {
    let death = Death::any(dice);
    if matches!(death, Death::Accepted) {
        // So that it is dead before the answer comes.
        scene.trouble(Trouble::HoldAnswer(Duration::from_millis(1_500)));
    }
    scene.run("user:ana", asked, death).await;
    if others {
        for _ in 0..1 + dice.below(4) {
            asked.beside(&scene.sim, dice);
        }
    }
    if dice.one_in(3) {
        // Who finds out dies too.
        let orders = scene.orders("system", vec![Order::Recover]);
        let requests = usize::try_from(1 + dice.below(12)).unwrap();
        scene.process(orders, Death::AfterRequests(requests)).await;
    }
}

async fn slow_leaders(scene: &Scene, asked: &Asked, others: bool, dice: &mut Dice) {
    let (at, stops) = (dice.below(15), dice.one_in(2));
    scene.reads_in_trouble(dice.pick(&[3, 6, 12]));
    let (run, seed) = (some_death(dice, 6), dice.below(1_000));
    let run = scene.run("user:ana", asked, run);
    let elections = async {
        scene.after_requests(at).await;
        if stops && scene.members > 1 {
            let leader = scene.sim.leader_name();
            let leader = leader.and_then(|name| name.trim_start_matches("pd").parse().ok());
            let leader: usize = leader.unwrap_or(0);
            scene.sim.stop_member(leader).await;
            scene.lose_leader(dice);
            scene.after_requests(at + 10).await;
            // Somebody else may have its port by now: then it stays away.
            let _ = scene.sim.start_member(leader).await;
        } else {
            scene.lose_leader(dice);
        }
    };
    tokio::join!(run, elections, beside(scene, asked, others, seed));
}

/// From some moment on new connections lead to another cluster, in which it looks done or not.
async fn other_clusters(scene: &Scene, asked: &Asked, seed: u64, dice: &mut Dice) {
    let other = Sim::builder()
        .cluster_id(42)
        .stores(5)
        .regions(6)
        .seed(seed);
    let other = other.start().await.unwrap();
    if dice.one_in(2) {
        asked.is_so_in(&other);
    }
    let (at, back, death) = (dice.below(40), dice.one_in(2), some_death(dice, 3));
    let lead = |to: Option<String>| scene.network.lock().unwrap().elsewhere = to;
    if dice.one_in(2) {
        scene.trouble(dice.pick(WRITES));
    }
    let run = scene.run("user:ana", asked, death);
    let elsewhere = async {
        scene.after_requests(at).await;
        lead(Some(other.endpoint().to_owned()));
        if back {
            scene.after_requests(at + 20).await;
            lead(None);
        }
    };
    tokio::join!(run, elsewhere);
    scene.recover().await;
}

/// Several processes on one state directory, at the same or at other things.
async fn concurrent(scene: &Scene, asked: &mut Vec<Asked>, others: bool, dice: &mut Dice) {
    let mut all = vec![asked[0].clone()];
    for _ in 0..1 + dice.below(3) {
        all.push(match dice.one_in(2) {
            true => asked[0].clone(),
            false => Asked::any(scene, dice),
        });
    }
    let runs = all.iter().enumerate().map(|(place, one)| {
        let death = some_death(dice, 4);
        scene.run(ACTORS[place % ACTORS.len()], one, death)
    });
    let runs: Vec<_> = runs.collect();
    let seed = dice.below(1_000);
    tokio::join!(all_of(runs), beside(scene, &all[0], others, seed));
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
async fn stops(scene: &Scene, asked: &mut Vec<Asked>, dice: &mut Dice, tally: &mut Tally) {
    let second = Asked::any(scene, dice);
    let (first, at, kill_switch) = (asked[0].clone(), dice.below(40), dice.one_in(2));
    let slow = dice.one_in(2);
    if slow {
        scene.reads_in_trouble(4);
    }
    let processes = async {
        let one = scene.run("user:ana", &first, Death::None);
        let other = scene.run("agent:night", &second, Death::None);
        tokio::join!(one, other);
    };
    let stop = async {
        scene.after_requests(at).await;
        let controls = scene.controls();
        let nobody_sends = if kill_switch {
            let stop = controls.stop(&ana(), "a test").await;
            stop.is_ok_and(|stop| stop.still_sending.is_empty())
        } else {
            let ana = ana();
            let mode = controls.set_mode(Mode::Observe, Decider::claimed(&ana), "a test");
            mode.await.is_ok()
        };
        if nobody_sends {
            scene.proxies.settle().await;
            scene.books.stop(true);
            tally.stops += 1;
        }
    };
    tokio::join!(processes, stop);
    asked.push(second);
    // What comes after it is refused too.
    scene.run("user:bob", &first, Death::None).await;
}

/// It is taken back while it is under way, or after, by one or by several.
async fn undos(scene: &Scene, asked: &Asked, dice: &mut Dice) {
    let (at, death) = (dice.below(40), some_death(dice, 3));
    let held = dice.one_in(3);
    if held {
        scene.calm();
        scene.trouble(Trouble::Hold(dice.pause(&[300, 1_500, 5_000])));
    }
    let (also, death_of_undo) = (dice.one_in(3), some_death(dice, 4));
    let first = scene.run("user:ana", asked, death);
    let undo = async {
        scene.after_requests(at).await;
        let undo = |actor| scene.orders(actor, vec![Order::Undo]);
        let one = scene.process(undo("user:ana"), death_of_undo);
        let other = async {
            if also {
                scene.process(undo("user:bob"), Death::None).await;
            }
        };
        tokio::join!(one, other);
    };
    tokio::join!(first, undo);
}

/// What is in force is given up: not by an agent whose it is not, but by its owner or a person.
async fn releases(scene: &Scene, asked: &Asked, dice: &mut Dice, tally: &mut Tally) {
    let (owner, death) = (dice.pick(&["user:ana", "agent:night"]), some_death(dice, 3));
    scene.run(owner, asked, death).await;
    let controls = scene.controls();
    let effects: Vec<String> = scene.state().await.effects.keys().cloned().collect();
    for id in effects {
        let stranger = "agent:other".parse().unwrap();
        if controls.release(&id, &stranger, "not mine").await.is_ok() {
            tally.broke(Broken::Rule, format!("{stranger} gave up {id} of {owner}"));
        }
        if dice.one_in(2) {
            let by = dice.pick(&[owner, "user:bob"]).parse().unwrap();
            // It may be in flight still.
            let _ = controls.release(&id, &by, "it is theirs now").await;
        }
    }
}

/// A person starts, an agent goes on; what fails is tried again.
async fn workflows(scene: &Scene, asked: &mut Vec<Asked>, dice: &mut Dice, tally: &mut Tally) {
    let limit = loop {
        let limit = Asked::lasting(scene, dice);
        if matches!(limit.what, What::Setting { .. }) {
            break limit;
        }
    };
    let moved = Asked::on_a_region(&scene.sim, dice);
    let retry = json!({"times": 3, "first": "1s", "longest": "2s"});
    let step = |id: &str, one: &Asked| json!({"id": id, "action": one.name, "parameters": one.parameters, "retry": retry});
    let document = json!({"title": "a test", "steps": [
        step("limit", &limit),
        {"id": "look", "confirm": "Look at it."},
        step("move", &moved),
        {"id": "back", "undo": "limit", "retry": retry},
    ]});
    scene.trouble(dice.pick(WRITES));
    scene.trouble(dice.pick(&[WRITES[0], WRITES[4], WRITES[6], Trouble::None]));
    let held_long = dice.one_in(8);
    if held_long {
        // Longer than anybody told it: what was not answered is not sent again by itself.
        scene.calm();
        scene.trouble(Trouble::HoldTillTheEnd);
    }
    let direct = Workflows::new(crate::guard_in(scene.sim.endpoint(), &scene.directory));
    let workflow = Workflow::read(&document).unwrap();
    let ana = ana();
    let id = loop {
        // A machine that is busy is no part of the story.
        let started = direct.start(&workflow, &ana, StartOptions::default());
        match started.await {
            Ok(flow) => break flow.id.clone(),
            Err(error) => assert_eq!(error.kind(), FailureKind::Unavailable, "{error}"),
        }
    };
    let run = |actor| scene.orders(actor, vec![Order::Workflow { id: id.clone() }]);
    scene.process(run("user:ana"), some_death(dice, 2)).await;
    scene.process(run("agent:night"), some_death(dice, 3)).await;
    let agent = "agent:night".parse().unwrap();
    let by_agent = direct.confirm(&id, "look", Decider::claimed(&agent), None);
    if by_agent.await.is_ok() {
        tally.broke(Broken::Rule, "an agent confirmed".to_owned());
    }
    let bob = "user:bob".parse().unwrap();
    // Where a step failed before, it is not its turn.
    let _ = direct
        .confirm(&id, "look", Decider::claimed(&bob), None)
        .await;
    scene.process(run("agent:night"), some_death(dice, 2)).await;
    scene.process(run("user:ana"), Death::None).await;
    if held_long {
        // It is known to be later than was waited for: that it is not sent again is what counts.
        asked.clear();
    } else {
        *asked = vec![limit, moved];
    }
}
