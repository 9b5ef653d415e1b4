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
            "PD rejected it with the message shown and no error code. Where PD gives an error code (`PD:…`), that is the code.",
            "Run `plan`: it shows what PD checks.";
        "not_found" ANY,
            "PD does not know the store, region or scheduler.",
            "List the stores or find the region by its key, then plan again.";
        "invalid_input" ANY,
            "The client did not send it, because PD would have misread it.",
            "Correct the parameters.";
        "overridden_for_a_time" ANY,
            "A temporary override of the setting is in force, and PD accepts no other value until it ends.",
            "Wait until it ends, or find out who set it (imports and backups do) and ask them to end it.";
        "no_trace" WITHOUT_TRACE,
            "The request left no trace, although it would have by now: PD did not receive it or did not execute it. For settings, pauses and stores, of which PD keeps no history, somebody may also have changed it back before we looked.",
            "Find out who else works on the cluster; send it again if it is still needed.";
        "operator_cancelled" OPERATORS,
            "PD created our operator, but it was cancelled before it was done: by somebody, or by PD because the region changed.",
            "Ask who cancelled it (`list_operators`, PD's log), then send it again.";
        "operator_timed_out" OPERATORS,
            "PD created our operator, but it timed out: TiKV did not finish in time.",
            "Run `why` for the region and its stores before you send it again.";
        "operator_replaced" OPERATORS,
            "PD replaced our operator with a more urgent one.",
            "Check what the other operator did to the region, then plan again.";
        "operator_ended" &[
            name::<TransferLeader>(), name::<TransferPeer>(), name::<AddPeer>(), name::<RemovePeer>(),
            name::<SplitRegion>(), name::<MergeRegions>(), name::<ScatterRegion>(),
            name::<CancelOperator>(),
        ],
            "Our operator ended without success; for `cancel_operator`: the operator had already ended by itself.",
            "Check the region; for `cancel_operator`, there is nothing left to cancel.";
        "operator_superseded" SHOWN_BY_REGION,
            "The region shows that it was not done, and the last operator of the region is another one.",
            "Check what the other operator did to the region, then send it again.";
        "operator_lost" SHOWN_BY_REGION,
            "The region shows that it was not done, and PD no longer remembers the operator that it accepted: it forgets operators after ten minutes and when its leader changes.",
            "Send it again if it is still needed.";
        "region_changed" &[
            name::<TransferPeer>(), name::<AddPeer>(), name::<RemovePeer>(), name::<SplitRegion>(),
            name::<MergeRegions>(), name::<ScatterRegion>(),
        ],
            "It was not done, and the region has changed since it was planned.",
            "Plan again: the same request may have another effect now.";
        "nothing_moved" &[name::<ScatterRegion>()],
            "PD accepted it but created no operator, because there was nothing to move.",
            "Nothing to do.";
        "still_running" &[name::<CancelOperator>()],
            "The operator is still running.",
            "Send it again.";
        "update_lost" SETTINGS,
            "PD accepted the value but shows the previous one: another change at the same time overwrote it.",
            "Find out who else changes settings, then send it again.";
        "changed_by_another" SETTINGS,
            "The setting has neither the previous nor the requested value: somebody else changed it.",
            "Find out who changed it before you set it again.";
        "pause_lost" &[name::<PauseScheduler>()],
            "PD accepted it, but the scheduler is not paused: PD's leader changed, or somebody resumed it.",
            "Send it again if the pause is still needed.";
        "still_paused" &[name::<ResumeScheduler>()],
            "The scheduler is still paused.",
            "Send it again.";
        "store_gone" &[name::<DrainStore>(), name::<CancelOffline>()],
            "The store no longer exists in PD, or only as a tombstone.",
            "List the stores: there is nothing to drain or to take back.";
        "not_draining" &[name::<DrainStore>()],
            "The store is not being drained: PD did not receive the request, or somebody stopped the drain.",
            "Find out who stopped it, then send it again.";
        "still_draining" &[name::<StopDrain>()],
            "The store is still being drained.",
            "Send it again, unless somebody else drains it.";
        "taken_back" &[name::<OfflineStore>()],
            "PD accepted it, but the store is no longer being emptied: somebody took it back.",
            "Find out who took it back and why.";
        "still_offline" &[name::<CancelOffline>()],
            "The store is still being emptied.",
            "Send it again, unless somebody else empties it.";
        "tombstones_left" &[name::<RemoveTombstones>()],
            "PD kept the tombstones on which regions still have replicas, and removed the others.",
            "Run `why` for a region with a replica there, remove that replica (`remove_peer`), then send it again.";
        "another_leads" &[name::<TransferPdLeader>()],
            "Another PD member is the leader, or none is.",
            "Check the health of the members, then send it again.";
    }
    Unknown {
        "operator_superseded" OPERATORS,
            "Another operator was created on the region since, and PD remembers only the last one: ours may have run before it.",
            "Check PD's log for whether our operator on the region finished, and `resolve` the proposal; then plan again.";
        "operator_lost" OPERATORS,
            "PD accepted it but no longer remembers that time: it forgets operators after ten minutes and when its leader changes.",
            "Check the log of the PD member that was the leader then, and `resolve` the proposal; then plan again.";
        "trace_lost" OPERATORS,
            "PD's answer was lost, and PD no longer remembers that time: it is unknown whether it created an operator.",
            "Check the log of the PD member that was the leader then, and `resolve` the proposal; then plan again.";
        "region_gone" OPERATORS,
            "The region was merged into another, so its last state cannot be read.",
            "Find the region by its key, check PD's log for the old region, and `resolve` the proposal.";
        "half_moved" &[
            name::<TransferPeer>(), name::<AddPeer>(), name::<RemovePeer>(), name::<MergeRegions>(),
        ],
            "Our operator ended and left an extra replica, a learner or a joint state: PD's checkers finish the change or take it back.",
            "Wait, then run `recover`; if it stays, run `why` for the region.";
        "another_operator" &[name::<CancelOperator>()],
            "The operator was cancelled and another one is running on the region, so the state of the region is not final.",
            "Wait, then run `recover`, or check the other operator.";
        "scheduling_halted" &[name::<DrainStore>(), name::<OfflineStore>()],
            "It is in force, but nothing happens: `halt-scheduling` is on.",
            "Find out who halted scheduling and why; then switch it on again, or undo this.";
        "unsafe_recovery" &[name::<OfflineStore>()],
            "It is in force, but nothing happens: an unsafe recovery is running, which halts all scheduling.",
            "Wait until the recovery has finished, then run `recover`.";
        "leader_schedule_limit_zero" &[name::<DrainStore>()],
            "The drain is in force, but no leader moves: `leader-schedule-limit` is 0.",
            "Raise the limit (`set_leader_schedule_limit`), or undo the drain.";
        "scheduler_paused" &[name::<DrainStore>()],
            "The drain is in force, but no leader moves: `evict-leader-scheduler` is paused.",
            "Find out who paused it and why; then resume it (`resume_scheduler`), or undo the drain.";
        "no_target" &[name::<DrainStore>()],
            "The drain is in force, but no leader moves: no other store can take leaders.",
            "Start a store or stop another drain, or undo this one.";
        "no_other_voter" &[name::<DrainStore>()],
            "The drain is in force, but a remaining region has no voter on another store.",
            "Run `why` for the region; add a replica, or undo the drain.";
        "others_unhealthy" &[name::<DrainStore>()],
            "The drain is in force, but the other voters of a remaining region lag or do not respond.",
            "Check their stores before you stop the drained one.";
        "others_take_no_leaders" &[name::<DrainStore>()],
            "The drain is in force, but the other voters of a remaining region are on stores that take no leaders.",
            "Stop the drain of one of those stores, or move a replica to another.";
        "replica_schedule_limit_zero" &[name::<OfflineStore>()],
            "The store is offline but is not being emptied: `replica-schedule-limit` is 0.",
            "Raise the limit (`set_replica_schedule_limit`), or undo this.";
        "checker_paused" &[name::<OfflineStore>()],
            "The store is offline but is not being emptied: the checker that replaces replicas is paused.",
            "Find out who paused it and why: it continues when the pause ends. Or undo this.";
        "patrol_interval_long" &[name::<OfflineStore>()],
            "The store is offline, but PD's checkers look for replicas to replace only once per `patrol-region-interval`, which is set very high.",
            "Wait that long, or find out who set it and why. PD applies a new value when the current interval ends or when its leader changes (`transfer_pd_leader`).";
        "replace_offline_replica_off" &[name::<OfflineStore>()],
            "The store is offline but is not being emptied: `enable-replace-offline-replica` is off.",
            "Find out who switched it off and why; then switch it on, or undo this.";
        "region_without_leader" &[name::<OfflineStore>()],
            "The store is offline, but the remaining regions have no leader that PD knows of, so nothing moves them.",
            "Run `why` for those regions: without a majority of their replicas they do not recover by themselves.";
        "majority_lost" &[name::<OfflineStore>()],
            "The store is offline, but too few voters of the remaining regions respond, so nothing moves them.",
            "Start a store of those voters, or remove them by unsafe recovery.";
        "too_few_healthy_stores" &[name::<OfflineStore>()],
            "The store is offline, but a placement rule needs more replicas than the other matching stores can hold, so nothing moves those.",
            "Add a store with the labels that the rule requires, or take it back with `cancel_offline`.";
        "too_few_stores_take_replicas" &[name::<OfflineStore>()],
            "The store is offline, but too few other stores have space for its replicas, so nothing moves.",
            "Free space on the stores named in the run, add a store, or take it back with `cancel_offline`.";
        "store_limit_zero" &[name::<OfflineStore>()],
            "The store is offline, but a store's limit for adding replicas is 0, and without that store too few can take its replicas.",
            "Raise that limit (`set_store_limit`), or take it back with `cancel_offline`.";
        "store_limit_low" &[name::<OfflineStore>()],
            "The store is offline, but a store's limit for adding replicas is close to 0, and without that store too few can take its replicas.",
            "Raise that limit (`set_store_limit`), or take it back with `cancel_offline`.";
        "isolation_level" &[name::<OfflineStore>()],
            "The store is offline, but the other stores cannot keep replicas as far apart as `isolation-level` requires, so nothing moves them.",
            "Add a store in another failure domain, or take it back with `cancel_offline`.";
        "rule_unsatisfiable" &[name::<OfflineStore>()],
            "The store is offline, but a placement rule lacks replicas that no other store may hold: until it has them, PD does not move the region's replicas.",
            "Add stores with the labels that the rule requires, find out who set the rule, or take it back with `cancel_offline`.";
        "no_free_store" &[name::<OfflineStore>()],
            "The store is offline, but each other store that matches the placement rule already holds a replica of those regions.",
            "Add a store with the labels that the rule requires, or take it back with `cancel_offline`.";
        "leader_silent" &[name::<OfflineStore>()],
            "The store is offline, but PD gets no heartbeats from the stores that lead the remaining regions.",
            "Check those stores; when they are gone, the other voters of the regions elect leaders.";
    }
    Reversed {
        "changed_by_operator" OPERATORS,
            "It was done, but an operator that is not ours changed the region since; the outcome names it.",
            "Find out what created that operator (a scheduler, a rule, a person) before you do it again.";
        "changed_since" OPERATORS,
            "It was done, but the region has changed since; PD does not remember an operator that did it.",
            "Check the region, and plan again if it is still needed.";
    }
}
