//! What should hold at all times, and does not: `check_invariants`.

// length: the sentences by which a model chooses it are its documentation.

use action_core::{Cost, Observation, Role};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Serialize;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::known_yet::KnownYet;
use crate::facts::pd_clock::PdTime;
use crate::facts::traces::PdProcess;
use crate::observations::check_invariants::latency::slow_writes;
use crate::observations::check_invariants::state::{
    full_disks, imbalance, silent_stores, too_few_members,
};
use crate::observations::check_invariants::thresholds::CheckInvariants;
use crate::observations::check_invariants::violation::{Clock, Violation};

mod latency;
mod state;
pub(crate) mod thresholds;
pub(crate) mod violation;

/// What does not hold.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Invariants {
    /// Whether something is violated. Breaches that have not lasted long enough yet are none.
    pub violated: bool,
    /// Every breach, violated or not yet.
    pub breaches: Vec<Violation>,
    /// Whether some are left out, beyond 200.
    pub cut: bool,
    /// The breaches and since when they were seen, to give as `previous` next time.
    pub seen: Vec<String>,
    /// What could not be checked.
    pub unknown: Vec<String>,
    /// What PD does not know yet, as after its start: ask again once stores and regions have reported,
    /// within a minute or two.
    pub not_known_yet: Vec<String>,
}

const MOST_BREACHES: usize = 200;

#[async_trait]
impl Observation<Tikv> for CheckInvariants {
    const NAME: &'static str = "check_invariants";
    const COST: Cost = Cost::List;
    const ROLE: Option<Role> = Some(Role::Invariants);
    type Output = Invariants;

    async fn observe(&self, tikv: &Tikv) -> Result<Invariants, Error> {
        let stores = tikv.pd.stores().await.map_err(Error::Read)?;
        let health = tikv.pd.health().await.map_err(Error::Read)?;
        let mut unknown = Vec::new();
        let clock = Clock::new(PdTime::now(tikv), &self.previous);
        let mut breaches = slow_writes(self, tikv, &stores, &mut unknown).await;
        breaches.extend(full_disks(self, &stores));
        breaches.extend(silent_stores(self, &stores, &clock));
        breaches.extend(imbalance(self, &stores, &clock));
        breaches.extend(too_few_members(self, &health, &clock));
        let process = PdProcess::read(tikv).await?;
        let known = KnownYet::of_reports(tikv, process.as_ref(), &stores).await?;
        unknown.extend(known.overdue);
        let cut = breaches.len() > MOST_BREACHES;
        let violated = breaches.iter().any(|breach| breach.violated);
        let seen = breaches.iter().filter_map(Violation::seen).collect();
        breaches.truncate(MOST_BREACHES);
        Ok(Invariants {
            violated,
            breaches,
            cut,
            seen,
            unknown,
            not_known_yet: known.not_yet,
        })
    }
}
