//! The table of promises in `docs/writing-a-subject.md`, and where its examples of code are from.

use std::fmt::Write as _;

use action_core::testing::Promise;

/// A row for each promise.
pub(crate) fn table() -> String {
    let mut table = String::from("| promise | if it is not kept |\n|---|---|\n");
    for promise in Promise::ALL {
        let _ = writeln!(table, "| `{promise}` | {} |", promise.mend());
    }
    table
}

#[cfg(test)]
mod tests {
    use crate::new_subject;
    use crate::workspace::Workspace;

    /// Words alone: where lines break is rustfmt's business.
    fn words(text: &str) -> String {
        let words: Vec<&str> = text.split_whitespace().collect();
        words.join(" ").replace("( ", "(").replace(", )", ")")
    }

    /// What CI compiles: the subject that is written, and the sources of the workspace.
    fn compiled(workspace: &Workspace) -> Vec<String> {
        let mut all: Vec<String> = new_subject::sources("lamp").collect();
        for path in workspace.files("crates").unwrap() {
            if path.ends_with(".rs") {
                all.push(workspace.read(&path).unwrap());
            }
        }
        all.iter().map(|text| words(text)).collect()
    }

    #[test]
    fn every_block_of_code_on_the_page_is_compiled_somewhere() {
        let workspace = Workspace::find().unwrap();
        let page = workspace.read("docs/writing-a-subject.md").unwrap();
        let compiled = compiled(&workspace);
        let blocks = page.split("```rust\n").skip(1);
        let blocks: Vec<&str> = blocks.filter_map(|rest| rest.split("```").next()).collect();
        assert!(blocks.len() > 10, "{}", blocks.len());
        for block in blocks {
            let wanted = words(block);
            let is_there = compiled.iter().any(|text| text.contains(&wanted));
            assert!(is_there, "in no source:\n{block}");
        }
    }
}
