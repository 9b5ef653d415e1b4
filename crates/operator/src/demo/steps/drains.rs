//! A drain, a budget, taking back, and the record of it all.

use action_core::OutcomeKind;
use operator_cli::show;
use serde_json::json;

use crate::demo::checks::{ensure, sent_once};
use crate::demo::cluster::{DRAINED, DemoCluster, STORES};
use crate::demo::printer::Printer;

pub(super) async fn drain(
    cluster: &mut DemoCluster,
    printer: &mut Printer<'_>,
) -> Result<String, String> {
    let leaders = cluster.sim.leader_count(DRAINED);
    ensure(leaders > 0, "the store has no leaders to move")?;
    let parameters = json!({"store_id": DRAINED.to_string()});
    let carried = cluster
        .carry_out("drain_store", parameters, printer)
        .await?;
    sent_once(&carried)?;
    ensure(carried.counted > 0, "the drain showed no progress")?;
    ensure(
        cluster.sim.leader_count(DRAINED) == 0,
        "the store still leads regions",
    )?;
    ensure(
        cluster.sim.evicting() == [DRAINED],
        "the drain is not in force",
    )?;
    let drains = cluster.look("list_drains", json!({})).await?;
    printer.print(&cluster.shown("list_drains", drains));
    cluster.drain = Some(carried.report);
    Ok(format!(
        "{leaders} of {leaders} leaders moved off store {DRAINED}; the drain stays in force until it is taken back"
    ))
}

pub(super) async fn budget(
    cluster: &mut DemoCluster,
    printer: &mut Printer<'_>,
) -> Result<String, String> {
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
                "it was refused for another reason",
            )?;
            ensure(cluster.sim.writes().len() == writes, "something was sent")?;
            ensure(
                cluster.sim.evicting() == [DRAINED],
                "another store is drained",
            )?;
            Ok(format!(
                "store {other} was not drained, and the deciding budget is named"
            ))
        }
    }
}

pub(super) async fn undo(
    cluster: &mut DemoCluster,
    printer: &mut Printer<'_>,
) -> Result<String, String> {
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

pub(super) async fn record(
    cluster: &mut DemoCluster,
    printer: &mut Printer<'_>,
) -> Result<String, String> {
    let left = cluster
        .guard
        .recover(&mut |_| {})
        .await
        .map_err(|error| error.report())?;
    let verified = cluster.guard.journal().verify().await;
    let verified = verified.map_err(|error| action_core::report(&error))?;
    let records = cluster.journal_records().await;
    let writes = cluster.sim.writes().len();
    printer.print(&show::table(
        &["what", "how many"],
        vec![
            vec!["records in the journal".to_owned(), records.to_string()],
            vec![
                "intents recorded before a send".to_owned(),
                cluster.intents.to_string(),
            ],
            vec![
                "sends around the guard (step 2)".to_owned(),
                cluster.unguarded.to_string(),
            ],
            vec![
                "changing requests received by PD".to_owned(),
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
        "PD received other requests than those recorded",
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
    Ok(
        "each request that PD received has one intent, none is open, and the chain is intact"
            .to_owned(),
    )
}
