//! What holds for every declaration, without a system.

use std::collections::BTreeSet;

use serde_json::json;

use crate::declare::{Subject, unknown_column};
use crate::schema::{ActionDefinition, Pattern, is_name};
use crate::testing::broken::{Broken, Promise};

/// Checks the rules that hold for every action of a subject: well named, once, described, with
/// schemas that every model host accepts. Gives the names.
///
/// # Panics
/// With every rule that is broken.
#[track_caller]
#[expect(clippy::panic, reason = "a failed test panics")]
pub fn assert_well_formed<S: Subject>() -> Vec<String> {
    let problems = problems::<S>();
    if !problems.is_empty() {
        let problems: Vec<String> = problems.iter().map(Broken::to_string).collect();
        panic!("subject `{}`:\n{}", S::NAME, problems.join("\n"));
    }
    let definitions = S::actions().into_definitions();
    definitions.map(|definition| definition.name).collect()
}

/// Every rule that is broken.
pub(super) fn problems<S: Subject>() -> Vec<Broken> {
    let mut broken = Vec::new();
    let mut names = BTreeSet::new();
    if !is_name(S::NAME) {
        let what = "it is not a name for a subject: lower-case letters, digits and underscores";
        broken.push(Broken::new(S::NAME, Promise::WellFormed, what));
    }
    for entry in &S::actions().entries {
        let name = &entry.definition.name;
        let wrong = entry.problems().into_iter();
        broken.extend(wrong.map(|what| Broken::new(name, Promise::WellFormed, what)));
        let unknown = unknown_column(&entry.definition);
        broken.extend(unknown.map(|what| Broken::new(name, Promise::WellFormed, what)));
        let patterns = entry.definition.parameters.iter();
        let patterns = patterns.filter_map(|parameter| parameter.shape.pattern.as_ref());
        let too_large = patterns.filter_map(Pattern::too_large);
        broken.extend(too_large.map(|what| Broken::new(name, Promise::WellFormed, what)));
        if !names.insert(name.clone()) {
            broken.push(Broken::new(name, Promise::WellFormed, "listed twice"));
        }
        if let Err(what) = round_trip(&entry.definition) {
            broken.push(Broken::new(name, Promise::RoundTrips, what));
        }
    }
    broken
}

/// A definition is read as it was written.
fn round_trip(definition: &ActionDefinition) -> Result<(), String> {
    let written = json!(definition);
    match serde_json::from_value::<ActionDefinition>(written.clone()) {
        Ok(read) if read == *definition => Ok(()),
        Ok(read) => Err(format!("written as {written}, read as {}", json!(read))),
        Err(error) => Err(format!("{error} in {written}")),
    }
}
