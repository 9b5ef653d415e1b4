//! Which stores are asked about.

use std::collections::BTreeSet;

use action_core::Problem;
use pd_client::stores::{Store, StoreState};

use crate::error::Error;
use crate::facts::store::named;
use crate::parameters::ids::StoreId;

/// So many stores can be asked about at once.
pub(crate) const MOST_STORES: usize = 256;

/// What is wrong with a choice of stores.
pub(crate) fn check(label: Option<&str>, ids: Option<&[StoreId]>, most: usize) -> Vec<Problem> {
    let expected = "either a `label` or some `store_ids`";
    match (label, ids) {
        (None, None) => vec![Problem::combination("", "neither", expected)],
        (Some(_), Some(_)) => vec![Problem::combination("", "both", expected)],
        (Some(label), None) => {
            let is_label = label
                .split_once('=')
                .is_some_and(|(key, value)| !key.is_empty() && !value.is_empty());
            let expected = "a label as `key=value`, such as `zone=z1`";
            let problem = (!is_label).then(|| Problem::combination("/label", label, expected));
            problem.into_iter().collect()
        }
        (None, Some(ids)) => {
            let distinct: BTreeSet<_> = ids.iter().map(|id| id.get()).collect();
            if distinct.len() == ids.len() && !ids.is_empty() && ids.len() <= most {
                return Vec::new();
            }
            let expected = format!("1 to {most} different stores");
            let got = format!("{} stores, {} different", ids.len(), distinct.len());
            vec![Problem::combination("/store_ids", got, expected)]
        }
    }
}

/// The stores with these ids, tombstones too, or with a label.
pub(crate) fn pick(
    stores: &[Store],
    label: Option<&str>,
    ids: Option<&[StoreId]>,
) -> Result<BTreeSet<pd_client::StoreId>, Error> {
    if let Some(ids) = ids {
        let is_there = |id: &&StoreId| stores.iter().any(|store| store.id == id.pd());
        if let Some(id) = ids.iter().find(|id| !is_there(id)) {
            return Err(no_such_store(*id, stores));
        }
        return Ok(ids.iter().map(|id| id.pd()).collect());
    }
    let label = label.unwrap_or_default();
    let (key, value) = label.split_once('=').unwrap_or_default();
    let has_it = |store: &&Store| {
        store.state_name != StoreState::Tombstone && store.label(key) == Some(value)
    };
    let picked: BTreeSet<_> = stores.iter().filter(has_it).map(|store| store.id).collect();
    match picked.len() {
        0 => {
            let text = format!("no store has the label `{label}`");
            Err(no_such("no_store", text))
        }
        many if many > MOST_STORES => {
            let text = format!(
                "{many} stores have the label `{label}`: at most {MOST_STORES} can be checked at once"
            );
            Err(no_such("too_many_stores", text))
        }
        _ => Ok(picked),
    }
}

/// A store that was named and is not there. `get_store` answers that there is none, and `why` finds
/// it: of what is to be done with stores there is no answer without them.
pub(crate) fn no_such_store(id: StoreId, stores: &[Store]) -> Error {
    let there: Vec<_> = stores.iter().map(|store| store.id).collect();
    let text = format!("there is no store {id}; PD has {}", named(&there));
    no_such("no_store", text)
}

pub(crate) fn no_such(code: &'static str, text: String) -> Error {
    Error::NoSuch { code, text }
}
