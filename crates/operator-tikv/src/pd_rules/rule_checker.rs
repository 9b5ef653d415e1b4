//! Whether PD's rule checker acts, or the replica checker where rules are off.
//!
//! What halts all scheduling halts both; each can be paused; what both make counts under one limit:
//! `PatrolRegions` and `CheckRegion` of `pkg/schedule/checker/checker_controller.go` (before 8.5 the
//! first is in `coordinator.go`), `CheckWithFit` of `rule_checker.go`, the same from 6.5 on.

use action_core::Cause;
use pd_client::Client;
use pd_client::checkers::Checker;
use pd_client::config::Config;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::settings_in_force::{self, Overrides, limit_in_force};
use crate::pd_rules::halted::halted;
use crate::pd_rules::patrol::Patrol;

/// The limit for what it makes.
pub(crate) const LIMIT: &str = "replica-schedule-limit";

/// What keeps it from acting.
pub(crate) struct RuleChecker {
    /// What halts all of PD's own scheduling.
    pub(crate) halted: Vec<Cause>,
    /// Whether the limit for replicas that is in force is 0.
    pub(crate) limit_is_zero: bool,
    /// The checker, where it is paused.
    pub(crate) paused: Option<Checker>,
    /// How long it takes to come to a region.
    pub(crate) patrol: Patrol,
}

impl RuleChecker {
    /// Four reads, and one more where there are many regions.
    pub(crate) async fn read(tikv: &Tikv, config: &Config) -> Result<Self, Error> {
        let overrides = settings_in_force::overrides(tikv).await;
        let regions = tikv.pd.region_count().await.map_err(Error::Read)?;
        Self::under(tikv, (config, regions), overrides.as_ref()).await
    }

    /// Two reads less, where the overrides were read and regions counted.
    pub(crate) async fn under(
        tikv: &Tikv,
        (config, regions): (&Config, u64),
        overrides: Option<&Overrides>,
    ) -> Result<Self, Error> {
        let stored = config.schedule.replica_schedule_limit;
        let checker = of(config);
        let is_paused = is_paused(&tikv.pd, checker).await?;
        Ok(Self {
            halted: halted(tikv, &config.schedule).await?,
            limit_is_zero: limit_in_force(LIMIT, stored, overrides) == 0,
            paused: is_paused.then_some(checker),
            patrol: Patrol::read(tikv, config, regions).await?,
        })
    }

    /// When it does what it would do, as the end of a clause; `None` where nobody knows when.
    pub(crate) fn when(&self) -> Option<String> {
        if !self.halted.is_empty() || self.limit_is_zero {
            return None;
        }
        let pause = self.paused.map_or("", |_| ", once its pause ends");
        Some(format!("{pause}{}", self.patrol.until_seen()))
    }
}

/// The checker that puts replicas in order.
pub(crate) fn of(config: &Config) -> Checker {
    if config.replication.enable_placement_rules {
        Checker::Rule
    } else {
        Checker::Replica
    }
}

/// Whether a checker is paused: one read.
pub(crate) async fn is_paused(pd: &Client, checker: Checker) -> Result<bool, Error> {
    let status = pd.checker_status(checker).await.map_err(Error::Read)?;
    Ok(status.paused)
}
