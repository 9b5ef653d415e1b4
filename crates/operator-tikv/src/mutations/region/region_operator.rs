//! A change of one region that PD carries out by an operator: what all of them share.

use action_core::{Cause, Evidence, Progress};

use crate::parameters::ids::RegionId;

/// PD gives each replica that is added 6 s per MiB and at least ten minutes, and the rest a minute.
pub(crate) fn snapshot_deadline_ms(size_mib: u64) -> u64 {
    60_000 + 600_000.max(size_mib.saturating_mul(6_000))
}

/// What is known of a change in a region that is no more.
pub(crate) fn gone(id: RegionId, mut evidence: Vec<Evidence>) -> Progress {
    let source = format!("GET /pd/api/v1/region/id/{id}");
    evidence.insert(0, Evidence::new(source, "region", "none"));
    Progress::Pending {
        summary: format!("region {id} is gone, merged into another"),
        done: None,
        stalled: vec![Cause::new("region_gone", "how it was last cannot be read")],
        evidence,
    }
}
