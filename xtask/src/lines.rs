//! How long the parts of a subject are: what its author has to write for each action, and once.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::findings::{Findings, Report};
use crate::workspace::Workspace;
use crate::{floors, new_subject};

/// What a file of a subject is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Observation,
    AtOnce,
    TakesTime,
    /// Handle, client, error, settings: all that is no action and no list.
    Rest,
    List,
}

/// The parts, and how many lines they should have at most.
const AIMS: [(Part, &str, usize); 4] = [
    (Part::Observation, "an observation", 30),
    (Part::AtOnce, "a mutation at once", 60),
    (Part::TakesTime, "one that takes time", 100),
    (Part::Rest, "all the rest", 250),
];

/// Prints the table.
pub(crate) fn print(workspace: &Workspace) -> Report {
    let mut table = String::from(
        "Lines of code, without blank lines, comments and imports: median and most of each file, and all \
         of the rest.\n\n| subject |",
    );
    for (_, name, aim) in AIMS {
        let _ = write!(table, " {name} (aim {aim}) |");
    }
    table.push_str("\n|---|---|---|---|---|\n");
    for folder in floors::crates(workspace)? {
        if let Some(name) = folder
            .strip_prefix("crates/operator-")
            .filter(|one| *one != "cli")
        {
            let sources = sources(workspace, &folder)?;
            table.push_str(&row(name, sources.iter().map(String::as_str)));
        }
    }
    table.push_str(&row("what `new-subject` writes", new_subject::templates()));
    Ok(table.trim_end().to_owned())
}

fn sources(workspace: &Workspace, folder: &str) -> Result<Vec<String>, Findings> {
    let files = workspace.files(&format!("{folder}/src"))?;
    let files = files.iter().filter(|path| path.ends_with(".rs"));
    files.map(|path| workspace.read(path)).collect()
}

fn row<'a>(name: &str, sources: impl Iterator<Item = &'a str>) -> String {
    let mut found: BTreeMap<Part, Vec<usize>> = BTreeMap::new();
    for source in sources {
        found.entry(part(source)).or_default().push(lines(source));
    }
    let mut row = format!("| {name} |");
    for (part, ..) in AIMS {
        let mut lengths = found.remove(&part).unwrap_or_default();
        lengths.sort_unstable();
        let middle = lengths.get(lengths.len() / 2);
        let _ = match (part, middle, lengths.last()) {
            (Part::Rest, ..) => write!(row, " {} |", lengths.iter().sum::<usize>()),
            (_, Some(middle), Some(most)) => {
                write!(row, " {} of {middle}, at most {most} |", lengths.len())
            }
            _ => write!(row, " none |"),
        };
    }
    row.push('\n');
    row
}

fn part(source: &str) -> Part {
    let takes_time = source.contains("Progress::pending") || source.contains(".takes(");
    match source {
        _ if source.contains("impl Mutation<") && takes_time => Part::TakesTime,
        _ if source.contains("impl Mutation<") => Part::AtOnce,
        _ if source.contains("impl Observation<") => Part::Observation,
        _ if source.contains("fn ") || source.contains("struct ") => Part::Rest,
        _ => Part::List,
    }
}

/// Lines that are code, without those of tests.
fn lines(source: &str) -> usize {
    let code = source.split("\n#[cfg(test)]\nmod tests").next();
    let mut is_import = false;
    let mut count = 0;
    for line in code.unwrap_or(source).lines().map(str::trim) {
        is_import |= line.starts_with("use ") || line.starts_with("pub(crate) use ");
        if !is_import && !line.is_empty() && !line.starts_with("//") {
            count += 1;
        }
        is_import &= !line.ends_with(';');
    }
    count
}

#[cfg(test)]
mod tests {
    use super::{lines, row};

    #[test]
    fn lines_are_those_of_code() {
        let source = "//! What.\n\nuse a::{\n    B,\n};\n\n/// It.\nfn it() {\n    b(); // c\n}\n\
                      \n#[cfg(test)]\nmod tests {\n}\n";
        assert_eq!(lines(source), 3);
    }

    #[test]
    fn files_are_told_apart_by_what_they_declare() {
        let sources = [
            "impl Observation<S> for A {\n}",
            "impl Mutation<S> for A {\n}",
            "impl Mutation<S> for A {\n    // more\n    Progress::pending()\n}",
            "fn f() {}",
            "mod a;",
        ];
        let expected = "| s | 1 of 2, at most 2 | 1 of 2, at most 2 | 1 of 3, at most 3 | 1 |\n";
        assert_eq!(row("s", sources.into_iter()), expected);
    }
}
