//! What a version of PD can do, as data.

use crate::client::Client;
use crate::error::Error;
use crate::version::Version;

impl Client {
    /// What this PD can do. Ask once: it is the version that says it.
    ///
    /// `GET /version`, all versions.
    pub async fn capabilities(&self) -> Result<Capabilities, Error> {
        Ok(Capabilities {
            version: self.version().await?,
        })
    }
}

/// What a PD can do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Its version.
    pub version: Version,
}

impl Capabilities {
    /// Whether PD can do something; `None` when its version is not one.
    #[must_use]
    pub fn has(&self, capability: Capability) -> Option<bool> {
        self.version.has(capability)
    }

    /// The largest `batch` of a drain; `None` where it has none, or the version is not one.
    #[must_use]
    pub fn largest_evict_leader_batch(&self) -> Option<u32> {
        match self.has(Capability::EvictLeaderBatch)? {
            false => None,
            true if self.has(Capability::LargeEvictLeaderBatch)? => Some(100),
            true => Some(10),
        }
    }
}

impl Version {
    /// Whether PD of this version can do something; `None` when it is not a version.
    ///
    /// ```
    /// use pd_client::{Capability, Version};
    ///
    /// assert_eq!(Version::parse("v8.5.7").has(Capability::CancelAllOperators), Some(true));
    /// assert_eq!(Version::parse("v7.5.7").has(Capability::CancelAllOperators), Some(false));
    /// ```
    #[must_use]
    pub fn has(&self, capability: Capability) -> Option<bool> {
        self.numbers()?;
        let is_in = |(from, until): &(&str, &str)| {
            *self >= Self::parse(*from) && (until.is_empty() || *self < Self::parse(*until))
        };
        Some(capability.ranges().iter().any(is_in))
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
// them, and is in 9.0.0 again.
capabilities! {
    /// `GET /operators/records`.
    OperatorRecords = ["6.1.0".."" ];
    /// Errors of most calls begin with `[PD:module:Name]`.
    ErrorCodes = ["7.5.0"..""];
    /// A missing region is 404, not 200 with `null` or zeros.
    MissingRegionIsNotFound = ["9.0.0-beta.1"..""];
    /// `DELETE /operators` for all regions.
    CancelAllOperators = ["8.0.0"..""];
    /// `GET /operators?object`.
    OperatorObjects = ["8.0.0"..""];
    /// PD knows `X-Caller-ID`.
    CallerId = ["8.0.0"..""];
    /// Requests are limited unless told otherwise.
    RateLimitOn = ["8.0.0"..""];
    /// Members wait up to three seconds for a leader before they say that there is none.
    WaitsForLeader = ["8.1.1"..""];
    /// `/version`, `/status`, `/health` and `/ping` are answered by the member that is asked.
    LocalAnswers = ["8.5.5".."9.0.0-alpha", "9.0.0"..""];
    /// Members that do not lead answer reads of regions when asked to.
    FollowerRegionReads = ["8.5.7".."9.0.0-alpha", "9.0.0"..""];
    /// `GET /schedulers` leaves out those that are disabled.
    DisabledSchedulersHidden = ["7.6.0"..""];
    /// `GET /schedulers/diagnostic/{name}`.
    SchedulerDiagnostics = ["6.5.0"..""];
    /// Schedulers say why they do nothing unless told otherwise.
    DiagnosticsOn = ["7.1.0"..""];
    /// A scheduler that cannot be added is answered with 400, not 500.
    RefusedSchedulerIsBadRequest = ["9.0.0"..""];
    /// A drain has a `batch`.
    EvictLeaderBatch = ["8.3.0"..""];
    /// The `batch` of a drain may be up to 100, not 10.
    LargeEvictLeaderBatch = ["9.0.0"..""];
    /// Key ranges of a drain are hexadecimal, not base64.
    EvictRangesAreHex = ["8.5.4".."9.0.0-alpha", "9.0.0"..""];
    /// Several schedulers may keep leaders away from one store.
    SharedLeaderPause = ["9.0.0"..""];
    /// Stores say whether leaders are kept away from them.
    LeaderPauseShown = ["9.0.0"..""];
    /// Schedulers of witnesses and of stores that get slower.
    WitnessSchedulers = ["7.1.0"..""];
    /// The scheduler that drains stores that stop.
    EvictStoppingStore = ["8.5.5".."9.0.0-alpha", "9.0.0"..""];
    /// The scheduler that splits busy buckets.
    SplitBucket = ["6.1.0".."9.0.0"];
    /// The checker of affinity groups.
    AffinityChecker = ["8.5.5".."9.0.0-alpha", "9.0.0"..""];
    /// `GET /stores/check`.
    StoresByName = ["7.5.0"..""];
    /// `store-limit-version`.
    StoreLimitVersion = ["7.1.0"..""];
    /// Store limits are refused while `store-limit-version` is `v2`, not accepted in vain.
    StoreLimitV2Refused = ["8.3.0"..""];
    /// What PD says about a new weight or limit names it, not a label.
    WeightWords = ["7.6.0"..""];
    /// The label `engine` cannot be set, and removing a store counts TiKV stores only.
    EngineLabelReserved = ["9.0.0"..""];
    /// The progress of a store is there some seconds after its removal has begun, not at once.
    ProgressIsLate = ["9.0.0"..""];
    /// `GET /regions/store/{id}?type=…`.
    RegionsByRole = ["8.2.0"..""];
    /// `GET /regions/writequery` and `/readquery`.
    TopQueries = ["8.2.0"..""];
    /// `GET /hotspot/buckets`.
    HotBuckets = ["7.3.0"..""];
    /// Hot spots count CPU.
    HotCpu = ["8.5.7".."9.0.0-alpha", "9.0.0"..""];
    /// `GET /min-resolved-ts?scope=…`.
    MinResolvedTsOfStores = ["7.4.0"..""];
    /// Overrides of configuration are answered in words of their own.
    OverrideWords = ["8.3.0"..""];
    /// Two changes of configuration at the same time both stay.
    ConfigTransactions = ["9.0.0"..""];
    /// `halt-scheduling`.
    HaltScheduling = ["6.5.4".."7.0.0", "7.2.0"..""];
    /// `patrol-region-worker-count`.
    PatrolWorkers = ["8.5.0"..""];
    /// Keys of regions to split that are not text are refused, not a panic.
    SplitKeysChecked = ["9.0.0"..""];
    /// The maintenance lock.
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
    fn the_largest_batch_is_of_the_version() {
        let largest = |version: &str| {
            let version = Version::parse(version);
            Capabilities { version }.largest_evict_leader_batch()
        };
        assert_eq!(largest("v7.5.7"), None);
        assert_eq!(largest("v8.5.7"), Some(10));
        assert_eq!(largest("v9.0.0"), Some(100));
        assert_eq!(largest("None"), None);
    }
}
