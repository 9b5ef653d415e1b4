//! How several values of one parameter are given on a command line.

use action_core::Problem;

/// How several values are given.
pub(crate) fn how_to_list(flag: &str, [one, other]: [&str; 2]) -> String {
    format!("give the flag once for each value: `--{flag} {one} --{flag} {other}`")
}

/// What to do where several values were given as one.
pub(crate) fn list_hint(problems: &[Problem]) -> Option<String> {
    let hint = |problem: &Problem| {
        let (name, place) = problem.pointer.strip_prefix('/')?.split_once('/')?;
        let is_item = place.parse::<usize>().is_ok();
        let (one, other) = problem.got.trim_matches('"').split_once([',', ' '])?;
        let other = other.split([',', ' ']).find(|word| !word.is_empty())?;
        is_item.then(|| how_to_list(&name.replace('_', "-"), [one, other]))
    };
    problems.iter().find_map(hint)
}
