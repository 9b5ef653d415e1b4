//! Each command that README.md and the pages in docs/ print is one that there is, and those that
//! need nothing but a cluster do what is said.

use std::path::Path;

use crate::{Cluster, operator};

/// Words that stand for something of the reader's: such a command is only read, not run.
const STANDS_FOR: [&str; 10] = [
    "copy",
    "ID",
    "prod",
    "STEP",
    "0199f3c2a7b4",
    "0192…",
    "policy.toml",
    "disk.toml",
    "zone=a",
    "agent:night",
];

/// These go on until somebody ends them, or ask one that does.
const SERVES: [&str; 4] = ["sim", "mcp", "link", "top"];

/// Prints the directory of whoever runs it.
const OF_SOMEBODY: &str = "operator mode";

/// A command as it is printed, and what is printed below it.
#[derive(Debug)]
struct Documented {
    line: String,
    shown: Option<String>,
}

impl Documented {
    /// Its words, without those of the program, of a comment and of what follows it.
    fn words(&self) -> Vec<String> {
        let line = self.line.split("   ").next().unwrap_or_default();
        let line = line.split(" && ").next().unwrap_or_default();
        let mut words = Vec::new();
        for (place, part) in line.split('"').enumerate() {
            if place % 2 == 1 {
                words.push(part.to_owned());
            } else {
                words.extend(part.split_whitespace().map(str::to_owned));
            }
        }
        words.split_off(1)
    }

    fn is_run(&self) -> bool {
        let words = self.words();
        let stands_for = |word: &String| STANDS_FOR.contains(&word.as_str());
        let serves = words
            .first()
            .is_some_and(|verb| SERVES.contains(&verb.as_str()));
        let is_over = !serves || words.iter().any(|word| word == "--print-config");
        self.line != OF_SOMEBODY && is_over && !words.iter().any(stands_for)
    }
}

/// The commands in the blocks of a page.
fn documented(page: &str) -> Vec<Documented> {
    let mut all = Vec::new();
    for block in page.split("```").skip(1).step_by(2) {
        let mut lines = block.lines().skip(1).map(str::trim).peekable();
        while let Some(line) = lines.next() {
            let command = line.strip_prefix("$ ").unwrap_or(line);
            if !command.starts_with("operator ") {
                continue;
            }
            let is_shown = |next: &&&str| line.starts_with('$') && !next.starts_with('$');
            let shown = lines.peek().filter(is_shown);
            all.push(Documented {
                line: command.to_owned(),
                shown: shown.map(ToString::to_string),
            });
        }
    }
    all
}

#[test]
fn each_command_that_is_printed_is_one_that_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages = vec![root.join("README.md")];
    let listed = std::fs::read_dir(root.join("docs")).unwrap();
    pages.extend(listed.map(|entry| entry.unwrap().path()));
    pages.retain(|path| path.extension().is_some_and(|end| end == "md"));
    pages.sort();
    let (mut read, mut run) = (0, 0);
    for page in pages {
        let commands = documented(&std::fs::read_to_string(&page).unwrap());
        let cluster = Cluster::start();
        for command in commands {
            let words = command.words();
            let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
            if !command.is_run() {
                // What is wrong before it is told first.
                words.push("--help");
                let help = operator(&words);
                assert_eq!(help.code, 0, "{page:?}: {command:?}: {}", help.stderr);
                read += 1;
                continue;
            }
            if ["run", "undo"].contains(&words[0]) {
                words.push("--yes");
            }
            let ended = cluster.with_state(&words);
            let told = format!("{page:?}: {command:?}: {}{}", ended.stdout, ended.stderr);
            // Done, refused as foretold, or something found.
            assert!([0, 3, 7].contains(&ended.code), "{} {told}", ended.code);
            if let Some(shown) = &command.shown {
                assert!(ended.stdout.contains(shown), "{told}");
            }
            run += 1;
        }
    }
    assert!(read >= 15 && run >= 15, "{read} were read and {run} run");
}
