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
            "`halt-scheduling` is on: PD makes no operators of its own.",
            "Ask who halted it and why, then switch `halt-scheduling` off. Operators by request run all the same.";
        UNSAFE_RECOVERY = "unsafe_recovery",
            "An unsafe recovery gives up failed stores by force: PD makes no operators of its own meanwhile.",
            "Wait until it is over; `GET /admin/unsafe/remove-failed-stores/show` says how far it is. Operators by request run all the same.";
        LIMIT_ZERO = "schedule_limit_zero",
            "A schedule limit is 0: PD makes no operators of that kind.",
            "Ask who set it to 0 and why, then set it to what it was before; PD's default is in `GET /config/default`.";
        LIMIT_USED_UP = "schedule_limit_used_up",
            "As many operators run as the limit of their kind allows.",
            "Wait for the operators in flight; if they are stuck, ask `why` about their regions.";
        TTL_OVERRIDE = "ttl_override",
            "Another value is in force than the one stored: an override with a time to live. While it is there the item cannot be set.",
            "Wait until it ends, or ask whoever set it (imports and backups do) to end it.";
        MERGE_SIZE_ZERO = "merge_size_zero",
            "`max-merge-region-size` is 0: PD merges nothing but regions that it takes for empty.",
            "Ask who set it to 0 and why (imports and backups do), then set it to what it was before.";
        PATROL_INTERVAL_LONG = "patrol_interval_long",
            "PD's checkers come to each region only once in ten minutes or more: nothing is replaced, added, removed or merged before. They look at 128 regions, or a 1,024th of all where that is more (8.3 and later), each `patrol-region-interval`.",
            "Ask who set `patrol-region-interval` and why, then set it to what it was before; PD's default is 10ms. PD takes it when the interval that it set out with is over, or with a new leader (`transfer_pd_leader`).";
        LOCATION_REPLACEMENT_OFF = "location_replacement_off",
            "`enable-location-replacement` is off, and placement rules are off: PD does not move replicas apart as the location labels say.",
            "Ask who switched it off and why, then switch it on.";
        DRAIN_BATCH_ZERO = "drain_batch_zero",
            "The `batch` of `evict-leader-scheduler` is 0, with which PD 8.3.0 to 8.5.2 moves no leader off any store. It comes from a drain that was in force while PD was upgraded to 8.3 or later.",
            "Stop all drains: with the last one the scheduler goes, and the next drain starts with 3. Or set it while they run: `POST /pd/api/v1/scheduler-config/evict-leader-scheduler/config` with `{\"batch\": 3}`.";
        TOO_FEW_STORES = "too_few_stores",
            "Regions are to have more replicas than there are TiKV stores: each region stays short of replicas.",
            "Add stores, or ask who set `max-replicas` and whether it is meant.";
        RULE_UNSATISFIABLE = "rule_unsatisfiable",
            "A placement rule asks for more replicas than the stores that it takes can hold: its regions stay short of replicas, and what else PD would put in order about them may wait.",
            "Add stores with the labels that the rule asks for, or ask who set the rule and whether it is meant.";
        PD_MEMBER_DOWN = "pd_member_down",
            "A member of PD does not answer: with one more gone, PD may lose its majority.",
            "Start that member. Take no other member down meanwhile.";
        SCHEDULER_LEFT = "scheduler_left",
            "A scheduler runs that PD does not have by default and that works against balancing (`grant-leader`, `shuffle-…`, `random-merge`): made for a test or for one occasion.",
            "Ask who added it and whether it is still needed, then remove it.";
        SCHEDULER_THROTTLED = "scheduler_throttled",
            "A scheduler that spreads replicas makes no operators because stores have used up their limits for adding or removing replicas, as PD's own diagnosis says.",
            "Look at the limits of the stores (`get_config`), and ask `why` about a store that takes nothing.";
        SCHEDULER_PAUSED = "scheduler_paused",
            "A scheduler is paused for a time.",
            "Ask who paused it and why; it goes on by itself at the time shown. `resume_scheduler` ends the pause now.";
        SCHEDULER_REMOVED = "scheduler_removed",
            "A scheduler that PD has by default was removed.",
            "Ask who removed it and why, then add it again.";
        CHECKER_PAUSED = "checker_paused",
            "A checker is paused: what it puts in order stays as it is.",
            "Resume it, unless whoever paused it still needs that; PD forgets the pause when its leader changes.";
        MAINTENANCE_LOCK = "maintenance_lock",
            "A maintenance task holds PD's lock: one at a time may take stores down.",
            "Wait until that task has given the lock back.";
    }
    "A region" {
        REGION_NOT_FOUND = "region_not_found",
            "PD knows of no such region: it was merged away, or its first heartbeat has not come since PD's leader changed.",
            "Find the region by its key.";
        REGION_WITHOUT_LEADER = "region_without_leader",
            "PD knows of no leader of the region: nothing can be asked of it.",
            "Look at the stores of its replicas; without a majority of them it does not come back by itself.";
        LEADER_SILENT = "leader_silent",
            "PD does not hear of the store that leads the region: what PD sends gets there only if the region itself still reports, which PD does not show.",
            "Look at that store; when it is gone, the region's other voters elect a leader if they are a majority.";
        MAJORITY_LOST = "majority_lost",
            "Half of the region's voters or more do not answer: nothing about it changes any more.",
            "Start one of their stores that is not a tombstone; where all are, give them up by unsafe recovery.";
        JOINT_STATE = "joint_state",
            "The region is between two sets of voters: PD refuses every other change until it has left that state.",
            "Wait; the joint-state checker ends it. If it stays, look at its pending and down replicas.";
        PEER_PENDING = "peer_pending",
            "A replica lags behind: it may not lead, and regions with one are not merged.",
            "Wait until it has caught up; if it does not, look at its store.";
        PEER_ON_REMOVED_STORE = "peer_on_removed_store",
            "A replica is on a store that is a tombstone or is gone: it will never answer again, and counts as one of the region's replicas all the while.",
            "Remove it (`remove_peer`); nothing brings a replica back to a tombstone. Where the others are no majority, the region needs unsafe recovery.";
        PEER_DOWN = "peer_down",
            "A replica does not answer its leader.",
            "Look at its store; PD replaces the replica after `max-store-down-time`.";
        LABEL_DENIES = "label_denies_scheduling",
            "A label (`schedule=deny`) keeps PD from balancing and merging the region; before 8.2 it holds the leader on a store that is being drained, too. Operators by request and the replacing of lost replicas do not look at it.",
            "Move it by request, or ask whoever set the label.";
        AFFINITY_GROUP = "affinity_group",
            "The region belongs to an affinity group (8.5.5 and later): PD balances neither its leader nor its replicas, and moves them to the stores of the group, unless `affinity-schedule-limit` is 0.",
            "Leave it as it is, or ask who made the group: `PUT /pd/api/v2/affinity-groups/{id}` gives it other stores. What is moved by request is moved back.";
        OPERATOR_IN_THE_WAY = "operator_in_the_way",
            "Another operator is on the region: one region has at most one.",
            "Wait until it has ended. If it is stuck, `cancel_operator` with `others` ends it; PD makes its own operators anew.";
        RULES_UNSATISFIED = "rules_unsatisfied",
            "The region has more or fewer replicas than its placement rules say: the rule checker puts that in order first.",
            "Wait; if it stays, look for a free store and at the limit for replicas.";
        REGION_NOT_SMALL = "region_not_small",
            "The region is larger than `max-merge-region-size` or has more keys than `max-merge-region-keys`: PD merges small regions only.",
            "Leave it as it is. If such regions are to be merged, ask who set the two values and why.";
        MERGE_DENIED = "merge_denied",
            "A label (`merge_option=deny`) keeps PD from merging the region.",
            "Merge it by request (`merge_regions`), or ask whoever set the label.";
        MERGE_BORDER = "merge_border",
            "A placement rule or a label begins or ends between the region and the next: PD does not merge over such a key, and splits there again.",
            "Leave it as it is, or ask who set the rule or the label and whether it is still needed.";
        MERGE_NEIGHBOUR = "merge_neighbour",
            "The next region cannot take it: it has no leader, lags, or has other replicas than its rules say.",
            "Ask `why` about that region.";
        MERGE_TOO_EARLY = "merge_too_early",
            "PD merges nothing for `split-merge-interval` after its leader has started.",
            "Wait until that time is over.";
        NO_LEADER_TARGET = "no_leader_target",
            "No other store may be given leaders.",
            "Do what the finding says of each store, such as starting it or stopping its drain; where nothing helps, none is said.";
        NO_FREE_STORE = "no_free_store",
            "No store could take a replica: each holds one, is not Up, is full, or is kept out by rules.",
            "Add a store with the labels that the rules ask for, or free space on one.";
    }
    "A store" {
        STORE_NOT_FOUND = "store_not_found",
            "PD knows of no such store.",
            "List the stores.";
        STORE_REMOVED = "store_removed",
            "The store is a tombstone.",
            "Choose another store.";
        STORE_OFFLINE = "store_offline",
            "The store is being emptied and takes nothing.",
            "Choose another store.";
        STORE_DISCONNECTED = "store_disconnected",
            "PD has not heard of the store for more than 20 s.",
            "Look at the store's process and network.";
        STORE_DOWN = "store_down",
            "PD has not heard of the store for longer than `max-store-down-time`.",
            "Start the store if it is to come back.";
        STORE_BEING_REPLACED = "store_being_replaced",
            "The store is down for longer than `max-store-down-time`: PD replaces each replica there that the region's leader reports as down.",
            "Start the store if it is to keep what is left there; what was replaced by then does not come back to it.";
        STORE_BUSY = "store_busy",
            "The store reports that it is busy: it is given neither leaders nor replicas.",
            "Wait, or move load off it.";
        STORE_SLOW = "store_slow",
            "The store is slow by its own score: it is given no leaders.",
            "Look at its disk; the score goes down by itself once it is fast again.";
        STORE_DRAINED = "store_drained",
            "Leaders are being drained from the store: it is given none.",
            "Stop the drain, unless somebody still works on the store.";
        STORE_REFUSES_LEADERS = "store_refuses_leaders",
            "A scheduler or a label (`reject-leader`) keeps leaders from the store.",
            "Choose another store, or ask whoever configured that.";
        LEADERS_GRANTED = "leaders_granted",
            "`grant-leader` gives the store the leaders of all regions that have a voter there, and keeps them there. Before 9.0 nothing else may give it any, not by request either.",
            "Ask who granted them and whether it is still needed, then take the store out of `grant-leader-scheduler`.";
        STORE_TIFLASH = "store_tiflash",
            "The store is a TiFlash store: it holds learners and never leads.",
            "Choose a TiKV store.";
        STORE_LOW_SPACE = "store_low_space",
            "The store's disk is fuller than `low-space-ratio` allows.",
            "Free space on it, or choose another store.";
        STORE_CROWDED = "store_crowded",
            "The store has more snapshots in progress or lagging replicas than the configuration allows.",
            "Wait until they are done.";
        STORE_LIMIT_ZERO = "store_limit_zero",
            "The store's limit for adding or removing replicas is 0.",
            "Set the limit of the store to what it was before.";
        STORE_LIMIT_LOW = "store_limit_low",
            "The store's limit for adding or removing replicas is so low that PD moves one replica in ten minutes or fewer.",
            "Ask who set it and why, then set it to what it was before; PD's default is 15 per minute.";
        STORE_WEIGHT_ZERO = "store_weight_zero",
            "The store's weight for leaders or regions is 0: balancing takes it for full, whatever it holds.",
            "Ask who set it and why; PD's default is 1.";
        NO_REPLICA_THERE = "no_replica_there",
            "The store holds no voter of the region: leaders move to voters only.",
            "Choose a store that holds a voter, or move a replica there first.";
        REPLICA_ALREADY_THERE = "replica_already_there",
            "The store holds a replica of the region already.",
            "Choose another store.";
        RULE_FORBIDS_STORE = "rule_forbids_store",
            "Placement rules do not let the store lead or hold replicas: those of the region, or, where none was named, all that there are.",
            "Choose a store with the labels that the rules ask for.";
        DRAIN_BLOCKED = "drain_blocked",
            "A region cannot leave the store that is being drained. PD 8.2 and later shows which, once few are left.",
            "Ask `why` about the region.";
        NOTHING_ASKS = "nothing_asks",
            "Nothing asks for leaders or replicas to leave the store: it is neither drained nor offline.",
            "`drain_store` moves leaders away, `offline_store` everything: each is named where its plan would go ahead.";
    }
    "Left behind" {
        DRAIN_LEFT = "drain_left",
            "A drain is in force. It stays, through restarts of PD too, until somebody stops it.",
            "Ask who drains the store, and whether they are done; `stop_drain` ends it.";
        DRAIN_OF_NO_STORE = "drain_of_no_store",
            "A drain is in force for a store that is gone.",
            "Stop it.";
        EMPTY_DRAIN = "empty_drain",
            "The scheduler that drains exists, and drains no store.",
            "Drain a store and stop that drain: the scheduler goes with the last one.";
        STORE_OFFLINE_LONG = "store_offline_long",
            "A store has been offline with replicas left, and none of it is moving.",
            "Ask `why` about the store.";
        STORE_BEING_EMPTIED = "store_being_emptied",
            "A store is offline: PD moves its replicas away, and makes it a tombstone when none is left.",
            "Make sure that somebody wants that: nothing takes it back afterwards.";
        STORE_EVICTED = "store_evicted",
            "PD keeps leaders from a store by itself, because it finds the store slow or stopping.",
            "Look at the store's disk and network; PD gives leaders back once the store is fast again.";
        STORE_OFFLINE_EMPTY = "store_offline_empty",
            "A store is offline and holds nothing that PD knows of. PD turns such a store into a tombstone when it looks, every 10 s.",
            "Look again in 10 s. If it stays, search the log of PD's leader for `bury store failed`.";
        STORE_DOWN_LONG = "store_down_long",
            "A store is down for longer than `max-store-down-time`.",
            "Start it if it is to come back.";
        REMOVE_LIMIT_LEFT = "remove_limit_left",
            "A store that serves still has the limit for removing replicas of a store being emptied.",
            "Set the limit of the store to what it was before; PD's default is 15 per minute.";
        HALF_MOVED = "half_moved",
            "A region has a replica too many, or a learner that nothing turns into a voter: a move was not finished.",
            "Ask `why` about the region; PD's rule checker takes back what the rules do not want.";
        VERSION_MISMATCH = "version_mismatch",
            "Members of PD, or stores, are of different versions.",
            "Finish the upgrade, or roll it back.";
        VERSION_UNKNOWN = "version_unknown",
            "PD's version is not one that was tested with.",
            "Plan before you run, and check what is read against PD's own tools.";
        CLOCK_SKEW = "clock_skew",
            "PD's clock and ours differ by more than can be told from the network.",
            "Set the clocks: deadlines, and whose operator is whose, are judged by them.";
    }
}
