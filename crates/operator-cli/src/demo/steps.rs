//! The steps of the demo. Each ends with what was proven, or with why it was not.

use std::pin::Pin;

use action_core::{OutcomeKind, Verdict};
use action_guard::{Decider, Phase};
use pd_sim::Fault;
use serde_json::{Value, json};

use crate::reports::plan;
use crate::terminal::table;

use super::Teller;
use super::stage::{Carried, DRAINED, REGIONS, STORES, Stage};

/// One step.
pub(super) struct Step {
    pub(super) title: &'static str,
    /// What there is to see.
    pub(super) shows: &'static str,
    pub(super) play: Play,
}

type Played<'a> = Pin<Box<dyn Future<Output = Result<String, String>> + 'a>>;
type Play = for<'a> fn(&'a mut Stage, &'a mut Teller<'_>) -> Played<'a>;

pub(super) const ALL: [Step; 9] = [
    Step {
        title: "The stores",
        shows: "What there is, as a table with a bound.",
        play: |stage, teller| Box::pin(stores(stage, teller)),
    },
    Step {
        title: "A refusal, foretold",
        shows: "The plan says that PD would refuse and in which words; then PD is asked anyway.",
        play: |stage, teller| Box::pin(refusal(stage, teller)),
    },
    Step {
        title: "A leader transfer",
        shows: "Planned, recorded, sent once, followed, and proven by what the region says.",
        play: |stage, teller| Box::pin(transfer_leader(stage, teller)),
    },
    Step {
        title: "A lost reply",
        shows: "PD accepts, its answer gets lost. Nothing is sent again: the region is looked at.",
        play: |stage, teller| Box::pin(lost_reply(stage, teller)),
    },
    Step {
        title: "A replica's move, approved",
        shows: "The policy wants a person for this one plan: until then nothing is sent.",
        play: |stage, teller| Box::pin(transfer_peer(stage, teller)),
    },
    Step {
        title: "A drain",
        shows: "All leaders leave a store, counted as they go. The drain stays in force after.",
        play: |stage, teller| Box::pin(drain(stage, teller)),
    },
    Step {
        title: "A budget",
        shows: "A second drain is one too many: the policy names what decides.",
        play: |stage, teller| Box::pin(budget(stage, teller)),
    },
    Step {
        title: "Taking it back",
        shows: "Every report names what takes it back: the drain ends, the leader returns.",
        play: |stage, teller| Box::pin(undo(stage, teller)),
    },
    Step {
        title: "The record",
        shows: "Every send had its intent on disk before, and nothing was sent twice.",
        play: |stage, teller| Box::pin(record(stage, teller)),
    },
];

async fn stores(stage: &mut Stage, teller: &mut Teller<'_>) -> Result<String, String> {
    let seen = stage.look("list_stores", json!({})).await?;
    let listed = seen
        .values()
        .filter_map(Value::as_array)
        .map(Vec::len)
        .max();
    teller.tell(&table::result(&Value::Object(seen)));
    ensure(listed == Some(STORES as usize), "not every store is listed")?;
    let leaders: u64 = (1..=STORES)
        .map(|store| stage.sim.leader_count(store))
        .sum();
    ensure(leaders == REGIONS, "the simulator is not as it should be")?;
    Ok(format!("{STORES} stores are listed, as many as there are"))
}

async fn refusal(stage: &mut Stage, teller: &mut Teller<'_>) -> Result<String, String> {
    let scene = stage.region(&[])?;
    let action = "transfer_leader";
    let parameters = json!({"region_id": scene.region, "to_store_id": scene.outside.to_string()});
    teller.tell(&format!("$ {}", stage.command("plan", action, &parameters)));
    let plan = stage.catalogue.plan(action, parameters.clone()).await;
    let plan = plan.map_err(|error| error.report())?;
    teller.tell(&plan::verdict(&plan.verdict));
    let Verdict::WouldReject { text, .. } = &plan.verdict else {
        return Err("the plan does not say that PD would refuse".to_owned());
    };
    stage.unguarded += 1;
    let Err(error) = stage
        .past_the_guard
        .invoke_unguarded(action, parameters)
        .await
    else {
        return Err("PD accepted".to_owned());
    };
    let said = error.to_string();
    teller.tell(&format!("Sent past the guard, PD says: {said}"));
    ensure(
        said.trim() == text.trim(),
        "PD's words are not those foretold",
    )?;
    ensure(
        stage.sim.leader_of(scene.region) == Some(scene.leader),
        "the leader moved",
    )?;
    Ok("PD refused in exactly the words foretold, and nothing moved".to_owned())
}

async fn transfer_leader(stage: &mut Stage, teller: &mut Teller<'_>) -> Result<String, String> {
    let scene = stage.region(&[])?;
    let parameters = json!({"region_id": scene.region, "to_store_id": scene.follower.to_string()});
    let carried = stage
        .carry_out("transfer_leader", parameters, teller)
        .await?;
    sent_once(&carried)?;
    leads(stage, scene.region, scene.follower)?;
    stage.first_transfer = Some(carried.report);
    Ok(format!(
        "store {} leads region {}",
        scene.follower, scene.region
    ))
}

async fn lost_reply(stage: &mut Stage, teller: &mut Teller<'_>) -> Result<String, String> {
    let scene = stage.region(&used(stage))?;
    stage
        .sim
        .fault(Fault::reply_lost_after_apply("POST", "/operators"));
    let parameters = json!({"region_id": scene.region, "to_store_id": scene.follower.to_string()});
    let carried = stage
        .carry_out("transfer_leader", parameters, teller)
        .await?;
    ensure(carried.unanswered == 1, "the reply was not lost")?;
    ensure(
        carried.report.accepted.is_none(),
        "an answer is recorded that never came",
    )?;
    sent_once(&carried)?;
    leads(stage, scene.region, scene.follower)?;
    Ok("no answer came, PD was asked once, and the region shows that it happened".to_owned())
}

async fn transfer_peer(stage: &mut Stage, teller: &mut Teller<'_>) -> Result<String, String> {
    let scene = stage.region(&used(stage))?;
    let parameters = json!({
        "region_id": scene.region,
        "from_store_id": scene.follower.to_string(),
        "to_store_id": scene.outside.to_string(),
    });
    let proposal = stage.propose("transfer_peer", parameters, teller).await?;
    let early = stage.guard.execute(&proposal, &mut |_| {}).await;
    let early = early.err().ok_or("it was sent without approval")?.report();
    teller.tell(&format!("Without approval: {early}"));
    let (id, plan) = (proposal.id.as_str(), &proposal.plan_hash);
    let controls = stage.guard.controls();
    let own = controls
        .approve(id, plan, Decider::claimed(&stage.agent), None)
        .await;
    let own = own.err().ok_or("the agent approved its own proposal")?;
    teller.tell(&format!("By the agent itself: {own}"));
    ensure(
        stage.sim.writes().len() == stage.intents + stage.unguarded,
        "something was sent",
    )?;
    teller.tell(&format!("$ operator approve {id} --plan {}", plan.short()));
    let approved = controls
        .approve(id, plan, Decider::claimed(&stage.person), None)
        .await;
    let approved = approved.map_err(|error| action_core::report(&error))?;
    ensure(
        approved.phase == Phase::Approved,
        "one approval was not enough",
    )?;
    teller.tell(&format!("Approved by {} (identity claimed)", stage.person));
    let carried = stage.execute(&proposal, teller).await?;
    sent_once(&carried)?;
    let holders: Vec<u64> = stage
        .sim
        .peers(scene.region)
        .iter()
        .map(|peer| peer.store_id)
        .collect();
    ensure(
        holders.contains(&scene.outside),
        "the new store holds no replica",
    )?;
    ensure(
        !holders.contains(&scene.follower),
        "the old store still holds a replica",
    )?;
    ensure(holders.len() == 3, "the region has not three replicas")?;
    Ok(format!(
        "region {} has its replica on store {}, and none on store {}",
        scene.region, scene.outside, scene.follower
    ))
}

async fn drain(stage: &mut Stage, teller: &mut Teller<'_>) -> Result<String, String> {
    let leaders = stage.sim.leader_count(DRAINED);
    ensure(leaders > 0, "the store has no leaders to lose")?;
    let parameters = json!({"store_id": DRAINED.to_string()});
    let carried = stage.carry_out("drain_store", parameters, teller).await?;
    sent_once(&carried)?;
    ensure(carried.counted > 0, "the drain was not counted on the way")?;
    ensure(
        stage.sim.leader_count(DRAINED) == 0,
        "the store still leads regions",
    )?;
    ensure(
        stage.sim.evicting() == [DRAINED],
        "the drain is not in force",
    )?;
    let drains = stage.look("list_drains", json!({})).await?;
    teller.tell(&table::result(&Value::Object(drains)));
    stage.drain = Some(carried.report);
    Ok(format!(
        "all {leaders} leaders left store {DRAINED}; drained, and still in force until taken back"
    ))
}

async fn budget(stage: &mut Stage, teller: &mut Teller<'_>) -> Result<String, String> {
    let other = (1..=STORES)
        .find(|store| *store != DRAINED)
        .unwrap_or(DRAINED);
    let parameters = json!({"store_id": other.to_string()});
    let writes = stage.sim.writes().len();
    match stage.propose("drain_store", parameters, teller).await {
        Ok(_) => Err("a second drain was allowed".to_owned()),
        Err(said) => {
            teller.tell(&said);
            ensure(
                said.contains("one store at a time"),
                "something else refused it",
            )?;
            ensure(stage.sim.writes().len() == writes, "something was sent")?;
            ensure(
                stage.sim.evicting() == [DRAINED],
                "another store is drained",
            )?;
            Ok(format!(
                "store {other} was not drained, and the budget that decides is named"
            ))
        }
    }
}

async fn undo(stage: &mut Stage, teller: &mut Teller<'_>) -> Result<String, String> {
    let drain = stage.drain.take().ok_or("nothing was drained")?;
    sent_once(&stage.take_back(&drain, teller).await?)?;
    ensure(
        stage.sim.evicting().is_empty(),
        "the drain is still in force",
    )?;
    let transfer = stage
        .first_transfer
        .take()
        .ok_or("nothing was transferred")?;
    let region = transfer.parameters["region_id"]
        .as_u64()
        .ok_or("no region was recorded")?;
    let now = stage.sim.leader_of(region);
    sent_once(&stage.take_back(&transfer, teller).await?)?;
    ensure(
        stage.sim.leader_of(region) != now,
        "the leader did not return",
    )?;
    let leader = stage.sim.leader_of(region).unwrap_or(0);
    stage.first_transfer = Some(transfer);
    Ok(format!(
        "no drain is in force, and store {leader} leads region {region} again"
    ))
}

async fn record(stage: &mut Stage, teller: &mut Teller<'_>) -> Result<String, String> {
    let left = stage
        .guard
        .recover(&mut |_| {})
        .await
        .map_err(|error| error.report())?;
    let verified = stage.guard.journal().verify().await;
    let verified = verified.map_err(|error| action_core::report(&error))?;
    let records = stage.journal_records().await;
    let writes = stage.sim.writes().len();
    teller.tell(&table::table(
        &["what", "how many"],
        vec![
            vec!["records in the journal".to_owned(), records.to_string()],
            vec![
                "intents recorded before a send".to_owned(),
                stage.intents.to_string(),
            ],
            vec![
                "sends past the guard (step 2)".to_owned(),
                stage.unguarded.to_string(),
            ],
            vec![
                "requests to change something, seen by PD".to_owned(),
                writes.to_string(),
            ],
            vec!["intents left open".to_owned(), left.len().to_string()],
            vec![
                "head of the verified chain".to_owned(),
                verified.head.hash.to_string(),
            ],
        ],
    ));
    ensure(
        writes == stage.intents + stage.unguarded,
        "PD saw other sends than those recorded",
    )?;
    let expected = u64::try_from(stage.intents).unwrap_or(u64::MAX);
    ensure(records >= 2 * expected, "the journal lacks records")?;
    let unknown = left
        .iter()
        .any(|report| report.outcome.result == OutcomeKind::Unknown);
    ensure(left.is_empty() && !unknown, "an intent was left open")?;
    ensure(
        verified.head.seq == records,
        "the journal has other records than were written",
    )?;
    Ok("each send seen by PD has one intent, none is open, and the chain is whole".to_owned())
}

/// The regions that the steps before have used.
fn used(stage: &Stage) -> Vec<u64> {
    let writes = stage.sim.writes();
    let bodies = writes
        .iter()
        .filter_map(|write| serde_json::from_str::<Value>(&write.body).ok());
    bodies
        .filter_map(|body| body["region_id"].as_u64())
        .collect()
}

fn sent_once(carried: &Carried) -> Result<(), String> {
    match carried.writes.len() {
        1 => Ok(()),
        sends => Err(format!("PD saw {sends} requests instead of one")),
    }
}

fn leads(stage: &Stage, region: u64, store: u64) -> Result<(), String> {
    let is_leader = stage.sim.leader_of(region) == Some(store);
    ensure(is_leader, "the simulator knows of another leader")
}

fn ensure(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(otherwise.to_owned())
    }
}
