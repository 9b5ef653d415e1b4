//! What PD says to a split, in its order.

use action_core::{Cause, Verdict};

use crate::facts::key_range::KeyRange;
use crate::facts::region::in_joint_state;
use crate::pd_rules::operator_priority::Level;
use crate::pd_rules::region_snapshot::RegionSnapshot;
use crate::pd_rules::stop::{Checked, accepted_unless, refused};

/// Splitting a region, at keys where some are given.
pub(crate) fn check_split(at: &RegionSnapshot, keys: &[String]) -> Checked<Verdict> {
    if at.region.peers.iter().any(in_joint_state) {
        let text = "cannot split region which is in joint state";
        return Err(refused("joint_state", text));
    }
    let verdict = at.check_accepted(Level::Urgent, None)?;
    let range = KeyRange::of(&at.region);
    let outside = !keys.is_empty() && keys.iter().all(|key| !range.is_cut_by(key));
    if verdict == Verdict::WouldProceed && outside {
        let text = format!("none of the keys is within {range}");
        return Ok(accepted_unless(vec![Cause::new("keys_outside", text)]));
    }
    Ok(verdict)
}
