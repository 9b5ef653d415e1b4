//! What PD calls the operators that it is asked for.

use pd_client::operators::{NewOperator, Operator};

use crate::facts::traces::Traces;
use crate::parameters::ids::RegionId;

/// How an operator that we asked for is recognised, apart from its time.
pub(crate) struct OperatorQuery<'a> {
    /// The region it is on.
    pub(crate) region_id: RegionId,
    /// What PD was asked for.
    pub(crate) asked: NewOperator,
    /// What PD had in memory at planning.
    pub(crate) traces: Option<&'a Traces>,
}

impl OperatorQuery<'_> {
    /// Whether an operator is on that region, is new, and does what PD was asked for.
    pub(crate) fn matches(&self, operator: &Operator) -> bool {
        operator.region_id == Some(self.region_id.pd())
            && does(&self.asked, &operator.desc, &operator.brief)
            && self.traces.is_none_or(|traces| traces.is_new(operator))
    }
}

/// Whether PD calls an operator so that does what it was asked for. What this does not know is
/// never ours.
fn does(asked: &NewOperator, desc: &str, brief: &str) -> bool {
    match asked {
        NewOperator::TransferLeader { to, .. } => {
            desc == "admin-transfer-leader"
                && brief.starts_with("transfer leader: ")
                && brief.ends_with(&format!(" to {to}"))
        }
        NewOperator::TransferPeer { from, to, .. } => {
            desc == "admin-move-peer" && brief == format!("mv peer: store [{from}] to [{to}]")
        }
        NewOperator::AddPeer { store_id, .. } => {
            desc == "admin-add-peer" && brief == format!("add peer: store [{store_id}]")
        }
        NewOperator::AddLearner { store_id, .. } => {
            desc == "admin-add-learner" && brief == format!("add peer: store [{store_id}]")
        }
        NewOperator::RemovePeer { store_id, .. } => {
            let removes = format!("rm peer: store [{store_id}]");
            // Leaving one replica of two takes a joint state, and other words.
            let with_others = brief.ends_with(&format!(", {removes}"));
            desc == "admin-remove-peer" && (brief == removes || with_others)
        }
        NewOperator::SplitRegion { region_id, .. } => {
            let splits = format!("split: region {region_id} use policy ");
            desc == "admin-split-region" && brief.starts_with(&splits)
        }
        NewOperator::MergeRegion { source, target } => {
            desc == "admin-merge-region" && brief == format!("merge: region {source} to {target}")
        }
        NewOperator::ScatterRegion { .. } => desc == "scatter-region",
        _ => false,
    }
}
