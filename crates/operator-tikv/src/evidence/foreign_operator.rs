//! What an operator of somebody else shows of its region: how it was when the operator was made.

use pd_client::operators::Operator;

use crate::parameters::ids::{RegionId, StoreId};

/// An operator that was made on the region after the plan, and is not ours.
#[derive(Debug, Clone)]
pub(crate) struct ForeignOperator<'a>(pub(crate) &'a Operator);

/// What a change is told by: the region as it was at planning, and what others had PD do there
/// since, the last of it first.
pub(crate) struct Since<'a, B> {
    pub(crate) before: &'a B,
    pub(crate) others: Vec<ForeignOperator<'a>>,
}

impl ForeignOperator<'_> {
    /// Who it is, such as "`add-rule-peer` {add peer: store [4]}".
    pub(crate) fn name(&self) -> String {
        format!("`{}` {{{}}}", self.0.desc, self.0.brief)
    }

    /// The store that led the region when it was made, where it moves the leader.
    pub(crate) fn led_from(&self) -> Option<u64> {
        let step = |step: &String| number_after(step, "transfer leader from store ");
        let brief = &self.0.brief;
        self.0.steps.iter().find_map(step).or_else(|| {
            number_after(brief, "transfer leader: store ")
                .or_else(|| number_after(brief, "evict leader: from store "))
        })
    }

    /// Whether it takes the replica on a store away.
    pub(crate) fn removes(&self, store: StoreId) -> bool {
        let ends = format!("remove peer on store {store}");
        self.0.steps.contains(&ends)
    }

    /// Whether it puts a replica on a store.
    pub(crate) fn adds(&self, store: StoreId) -> bool {
        let on = format!(" on store {store}");
        let mut steps = self.0.steps.iter();
        steps.any(|step| step.starts_with("add ") && step.ends_with(&on))
    }

    /// Whether the replica on a store was a voter when it was made.
    pub(crate) fn found_voter_on(&self, store: StoreId) -> bool {
        let demotes = format!(" on store {store} to learner");
        let demotes = |part: &str| part.contains("demote voter peer ") && part.ends_with(&demotes);
        let mut parts = self.0.steps.iter().flat_map(|step| step.split(", "));
        !self.adds(store) && (self.led_from() == Some(store.get()) || parts.any(demotes))
    }

    /// By how much `conf_ver` had grown when it was made, if nothing was split or merged.
    pub(crate) fn conf_ver_since(&self, conf_ver: u64, version: u64) -> Option<u64> {
        let epoch = self.0.epoch.filter(|epoch| epoch.version == version)?;
        epoch.conf_ver.checked_sub(conf_ver)
    }

    /// Whether the region had been split or merged when it was made.
    pub(crate) fn found_newer(&self, version: u64) -> bool {
        self.0.epoch.is_some_and(|epoch| epoch.version > version)
    }

    /// Whether it splits the region at a key, in hexadecimal.
    pub(crate) fn splits_at(&self, key: &str) -> bool {
        let brief = self.0.brief.to_ascii_uppercase();
        let keys = brief.rsplit_once('[').map_or("", |(_, keys)| keys);
        let mut keys = keys.trim_end_matches(']').split(' ');
        brief.starts_with("SPLIT: ") && keys.any(|one| one == key.to_ascii_uppercase())
    }

    /// Whether it merged another region into this one.
    pub(crate) fn merges_into(&self, region: RegionId) -> bool {
        let ends = format!(" to {region}");
        self.0.brief.starts_with("merge: region ") && self.0.brief.ends_with(&ends)
    }
}

fn number_after(text: &str, start: &str) -> Option<u64> {
    let rest = text.strip_prefix(start)?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operator(brief: &str) -> Operator {
        let mut operator = Operator::default();
        brief.clone_into(&mut operator.brief);
        operator
    }

    #[test]
    fn a_split_is_at_the_keys_that_pd_names_and_at_no_others() {
        let keys = "[7200000000000000FB 7200000100000000FB]";
        let split = operator(&format!(
            "split: region 9 use policy USEKEY and keys {keys}"
        ));
        let split = ForeignOperator(&split);
        for (key, expected) in [
            ("7200000000000000FB", true),
            ("7200000100000000fb", true),
            ("7200000200000000FB", false),
            ("72", false),
            ("", false),
        ] {
            assert_eq!(split.splits_at(key), expected, "{key}");
        }
        let other = operator(&format!("scatter-region: region 9 {keys}"));
        assert!(!ForeignOperator(&other).splits_at("7200000000000000FB"));
    }

    #[test]
    fn a_merge_is_into_the_region_that_pd_names_last() {
        let merge = operator("merge: region 9 to 25");
        let merges_into = |id| ForeignOperator(&merge).merges_into(RegionId::new(id).unwrap());
        assert!(merges_into(25));
        assert!(!merges_into(5) && !merges_into(9));
        let other = operator("transfer leader: store 9 to 25");
        assert!(!ForeignOperator(&other).merges_into(RegionId::new(25).unwrap()));
    }

    #[test]
    fn a_voter_is_found_where_it_is_demoted_or_leads() {
        let enters = "promote learner peer 14 on store 4 to voter, \
                      demote voter peer 13 on store 3 to learner";
        for (steps, found) in [
            (vec![enters], vec![3]),
            (vec!["transfer leader from store 3 to store 1"], vec![3]),
            (vec!["remove peer on store 3"], vec![]),
            // What it brought there itself it has not found.
            (
                vec![
                    "add learner peer 14 on store 4",
                    "transfer leader from store 4 to store 1",
                ],
                vec![],
            ),
        ] {
            let mut operator = operator("");
            operator.steps = steps.into_iter().map(str::to_owned).collect();
            let foreign = ForeignOperator(&operator);
            let voters = [1, 3, 4].into_iter();
            let on = |id: &u64| foreign.found_voter_on(StoreId::new(*id).unwrap());
            let voters: Vec<u64> = voters.filter(on).collect();
            assert_eq!(voters, found, "{:?}", operator.steps);
        }
    }

    #[test]
    fn a_region_was_split_or_merged_when_its_version_had_grown() {
        let mut operator = operator("");
        assert!(!ForeignOperator(&operator).found_newer(0));
        let mut epoch = pd_client::operators::OperatorEpoch::default();
        epoch.version = 5;
        operator.epoch = Some(epoch);
        let newer = [4, 5, 6].map(|version| ForeignOperator(&operator).found_newer(version));
        assert_eq!(newer, [true, false, false]);
    }
}
