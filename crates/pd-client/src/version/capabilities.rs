//! What a version of PD can do, as data.

use crate::version::Version;

/// The versions of PD that this crate is written for and tested with: from this one, and before
/// the other.
const SUPPORTED: (&str, &str) = ("6.5.0", "10.0.0");

impl Version {
    /// Whether PD of this version can do something; `None` when it is not a version.
    ///
    /// ```
    /// use pd_client::{Capability, Version};
    ///
    /// assert_eq!(Version::parse("v8.5.7").has(Capability::RegionsByRole), Some(true));
    /// assert_eq!(Version::parse("v7.5.7").has(Capability::RegionsByRole), Some(false));
    /// ```
    #[must_use]
    pub fn has(&self, capability: Capability) -> Option<bool> {
        self.numbers()?;
        let mut ranges = capability.ranges().iter();
        Some(ranges.any(|range| self.is_in(*range)))
    }

    /// Whether this crate is written for PD of this version: 6.5 to 9.
    #[must_use]
    pub fn is_supported(&self) -> bool {
        self.is_in(SUPPORTED)
    }

    fn is_in(&self, (from, until): (&str, &str)) -> bool {
        *self >= Self::parse(from) && (until.is_empty() || *self < Self::parse(until))
    }
}

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident = [$($from:literal .. $until:literal),+];)*) => {
        /// Something that not every version of PD can do.
        ///
        /// What all calls of this crate need is in their documentation; here is what can be asked
        /// for before.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Capability {
            $($(#[$doc])* $name,)*
        }

        impl Capability {
            /// Every capability this client knows.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The versions that have it: from one that has to the next that has not, or on.
            fn ranges(self) -> &'static [(&'static str, &'static str)] {
                match self {
                    $(Self::$name => &[$(($from, $until)),+],)*
                }
            }
        }
    };
}

// The betas of 9.0 left the line of 8.5 before its later patches: what came with those is not in
// them, and is in 9.0.0 again. Sources are files of tikv/pd, at the versions named.
capabilities! {
    /// Errors of most calls begin with `[PD:module:Name]`. `pkg/errs/errno.go`.
    ErrorCodes = ["7.5.0"..""];
    /// A missing region is 404, not 200 with `null` or zeros. `server/api/region.go`.
    MissingRegionIsNotFound = ["9.0.0-beta.1"..""];
    /// PD knows `X-Caller-ID`. `pkg/utils/apiutil/apiutil.go`.
    CallerId = ["8.0.0"..""];
    /// Requests are limited by default. `server/config/service_middleware_config.go`.
    RateLimitOn = ["8.0.0"..""];
    /// Members wait up to three seconds for a leader before they say that there is none.
    /// `pkg/utils/apiutil/serverapi/middleware.go`.
    WaitsForLeader = ["8.1.1"..""];
    /// `/version`, `/status` and `/health` are answered by the member that is asked.
    /// `server/api/router.go`.
    LocalAnswers = ["8.5.5".."9.0.0-alpha", "9.0.0"..""];
    /// A scatter is refused by an operator on the region before stores are chosen.
    /// `pkg/schedule/scatter/region_scatterer.go`.
    ScatterRefusedByOperator = ["8.5.7".."9.0.0-alpha", "9.0.0"..""];
    /// `GET /schedulers` leaves out those that are disabled. `server/api/scheduler.go`.
    DisabledSchedulersHidden = ["7.6.0"..""];
    /// Schedulers say why they do nothing, by default.
    /// `pkg/schedule/config/config.go`.
    DiagnosticsOn = ["7.1.0"..""];
    /// A scheduler that cannot be added is answered with 400, not 500.
    /// `server/api/scheduler.go`.
    RefusedSchedulerIsBadRequest = ["9.0.0"..""];
    /// A drain has a `batch`. `pkg/schedule/schedulers/evict_leader.go`.
    EvictLeaderBatch = ["8.3.0"..""];
    /// A drain with a `batch` of 0 moves nothing; later it is taken for 3.
    /// `pkg/schedule/schedulers/evict_leader.go`.
    EvictBatchZeroMovesNothing = ["8.3.0".."8.5.3"];
    /// A label `schedule=deny` holds leaders on a store that is being drained.
    /// `pkg/schedule/schedulers/scheduler_controller.go`.
    DenyLabelHoldsDrain = ["6.1.0".."8.2.0"];
    /// Key ranges of a drain are hexadecimal, not base64.
    /// `pkg/schedule/schedulers/evict_leader.go`.
    EvictRangesAreHex = ["8.5.4".."9.0.0-alpha", "9.0.0"..""];
    /// Several schedulers may keep leaders away from one store. `pkg/core/basic_cluster.go`.
    SharedLeaderPause = ["9.0.0"..""];
    /// Stores say whether leaders are kept away from them. `pkg/response/store.go`.
    LeaderPauseShown = ["9.0.0"..""];
    /// Schedulers of witnesses and of stores that get slower. `pkg/schedule/types/type.go`.
    WitnessSchedulers = ["7.1.0"..""];
    /// The scheduler that drains stores that stop. `pkg/schedule/types/type.go`.
    EvictStoppingStore = ["8.5.5".."9.0.0-alpha", "9.0.0"..""];
    /// The scheduler that splits busy buckets. `pkg/schedule/types/type.go`.
    SplitBucket = ["6.1.0".."9.0.0"];
    /// The checker of affinity groups. `pkg/schedule/checker/checker_controller.go`.
    AffinityChecker = ["8.5.5".."9.0.0-alpha", "9.0.0"..""];
    /// `store-limit-version`. `pkg/schedule/config/config.go`.
    StoreLimitVersion = ["7.1.0"..""];
    /// Store limits are refused while `store-limit-version` is `v2`, not accepted in vain.
    /// `server/api/store.go`.
    StoreLimitV2Refused = ["8.3.0"..""];
    /// What PD says about a new weight or limit names it, not a label. `server/api/store.go`.
    WeightWords = ["7.6.0"..""];
    /// The label `engine` cannot be set. `server/api/store.go`.
    EngineLabelReserved = ["9.0.0"..""];
    /// Whether a store can be removed is counted over TiKV stores alone.
    /// `server/cluster/cluster.go`.
    RemovalCountsTikvOnly = ["9.0.0"..""];
    /// The progress of a store is there some seconds after its removal has begun, not at once.
    /// `pkg/progress/progress.go`.
    ProgressIsLate = ["9.0.0"..""];
    /// A rule that lacks a replica may get the place of one that another rule has, which goes
    /// elsewhere. `pkg/schedule/checker/rule_checker.go`.
    SwapFit = ["7.1.3".."7.2.0", "7.5.0"..""];
    /// `GET /regions/store/{id}?type=…`. `server/api/region.go`.
    RegionsByRole = ["8.2.0"..""];
    /// Hot spots count CPU. `pkg/statistics/hot_regions_stat.go`.
    HotCpu = ["8.5.7".."9.0.0-alpha", "9.0.0"..""];
    /// Overrides of configuration are answered in words of their own. `server/api/config.go`.
    OverrideWords = ["8.3.0"..""];
    /// Two changes of configuration at the same time both stay. `server/api/config.go`.
    ConfigTransactions = ["9.0.0"..""];
    /// `halt-scheduling`. `pkg/schedule/config/config.go`.
    HaltScheduling = ["6.5.4".."7.0.0", "7.2.0"..""];
    /// `patrol-region-worker-count`. `pkg/schedule/config/config.go`.
    PatrolWorkers = ["8.5.0"..""];
    /// A batch of regions that checkers look at grows with their number.
    /// `pkg/schedule/checker/checker_controller.go`.
    PatrolBatchGrows = ["8.3.0"..""];
    /// The maintenance lock. `server/apiv2/handlers/maintenance.go`.
    MaintenanceLock = ["9.0.0"..""];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(capability: Capability, with: &[&str], without: &[&str]) {
        for (versions, expected) in [(with, true), (without, false)] {
            for version in versions {
                let has = Version::parse(*version).has(capability);
                assert_eq!(has, Some(expected), "{version} {capability:?}");
            }
        }
    }

    #[test]
    fn betas_of_9_0_lack_what_came_with_late_patches_of_8_5() {
        check(
            Capability::LocalAnswers,
            &["v8.5.5", "v8.5.7", "v9.0.0", "v9.1.0"],
            &["v8.5.4", "v9.0.0-beta.1", "v9.0.0-beta.2", "v6.5.12"],
        );
        check(
            Capability::HaltScheduling,
            &["v6.5.4", "v6.5.12", "v7.2.0", "v7.5.7", "v9.0.0"],
            &["v6.5.3", "v7.0.0", "v7.1.6"],
        );
        check(
            Capability::MissingRegionIsNotFound,
            &["v9.0.0-beta.1", "v9.0.0"],
            &["v8.5.7"],
        );
        check(
            Capability::SplitBucket,
            &["v6.5.12", "v8.5.7", "v9.0.0-beta.2"],
            &["v6.0.0", "v9.0.0"],
        );
    }

    #[test]
    fn ranges_are_versions_in_order() {
        for capability in Capability::ALL {
            let mut last = Version::new(0, 0, 0);
            for (from, until) in capability.ranges() {
                let from = Version::parse(*from);
                assert!(from > last, "{capability:?}");
                last = match *until {
                    "" => Version::new(u64::MAX, 0, 0),
                    until => Version::parse(until),
                };
                assert!(from < last, "{capability:?}");
            }
        }
    }

    #[test]
    fn of_what_is_no_version_nothing_is_known() {
        for capability in Capability::ALL {
            assert_eq!(Version::parse("None").has(*capability), None);
        }
    }

    #[test]
    fn what_is_supported_is_6_5_to_9() {
        let supported = |version: &str| Version::parse(version).is_supported();
        assert!(supported("v6.5.0") && supported("v9.0.0-beta.1") && supported("v9.5.0"));
        assert!(!supported("v6.4.9") && !supported("v10.0.0") && !supported("None"));
    }
}
