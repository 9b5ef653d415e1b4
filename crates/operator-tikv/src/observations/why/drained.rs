//! What keeps leaders on a store that is being drained.

use action_core::Cause;
use pd_client::config::Config;
use pd_client::rules::Rule;
use pd_client::stores::Store;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::drains::is_draining;
use crate::observations::why::question::Why;
use crate::parameters::ids::StoreId;
use crate::pd_rules::drain_blockers::blockers;
use crate::pd_rules::held_leaders::held_leaders;
use crate::pd_rules::leader_takers::LeaderTakers;
use crate::pd_rules::leadership::LeaderBlockers;
use crate::pd_rules::room;
use crate::pd_rules::stop::known_by_version;

/// What was read of such a store.
#[derive(Debug, Default)]
pub(super) struct Drained {
    /// The rules; `None` when rules are switched off.
    pub(super) rules: Option<Vec<Rule>>,
    /// What keeps the last regions there.
    pub(super) blocked: Vec<Cause>,
}

impl Drained {
    /// Nothing is read where there is no such store.
    pub(super) async fn read(
        tikv: &Tikv,
        store: Option<&Store>,
        (config, stores): (&Config, &[Store]),
        blockers_of_leaders: &LeaderBlockers,
    ) -> Result<Self, Error> {
        let Some(store) = store else {
            return Ok(Self::default());
        };
        let rules = room::rules(tikv, config).await?;
        let takers = LeaderTakers {
            blockers: blockers_of_leaders,
            rules: rules.as_deref(),
            stores,
        };
        let leaders = store.status.leader_count;
        let mut blocked = blockers(tikv, store.id.into(), leaders, &takers).await?;
        blocked.extend(known_by_version(held_leaders(tikv, store).await)?);
        Ok(Self { rules, blocked })
    }
}

/// The store that was asked about, when that is being drained.
pub(super) fn drained<'a>(
    asked: &Why,
    from: Option<&'a (StoreId, Option<Store>)>,
    leader_blockers: &LeaderBlockers,
) -> Option<&'a Store> {
    let drains = leader_blockers.drains.as_ref();
    let is_asked = asked.what.leaders() && asked.region_id.is_none();
    let (_, store) = from.filter(|(id, _)| is_asked && is_draining(drains, *id))?;
    store.as_ref()
}
