//! How a mutation that was sent can end other than by being applied: stable codes, what each means,
//! which mutations give it, and the next safe step.
//!
//! `docs/outcomes.md` is written from them, by `cargo xtask docs`. Codes that any mutation can end
//! with are the guard's.

use action_core::Mutation;

use crate::cluster::Tikv;
use crate::mutations::region::{
    AddPeer, CancelOperator, MergeRegions, RemovePeer, ScatterRegion, SplitRegion, TransferLeader,
    TransferPeer,
};
use crate::mutations::setting::{
    SetLeaderScheduleLimit, SetLowSpaceThreshold, SetRegionScheduleLimit, SetReplicaScheduleLimit,
    SetStoreLimit,
};
use crate::mutations::store::{
    CancelOffline, DrainStore, OfflineStore, RemoveTombstones, StopDrain,
};
use crate::mutations::{PauseScheduler, ResumeScheduler, TransferPdLeader};

/// One way to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutcomeCode {
    /// Stable; what [`Outcome::code`](action_core::Outcome) holds.
    pub code: &'static str,
    /// What it ends as.
    pub end: OutcomeEnd,
    /// The mutations that can end with it, by name; none where any can.
    pub mutations: &'static [&'static str],
    /// What it means.
    pub meaning: &'static str,
    /// The next safe step.
    pub next: &'static str,
}

/// What a mutation ends as, if not as applied for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth end")]
pub enum OutcomeEnd {
    /// It did not happen, and no longer can.
    NotApplied,
    /// Nothing that was read decides it, or it is not getting on.
    Unknown,
    /// It happened, and something has changed it since.
    Reversed,
}

const fn name<M: Mutation<Tikv>>() -> &'static str {
    M::NAME
}

/// What PD carries out by an operator on a region.
const OPERATORS: &[&str] = &[
    name::<TransferLeader>(),
    name::<TransferPeer>(),
    name::<AddPeer>(),
    name::<RemovePeer>(),
    name::<SplitRegion>(),
    name::<MergeRegions>(),
    name::<ScatterRegion>(),
];

/// Those whose region shows that they were not done.
const SHOWN_BY_REGION: &[&str] = &[
    name::<TransferPeer>(),
    name::<AddPeer>(),
    name::<RemovePeer>(),
    name::<SplitRegion>(),
    name::<MergeRegions>(),
];

const SETTINGS: &[&str] = &[
    name::<SetLeaderScheduleLimit>(),
    name::<SetRegionScheduleLimit>(),
    name::<SetReplicaScheduleLimit>(),
    name::<SetLowSpaceThreshold>(),
    name::<SetStoreLimit>(),
];

const WITHOUT_TRACE: &[&str] = &[
    name::<TransferLeader>(),
    name::<TransferPeer>(),
    name::<AddPeer>(),
    name::<RemovePeer>(),
    name::<SplitRegion>(),
    name::<MergeRegions>(),
    name::<ScatterRegion>(),
    name::<OfflineStore>(),
    name::<RemoveTombstones>(),
    name::<SetLeaderScheduleLimit>(),
    name::<SetRegionScheduleLimit>(),
    name::<SetReplicaScheduleLimit>(),
    name::<SetLowSpaceThreshold>(),
    name::<SetStoreLimit>(),
    name::<PauseScheduler>(),
];

const ANY: &[&str] = &[];

macro_rules! outcomes {
    ($($end:ident { $($code:literal $mutations:expr, $meaning:literal, $next:literal;)* })*) => {
        /// All of them, in the order of `docs/outcomes.md`.
        pub const OUTCOMES: &[OutcomeCode] = &[$($(OutcomeCode {
            code: $code,
            end: OutcomeEnd::$end,
            mutations: $mutations,
            meaning: $meaning,
            next: $next,
        }),*),*];
    };
}

outcomes! {
    NotApplied {
        "refused" ANY,
            "PD refused it, in the words shown, with no code of its own. Where PD gives one (`PD:…`), that is the code.",
            "Plan it: the plan says what PD checks.";
        "not_found" ANY,
            "PD does not know what it is about.",
            "List the stores, look for the region by its key, and plan anew.";
        "invalid_input" ANY,
            "The client refused to send it: PD would have misread it.",
            "Correct the parameters.";
        "overridden_for_a_time" ANY,
            "Another value of the setting is in force for a time, and PD takes no other until it ends.",
            "Wait until it ends, or ask whoever set it (imports and backups do) to end it.";
        "no_trace" WITHOUT_TRACE,
            "The request left no trace, and would have by now: PD did not get it, or did not carry it out. Of a setting, a pause or a store, of which PD keeps no history: or somebody put it back before we looked.",
            "Look at who else is at work there; send it again if it is still wanted.";
        "operator_cancelled" OPERATORS,
            "PD made our operator, and it was cancelled before it was done: by somebody, or by PD because the region changed.",
            "Ask who cancelled it (`list_operators`, PD's log), then send it again.";
        "operator_timed_out" OPERATORS,
            "PD made our operator and gave it up after its time: TiKV did not follow in time.",
            "Ask `why` of the region and its stores before sending it again.";
        "operator_replaced" OPERATORS,
            "PD replaced our operator by a more urgent one.",
            "Look at what the other did to the region, then plan anew.";
        "operator_ended" &[
            name::<TransferLeader>(), name::<TransferPeer>(), name::<AddPeer>(), name::<RemovePeer>(),
            name::<SplitRegion>(), name::<MergeRegions>(), name::<ScatterRegion>(),
            name::<CancelOperator>(),
        ],
            "Our operator ended in another way than by success; for `cancel_operator`: the operator had ended by itself.",
            "Look at the region; for `cancel_operator` nothing is left to cancel.";
        "operator_superseded" SHOWN_BY_REGION,
            "The region shows that it was not done, and the region's last operator is another one.",
            "Look at what the other did to the region, then send it again.";
        "operator_lost" SHOWN_BY_REGION,
            "The region shows that it was not done, and PD has no memory of the operator that it accepted: it forgets them after ten minutes, and when its leader changes.",
            "Send it again if it is still wanted.";
        "region_changed" &[
            name::<TransferPeer>(), name::<AddPeer>(), name::<RemovePeer>(), name::<SplitRegion>(),
            name::<MergeRegions>(), name::<ScatterRegion>(),
        ],
            "It was not done, and the region is not as it was when it was planned.",
            "Plan anew: the same request may mean something else now.";
        "nothing_moved" &[name::<ScatterRegion>()],
            "PD accepted and made no operator: it found nothing to move.",
            "Nothing is left to do.";
        "still_running" &[name::<CancelOperator>()],
            "The operator is still at work.",
            "Send it again.";
        "update_lost" SETTINGS,
            "PD accepted the value and shows the one of before: another change at the same time has put it back.",
            "Ask who else changes settings, then send it again.";
        "changed_by_another" SETTINGS,
            "The setting is neither what it was nor what was asked for: somebody else has set it.",
            "Ask who set it before setting it again.";
        "pause_lost" &[name::<PauseScheduler>()],
            "PD accepted, and the scheduler is not paused: PD's leader has changed, or somebody resumed it.",
            "Send it again if the pause is still needed.";
        "still_paused" &[name::<ResumeScheduler>()],
            "The scheduler is still paused.",
            "Send it again.";
        "store_gone" &[name::<DrainStore>(), name::<CancelOffline>()],
            "PD knows no such store any more, or only its tombstone.",
            "List the stores: there is nothing to drain or to take back.";
        "not_draining" &[name::<DrainStore>()],
            "The store is not being drained: PD did not get the request, or somebody stopped the drain.",
            "Ask who stopped it, then send it again.";
        "still_draining" &[name::<StopDrain>()],
            "The store is still being drained.",
            "Send it again, unless somebody else drains it.";
        "taken_back" &[name::<OfflineStore>()],
            "PD accepted, and the store is not being emptied any more: somebody took it back.",
            "Ask who took it back and why.";
        "still_offline" &[name::<CancelOffline>()],
            "The store is still being emptied.",
            "Send it again, unless somebody else empties it.";
        "tombstones_left" &[name::<RemoveTombstones>()],
            "PD keeps some of the tombstones, those that regions still have replicas on; the others are gone.",
            "Ask `why` of a region that has a replica there, have that removed (`remove_peer`), then send it again.";
        "another_leads" &[name::<TransferPdLeader>()],
            "Another member leads PD, or none does.",
            "Look at the members' health, then send it again.";
    }
    Unknown {
        "operator_superseded" OPERATORS,
            "Another operator was made on the region since, and PD keeps the last one only: ours may have come before it.",
            "Read PD's log of the region for whether ours finished, and `resolve` the proposal; then plan anew.";
        "operator_lost" OPERATORS,
            "PD accepted and has no memory of that time: it forgets operators after ten minutes, and when its leader changes.",
            "Read the log of the member that led PD then, and `resolve` the proposal; then plan anew.";
        "trace_lost" OPERATORS,
            "PD's answer was lost and so is its memory of that time: it is not known whether it made an operator.",
            "Read the log of the member that led PD then, and `resolve` the proposal; then plan anew.";
        "region_gone" OPERATORS,
            "The region was merged into another, so how it was last cannot be read.",
            "Find the region by its key, read PD's log of the old one, and `resolve` the proposal.";
        "half_moved" &[
            name::<TransferPeer>(), name::<AddPeer>(), name::<RemovePeer>(), name::<MergeRegions>(),
        ],
            "A replica too many, a learner or a joint state is left, and our operator has ended: PD's checkers finish it or take it back.",
            "Wait and `recover`; if it stays, ask `why` of the region.";
        "another_operator" &[name::<CancelOperator>()],
            "The operator was cancelled, and another one works on the region, so what became of the region is not settled.",
            "Wait and `recover`, or look at the other operator.";
        "scheduling_halted" &[name::<DrainStore>(), name::<OfflineStore>()],
            "It is in force, but nothing happens: `halt-scheduling` is on.",
            "Ask who halted scheduling and why; then switch it on again, or undo this.";
        "unsafe_recovery" &[name::<OfflineStore>()],
            "It is in force, but nothing happens: an unsafe recovery runs, which halts all scheduling.",
            "Wait until the recovery is over, then `recover`.";
        "leader_schedule_limit_zero" &[name::<DrainStore>()],
            "The drain is in force, but no leader moves: `leader-schedule-limit` is 0.",
            "Raise the limit (`set_leader_schedule_limit`), or undo the drain.";
        "scheduler_paused" &[name::<DrainStore>()],
            "The drain is in force, but no leader moves: `evict-leader-scheduler` is paused.",
            "Ask who paused it and why; then resume it (`resume_scheduler`), or undo the drain.";
        "no_target" &[name::<DrainStore>()],
            "The drain is in force, but no leader moves: no other store may be given leaders.",
            "Start a store or stop another drain, or undo this one.";
        "no_other_voter" &[name::<DrainStore>()],
            "The drain is in force, and a region that is left has no voter on another store.",
            "Ask `why` of the region; add a replica, or undo the drain.";
        "others_unhealthy" &[name::<DrainStore>()],
            "The drain is in force, and the other voters of a region that is left lag or do not answer.",
            "Look at their stores before the drained one is stopped.";
        "others_take_no_leaders" &[name::<DrainStore>()],
            "The drain is in force, and the other voters of a region that is left are on stores that take no leaders.",
            "Stop the drain of one of those stores, or move a replica to another.";
        "replica_schedule_limit_zero" &[name::<OfflineStore>()],
            "The store is offline and is not being emptied: `replica-schedule-limit` is 0.",
            "Raise the limit (`set_replica_schedule_limit`), or undo this.";
        "checker_paused" &[name::<OfflineStore>()],
            "The store is offline and is not being emptied: the checker that replaces replicas is paused.",
            "Ask who paused it and why: it goes on by itself when the pause is over. Or undo this.";
        "patrol_interval_long" &[name::<OfflineStore>()],
            "The store is offline, and PD's checkers look for replicas to replace only once in the `patrol-region-interval` that is set.",
            "Wait that long, or ask who set it and why. PD takes a new one when the one before is over, or with a new leader (`transfer_pd_leader`).";
        "replace_offline_replica_off" &[name::<OfflineStore>()],
            "The store is offline and is not being emptied: `enable-replace-offline-replica` is off.",
            "Ask who switched it off and why; then switch it on, or undo this.";
        "region_without_leader" &[name::<OfflineStore>()],
            "The store is offline, and PD knows of no leader of the regions that are left on it: nothing moves them.",
            "Ask `why` of those regions: without a majority of their replicas they do not come back by themselves.";
        "majority_lost" &[name::<OfflineStore>()],
            "The store is offline, and too few voters of the regions that are left on it answer: nothing moves them.",
            "Start a store of those voters, or give them up by unsafe recovery.";
        "too_few_healthy_stores" &[name::<OfflineStore>()],
            "The store is offline, and a rule that it held replicas for asks for more than the other stores that fit can hold: nothing moves those.",
            "Add a store with the labels that the rule asks for, or take the offline back with `cancel_offline`.";
        "too_few_stores_take_replicas" &[name::<OfflineStore>()],
            "The store is offline, and too few of the other stores have space for what it held: nothing moves it.",
            "Free space on the stores that the run names, add a store, or take the offline back with `cancel_offline`.";
        "store_limit_zero" &[name::<OfflineStore>()],
            "The store is offline, and without a store whose limit for adding replicas is 0 too few take what it held.",
            "Raise that limit (`set_store_limit`), or take the offline back with `cancel_offline`.";
        "store_limit_low" &[name::<OfflineStore>()],
            "The store is offline, and without a store whose limit for adding replicas is next to 0 too few take what it held.",
            "Raise that limit (`set_store_limit`), or take the offline back with `cancel_offline`.";
        "isolation_level" &[name::<OfflineStore>()],
            "The store is offline, and the other stores cannot keep replicas as far apart as `isolation-level` asks: nothing moves them.",
            "Add a store in a place of its own, or take the offline back with `cancel_offline`.";
        "rule_unsatisfiable" &[name::<OfflineStore>()],
            "The store is offline, and a rule lacks replicas that no other store may hold: until it has them, PD leaves the region's replicas where they are.",
            "Add stores with the labels that the rule asks for, ask who set it, or take the offline back with `cancel_offline`.";
        "no_free_store" &[name::<OfflineStore>()],
            "The store is offline, and each other store that a rule takes holds a replica of those regions already.",
            "Add a store with the labels that the rule asks for, or take the offline back with `cancel_offline`.";
        "leader_silent" &[name::<OfflineStore>()],
            "The store is offline, and PD does not hear of the stores that lead the regions left on it.",
            "Look at those stores; when they are gone, the regions' other voters elect leaders.";
    }
    Reversed {
        "changed_by_operator" OPERATORS,
            "It was done, and an operator that is not ours changed the region since; the outcome names it.",
            "Ask what made that operator (a scheduler, a rule, a person) before doing it again.";
        "changed_since" OPERATORS,
            "It was done, and the region has changed since; PD remembers no operator that did it.",
            "Look at the region, and plan anew if it is still wanted.";
    }
}
