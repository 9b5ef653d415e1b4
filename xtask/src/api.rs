//! `public-api.txt` of a crate: what its users can see, so that a change of it is seen in review.
//!
//! Taken from the sources: every item that is `pub`, without bodies, comments and private fields.
//! That those items can be reached from outside is what the lint `unreachable_pub` is for.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Fields, ImplItem, Item, Type, Visibility};

use crate::findings::{Findings, Report};
use crate::workspace::Workspace;

/// Crates that are used alone.
const CRATES: &[&str] = &[
    "crates/action-core",
    "crates/action-guard",
    "crates/operator-cli",
    "crates/pd-client",
    "crates/system-http",
];

/// Writes the pages.
pub(crate) fn write(workspace: &Workspace) -> Report {
    let mut lines = 0;
    for folder in CRATES {
        let page = page(workspace, folder)?;
        let path = workspace.root().join(folder).join("public-api.txt");
        fs::write(&path, &page).map_err(|error| format!("{}: {error}", path.display()))?;
        lines += page.lines().count();
    }
    Ok(format!("api: wrote {lines} lines"))
}

/// Says where a page differs from what it should be.
pub(crate) fn check(workspace: &Workspace) -> Report {
    let mut findings = Findings::default();
    for folder in CRATES {
        let path = format!("{folder}/public-api.txt");
        let (there, wanted) = (workspace.read(&path)?, page(workspace, folder)?);
        let (there, wanted): (Vec<_>, Vec<_>) = (there.lines().collect(), wanted.lines().collect());
        if there != wanted {
            let same = there.iter().zip(&wanted).take_while(|(a, b)| a == b);
            let line = same.count();
            findings.add(format!(
                "{path}:{}: the public API has changed here, to `{}`; look at the difference, \
                 run `cargo xtask api`, and say it in CHANGELOG.md",
                line + 1,
                wanted.get(line).unwrap_or(&"nothing more").trim()
            ));
        }
    }
    findings.or("api: what users can see is what is written down".to_owned())
}

fn page(workspace: &Workspace, folder: &str) -> Result<String, Findings> {
    let list = workspace.output("git", &["ls-files", "-co", "--exclude-standard", folder])?;
    let mut sources = Vec::new();
    for path in list.lines() {
        let inside = path
            .strip_prefix(folder)
            .and_then(|path| path.strip_prefix("/src/"));
        if let Some(inside) = inside.filter(|inside| inside.ends_with(".rs")) {
            // What git knows may be gone from the disk.
            if let Ok(text) = workspace.read(path) {
                sources.push((inside.to_owned(), text));
            }
        }
    }
    sources.sort();
    outline(&sources)
}

/// The outline of a crate, from the names and texts of its files.
fn outline(sources: &[(String, String)]) -> Result<String, Findings> {
    let mut files = Vec::new();
    for (name, text) in sources {
        let file = syn::parse_file(text).map_err(|error| format!("{name}: {error}"))?;
        files.push((name, file));
    }
    let seen: BTreeSet<String> = files
        .iter()
        .flat_map(|(_, file)| file.items.iter().filter_map(public_type))
        .collect();
    let mut page = String::from(
        "// What users of this crate can see: written by `cargo xtask api`, do not edit.\n",
    );
    for (name, file) in files {
        let items: Vec<Item> = file
            .items
            .into_iter()
            .filter_map(|item| public(item, &seen))
            .collect();
        if items.is_empty() {
            continue;
        }
        let file = syn::File {
            shebang: None,
            attrs: Vec::new(),
            items,
        };
        page.push_str(&format!("\n// {}\n", Path::new(name).display()));
        page.push_str(&prettyplease::unparse(&file));
    }
    Ok(page)
}

fn public_type(item: &Item) -> Option<String> {
    let (visibility, name) = match item {
        Item::Struct(item) => (&item.vis, &item.ident),
        Item::Enum(item) => (&item.vis, &item.ident),
        Item::Trait(item) => (&item.vis, &item.ident),
        _ => return None,
    };
    is_public(visibility).then(|| name.to_string())
}

/// What is left of an item for who looks from outside.
fn public(mut item: Item, seen: &BTreeSet<String>) -> Option<Item> {
    match &mut item {
        Item::Struct(item) if is_public(&item.vis) => {
            keep(&mut item.attrs);
            fields(&mut item.fields);
        }
        Item::Enum(item) if is_public(&item.vis) => {
            keep(&mut item.attrs);
            for variant in &mut item.variants {
                keep(&mut variant.attrs);
                for field in &mut variant.fields {
                    keep(&mut field.attrs);
                }
            }
        }
        Item::Trait(item) if is_public(&item.vis) => {
            keep(&mut item.attrs);
            for item in &mut item.items {
                if let syn::TraitItem::Fn(method) = item {
                    keep(&mut method.attrs);
                    method.default = method.default.take().map(|_| empty());
                }
            }
        }
        Item::Impl(item) => {
            keep(&mut item.attrs);
            let of_a_trait = item.trait_.is_some();
            if of_a_trait && !names(&item.self_ty, seen) {
                return None;
            }
            item.items
                .retain_mut(|item| !of_a_trait && public_member(item));
            if !of_a_trait && item.items.is_empty() {
                return None;
            }
        }
        Item::Fn(item) if is_public(&item.vis) => {
            keep(&mut item.attrs);
            *item.block = empty();
        }
        Item::Const(item) if is_public(&item.vis) => keep(&mut item.attrs),
        Item::Type(item) if is_public(&item.vis) => keep(&mut item.attrs),
        Item::Use(item) if is_public(&item.vis) => keep(&mut item.attrs),
        Item::Mod(item) if is_public(&item.vis) => keep(&mut item.attrs),
        // What a macro makes is not known here; what it is given is.
        Item::Macro(item) if item.ident.is_none() => {
            keep(&mut item.attrs);
            item.mac.tokens = without_docs(item.mac.tokens.clone());
        }
        _ => return None,
    }
    Some(item)
}

fn public_member(item: &mut ImplItem) -> bool {
    match item {
        ImplItem::Fn(method) if is_public(&method.vis) => {
            keep(&mut method.attrs);
            method.block = empty();
            true
        }
        ImplItem::Const(constant) if is_public(&constant.vis) => {
            keep(&mut constant.attrs);
            true
        }
        _ => false,
    }
}

/// Leaves public fields; private ones are none of the users' business, as long as there are some.
fn fields(fields: &mut Fields) {
    match fields {
        Fields::Named(fields) => {
            let all = std::mem::take(&mut fields.named);
            let public = all.into_iter().filter(|field| is_public(&field.vis));
            fields.named = public.collect();
            fields
                .named
                .iter_mut()
                .for_each(|field| keep(&mut field.attrs));
        }
        Fields::Unnamed(fields) => {
            fields
                .unnamed
                .iter_mut()
                .for_each(|field| keep(&mut field.attrs));
        }
        Fields::Unit => {}
    }
}

/// Leaves the attributes that users depend on.
fn keep(attributes: &mut Vec<Attribute>) {
    attributes.retain(|attribute| {
        let path = attribute.path();
        path.is_ident("derive") || path.is_ident("non_exhaustive") || path.is_ident("must_use")
    });
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn names(of: &Type, seen: &BTreeSet<String>) -> bool {
    match of {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|segment| seen.contains(&segment.ident.to_string())),
        _ => false,
    }
}

fn empty() -> syn::Block {
    syn::Block {
        brace_token: syn::token::Brace::default(),
        stmts: Vec::new(),
    }
}

/// Tokens without `#[doc = "…"]`.
fn without_docs(tokens: TokenStream) -> TokenStream {
    let mut left = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_hash = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#');
        let doc = |next: &TokenTree| next.to_string().starts_with("[doc");
        if is_hash && tokens.peek().is_some_and(doc) {
            tokens.next();
        } else {
            left.push(token);
        }
    }
    left.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::outline;
    use crate::workspace::Workspace;

    /// Whoever makes a call that nothing here made before takes it off the list.
    #[test]
    fn calls_that_nothing_makes_are_listed_as_such() {
        let workspace = Workspace::find().expect("the workspace");
        let readme = workspace.read("crates/pd-client/README.md").expect("it");
        let list = readme.split_once("Nothing here calls these yet:");
        let list = list.and_then(|(_, rest)| rest.split_once("\n## "));
        let rows = list.map(|(list, _)| list.lines()).expect("the list");
        let cells = rows.filter_map(|row| row.split('|').nth(1));
        let calls: Vec<&str> = cells
            .flat_map(|cell| cell.split('`').skip(1).step_by(2))
            .collect();
        assert!(calls.len() > 15, "{calls:?}");
        let crates = [
            "operator-tikv",
            "operator",
            "operator-cli",
            "action-guard",
            "prom-client",
        ];
        let files = crates.iter().flat_map(|one| {
            let files = workspace.files(&format!("crates/{one}/src"));
            files.expect("its files")
        });
        let api = workspace
            .read("crates/pd-client/public-api.txt")
            .expect("it");
        let text: String = files
            .map(|file| workspace.read(&file).expect("a file"))
            .collect();
        for call in calls {
            let is_method = call.starts_with(|one: char| one.is_lowercase());
            let written = if is_method {
                let is_there = ["(", "<"].map(|end| api.contains(&format!(" fn {call}{end}")));
                assert!(is_there.contains(&true), "there is no {call}");
                format!(".{call}(")
            } else {
                call.to_owned()
            };
            assert!(
                !text.contains(&written),
                "pd-client/README.md: {call} is called"
            );
        }
    }

    #[track_caller]
    fn check(source: &str, expected: &str) {
        let sources = [("a.rs".to_owned(), source.to_owned())];
        let page = outline(&sources).map_err(|findings| findings.to_string());
        let page = page.unwrap();
        let (_, outlined) = page.split_once("\n\n// a.rs\n").unwrap_or((&page, ""));
        assert_eq!(outlined, expected);
    }

    #[test]
    fn only_what_is_public_is_left() {
        check(
            "/// Doc.\n#[derive(Debug)]\n#[serde(x)]\npub struct A { /// D.\n pub a: u8, b: u8 }\n\
             struct B; impl A { /// D.\n pub fn f(&self) -> u8 { self.b } fn g(&self) {} }\n\
             impl Clone for A { fn clone(&self) -> A { A } } impl Clone for B {}\n\
             pub(crate) fn h() {} mod c; pub mod d;",
            "#[derive(Debug)]\npub struct A {\n    pub a: u8,\n}\nimpl A {\n    pub fn f(&self) -> u8 \
             {}\n}\nimpl Clone for A {}\npub mod d;\n",
        );
    }

    #[test]
    fn a_file_with_nothing_public_is_left_out() {
        check("fn f() {} struct A; impl A { fn g() {} }", "");
    }

    #[test]
    fn what_macros_are_given_is_kept_without_comments() {
        check(
            "macro_rules! m { () => {} } m! { /// Doc.\n A = 1; }",
            "m! {\n    A = 1;\n}\n",
        );
    }
}
