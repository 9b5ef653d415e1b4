//! Looking, a refusal, and what moves: leaders and a replica.

use action_core::Verdict;
use action_guard::{Decider, Phase, Standing};
use operator_cli::show;
use pd_sim::Fault;
use serde_json::{Value, json};

use crate::demo::checks::{ensure, leads, sent_once, used};
use crate::demo::cluster::{DemoCluster, REGIONS, RegionStores, STORES};
use crate::demo::printer::Printer;

pub(super) async fn stores(
    cluster: &mut DemoCluster,
    printer: &mut Printer<'_>,
) -> Result<String, String> {
    let seen = cluster.look("list_stores", json!({})).await?;
    let listed = seen
        .values()
        .filter_map(Value::as_array)
        .map(Vec::len)
        .max();
    printer.print(&cluster.shown("list_stores", seen));
    ensure(listed == Some(STORES as usize), "not every store is listed")?;
    let leaders: u64 = (1..=STORES)
        .map(|store| cluster.sim.leader_count(store))
        .sum();
    ensure(leaders == REGIONS, "the simulator is not as it should be")?;
    Ok(format!("all {STORES} stores are listed"))
}

pub(super) async fn refusal(
    cluster: &mut DemoCluster,
    printer: &mut Printer<'_>,
) -> Result<String, String> {
    let region = cluster.unused_region(&[])?;
    let action = "transfer_leader";
    let parameters = json!({"region_id": region.id, "to_store_id": region.outside.to_string()});
    printer.print(&format!(
        "$ {}",
        cluster.command("plan", action, &parameters)
    ));
    let plan = cluster.catalogue.plan(action, parameters.clone()).await;
    let plan = plan.map_err(|error| error.report())?;
    printer.print(&show::verdict(&plan.verdict));
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
    printer.print(&format!("Sent around the guard, PD says: {text}"));
    ensure(
        text.trim() == foretold.trim(),
        "PD's message differs from the prediction",
    )?;
    ensure(
        cluster.sim.leader_of(region.id) == Some(region.leader),
        "the leader moved",
    )?;
    Ok("PD rejected it with exactly the predicted message, and nothing moved".to_owned())
}

pub(super) async fn transfer_leader(
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

pub(super) async fn lost_reply(
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
        "an answer is recorded that was never received",
    )?;
    sent_once(&carried)?;
    leads(cluster, region.id, region.follower)?;
    Ok(
        "no answer was received, PD was asked once, and the region shows that it happened"
            .to_owned(),
    )
}

pub(super) async fn transfer_peer(
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
    let early = cluster
        .guard
        .execute(&proposal, &cluster.agent, &mut |_| {})
        .await;
    let early = early.map_err(|error| error.report())?;
    ensure(
        matches!(early, Standing::Waits(_)),
        "it did not wait for approval",
    )?;
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
    replica_moved(cluster, &region)?;
    Ok(format!(
        "region {} has its replica on store {}, and none on store {}",
        region.id, region.outside, region.follower
    ))
}

fn replica_moved(cluster: &DemoCluster, region: &RegionStores) -> Result<(), String> {
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
    ensure(holders.len() == 3, "the region has not three replicas")
}
