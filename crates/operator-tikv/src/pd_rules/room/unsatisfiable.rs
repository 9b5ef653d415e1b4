//! Rules that ask for more replicas than the stores can hold.

use pd_client::config::Config;
use pd_client::rules::Rule;
use pd_client::stores::{Store, StoreState};

use crate::facts::bounded_text::bounded;
use crate::pd_rules::room::{Wanted, in_force};

/// A rule that no stores are there for.
pub(crate) struct Unsatisfiable {
    /// The rule, such as `rule/pd/default`, or the setting that stands for all.
    pub(crate) about: String,
    /// How many replicas it asks for.
    pub(crate) wanted: u64,
    /// How many the stores can hold.
    pub(crate) possible: u64,
    pub(crate) text: String,
}

/// Such rules; `rules` is `None` where they are switched off, and `max-replicas` stands for them.
/// Where a store that is being emptied would do, the rule is left to what is told of that store;
/// where there are fewer stores than `max-replicas`, to what is told of that.
pub(crate) fn unsatisfiable(
    rules: Option<&[Rule]>,
    config: &Config,
    stores: &[Store],
) -> Vec<Unsatisfiable> {
    let about = |rule: &Rule| bounded(&format!("rule/{}/{}", rule.group_id, rule.id));
    let asked: Vec<(String, Wanted<'_>)> = match rules {
        Some(rules) => in_force(rules)
            .map(|rule| (about(rule), Wanted::by_rule(rule)))
            .collect(),
        None => vec![("config/max-replicas".to_owned(), Wanted::by_config(config))],
    };
    let short = asked.into_iter();
    short
        .filter_map(|(about, wanted)| falls_short(about, &wanted, config, stores))
        .collect()
}

fn falls_short(
    about: String,
    wanted: &Wanted<'_>,
    config: &Config,
    stores: &[Store],
) -> Option<Unsatisfiable> {
    let replicas = wanted.replicas;
    let is_leaving = |store: &&Store| store.state_name == StoreState::Offline;
    let fitting = stores.iter().filter(|store| wanted.takes(store));
    let (leaving, staying): (Vec<&Store>, Vec<&Store>) = fitting.partition(is_leaving);
    let fit = staying.len() as u64;
    let possible = fit.min(wanted.kept_apart(&staying));
    let is_told_of_store = leaving.iter().any(|store| store.status.region_count > 0);
    let is_told_of_all = fit < replicas
        && wanted.constraints.is_empty()
        && replicas == config.replication.max_replicas;
    if possible >= replicas || is_told_of_store || is_told_of_all {
        return None;
    }
    let name = &wanted.name;
    let text = if fit < replicas {
        let stores = match fit {
            0 => "no store matches".to_owned(),
            1 => "1 store matches".to_owned(),
            fit => format!("{fit} stores match"),
        };
        format!("{name} requires {replicas} replicas, but {stores} it")
    } else {
        let level = bounded(wanted.isolation_level);
        format!(
            "{name} requires {replicas} replicas, no two with the same `{level}` (`isolation-level`), but the matching stores have only {possible}"
        )
    };
    Some(Unsatisfiable {
        about,
        wanted: replicas,
        possible,
        text,
    })
}
