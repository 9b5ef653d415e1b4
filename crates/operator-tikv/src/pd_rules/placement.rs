//! What placement rules say of stores and replicas.

use pd_client::config::Config;
use pd_client::regions::{Peer, PeerRole, Region};
use pd_client::rules::{LabelConstraint, LabelOp, RegionFit, Rule, RuleRole};
use pd_client::stores::{Store, StoreLabel};

use crate::facts::bounded_text::bounded;

/// So many values of a constraint are named.
const NAMED: usize = 5;

/// Whether the rules of a region let a store lead it.
pub(crate) fn rules_let_lead<'a>(
    rules: Option<impl IntoIterator<Item = &'a Rule>>,
    store: &Store,
) -> bool {
    let Some(rules) = rules else {
        return true;
    };
    let mut leading = rules.into_iter().filter(|rule| leads(rule));
    leading.any(|rule| takes(&rule.label_constraints, store))
}

/// Whether what a rule asks for may lead.
pub(crate) fn leads(rule: &Rule) -> bool {
    matches!(rule.role, RuleRole::Voter | RuleRole::Leader)
}

/// The rules that hold for a region, of all in PD's order.
pub(crate) fn holding_for<'a>(rules: &'a [Rule], region: &Region) -> Vec<&'a Rule> {
    let (start, end) = (&region.start_key, &region.end_key);
    let holds = |rule: &&Rule| {
        let from = rule.start_key.to_ascii_uppercase();
        let to = rule.end_key.to_ascii_uppercase();
        from <= start.to_ascii_uppercase()
            && (to.is_empty() || (!end.is_empty() && end.to_ascii_uppercase() <= to))
    };
    in_force(rules.iter().filter(holds).collect())
}

/// The rules for the same keys, but for those that others replace: a rule those before it in its
/// group, and a group all groups before it (`prepareRulesForApply` of
/// `pkg/schedule/placement/rule.go`).
pub(crate) fn in_force(rules: Vec<&Rule>) -> Vec<&Rule> {
    let groups: Vec<&[&Rule]> = rules
        .chunk_by(|one, other| one.group_id == other.group_id)
        .collect();
    let overrides = |group: &&[&Rule]| group.iter().any(|rule| rule.group_overrides);
    let from = groups.iter().rposition(overrides).unwrap_or(0);
    let of_group = |group: &&[&'_ Rule]| group.iter().rposition(|rule| rule.overrides).unwrap_or(0);
    let groups = groups.iter().skip(from);
    let kept = groups.flat_map(|group| group.iter().skip(of_group(group)));
    kept.copied().collect()
}

/// Whether the rules of a region let a store hold a replica of it.
pub(crate) fn rules_let_hold(rules: Option<&[Rule]>, store: &Store) -> bool {
    let mut rules = rules.into_iter().flatten().peekable();
    rules.peek().is_none() || rules.any(|rule| takes(&rule.label_constraints, store))
}

/// Whether constraints take a store. One with an exclusive label is taken only by name.
pub(crate) fn takes(constraints: &[LabelConstraint], store: &Store) -> bool {
    unnamed(constraints, store).is_none()
        && constraints.iter().all(|constraint| fits(constraint, store))
}

/// Why a rule does not take a store; `None` where it does.
pub(crate) fn why_not(rule: &Rule, store: &Store) -> Option<String> {
    let name = bounded(&format!("{}/{}", rule.group_id, rule.id));
    let constraints = &rule.label_constraints;
    if let Some(label) = unnamed(constraints, store) {
        let label = bounded(&label.key);
        return Some(format!("`{name}` does not name the label `{label}`"));
    }
    let misfit = constraints.iter().find(|one| !fits(one, store))?;
    let values: Vec<String> = misfit
        .values
        .iter()
        .take(NAMED)
        .map(|one| bounded(one))
        .collect();
    let (key, values) = (bounded(&misfit.key), values.join(", "));
    Some(match misfit.op {
        LabelOp::In => format!("`{name}` requires `{key}` in {values}"),
        LabelOp::NotIn => format!("`{name}` requires `{key}` not in {values}"),
        LabelOp::Exists => format!("`{name}` requires the label `{key}`"),
        LabelOp::NotExists => format!("`{name}` requires that there is no label `{key}`"),
        _ => format!("`{name}` has an unknown condition on `{key}`"),
    })
}

/// The exclusive label of a store that constraints do not name.
fn unnamed<'s>(constraints: &[LabelConstraint], store: &'s Store) -> Option<&'s StoreLabel> {
    let exclusive = |key: &str| key.starts_with('$') || matches!(key, "engine" | "exclusive");
    let named = |key: &str| constraints.iter().any(|constraint| constraint.key == key);
    let mut labels = store.labels.iter();
    labels.find(|label| exclusive(&label.key) && !named(&label.key))
}

fn fits(constraint: &LabelConstraint, store: &Store) -> bool {
    // PD does not tell an empty label from none.
    let value = store
        .label(&constraint.key)
        .filter(|value| !value.is_empty());
    let listed = || value.is_some_and(|value| constraint.values.iter().any(|one| one == value));
    match constraint.op {
        LabelOp::In => listed(),
        LabelOp::NotIn => !listed(),
        LabelOp::Exists => value.is_some(),
        LabelOp::NotExists => value.is_none(),
        _ => false,
    }
}

/// Whether a region has the replicas its rules want, and no other.
pub(crate) fn is_replicated(region: &Region, fit: Option<&RegionFit>, config: &Config) -> bool {
    match fit {
        Some(fit) => fit.is_satisfied(),
        None => {
            let learns = |peer: &Peer| peer.role == PeerRole::Learner;
            region.peers.len() as u64 == config.replication.max_replicas
                && !region.peers.iter().any(learns)
        }
    }
}

/// The rules of a fit.
pub(crate) fn rules_of(fit: Option<&RegionFit>) -> Option<Vec<Rule>> {
    let fits = &fit?.rule_fits;
    Some(fits.iter().map(|fit| fit.rule.clone()).collect())
}
