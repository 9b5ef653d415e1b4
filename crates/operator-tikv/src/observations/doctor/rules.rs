//! Placement rules that cannot be satisfied.

use pd_client::config::Config;
use pd_client::rules::Rule;
use pd_client::stores::Store;

use crate::observations::doctor::leftovers::Leftovers;
use crate::observations::findings::unsatisfiable_rules;

/// How many rules are named.
const MOST_NAMED: usize = 16;

/// `rules` is `None` where they are switched off.
pub(super) fn find(
    rules: Option<&[Rule]>,
    stores: &[Store],
    config: &Config,
    found: &mut Leftovers,
) {
    let mut findings = unsatisfiable_rules(rules, config, stores);
    found.cut |= findings.len() > MOST_NAMED;
    findings.truncate(MOST_NAMED);
    found.findings.extend(findings);
}
