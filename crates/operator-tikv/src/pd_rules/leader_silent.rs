//! Leaders on stores that PD does not hear of.
//!
//! A store's heartbeat and those of its regions are two things. PD looks at no more than whether a
//! region has a leader, whatever the state of that store: `SendMsg` of `pkg/schedule/hbstream` sends
//! to whoever reported the region, and neither `allowLeader` of `builder.go` nor the drains of
//! `evict_leader.go` ask about the store that leads now. With the store silent and its regions
//! reporting, PD 6.5.12, 7.5.7 and 8.5.7 were seen to move its leaders and their replicas.

use pd_client::stores::{Store, StoreState};

/// Whether PD does not hear of a store.
pub(crate) fn is_silent(store: &Store) -> bool {
    matches!(
        store.state_name,
        StoreState::Disconnected | StoreState::Down
    )
}

/// What a plan does not know of a leader there.
pub(crate) fn leader_silent(whom: &str) -> String {
    format!(
        "whether PD's commands still reach {whom}: the store sends no heartbeats, and PD does not show whether its regions report"
    )
}
