//! Why something does not move, and what is left over: stable codes, and the next safe step.
//!
//! `docs/reasons.md` is written from them, by `cargo xtask docs`.

// length: a row for each reason.

use action_core::Finding;

/// A kind of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason {
    /// Stable; what [`Finding::code`] holds.
    pub code: &'static str,
    /// What it is about: the heading it stands under.
    pub about: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// The next safe step.
    pub next: &'static str,
}

impl Reason {
    /// Something of this kind.
    pub(crate) fn found(&self, about: impl Into<String>, text: impl Into<String>) -> Finding {
        Finding::new(self.code, about, text).next(self.next)
    }
}

macro_rules! reasons {
    ($($about:literal { $($name:ident = $code:literal, $meaning:literal, $next:literal;)* })*) => {
        $($(pub(crate) const $name: Reason = Reason {
            code: $code,
            about: $about,
            meaning: $meaning,
            next: $next,
        };)*)*

        /// All of them, in the order of `docs/reasons.md`.
        pub const REASONS: &[Reason] = &[$($($name),*),*];
    };
}

reasons! {
    "The cluster" {
        SCHEDULING_HALTED = "scheduling_halted",
            "`halt-scheduling` is on: PD creates no operators of its own.",
            "Find out who halted it and why, then switch `halt-scheduling` off. Requested operators run anyway.";
        UNSAFE_RECOVERY = "unsafe_recovery",
            "An unsafe recovery is removing failed stores by force: PD creates no operators of its own until it ends.",
            "Wait until it ends; `GET /admin/unsafe/remove-failed-stores/show` shows its progress. Requested operators run anyway.";
        LIMIT_ZERO = "schedule_limit_zero",
            "A schedule limit is 0: PD creates no operators of that kind.",
            "Find out who set it to 0 and why, then restore the previous value; PD's default is in `GET /config/default`.";
        LIMIT_USED_UP = "schedule_limit_used_up",
            "The number of running operators has reached the limit of their kind.",
            "Wait for the operators in progress; if they are stuck, run `why` for their regions.";
        TTL_OVERRIDE = "ttl_override",
            "The value in force differs from the stored one: a temporary override (TTL). While it lasts, the item cannot be set.",
            "Wait until it ends, or find out who set it (imports and backups do) and ask them to end it.";
        MERGE_SIZE_ZERO = "merge_size_zero",
            "`max-merge-region-size` is 0: PD merges only regions that it considers empty.",
            "Find out who set it to 0 and why (imports and backups do), then restore the previous value.";
        PATROL_INTERVAL_LONG = "patrol_interval_long",
            "PD's checkers visit each region only once in ten minutes or more, and replace, add, remove or merge nothing before. In each `patrol-region-interval` they visit 128 regions, or 1/1024 of all regions if that is more (8.3 and later).",
            "Find out who set `patrol-region-interval` and why, then restore the previous value; PD's default is 10ms. PD applies it when the current interval ends or when its leader changes (`transfer_pd_leader`).";
        LOCATION_REPLACEMENT_OFF = "location_replacement_off",
            "`enable-location-replacement` and placement rules are off: PD does not spread replicas by location labels.",
            "Find out who switched it off and why, then switch it on.";
        DRAIN_BATCH_ZERO = "drain_batch_zero",
            "The `batch` of `evict-leader-scheduler` is 0, and then PD 8.3.0 to 8.5.2 moves no leader off any store. The cause is a drain that was in force while PD was upgraded to 8.3 or later.",
            "Stop all drains: the last one removes the scheduler, and the next drain starts with 3. Or set it while they run: `POST /pd/api/v1/scheduler-config/evict-leader-scheduler/config` with `{\"batch\": 3}`.";
        TOO_FEW_STORES = "too_few_stores",
            "`max-replicas` is higher than the number of TiKV stores: every region lacks replicas.",
            "Add stores, or find out who set `max-replicas` and whether that was intended.";
        RULE_UNSATISFIABLE = "rule_unsatisfiable",
            "A placement rule requires more replicas than its matching stores can hold: its regions lack replicas, and other repairs of them may wait.",
            "Add stores with the labels that the rule requires, or find out who set the rule and whether that was intended.";
        PD_MEMBER_DOWN = "pd_member_down",
            "A PD member does not answer: if one more fails, PD may lose its majority.",
            "Start that member. Do not stop another member until then.";
        SCHEDULER_LEFT = "scheduler_left",
            "A scheduler is running that PD does not have by default and that works against balancing (`grant-leader`, `shuffle-…`, `random-merge`), usually added for a test.",
            "Find out who added it and whether it is still needed, then remove it.";
        SCHEDULER_THROTTLED = "scheduler_throttled",
            "According to PD's diagnosis, a scheduler that spreads replicas creates no operators, because stores have used up their limits for adding or removing replicas.",
            "Check the store limits (`get_config`), and run `why` for a store that takes nothing.";
        SCHEDULER_PAUSED = "scheduler_paused",
            "A scheduler is paused.",
            "Find out who paused it and why; it continues at the time shown. `resume_scheduler` ends the pause now.";
        SCHEDULER_REMOVED = "scheduler_removed",
            "A scheduler that PD has by default was removed.",
            "Find out who removed it and why, then add it again.";
        CHECKER_PAUSED = "checker_paused",
            "A checker is paused: what it would repair stays as it is.",
            "Resume it, unless the pause is still needed; PD forgets the pause when its leader changes.";
        MAINTENANCE_LOCK = "maintenance_lock",
            "A maintenance task holds PD's lock: only one task at a time may stop stores.",
            "Wait until that task releases the lock.";
    }
    "A region" {
        REGION_NOT_FOUND = "region_not_found",
            "The region is unknown to PD: it was merged into another, or has not sent a heartbeat since PD's leader changed.",
            "Find the region by its key.";
        REGION_WITHOUT_LEADER = "region_without_leader",
            "PD knows no leader of the region, so no change is possible.",
            "Check the stores of its replicas; without a majority of them the region does not recover by itself.";
        LEADER_SILENT = "leader_silent",
            "PD gets no heartbeats from the store that leads the region: PD's commands arrive only if the region itself still reports, which PD does not show.",
            "Check that store; if it is gone, the region's other voters elect a leader if they are a majority.";
        MAJORITY_LOST = "majority_lost",
            "Half or more of the region's voters do not respond, so the region cannot change.",
            "Start one of their stores that is not a tombstone; if all are tombstones, use unsafe recovery.";
        JOINT_STATE = "joint_state",
            "The region is in a joint state between two sets of voters: PD rejects every other change until it has left that state.",
            "Wait for the joint-state checker to end it. If it stays, check its pending and down replicas.";
        PEER_PENDING = "peer_pending",
            "A replica lags (pending peer): it cannot lead, and the region cannot be merged.",
            "Wait until it has caught up; if it does not, check its store.";
        PEER_ON_REMOVED_STORE = "peer_on_removed_store",
            "A replica is on a store that is a tombstone or gone: it will never respond again, but still counts as one of the region's replicas.",
            "Remove it (`remove_peer`); it cannot return to a tombstone. If the others are not a majority, the region needs unsafe recovery.";
        PEER_DOWN = "peer_down",
            "A replica does not respond to its leader (down peer).",
            "Check its store; PD replaces the replica after `max-store-down-time`.";
        LABEL_DENIES = "label_denies_scheduling",
            "A label (`schedule=deny`) keeps PD from balancing and merging the region; before 8.2 it also keeps the leader on a store that is being drained. Requested operators and the replacement of lost replicas ignore it.",
            "Request the move, or find out who set the label.";
        AFFINITY_GROUP = "affinity_group",
            "The region belongs to an affinity group (8.5.5 and later): PD does not balance its leader and replicas, but moves them to the stores of the group unless `affinity-schedule-limit` is 0.",
            "Leave it as it is, or find out who created the group: `PUT /pd/api/v2/affinity-groups/{id}` assigns other stores. PD reverses requested moves.";
        OPERATOR_IN_THE_WAY = "operator_in_the_way",
            "Another operator is running on the region: a region has at most one.",
            "Wait until it ends. If it is stuck, end it with `cancel_operator` and `others`; PD creates its own operators again.";
        RULES_UNSATISFIED = "rules_unsatisfied",
            "The region has more or fewer replicas than its placement rules require: the rule checker repairs that first.",
            "Wait; if it stays, check for a free store and the limit for replicas.";
        REGION_NOT_SMALL = "region_not_small",
            "The region is larger than `max-merge-region-size` or has more keys than `max-merge-region-keys`: PD merges small regions only.",
            "Leave it as it is. If such regions should be merged, find out who set the two values and why.";
        MERGE_DENIED = "merge_denied",
            "A label (`merge_option=deny`) keeps PD from merging the region.",
            "Request the merge (`merge_regions`), or find out who set the label.";
        MERGE_BORDER = "merge_border",
            "A placement rule or label begins or ends between the region and the next: PD does not merge across such a key and would split there again.",
            "Leave it as it is, or find out who set the rule or label and whether it is still needed.";
        MERGE_NEIGHBOUR = "merge_neighbour",
            "The next region cannot be merged with: it has no leader, lags, or does not match its placement rules.",
            "Run `why` for that region.";
        MERGE_TOO_EARLY = "merge_too_early",
            "PD merges nothing for `split-merge-interval` after its leader started.",
            "Wait until that time has passed.";
        NO_LEADER_TARGET = "no_leader_target",
            "No other store can take leaders.",
            "Do what the finding says for each store, such as starting it or stopping its drain.";
        NO_FREE_STORE = "no_free_store",
            "No store can take a replica: each holds one already, is not Up, is full, or is excluded by placement rules.",
            "Add a store with the labels that the rules require, or free space on one.";
    }
    "A store" {
        STORE_NOT_FOUND = "store_not_found",
            "The store is unknown to PD.",
            "List the stores.";
        STORE_REMOVED = "store_removed",
            "The store is a tombstone.",
            "Choose another store.";
        STORE_OFFLINE = "store_offline",
            "The store is being emptied (offline) and takes nothing.",
            "Choose another store.";
        STORE_DISCONNECTED = "store_disconnected",
            "PD has had no heartbeat of the store for more than 20 s.",
            "Check the store's process and network.";
        STORE_DOWN = "store_down",
            "PD has had no heartbeat of the store for longer than `max-store-down-time`.",
            "Start the store if it should come back.";
        STORE_BEING_REPLACED = "store_being_replaced",
            "The store has been down for longer than `max-store-down-time`: PD replaces each replica there that the region's leader reports as down.",
            "Start the store if it should keep its remaining replicas; replaced ones do not return.";
        STORE_BUSY = "store_busy",
            "The store reports that it is busy: PD gives it neither leaders nor replicas.",
            "Wait, or move load to other stores.";
        STORE_SLOW = "store_slow",
            "The store has a high slow score: PD gives it no leaders.",
            "Check its disk; the score goes down once the store is fast again.";
        STORE_DRAINED = "store_drained",
            "Leaders are being drained from the store: PD gives it none.",
            "Stop the drain, unless somebody is still working on the store.";
        STORE_REFUSES_LEADERS = "store_refuses_leaders",
            "A scheduler or a label (`reject-leader`) keeps leaders away from the store.",
            "Choose another store, or find out who configured it.";
        LEADERS_GRANTED = "leaders_granted",
            "`grant-leader` moves the leaders of all regions with a voter on the store there, and keeps them there. Before 9.0 nothing else can move a leader there, not even by request.",
            "Find out who granted them and whether it is still needed, then remove the store from `grant-leader-scheduler`.";
        STORE_TIFLASH = "store_tiflash",
            "The store is a TiFlash store: it holds learners only and never leads.",
            "Choose a TiKV store.";
        STORE_LOW_SPACE = "store_low_space",
            "The store's disk usage exceeds `low-space-ratio`.",
            "Free space on it, or choose another store.";
        STORE_CROWDED = "store_crowded",
            "The store has more snapshots in progress or pending peers than the configuration allows.",
            "Wait until they are done.";
        STORE_LIMIT_ZERO = "store_limit_zero",
            "The store's limit for adding or removing replicas is 0.",
            "Restore the previous limit of the store.";
        STORE_LIMIT_LOW = "store_limit_low",
            "The store's limit for adding or removing replicas is so low that PD moves at most one replica in ten minutes.",
            "Find out who set it and why, then restore the previous value; PD's default is 15 per minute.";
        STORE_WEIGHT_ZERO = "store_weight_zero",
            "The store's weight for leaders or regions is 0: balancing treats it as full.",
            "Find out who set it and why; PD's default is 1.";
        NO_REPLICA_THERE = "no_replica_there",
            "The store holds no voter of the region: only voters can lead.",
            "Choose a store that holds a voter, or move a replica there first.";
        REPLICA_ALREADY_THERE = "replica_already_there",
            "The store already holds a replica of the region.",
            "Choose another store.";
        RULE_FORBIDS_STORE = "rule_forbids_store",
            "Placement rules do not let the store lead or hold replicas: the rules of the region, or all rules if no region was named.",
            "Choose a store with the labels that the rules require.";
        DRAIN_BLOCKED = "drain_blocked",
            "The leader of a region cannot leave the store that is being drained. PD 8.2 and later shows which regions once few are left.",
            "Run `why` for the region.";
        NOTHING_ASKS = "nothing_asks",
            "Nothing moves leaders or replicas off the store: it is neither being drained nor offline.",
            "`drain_store` moves the leaders away, `offline_store` everything; each is named only if its plan would proceed.";
    }
    "Left behind" {
        DRAIN_LEFT = "drain_left",
            "A drain is in force. It stays until somebody stops it, also when PD restarts.",
            "Find out who drains the store and whether they are done; `stop_drain` ends it.";
        DRAIN_OF_NO_STORE = "drain_of_no_store",
            "A drain is in force for a store that is gone.",
            "Stop it.";
        EMPTY_DRAIN = "empty_drain",
            "The drain scheduler (`evict-leader-scheduler`) exists but drains no store.",
            "Drain a store and stop that drain: the last drain removes the scheduler.";
        STORE_OFFLINE_LONG = "store_offline_long",
            "A store is offline and still holds replicas, but none are moving.",
            "Run `why` for the store.";
        STORE_BEING_EMPTIED = "store_being_emptied",
            "A store is offline: PD moves its replicas away and makes it a tombstone when none are left.",
            "Make sure that this is intended: a tombstone cannot be taken back.";
        STORE_EVICTED = "store_evicted",
            "PD keeps leaders away from a store, because it considers the store slow or stopping.",
            "Check the store's disk and network; PD moves leaders back once the store is fast again.";
        STORE_OFFLINE_EMPTY = "store_offline_empty",
            "A store is offline and holds nothing that PD knows of. PD makes such a store a tombstone at its next check, every 10 s.",
            "Check again in 10 s. If it stays, search the log of the PD leader for `bury store failed`.";
        STORE_DOWN_LONG = "store_down_long",
            "A store has been down for longer than `max-store-down-time`.",
            "Start it if it should come back.";
        REMOVE_LIMIT_LEFT = "remove_limit_left",
            "A serving store still has the limit for removing replicas that PD sets while a store is emptied.",
            "Restore the previous limit of the store; PD's default is 15 per minute.";
        HALF_MOVED = "half_moved",
            "A region has an extra replica, or a learner that nothing promotes: a move was not finished.",
            "Run `why` for the region; PD's rule checker removes what the placement rules do not require.";
        VERSION_MISMATCH = "version_mismatch",
            "PD members or stores have different versions.",
            "Finish the upgrade, or roll it back.";
        VERSION_UNKNOWN = "version_unknown",
            "This version of PD is not tested.",
            "Plan before you run, and compare the results with PD's own tools.";
        CLOCK_SKEW = "clock_skew",
            "PD's clock and the local clock differ by more than network delay explains.",
            "Synchronise the clocks: deadlines and the ownership of operators depend on them.";
    }
}
