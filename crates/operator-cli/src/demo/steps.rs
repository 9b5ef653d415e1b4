//! The steps of the demo. Each ends with what was proven, or with why it was not.

use std::pin::Pin;

use action_core::{OutcomeKind, Verdict};
use action_guard::{Decider, Phase};
use pd_sim::Fault;
use serde_json::{Value, json};

use crate::reports::plan;
use crate::terminal::table;

use super::Printer;
use super::cluster::{Carried, DRAINED, DemoCluster, REGIONS, STORES};

/// One step.
pub(super) struct Step {
    pub(super) title: &'static str,
    /// What there is to see.
    pub(super) shows: &'static str,
    pub(super) play: Play,
}

type Played<'a> = Pin<Box<dyn Future<Output = Result<String, String>> + 'a>>;
type Play = for<'a> fn(&'a mut DemoCluster, &'a mut Printer<'_>) -> Played<'a>;

pub(super) const ALL: [Step; 9] = [
    Step {
        title: "The stores",
        shows: "What there is, as a table with a bound.",
        play: |cluster, printer| Box::pin(stores(cluster, printer)),
    },
    Step {
        title: "A refusal, foretold",
        shows: "The plan says that PD would refuse and in which words; then PD is asked anyway.",
        play: |cluster, printer| Box::pin(refusal(cluster, printer)),
    },
    Step {
        title: "A leader transfer",
        shows: "Planned, recorded, sent once, followed, and proven by what the region says.",
        play: |cluster, printer| Box::pin(transfer_leader(cluster, printer)),
    },
    Step {
        title: "A lost reply",
        shows: "PD accepts, its answer gets lost. Nothing is sent again: the region is looked at.",
        play: |cluster, printer| Box::pin(lost_reply(cluster, printer)),
    },
    Step {
        title: "A replica's move, approved",
        shows: "The policy wants a person for this one plan: until then nothing is sent.",
        play: |cluster, printer| Box::pin(transfer_peer(cluster, printer)),
    },
    Step {
        title: "A drain",
        shows: "All leaders leave a store, counted as they go. The drain stays in force after.",
        play: |cluster, printer| Box::pin(drain(cluster, printer)),
    },
    Step {
        title: "A budget",
        shows: "A second drain is one too many: the policy names what decides.",
        play: |cluster, printer| Box::pin(budget(cluster, printer)),
    },
    Step {
        title: "Taking it back",
        shows: "Every report names what takes it back: the drain ends, the leader returns.",
        play: |cluster, printer| Box::pin(undo(cluster, printer)),
    },
    Step {
        title: "The record",
        shows: "Every send had its intent on disk before, and nothing was sent twice.",
        play: |cluster, printer| Box::pin(record(cluster, printer)),
    },
];

async fn stores(cluster: &mut DemoCluster, printer: &mut Printer<'_>) -> Result<String, String> {
    let seen = cluster.look("list_stores", json!({})).await?;
    let listed = seen
        .values()
        .filter_map(Value::as_array)
        .map(Vec::len)
        .max();
    printer.print(&table::result(&Value::Object(seen)));
    ensure(listed == Some(STORES as usize), "not every store is listed")?;
    let leaders: u64 = (1..=STORES)
        .map(|store| cluster.sim.leader_count(store))
        .sum();
    ensure(leaders == REGIONS, "the simulator is not as it should be")?;
    Ok(format!("{STORES} stores are listed, as many as there are"))
}

async fn refusal(cluster: &mut DemoCluster, printer: &mut Printer<'_>) -> Result<String, String> {
    let region = cluster.unused_region(&[])?;
    let action = "transfer_leader";
    let parameters = json!({"region_id": region.id, "to_store_id": region.outside.to_string()});
    printer.print(&format!(
        "$ {}",
        cluster.command("plan", action, &parameters)
    ));
    let plan = cluster.catalogue.plan(action, parameters.clone()).await;
    let plan = plan.map_err(|error| error.report())?;
    printer.print(&plan::verdict(&plan.verdict));
    let Verdict::WouldReject { text: foretold, .. } = &plan.verdict else {
        return Err("the plan does not say that PD would refuse".to_owned());
    };
    cluster.unguarded += 1;
    let Err(error) = cluster
        .past_the_guard
        .invoke_unguarded(action, parameters)
        .await
    else {
        return Err("PD accepted".to_owned());
    };
    let text = error.to_string();
    printer.print(&format!("Sent past the guard, PD says: {text}"));
    ensure(
        text.trim() == foretold.trim(),
        "PD's words are not those foretold",
    )?;
    ensure(
        cluster.sim.leader_of(region.id) == Some(region.leader),
        "the leader moved",
    )?;
    Ok("PD refused in exactly the words foretold, and nothing moved".to_owned())
}

async fn transfer_leader(
    cluster: &mut DemoCluster,
    printer: &mut Printer<'_>,
) -> Result<String, String> {
    let region = cluster.unused_region(&[])?;
    let parameters = json!({"region_id": region.id, "to_store_id": region.follower.to_string()});
    let carried = cluster
        .carry_out("transfer_leader", parameters, printer)
        .await?;
    sent_once(&carried)?;
    leads(cluster, region.id, region.follower)?;
    cluster.first_transfer = Some(carried.report);
    Ok(format!(
        "store {} leads region {}",
        region.follower, region.id
    ))
}

async fn lost_reply(
    cluster: &mut DemoCluster,
    printer: &mut Printer<'_>,
) -> Result<String, String> {
    let region = cluster.unused_region(&used(cluster))?;
    cluster
        .sim
        .fault(Fault::reply_lost_after_apply("POST", "/operators"));
    let parameters = json!({"region_id": region.id, "to_store_id": region.follower.to_string()});
    let carried = cluster
        .carry_out("transfer_leader", parameters, printer)
        .await?;
    ensure(carried.unanswered == 1, "the reply was not lost")?;
    ensure(
        carried.report.accepted.is_none(),
        "an answer is recorded that never came",
    )?;
    sent_once(&carried)?;
    leads(cluster, region.id, region.follower)?;
    Ok("no answer came, PD was asked once, and the region shows that it happened".to_owned())
}

async fn transfer_peer(
    cluster: &mut DemoCluster,
    printer: &mut Printer<'_>,
) -> Result<String, String> {
    let region = cluster.unused_region(&used(cluster))?;
    let parameters = json!({
        "region_id": region.id,
        "from_store_id": region.follower.to_string(),
        "to_store_id": region.outside.to_string(),
    });
    let proposal = cluster
        .propose("transfer_peer", parameters, printer)
        .await?;
    let early = cluster.guard.execute(&proposal, &mut |_| {}).await;
    let early = early.err().ok_or("it was sent without approval")?.report();
    printer.print(&format!("Without approval: {early}"));
    let (id, plan) = (proposal.id.as_str(), &proposal.plan_hash);
    let controls = cluster.guard.controls();
    let own = controls
        .approve(id, plan, Decider::claimed(&cluster.agent), None)
        .await;
    let own = own.err().ok_or("the agent approved its own proposal")?;
    printer.print(&format!("By the agent itself: {own}"));
    ensure(
        cluster.sim.writes().len() == cluster.intents + cluster.unguarded,
        "something was sent",
    )?;
    printer.print(&format!("$ operator approve {id} --plan {}", plan.short()));
    let approved = controls
        .approve(id, plan, Decider::claimed(&cluster.person), None)
        .await;
    let approved = approved.map_err(|error| action_core::report(&error))?;
    ensure(
        approved.phase == Phase::Approved,
        "one approval was not enough",
    )?;
    printer.print(&format!(
        "Approved by {} (identity claimed)",
        cluster.person
    ));
    let carried = cluster.execute(&proposal, printer).await?;
    sent_once(&carried)?;
    let holders: Vec<u64> = cluster
        .sim
        .peers(region.id)
        .iter()
        .map(|peer| peer.store_id)
        .collect();
    ensure(
        holders.contains(&region.outside),
        "the new store holds no replica",
    )?;
    ensure(
        !holders.contains(&region.follower),
        "the old store still holds a replica",
    )?;
    ensure(holders.len() == 3, "the region has not three replicas")?;
    Ok(format!(
        "region {} has its replica on store {}, and none on store {}",
        region.id, region.outside, region.follower
    ))
}

async fn drain(cluster: &mut DemoCluster, printer: &mut Printer<'_>) -> Result<String, String> {
    let leaders = cluster.sim.leader_count(DRAINED);
    ensure(leaders > 0, "the store has no leaders to lose")?;
    let parameters = json!({"store_id": DRAINED.to_string()});
    let carried = cluster
        .carry_out("drain_store", parameters, printer)
        .await?;
    sent_once(&carried)?;
    ensure(carried.counted > 0, "the drain was not counted on the way")?;
    ensure(
        cluster.sim.leader_count(DRAINED) == 0,
        "the store still leads regions",
    )?;
    ensure(
        cluster.sim.evicting() == [DRAINED],
        "the drain is not in force",
    )?;
    let drains = cluster.look("list_drains", json!({})).await?;
    printer.print(&table::result(&Value::Object(drains)));
    cluster.drain = Some(carried.report);
    Ok(format!(
        "all {leaders} leaders left store {DRAINED}; drained, and still in force until taken back"
    ))
}

async fn budget(cluster: &mut DemoCluster, printer: &mut Printer<'_>) -> Result<String, String> {
    let other = (1..=STORES)
        .find(|store| *store != DRAINED)
        .unwrap_or(DRAINED);
    let parameters = json!({"store_id": other.to_string()});
    let writes = cluster.sim.writes().len();
    match cluster.propose("drain_store", parameters, printer).await {
        Ok(_) => Err("a second drain was allowed".to_owned()),
        Err(text) => {
            printer.print(&text);
            ensure(
                text.contains("one store at a time"),
                "something else refused it",
            )?;
            ensure(cluster.sim.writes().len() == writes, "something was sent")?;
            ensure(
                cluster.sim.evicting() == [DRAINED],
                "another store is drained",
            )?;
            Ok(format!(
                "store {other} was not drained, and the budget that decides is named"
            ))
        }
    }
}

async fn undo(cluster: &mut DemoCluster, printer: &mut Printer<'_>) -> Result<String, String> {
    let drain = cluster.drain.take().ok_or("nothing was drained")?;
    sent_once(&cluster.take_back(&drain, printer).await?)?;
    ensure(
        cluster.sim.evicting().is_empty(),
        "the drain is still in force",
    )?;
    let transfer = cluster
        .first_transfer
        .take()
        .ok_or("nothing was transferred")?;
    let region = transfer.parameters["region_id"]
        .as_u64()
        .ok_or("no region was recorded")?;
    let now = cluster.sim.leader_of(region);
    sent_once(&cluster.take_back(&transfer, printer).await?)?;
    ensure(
        cluster.sim.leader_of(region) != now,
        "the leader did not return",
    )?;
    let leader = cluster.sim.leader_of(region).unwrap_or(0);
    cluster.first_transfer = Some(transfer);
    Ok(format!(
        "no drain is in force, and store {leader} leads region {region} again"
    ))
}

async fn record(cluster: &mut DemoCluster, printer: &mut Printer<'_>) -> Result<String, String> {
    let left = cluster
        .guard
        .recover(&mut |_| {})
        .await
        .map_err(|error| error.report())?;
    let verified = cluster.guard.journal().verify().await;
    let verified = verified.map_err(|error| action_core::report(&error))?;
    let records = cluster.journal_records().await;
    let writes = cluster.sim.writes().len();
    printer.print(&table::table(
        &["what", "how many"],
        vec![
            vec!["records in the journal".to_owned(), records.to_string()],
            vec![
                "intents recorded before a send".to_owned(),
                cluster.intents.to_string(),
            ],
            vec![
                "sends past the guard (step 2)".to_owned(),
                cluster.unguarded.to_string(),
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
        writes == cluster.intents + cluster.unguarded,
        "PD saw other sends than those recorded",
    )?;
    let expected = u64::try_from(cluster.intents).unwrap_or(u64::MAX);
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
fn used(cluster: &DemoCluster) -> Vec<u64> {
    let writes = cluster.sim.writes();
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

fn leads(cluster: &DemoCluster, region: u64, store: u64) -> Result<(), String> {
    let is_leader = cluster.sim.leader_of(region) == Some(store);
    ensure(is_leader, "the simulator knows of another leader")
}

fn ensure(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(otherwise.to_owned())
    }
}
