//! For the tests of subjects.

use std::collections::BTreeSet;

use crate::declare::Subject;
use crate::schema::is_name;

/// Checks the rules that hold for every action of a subject: well named, once, described, with
/// schemas that every model host accepts. Gives the names.
///
/// # Panics
/// With every rule that is broken.
#[track_caller]
#[expect(clippy::panic, reason = "a failed test panics")]
pub fn assert_well_formed<S: Subject>() -> Vec<String> {
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    let entries = S::actions().entries;
    if !is_name(S::NAME) {
        problems.push(format!("`{}` is not a name for a subject", S::NAME));
    }
    for entry in &entries {
        let name = &entry.definition.name;
        let wrong = entry.problems().into_iter();
        problems.extend(wrong.map(|what| format!("`{name}`: {what}")));
        if !names.insert(name) {
            problems.push(format!("`{name}`: listed twice"));
        }
    }
    if !problems.is_empty() {
        panic!("subject `{}`:\n{}", S::NAME, problems.join("\n"));
    }
    let names = entries.iter().map(|entry| entry.definition.name.clone());
    names.collect()
}
