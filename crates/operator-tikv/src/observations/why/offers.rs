//! What makes leaders or replicas leave a store that nothing asks to, where PD would do it.

use pd_client::config::Config;
use pd_client::stores::{Store, StoreState};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::drains::is_draining;
use crate::facts::settings_in_force::Overrides;
use crate::observations::why::question::Why;
use crate::pd_rules::drain::check_drain;
use crate::pd_rules::leadership::LeaderBlockers;
use crate::pd_rules::offline::check_offline;
use crate::pd_rules::stop::verdict;

/// What would go ahead.
#[derive(Debug, Default)]
pub(super) struct Offers {
    drain: bool,
    offline: bool,
}

impl Offers {
    /// No reads unless a store was asked about that serves and is not drained.
    pub(super) async fn read(
        tikv: &Tikv,
        asked: &Why,
        from: Option<&Store>,
        (config, stores): (&Config, &[Store]),
        blockers: &LeaderBlockers,
        overrides: Option<&Overrides>,
    ) -> Result<Self, Error> {
        let mut offers = Self::default();
        let is_asked = asked.region_id.is_none() && asked.to_store_id.is_none();
        let Some(store) = from.filter(|_| is_asked) else {
            return Ok(offers);
        };
        let drains = blockers.drains.as_ref();
        let serves = matches!(store.state_name, StoreState::Up | StoreState::Disconnected);
        if !serves || is_draining(drains, store.id.into()) {
            return Ok(offers);
        }
        if asked.what.leaders() {
            let checked = check_drain(tikv, store, config, stores, drains, overrides).await;
            let checked = checked.map(|(verdict, _)| verdict);
            offers.drain = verdict(checked)?.may_be_sent();
        }
        if asked.what.replicas() {
            let checked = check_offline(tikv, store, config, stores, overrides).await;
            offers.offline = verdict(checked)?.may_be_sent();
        }
        Ok(offers)
    }

    /// The next step; empty when PD would do neither.
    pub(super) fn next(&self) -> &'static str {
        match (self.drain, self.offline) {
            (true, true) => "`drain_store` moves its leaders away, `offline_store` everything.",
            (true, false) => "`drain_store` moves its leaders away.",
            (false, true) => "`offline_store` moves everything away.",
            (false, false) => "",
        }
    }
}
