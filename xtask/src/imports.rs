//! Which module of a crate imports which, read from its sources.
//!
//! Tests are left out. What a module only passes on (`pub use child::Name`) is no import of it;
//! whoever imports that name is taken to import the module that has it.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::findings::Findings;
use crate::workspace::Workspace;

/// The modules of one crate.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    pub(crate) all: Vec<Module>,
}

/// One file of a crate.
#[derive(Debug)]
pub(crate) struct Module {
    /// `lib`, `main`, or a path such as `mutations/region/merge`.
    pub(crate) name: String,
    pub(crate) lines: usize,
    /// Positions of the modules that it imports.
    pub(crate) imports: BTreeSet<usize>,
}

/// What one file says.
#[derive(Debug, Default)]
struct Said {
    /// Paths from the root of the crate.
    used: Vec<Vec<String>>,
    /// Names it passes on, and where they are from.
    passed_on: BTreeMap<String, Vec<String>>,
    /// Modules that only tests have.
    tests: Vec<String>,
}

impl Modules {
    /// Reads the modules of the crate in a folder.
    pub(crate) fn read(workspace: &Workspace, folder: &str) -> Result<Self, Findings> {
        let mut sources = Vec::new();
        for path in workspace.files(&format!("{folder}/src"))? {
            let inside = path.strip_prefix(folder).unwrap_or(&path);
            let inside = inside.strip_prefix("/src/").unwrap_or(inside);
            if let Some(name) = inside.strip_suffix(".rs") {
                let name = name.strip_suffix("/mod").unwrap_or(name);
                sources.push((name.to_owned(), workspace.read(&path)?));
            }
        }
        Self::from_sources(&sources)
    }

    /// From names and texts of files.
    pub(crate) fn from_sources(sources: &[(String, String)]) -> Result<Self, Findings> {
        let names: Vec<Vec<String>> = sources.iter().map(|(name, _)| segments(name)).collect();
        let mut all_said = Vec::new();
        for ((name, text), path) in sources.iter().zip(&names) {
            let tokens: TokenStream = text
                .parse()
                .map_err(|error| format!("{name}.rs: {error}"))?;
            let children = names
                .iter()
                .filter(|other| other.len() == path.len() + 1 && other.starts_with(path))
                .filter_map(|child| child.last().cloned())
                .collect();
            let mut reader = Reader {
                place: path.clone(),
                children,
                said: Said::default(),
            };
            reader.read(&tokens.into_iter().collect::<Vec<_>>(), 0);
            all_said.push(reader.said);
        }
        let tests: Vec<Vec<String>> = all_said
            .iter()
            .zip(&names)
            .flat_map(|(said, path)| said.tests.iter().map(|test| joined(path, test)))
            .collect();
        let is_test = |path: &[String]| tests.iter().any(|test| path.starts_with(test));
        let kept: Vec<usize> = (0..names.len())
            .filter(|&at| names.get(at).is_some_and(|path| !is_test(path)))
            .collect();
        let index = Index {
            names: &names,
            said: &all_said,
        };
        let mut all = Vec::new();
        for &at in &kept {
            let (Some((name, text)), Some(said)) = (sources.get(at), all_said.get(at)) else {
                continue;
            };
            let targets = said.used.iter().filter_map(|path| index.find(path, 0));
            all.push(Module {
                name: name.clone(),
                lines: text.lines().count(),
                imports: targets
                    .filter(|&target| target != at)
                    .filter_map(|target| kept.iter().position(|&other| other == target))
                    .collect(),
            });
        }
        Ok(Self { all })
    }
}

/// The path of a module from its crate's root, which has none.
fn segments(name: &str) -> Vec<String> {
    match name {
        "lib" | "main" => Vec::new(),
        name => name.split('/').map(str::to_owned).collect(),
    }
}

fn joined(path: &[String], last: &str) -> Vec<String> {
    let mut path = path.to_vec();
    path.push(last.to_owned());
    path
}

/// Finds what a path leads to.
struct Index<'a> {
    names: &'a [Vec<String>],
    said: &'a [Said],
}

impl Index<'_> {
    fn find(&self, path: &[String], depth: usize) -> Option<usize> {
        let longest = (0..=path.len()).rev().find_map(|length| {
            let head = path.get(..length)?;
            let at = self.names.iter().position(|name| name == head)?;
            Some((at, length))
        });
        let (at, length) = longest?;
        let passed_on = path
            .get(length)
            .and_then(|name| self.said.get(at)?.passed_on.get(name));
        match passed_on {
            // A name that is passed on in a circle is nobody's.
            Some(from) if depth < 8 => self.find(from, depth + 1).or(Some(at)),
            _ => Some(at),
        }
    }
}

/// Reads the tokens of one file.
struct Reader {
    place: Vec<String>,
    children: BTreeSet<String>,
    said: Said,
}

impl Reader {
    /// `inside` is the number of modules within this file around the tokens.
    fn read(&mut self, tokens: &[TokenTree], inside: usize) {
        let mut at = 0;
        let mut public = false;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Punct(punct)
                    if punct.as_char() == '#' && is_test(tokens.get(at + 1)) =>
                {
                    at = self.skip_item(tokens, at + 2);
                    public = false;
                }
                TokenTree::Ident(word) if word == "pub" => {
                    public = true;
                    at += 1;
                    if is_group(tokens.get(at), Delimiter::Parenthesis) {
                        at += 1;
                    }
                }
                TokenTree::Ident(word) if word == "use" => {
                    let end = end_of_statement(tokens, at);
                    let tree = tokens.get(at + 1..end).unwrap_or_default();
                    self.use_tree(tree, &[], public, inside);
                    (at, public) = (end + 1, false);
                }
                TokenTree::Ident(word) if word == "mod" => {
                    public = false;
                    if let Some(TokenTree::Group(body)) = tokens.get(at + 2) {
                        let body: Vec<_> = body.stream().into_iter().collect();
                        self.read(&body, inside + 1);
                        at += 3;
                    } else {
                        at += 2;
                    }
                }
                TokenTree::Group(group) => {
                    let inner: Vec<_> = group.stream().into_iter().collect();
                    self.read(&inner, inside);
                    at += 1;
                }
                TokenTree::Ident(_) if !follows_a_path(tokens, at) => {
                    public = false;
                    let (path, next) = path_at(tokens, at);
                    // A macro is at the root whatever file has it.
                    if path.len() > 1 && !is_punct(tokens.get(next), '!') {
                        self.path(&path, inside);
                    }
                    at = next;
                }
                _ => at += 1,
            }
        }
    }

    /// Steps over an item that only tests have.
    fn skip_item(&mut self, tokens: &[TokenTree], mut at: usize) -> usize {
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Ident(word) if word == "mod" => {
                    if let (Some(TokenTree::Ident(name)), true) =
                        (tokens.get(at + 1), is_punct(tokens.get(at + 2), ';'))
                    {
                        self.said.tests.push(name.to_string());
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == ';' => return at + 1,
                TokenTree::Group(group)
                    if group.delimiter() == Delimiter::Brace
                        && !is_punct(at.checked_sub(1).and_then(|at| tokens.get(at)), ':') =>
                {
                    return at + 1;
                }
                _ => {}
            }
            at += 1;
        }
        at
    }

    fn use_tree(&mut self, tree: &[TokenTree], before: &[String], public: bool, inside: usize) {
        for part in tree.split(|token| is_punct(Some(token), ',')) {
            let (path, next) = path_at(part, 0);
            let path = [before, &path].concat();
            if let Some(TokenTree::Group(group)) = part.get(next) {
                let inner: Vec<_> = group.stream().into_iter().collect();
                self.use_tree(&inner, &path, public, inside);
                continue;
            }
            let Some(from) = self.rooted(&path, inside) else {
                continue;
            };
            let alias = match (part.get(next), part.get(next + 1)) {
                (Some(TokenTree::Ident(word)), Some(TokenTree::Ident(alias))) if word == "as" => {
                    Some(alias.to_string())
                }
                _ => from.last().cloned(),
            };
            let of_a_child = from.starts_with(&self.place) && from.len() > self.place.len();
            if public && let Some(name) = alias {
                self.said.passed_on.insert(name, from.clone());
            }
            if !(public && of_a_child) {
                self.said.used.push(from);
            }
        }
    }

    fn path(&mut self, path: &[String], inside: usize) {
        if let Some(path) = self.rooted(path, inside) {
            self.said.used.push(path);
        }
    }

    /// A path as it is from the crate's root, if it stays in the crate.
    fn rooted(&self, path: &[String], inside: usize) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        let mut base = self.place.clone();
        let mut rest = rest;
        match first.as_str() {
            "crate" => base.clear(),
            "self" if inside == 0 => {}
            "super" => {
                let mut ups = 1;
                while let Some((next, after)) =
                    rest.split_first().filter(|(word, _)| *word == "super")
                {
                    debug_assert_eq!(next, "super");
                    (ups, rest) = (ups + 1, after);
                }
                for _ in inside..ups {
                    base.pop()?;
                }
            }
            child if inside == 0 && self.children.contains(child) => base.push(first.clone()),
            _ => return None,
        }
        Some([base.as_slice(), rest].concat())
    }
}

/// The names of a path, and where it ends.
fn path_at(tokens: &[TokenTree], mut at: usize) -> (Vec<String>, usize) {
    let mut path = Vec::new();
    while let Some(TokenTree::Ident(word)) = tokens.get(at) {
        path.push(word.to_string());
        at += 1;
        if !(is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')) {
            break;
        }
        at += 2;
    }
    (path, at)
}

fn follows_a_path(tokens: &[TokenTree], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| tokens.get(at));
    let colons =
        is_punct(before, ':') && is_punct(at.checked_sub(2).and_then(|at| tokens.get(at)), ':');
    colons || is_punct(before, '.')
}

fn end_of_statement(tokens: &[TokenTree], at: usize) -> usize {
    let rest = tokens.get(at..).unwrap_or_default();
    let length = rest.iter().position(|token| is_punct(Some(token), ';'));
    at + length.unwrap_or(rest.len())
}

fn is_punct(token: Option<&TokenTree>, character: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

fn is_group(token: Option<&TokenTree>, delimiter: Delimiter) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == delimiter)
}

/// `[cfg(test)]`, after its `#`.
fn is_test(token: Option<&TokenTree>) -> bool {
    is_group(token, Delimiter::Bracket)
        && token.is_some_and(|token| token.to_string().replace(' ', "") == "[cfg(test)]")
}

#[cfg(test)]
mod tests {
    use super::Modules;

    #[track_caller]
    fn check(sources: &[(&str, &str)], expected: &[(&str, &[&str])]) {
        let sources: Vec<_> = sources
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        let modules = Modules::from_sources(&sources).unwrap();
        let name = |at: &usize| modules.all[*at].name.as_str();
        let found: Vec<(&str, Vec<&str>)> = modules
            .all
            .iter()
            .map(|module| {
                (
                    module.name.as_str(),
                    module.imports.iter().map(name).collect(),
                )
            })
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, imports)| (*name, imports.to_vec()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn imports_are_found_in_every_form() {
        check(
            &[
                ("lib", "mod a; mod b; mod c;"),
                ("a", "use crate::{b::B, c::{self, C}};"),
                ("b", "fn f() -> u8 { format!(\"{}\", crate::c::D) }"),
                ("c", "use std::fmt; fn g(b: super::b::B) {}"),
            ],
            &[
                ("lib", &[]),
                ("a", &["b", "c"]),
                ("b", &["c"]),
                ("c", &["b"]),
            ],
        );
    }

    #[test]
    fn a_name_that_is_passed_on_is_its_own_modules() {
        check(
            &[
                ("lib", "pub use a::Inner; mod a; mod b; mod c;"),
                ("a", "pub(crate) use inner::Inner; mod inner;"),
                ("a/inner", "pub struct Inner;"),
                ("b", "use crate::a::Inner;"),
                ("c", "use crate::Inner as Other;"),
            ],
            &[
                ("lib", &[]),
                ("a", &[]),
                ("a/inner", &[]),
                ("b", &["a/inner"]),
                ("c", &["a/inner"]),
            ],
        );
    }

    #[test]
    fn what_tests_import_is_left_out() {
        check(
            &[
                ("lib", "#[cfg(test)] mod t; mod a; mod b;"),
                ("t", "use crate::a::A;"),
                (
                    "a",
                    "#[cfg(test)]\nmod tests { use crate::b::B; fn f() { crate::b::g() } }",
                ),
                (
                    "b",
                    "#[cfg(test)] use crate::a::{A}; fn f() { child::g() } mod child;",
                ),
                (
                    "b/child",
                    "mod inner { use super::X; use super::super::Y; }",
                ),
            ],
            &[
                ("lib", &[]),
                ("a", &[]),
                ("b", &["b/child"]),
                ("b/child", &["b"]),
            ],
        );
    }
}
