//! Schedulers that can be added and removed without naming a store.

use crate::client::Client;
use crate::error::Error;
use crate::schedulers::NewScheduler;
use crate::transport::{Accepted, Call};

impl Client {
    /// Adds a scheduler, for good.
    ///
    /// `POST /schedulers`, all versions.
    ///
    /// # Errors
    /// [`Error::Pd`]: it exists already, which only the schedulers of stores accept (500 up to
    /// 8.5, 400 later), or this version does not know it (400).
    pub async fn add_scheduler(&self, kind: SchedulerKind) -> Result<Accepted, Error> {
        let body = NewScheduler {
            name: kind.name(),
            store_id: None,
        };
        self.write(Call::post("/schedulers", &body)?).await
    }

    /// Removes a scheduler, for good. One of PD's own is disabled from then on.
    ///
    /// `DELETE /schedulers/{name}`, all versions. Schedulers of stores cannot be named here: by
    /// its bare name PD would remove one from all stores.
    ///
    /// # Errors
    /// [`Error::Pd`] that [`is_not_found`](crate::PdError::is_not_found) when there is none.
    pub async fn remove_scheduler(&self, kind: SchedulerKind) -> Result<Accepted, Error> {
        self.write(Call::delete("/schedulers").segment(kind.name()))
            .await
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal;)*) => {
        /// A scheduler that needs nothing but its name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum SchedulerKind {
            $($(#[$doc])* $kind,)*
        }

        impl SchedulerKind {
            /// Every kind this client knows.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// PD's name for it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// Spreads leaders.
    BalanceLeader = "balance-leader-scheduler";
    /// Spreads replicas.
    BalanceRegion = "balance-region-scheduler";
    /// Spreads hot regions.
    BalanceHotRegion = "balance-hot-region-scheduler";
    /// Spreads witnesses, 7.1 and later.
    BalanceWitness = "balance-witness-scheduler";
    /// Takes leadership from witnesses, 7.1 and later.
    TransferWitnessLeader = "transfer-witness-leader-scheduler";
    /// Drains leaders from a store that is slow.
    EvictSlowStore = "evict-slow-store-scheduler";
    /// Drains leaders from a store that gets slower, 7.1 and later.
    EvictSlowTrend = "evict-slow-trend-scheduler";
    /// Drains leaders from a store that stops, 8.5.5 and later without the betas of 9.0.
    EvictStoppingStore = "evict-stopping-store-scheduler";
    /// Keeps leaders away from stores whose labels refuse them.
    Label = "label-scheduler";
    /// Merges regions at random. For tests.
    RandomMerge = "random-merge-scheduler";
    /// Moves leaders at random. For tests.
    ShuffleLeader = "shuffle-leader-scheduler";
    /// Moves replicas at random. For tests.
    ShuffleRegion = "shuffle-region-scheduler";
    /// Moves hot regions at random. For tests.
    ShuffleHotRegion = "shuffle-hot-region-scheduler";
    /// Splits regions at their busy buckets, 6.1 to 8.5.
    SplitBucket = "split-bucket-scheduler";
}
