//! How a crate is built, in figures: rooms, floors, arrows back up, circles.

use crate::findings::Report;
use crate::floors::crates;
use crate::graph::Graph;
use crate::imports::Modules;
use crate::workspace::Workspace;

const HEAD: &str = "\
| Crate | Files | Lines | Rooms | Floors | Arrows | Back up | Circles of rooms | of files |
|---|---|---|---|---|---|---|---|---|
";

/// A table with a row for each crate, and the arrows and circles that it counts.
pub(crate) fn print(workspace: &Workspace) -> Report {
    let (mut page, mut named) = (HEAD.to_owned(), String::new());
    for folder in crates(workspace)? {
        let modules = Modules::read(workspace, &folder)?;
        let name = folder.rsplit('/').next().unwrap_or(&folder);
        let figures = Figures::of(&modules);
        page.push_str(&figures.row(name));
        for line in figures.lines() {
            named.push_str(&format!("{name}: {line}\n"));
        }
    }
    Ok(format!("{page}\n{named}").trim_end().to_owned())
}

struct Figures<'a> {
    modules: &'a Modules,
    /// Modules at the top of the crate, each with its folder.
    rooms: Vec<&'a str>,
    house: Graph,
    files: Graph,
}

impl<'a> Figures<'a> {
    fn of(modules: &'a Modules) -> Self {
        let mut rooms: Vec<&str> = Vec::new();
        let mut groups = Vec::new();
        for module in &modules.all {
            let room = module.name.split('/').next().unwrap_or(&module.name);
            let at = rooms.iter().position(|other| *other == room);
            groups.push(at.unwrap_or(rooms.len()));
            if at.is_none() {
                rooms.push(room);
            }
        }
        let files = Graph::of_modules(modules);
        let house = files.grouped(&groups);
        Self {
            modules,
            rooms,
            house,
            files,
        }
    }

    fn row(&self, name: &str) -> String {
        let modules = &self.modules.all;
        format!(
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
            modules.len(),
            modules.iter().map(|module| module.lines).sum::<usize>(),
            self.rooms.len(),
            self.house.floors().into_iter().max().unwrap_or(0),
            self.house.arrows(),
            self.house.back().len(),
            self.house.circles().len(),
            self.files.circles().len(),
        )
    }

    fn lines(&self) -> Vec<String> {
        let room = |at: usize| self.rooms.get(at).copied().unwrap_or_default();
        let floors = self.house.floors();
        let floor = |number: usize| {
            let on_it = floors.iter().enumerate().filter(|(_, own)| **own == number);
            on_it.map(|(at, _)| room(at)).collect::<Vec<_>>().join(" ")
        };
        let highest = floors.iter().max().copied().unwrap_or(0);
        let all: Vec<String> = (1..=highest).map(floor).collect();
        let mut lines = vec![format!("from the lowest: {}", all.join(" | "))];
        let back = self.house.back().into_iter();
        lines.extend(back.map(|(from, to)| {
            format!("`{}` imports `{}`, which is above it", room(from), room(to))
        }));
        for (from, to) in self.files.back() {
            let name = |at: usize| self.modules.all.get(at).map_or("", |module| &module.name);
            lines.push(format!(
                "file `{}` imports `{}`, which is above it",
                name(from),
                name(to)
            ));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::Figures;
    use crate::imports::Modules;

    #[test]
    fn a_folder_and_its_list_are_one_room() {
        let sources = [
            ("lib", "pub use a::X; mod a; mod b;"),
            ("a", "pub use x::X; mod x; mod y;"),
            ("a/x", "use crate::a::y::Y;\nuse crate::b::B;"),
            ("a/y", "use crate::a::X;"),
            ("b", "use crate::a::X;"),
        ];
        let sources = sources.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let modules = Modules::from_sources(&sources).unwrap();
        let figures = Figures::of(&modules);
        assert_eq!(
            figures.row("c"),
            "| c | 5 | 6 | 3 | 2 | 2 | 1 | 1 | 1 |
"
        );
        assert_eq!(
            figures.lines(),
            [
                "from the lowest: lib a | b",
                "`a` imports `b`, which is above it",
                "file `a/x` imports `a/y`, which is above it",
                "file `a/x` imports `b`, which is above it"
            ]
        );
    }
}
