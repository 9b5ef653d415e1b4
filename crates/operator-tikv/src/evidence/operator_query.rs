//! What PD calls the operators that it is asked for.

use pd_client::operators::{NewOperator, Operator, SplitPolicy};

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
        NewOperator::SplitRegion {
            region_id,
            policy,
            keys,
        } => {
            let policy = match policy {
                SplitPolicy::Scan => "SCAN",
                SplitPolicy::Approximate => "APPROXIMATE",
                SplitPolicy::UseKey => "USEKEY",
                _ => return false,
            };
            let splits = format!("split: region {region_id} use policy {policy}");
            let rest = brief.strip_prefix(&splits);
            desc == "admin-split-region" && rest.is_some_and(|rest| are_the_keys(rest, keys))
        }
        NewOperator::MergeRegion { source, target } => {
            desc == "admin-merge-region" && brief == format!("merge: region {source} to {target}")
        }
        NewOperator::ScatterRegion { .. } => desc == "scatter-region",
        _ => false,
    }
}

/// Whether PD names these keys at the end of a split's brief, or names none because it redacts its
/// log: each is a question mark then, in hexadecimal.
fn are_the_keys(rest: &str, keys: &[String]) -> bool {
    if keys.is_empty() {
        return rest.is_empty();
    }
    let named = |keys: &str| rest.eq_ignore_ascii_case(&format!(" and keys [{keys}]"));
    named(&keys.join(" ")) || named(&vec!["3F"; keys.len()].join(" "))
}

#[cfg(test)]
mod tests {
    use pd_client::operators::SplitPolicy;
    use pd_client::{RegionId, StoreId};

    use super::{NewOperator, does};

    /// What PD was asked for, what it calls that, and what it calls the like of it.
    #[test]
    fn an_operator_is_known_by_what_made_it_and_what_it_does() {
        let region_id = RegionId::new(9).unwrap();
        let [to, from] = [4, 2].map(|id| StoreId::new(id).unwrap());
        let store_id = to;
        let (target, policy) = (RegionId::new(25).unwrap(), SplitPolicy::Scan);
        let (source, keys) = (region_id, Vec::new());
        for (asked, desc, briefs, others) in [
            (
                NewOperator::TransferLeader { region_id, to },
                "admin-transfer-leader",
                vec!["transfer leader: store 2 to 4"],
                vec![
                    "transfer leader: store 2 to 14",
                    "evict leader: from store 2 to 4",
                ],
            ),
            (
                NewOperator::TransferPeer {
                    region_id,
                    from,
                    to,
                },
                "admin-move-peer",
                vec!["mv peer: store [2] to [4]"],
                vec!["mv peer: store [4] to [2]"],
            ),
            (
                NewOperator::AddPeer {
                    region_id,
                    store_id,
                },
                "admin-add-peer",
                vec!["add peer: store [4]"],
                vec!["add peer: store [2]"],
            ),
            (
                NewOperator::AddLearner {
                    region_id,
                    store_id,
                },
                "admin-add-learner",
                vec!["add peer: store [4]"],
                vec!["add peer: store [2]"],
            ),
            (
                NewOperator::RemovePeer {
                    region_id,
                    store_id,
                },
                "admin-remove-peer",
                vec![
                    "rm peer: store [4]",
                    "promote peer: store [1], rm peer: store [4]",
                ],
                vec![
                    "rm peer: store [2]",
                    "rm peer: store [4], rm peer: store [2]",
                ],
            ),
            (
                NewOperator::SplitRegion {
                    region_id,
                    policy,
                    keys,
                },
                "admin-split-region",
                vec!["split: region 9 use policy SCAN"],
                vec![
                    "split: region 99 use policy SCAN",
                    "split: region 9 use policy APPROXIMATE",
                    "split: region 9 use policy USEKEY and keys [7200]",
                ],
            ),
            (
                NewOperator::SplitRegion {
                    region_id,
                    policy: SplitPolicy::UseKey,
                    keys: vec!["72fb".to_owned(), "74".to_owned()],
                },
                "admin-split-region",
                vec![
                    "split: region 9 use policy USEKEY and keys [72FB 74]",
                    "split: region 9 use policy USEKEY and keys [3F 3F]",
                ],
                vec![
                    "split: region 9 use policy USEKEY and keys [74]",
                    "split: region 9 use policy USEKEY and keys [72FB 74 75]",
                    "split: region 9 use policy USEKEY and keys [3F]",
                    "split: region 9 use policy SCAN",
                ],
            ),
            (
                NewOperator::MergeRegion { source, target },
                "admin-merge-region",
                vec!["merge: region 9 to 25"],
                vec!["merge: region 25 to 9"],
            ),
        ] {
            for brief in briefs {
                assert!(does(&asked, desc, brief), "{asked:?}: {brief}");
                assert!(!does(&asked, "balance-region", brief), "{asked:?}: {brief}");
            }
            for brief in others {
                assert!(!does(&asked, desc, brief), "{asked:?}: {brief}");
            }
        }
    }
}
