//! No file of a crate is longer than reads well, and no function; an exception says why.
//!
//! An exception is a comment `// length: why`: for a file above its first item, for a function
//! directly above it, among its attributes and documentation.

use syn::spanned::Spanned;
use syn::visit::Visit;

use crate::findings::{Findings, Report};
use crate::workspace::Workspace;

const LONGEST_FILE: usize = 350;
const LONGEST_FUNCTION: usize = 60;

/// Where a file is one declaration, which reads like its neighbours: folders, and how long it is.
const DECLARATIONS: &[(&str, usize)] = &[
    ("crates/operator-tikv/src/mutations/region", 110),
    ("crates/operator-tikv/src/mutations/setting", 40),
    ("crates/operator-tikv/src/observations", 60),
];

/// What an exception begins with.
const EXCEPTION: &str = "// length: ";

/// Where tests beside the code begin; they are not counted.
const TESTS: &str = "\n#[cfg(test)]\nmod tests";

/// Looks at the sources of all crates.
pub(crate) fn check(workspace: &Workspace) -> Report {
    let mut findings = Findings::default();
    let mut count = 0;
    for folder in ["crates", "fuzz", "tests", "xtask"] {
        for path in workspace.files(folder)? {
            if path.ends_with(".rs") && !is_test(&path) {
                source(&path, &workspace.read(&path)?, &mut findings);
                count += 1;
            }
        }
    }
    findings.or(format!(
        "length: {count} files have at most {LONGEST_FILE} lines, their functions at most \
         {LONGEST_FUNCTION}, or say why not"
    ))
}

fn source(path: &str, text: &str, findings: &mut Findings) {
    let code = text.split(TESTS).next().unwrap_or(text);
    let lines: Vec<&str> = code.lines().collect();
    let longest = longest(path);
    if lines.len() > longest && !file_is_argued(&lines) {
        findings.add(format!("{path}: {} lines, at most {longest}", lines.len()));
    }
    let file = match syn::parse_file(text) {
        Ok(file) => file,
        Err(error) => return findings.add(format!("{path}: {error}")),
    };
    let mut functions = Functions::default();
    functions.visit_file(&file);
    for (name, first, last) in functions.found {
        let length = last - first + 1;
        if length > LONGEST_FUNCTION && last <= lines.len() && !is_argued(&lines, first) {
            findings.add(format!(
                "{path}:{first}: `{name}` has {length} lines, at most {LONGEST_FUNCTION}"
            ));
        }
    }
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || (path.starts_with("tests/") && !path.starts_with("tests/src/"))
}

fn longest(path: &str) -> usize {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut declarations = DECLARATIONS.iter();
    let declaration = declarations.find(|(one, _)| *one == folder);
    declaration.map_or(LONGEST_FILE, |(_, longest)| *longest)
}

fn file_is_argued(lines: &[&str]) -> bool {
    lines
        .iter()
        .take_while(|line| line.is_empty() || line.starts_with("//"))
        .any(|line| line.starts_with(EXCEPTION))
}

/// Whether the comments and attributes above a line hold an exception.
fn is_argued(lines: &[&str], first: usize) -> bool {
    let above = lines.iter().take(first.saturating_sub(1)).rev();
    above
        .map(|line| line.trim_start())
        .take_while(|line| line.starts_with("//") || line.starts_with("#["))
        .any(|line| line.starts_with(EXCEPTION))
}

/// Functions with their first and last lines; the first is that of `fn`.
#[derive(Default)]
struct Functions {
    found: Vec<(String, usize, usize)>,
}

impl Functions {
    fn add(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let first = signature.span().start().line;
        let last = body.span().end().line;
        self.found.push((signature.ident.to_string(), first, last));
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add(&item.sig, &item.block);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add(&item.sig, &item.block);
        syn::visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.add(&item.sig, body);
        }
        syn::visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::{EXCEPTION, longest, source};
    use crate::findings::Findings;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let mut findings = Findings::default();
        source("a.rs", text, &mut findings);
        assert_eq!(findings.entries(), expected);
    }

    #[test]
    fn a_long_function_is_found_unless_it_is_argued() {
        let long = format!("pub fn f(\n) {{\n{}}}\n", "    g();\n".repeat(58));
        check(&long, &["a.rs:1: `f` has 61 lines, at most 60"]);
        check(
            &format!("impl A {{\n{long}}}\n"),
            &["a.rs:2: `f` has 61 lines, at most 60"],
        );
        check(
            &format!("/// F.\n{EXCEPTION}a list\n#[must_use]\n{long}"),
            &[],
        );
        check(
            &format!("use a;\n#[cfg(test)]\nmod tests {{\n{long}}}\n"),
            &[],
        );
    }

    #[test]
    fn a_declaration_is_shorter_than_another_file() {
        assert_eq!(
            longest("crates/operator-tikv/src/mutations/setting/a.rs"),
            40
        );
        assert_eq!(
            longest("crates/operator-tikv/src/observations/why/a.rs"),
            350
        );
        assert_eq!(longest("a.rs"), 350);
    }

    #[test]
    fn a_long_file_is_found_unless_it_is_argued() {
        let long = "use a;\n".repeat(351);
        check(&long, &["a.rs: 351 lines, at most 350"]);
        check(&format!("//! A.\n\n{EXCEPTION}one table\n\n{long}"), &[]);
        let tests = "\n#[cfg(test)]\nmod tests {\n}\n";
        check(&format!("{}{tests}", "use a;\n".repeat(350)), &[]);
    }
}
