//! Drains that somebody forgot.

use pd_client::config::Config;
use pd_client::members::Members;
use pd_client::schedulers::EvictLeaderConfig;
use pd_client::stores::Store;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::drains::{DRAINS, ShownDrains, effect};
use crate::facts::known_yet::KnownYet;
use crate::facts::traces::PdProcess;
use crate::mutations::store::drain::StopDrain;
use crate::observations::doctor::leftovers::Leftovers;
use crate::observations::findings::drain_batch_zero;
use crate::observations::reasons;
use crate::pd_rules::drain::batch_of_zero;
use crate::pd_rules::stop::Stop;

pub(super) async fn find(
    tikv: &Tikv,
    stores: &[Store],
    config: &Config,
    members: &Members,
    found: &mut Leftovers,
) -> Result<(), Error> {
    let drains = ShownDrains::read_by(&tikv.pd, &config.schedule);
    let drains = drains.await.map_err(Error::Read)?;
    let process = PdProcess::led_by(tikv, members.leader.clone()).await?;
    let known = KnownYet::of_reports(tikv, process.as_ref(), stores).await?;
    let known = known.with_schedulers(drains.is_known());
    found.not_known_yet.extend(known.not_yet);
    found.unknown.extend(known.overdue);
    let Some(config) = drains.shown() else {
        return Ok(());
    };
    batch(tikv, config, found).await?;
    if config.stores.is_empty() {
        let text = "`evict-leader-scheduler` exists but drains no store";
        let empty = reasons::EMPTY_DRAIN.found("scheduler/evict-leader-scheduler", text);
        found.findings.push(empty.seen(DRAINS, "stores", 0));
    }
    for id in config.stores.keys() {
        let about = format!("store/{id}");
        let stop = StopDrain {
            store_id: (*id).into(),
        };
        // What drains a store that is there may be somebody's at work: no fix is offered.
        let (left, is_gone) = match stores.iter().find(|store| store.id == *id) {
            Some(store) => {
                let leaders = store.status.leader_count;
                let leads = match leaders {
                    0 => "leads no regions any more".to_owned(),
                    leaders => format!("still leads {leaders} regions"),
                };
                let text = format!("leaders are being drained from store {id}; it {leads}");
                let source = format!("GET /pd/api/v1/store/{id}");
                let left = reasons::DRAIN_LEFT.found(about, text);
                (left.seen(source, "leader_count", leaders), false)
            }
            None => {
                let text = format!("leaders are being drained from store {id}, which is gone");
                (reasons::DRAIN_OF_NO_STORE.found(about, text), true)
            }
        };
        let left = left.seen(DRAINS, "draining", true).effect(effect(*id));
        found.findings.push(match is_gone {
            true => left.fixed_by::<Tikv, _>(&stop),
            false => left,
        });
    }
    Ok(())
}

/// Drains that move nothing.
async fn batch(
    tikv: &Tikv,
    config: &EvictLeaderConfig,
    found: &mut Leftovers,
) -> Result<(), Error> {
    match batch_of_zero(tikv, Some(config)).await {
        Ok(cause) => found.findings.extend(cause.map(drain_batch_zero)),
        Err(Stop::Verdict(_)) => {
            let text =
                "whether drains with a `batch` of 0 move anything: the version of PD is unknown";
            found.unknown.push(text.to_owned());
        }
        Err(Stop::Failed(error)) => return Err(error),
    }
    Ok(())
}
