//! Which kind of system a command line is about, before it is read: only the actions of that kind are
//! in it then.

use std::ffi::OsString;
use std::path::PathBuf;

use action_core::{ActionDefinition, SettingDef};

use crate::settings::config_file::{self, Config};
use crate::subjects::{self, Kind};

/// Verbs below which there are actions, or their flags. Only for them it is found out which actions there
/// are.
const WITH_ACTIONS: [&str; 7] = [
    "actions", "plan", "run", "why", "doctor", "explain", "workflow",
];

/// The kind, where there are several and something says which: a cluster of the config file, a flag
/// that only one kind has, an action such as `tikv.list_stores`, one that only one kind has, or a flag
/// of such, a variable of the environment that only one kind has, or the default cluster of the config
/// file, in this order.
pub(super) fn kind(arguments: impl Iterator<Item = OsString>) -> Option<&'static Kind> {
    if subjects::kinds().len() < 2 {
        return None;
    }
    let words: Vec<String> = arguments
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let given = |flag: &str, variable: &str| {
        value_of(&words, flag).or_else(|| std::env::var(variable).ok())
    };
    let config = given("--config", "OPERATOR_CONFIG").map(PathBuf::from);
    // What is wrong with it is said when it is read for its settings.
    let config = config_file::read(config.as_deref()).ok().flatten();
    let config = config.map(|(_, config)| config);
    let of_cluster = |name: &str| of_cluster(config.as_ref()?, name);
    let has_flag = |setting: &SettingDef| {
        let long = format!("--{}", setting.name.replace('_', "-"));
        let short = setting.short.map(|letter| format!("-{letter}"));
        let is_it = |word: &String| {
            let tied = word.strip_prefix(&long);
            tied.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
                || short.as_ref().is_some_and(|short| word.starts_with(short))
        };
        words.iter().any(is_it)
    };
    let has_variable = |setting: &SettingDef| {
        let variable = setting.env.as_ref();
        variable.is_some_and(|name| std::env::var_os(name).is_some())
    };
    let mut named = words.iter().filter_map(|word| subjects::of_qualified(word));
    given("--cluster", "OPERATOR_CLUSTER")
        .and_then(|name| of_cluster(&name))
        .or_else(|| only_with(has_flag))
        .or_else(|| named.next().map(|(kind, _)| kind))
        .or_else(|| only_with_actions(&words))
        .or_else(|| only_with(has_variable))
        .or_else(|| of_cluster(config.as_ref()?.cluster.as_deref()?))
}

/// The kind of a cluster of the config file.
fn of_cluster(config: &Config, name: &str) -> Option<&'static Kind> {
    config.clusters.get(name)?.kind()
}

/// The only kind of which a setting was given that no other has.
fn only_with(is_given: impl Fn(&SettingDef) -> bool) -> Option<&'static Kind> {
    let has = |kind: &Kind, name: &str| kind.settings.iter().any(|one| one.name == name);
    let is_own = |setting: &SettingDef| {
        let with_it = subjects::kinds()
            .iter()
            .filter(|kind| has(kind, &setting.name));
        with_it.count() == 1
    };
    let mut kinds = subjects::kinds().iter().filter(|kind| {
        let mut own = kind.settings.iter().filter(|setting| is_own(setting));
        own.any(&is_given)
    });
    kinds.next().filter(|_| kinds.next().is_none())
}

/// The only kind that has an action which is named, or else a parameter of an action.
fn only_with_actions(words: &[String]) -> Option<&'static Kind> {
    if !words
        .iter()
        .any(|word| WITH_ACTIONS.contains(&word.as_str()))
    {
        return None;
    }
    let only = |has_it: &dyn Fn(&ActionDefinition) -> bool| {
        let mut kinds = subjects::kinds().iter();
        let mut kinds = kinds
            .by_ref()
            .filter(|kind| kind.definitions().iter().any(has_it));
        kinds.next().filter(|_| kinds.next().is_none())
    };
    let named = |word: &String| {
        let name = word.replace('-', "_");
        only(&|one| one.name == name)
    };
    let with_flag = |word: &String| {
        let flag = word.strip_prefix("--")?;
        let name = flag.split('=').next().unwrap_or_default().replace('-', "_");
        only(&|one| {
            one.parameters
                .iter()
                .any(|parameter| parameter.name == name)
        })
    };
    let by_name = words.iter().find_map(named);
    by_name.or_else(|| words.iter().find_map(with_flag))
}

/// What a flag was given, in a command line that is not read yet.
fn value_of(words: &[String], flag: &str) -> Option<String> {
    let place = words.iter().position(|word| word == flag);
    let after = place.and_then(|place| words.get(place + 1).cloned());
    let tied = format!("{flag}=");
    let tied = || words.iter().find_map(|word| word.strip_prefix(&tied));
    after.or_else(|| tied().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::value_of;

    #[test]
    fn a_flag_is_read_tied_or_not() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let value = |line| value_of(&words(line), "--cluster");
        assert_eq!(
            value("operator --cluster prod mode").as_deref(),
            Some("prod")
        );
        assert_eq!(
            value("operator mode --cluster=prod").as_deref(),
            Some("prod")
        );
        assert_eq!(value("operator mode --cluster-id 7"), None);
    }
}
