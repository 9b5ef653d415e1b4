//! The order of the folders inside each crate: arrows run downward, and circles are argued.
//!
//! A room is a module at the top of a crate with all that is in its folder, or a folder further
//! down that [`HOUSES`] names. A room imports only rooms on floors below its own.

use std::collections::BTreeMap;

use crate::findings::{Findings, Report};
use crate::graph::Graph;
use crate::houses::{HOUSES, House};
use crate::imports::Modules;
use crate::workspace::Workspace;

/// Holds the crates to the table.
pub(crate) fn check(workspace: &Workspace) -> Report {
    let mut findings = Findings::default();
    for house in HOUSES {
        let folder = format!("crates/{}", house.name);
        compare(house, &Modules::read(workspace, &folder)?, &mut findings);
    }
    for folder in crates(workspace)? {
        let is_it = |house: &&House| format!("crates/{}", house.name) == folder;
        if HOUSES.iter().any(|house| is_it(&house)) {
            continue;
        }
        match folder.strip_prefix("crates/operator-") {
            // A subject, in which circles are all that is wrong.
            Some(_) => {
                let modules = Modules::read(workspace, &folder)?;
                circles(&folder, &NO_FLOORS, &modules, &mut findings);
            }
            None => findings.add(format!(
                "layers: `{folder}` has no floors; add its row to xtask/src/houses.rs"
            )),
        }
    }
    findings.or(format!(
        "layers: the folders of {} crates import only what is below them",
        HOUSES.len()
    ))
}

/// A crate whose floors nobody has drawn.
const NO_FLOORS: House = House {
    name: "",
    floors: &[],
    circles: &[],
};

/// The folders of the crates, from the disk.
pub(crate) fn crates(workspace: &Workspace) -> Result<Vec<String>, Findings> {
    let manifests = workspace.files("crates")?;
    let folders = manifests
        .iter()
        .filter_map(|path| path.strip_suffix("/Cargo.toml"));
    Ok(folders.map(str::to_owned).collect())
}

fn compare(house: &House, modules: &Modules, findings: &mut Findings) {
    let krate = house.name;
    let rooms: Vec<&str> = modules
        .all
        .iter()
        .map(|module| house.room(&module.name))
        .collect();
    let mut floors = BTreeMap::new();
    for (floor, names) in house.floors.iter().enumerate() {
        for name in *names {
            if floors.insert(*name, floor).is_some() {
                findings.add(format!("layers: `{krate}`: `{name}` is on two floors"));
            }
            if !rooms.contains(name) {
                findings.add(format!(
                    "layers: `{krate}`: `{name}` has a floor in xtask/src/houses.rs and is no module"
                ));
            }
        }
    }
    for (module, room) in modules.all.iter().zip(&rooms) {
        let Some(floor) = floors.get(room) else {
            findings.add(format!(
                "layers: `{krate}`: `{room}` has no floor; add it to xtask/src/houses.rs"
            ));
            continue;
        };
        for &at in &module.imports {
            let (Some(target), Some(other)) = (modules.all.get(at), rooms.get(at)) else {
                continue;
            };
            let is_below = floors.get(other).is_none_or(|below| below < floor);
            if room != other
                && !is_below
                && house.circle_of(&[&module.name, &target.name]).is_none()
            {
                findings.add(format!(
                    "layers: `{krate}`: `{}` must not import `{}`: `{room}` is not above `{other}`",
                    module.name, target.name
                ));
            }
        }
    }
    circles(krate, house, modules, findings);
}

/// Modules that import each other are one of the circles that the table argues.
fn circles(krate: &str, house: &House, modules: &Modules, findings: &mut Findings) {
    let mut found = Vec::new();
    for circle in Graph::of_modules(modules).circles() {
        let names: Vec<&str> = circle
            .iter()
            .filter_map(|&at| modules.all.get(at))
            .map(|module| module.name.as_str())
            .collect();
        match house.circle_of(&names) {
            Some(at) => found.push(at),
            None => findings.add(format!(
                "layers: `{krate}`: `{}` import each other",
                names.join("`, `")
            )),
        }
    }
    for (at, circle) in house.circles.iter().enumerate() {
        if !found.contains(&at) {
            findings.add(format!(
                "layers: `{krate}`: the circle of `{}` is gone; take it out of xtask/src/houses.rs",
                circle.between.join("`, `")
            ));
        }
    }
}

impl House {
    /// The room a module is in: the longest name in the table that it begins with, or the name
    /// at the top.
    pub(crate) fn room<'a>(&self, module: &'a str) -> &'a str {
        let named = self
            .floors
            .iter()
            .flat_map(|names| names.iter())
            .filter(|name| is_within(module, name))
            .map(|name| name.len())
            .max();
        let top = module.split('/').next().map_or(0, str::len);
        module.get(..named.unwrap_or(top)).unwrap_or(module)
    }

    /// The argued circle that all these modules are in.
    fn circle_of(&self, modules: &[&str]) -> Option<usize> {
        self.circles.iter().position(|circle| {
            modules
                .iter()
                .all(|module| circle.between.iter().any(|name| is_within(module, name)))
        })
    }
}

fn is_within(module: &str, room: &str) -> bool {
    module
        .strip_prefix(room)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::compare;
    use crate::findings::Findings;
    use crate::houses::{Circle, House};
    use crate::imports::Modules;

    const HOUSE: House = House {
        name: "h",
        floors: &[&["low"], &["one", "other"], &["lib"]],
        circles: &[],
    };

    #[track_caller]
    fn check(house: &House, sources: &[(&str, &str)], expected: &[&str]) {
        let sources: Vec<_> = sources
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        let mut findings = Findings::default();
        compare(
            house,
            &Modules::from_sources(&sources).unwrap(),
            &mut findings,
        );
        assert_eq!(findings.entries(), expected);
    }

    #[test]
    fn downward_is_fine() {
        let one = "use crate::low::inner::X;";
        check(
            &HOUSE,
            &[
                ("lib", "use crate::one::A;"),
                ("low", ""),
                ("low/inner", ""),
                ("one", one),
                ("other", ""),
            ],
            &[],
        );
    }

    #[test]
    fn upward_and_across_are_found() {
        check(
            &HOUSE,
            &[
                ("lib", ""),
                ("low", "use crate::one::A;"),
                ("one", "use crate::other::B;"),
                ("other", ""),
            ],
            &[
                "layers: `h`: `low` must not import `one`: `low` is not above `one`",
                "layers: `h`: `one` must not import `other`: `one` is not above `other`",
            ],
        );
    }

    #[test]
    fn a_room_needs_a_floor_and_a_floor_its_room() {
        check(
            &HOUSE,
            &[("lib", ""), ("low", ""), ("one", ""), ("new", "")],
            &[
                "layers: `h`: `other` has a floor in xtask/src/houses.rs and is no module",
                "layers: `h`: `new` has no floor; add it to xtask/src/houses.rs",
            ],
        );
    }

    #[test]
    fn a_circle_is_argued_or_found_also_inside_of_a_room() {
        let sources = [
            ("lib", ""),
            ("low", "mod a; mod b;"),
            ("low/a", "use crate::low::b::B;"),
            ("low/b", "use crate::low::a::A;"),
            ("one", ""),
            ("other", ""),
        ];
        check(
            &HOUSE,
            &sources,
            &["layers: `h`: `low/a`, `low/b` import each other"],
        );
        let argued = House {
            circles: &[Circle {
                between: &["low/a", "low/b"],
                why: "each undoes the other",
            }],
            ..HOUSE
        };
        check(&argued, &sources, &[]);
        let (lib, rest) = ((sources[0], sources[1]), &sources[4..]);
        let gone = [&[lib.0, lib.1], rest].concat();
        check(
            &argued,
            &gone,
            &[
                "layers: `h`: the circle of `low/a`, `low/b` is gone; take it out of xtask/src/houses.rs",
            ],
        );
    }
}
