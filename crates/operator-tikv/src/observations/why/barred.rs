//! Placement rules that keep a store from leading or holding replicas.

use action_core::Finding;
use pd_client::regions::Region;
use pd_client::rules::Rule;
use pd_client::stores::Store;

use crate::facts::bounded_text::bounded;
use crate::observations::reasons;
use crate::observations::why::snapshot::WhySnapshot;
use crate::pd_rules::placement::{leads, why_not};
use crate::pd_rules::room::in_force;

/// So many rules are named.
const NAMED: usize = 5;

/// That no rule takes a store, or none whose replicas lead.
pub(super) fn barred(snapshot: &WhySnapshot, store: &Store) -> Option<Finding> {
    let rules: Vec<&Rule> = in_force(snapshot.rules.as_deref()?).collect();
    let takes_none = |rules: &[&Rule]| {
        let mut rules = rules.iter();
        rules.len() > 0 && rules.all(|rule| why_not(rule, store).is_some())
    };
    let id = store.id;
    if snapshot.what.replicas() && takes_none(&rules) {
        let text = format!("no placement rule lets store {id} hold any replica");
        return Some(by_rules(store, &text, rules));
    }
    let leading: Vec<&Rule> = rules.into_iter().filter(|rule| leads(rule)).collect();
    let is_asked = snapshot.what.leaders() && !store.is_tiflash();
    (is_asked && takes_none(&leading)).then(|| {
        let text = format!("no placement rule lets store {id} lead any region");
        by_rules(store, &text, leading)
    })
}

/// That the rules of a region keep a store from something.
pub(super) fn forbidden<'a>(
    store: &Store,
    region: &Region,
    what: &str,
    rules: impl IntoIterator<Item = &'a Rule>,
) -> Finding {
    let text = format!(
        "the rules of region {} do not let store {} {what} it",
        region.id, store.id
    );
    by_rules(store, &text, rules)
}

/// What rules keep from a store, and why each of them does.
fn by_rules<'a>(store: &Store, text: &str, rules: impl IntoIterator<Item = &'a Rule>) -> Finding {
    let rules: Vec<String> = rules
        .into_iter()
        .filter_map(|rule| why_not(rule, store))
        .collect();
    let mut named: Vec<String> = rules.iter().take(NAMED).cloned().collect();
    if let more @ 1.. = rules.len().saturating_sub(NAMED) {
        named.push(format!("{more} more"));
    }
    let text = match named.is_empty() {
        true => text.to_owned(),
        false => format!("{text}: {}", named.join(", ")),
    };
    let labels: Vec<String> = store
        .labels
        .iter()
        .take(16)
        .map(|label| bounded(&format!("{}={}", label.key, label.value)))
        .collect();
    let found = reasons::RULE_FORBIDS_STORE.found(format!("store/{}", store.id), text);
    found.seen(
        format!("GET /pd/api/v1/store/{}", store.id),
        "labels",
        labels,
    )
}
