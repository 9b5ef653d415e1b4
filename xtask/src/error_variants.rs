//! The variants of our errors in `docs/errors.md`, from the sources.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use syn::{Expr, ExprMatch, ImplItem, Item, ItemEnum, Lit, Meta, Pat};

use crate::findings::Findings;
use crate::workspace::Workspace;

/// Methods that say of each variant what to do about it.
const METHODS: &[&str] = &["kind", "class"];

/// A crate whose errors nobody meets but who tests against it.
const LEFT_OUT: &str = "pd-sim";

/// A section for each error that a crate shows, with a row for each of its variants. That what is
/// `pub` can be met is what the lint `unreachable_pub` is for.
pub(crate) fn sections(workspace: &Workspace) -> Result<String, Findings> {
    let mut page = String::new();
    for path in workspace.files("crates")? {
        let inside = path.strip_prefix("crates/").unwrap_or(&path);
        let Some((folder, inside)) = inside.split_once("/src/") else {
            continue;
        };
        if folder == LEFT_OUT || !inside.ends_with(".rs") {
            continue;
        }
        let text = workspace.read(&path)?;
        let krate = folder.replace('-', "_");
        let sections = sections_of(&krate, &text).map_err(|what| format!("{path}: {what}"))?;
        page.push_str(&sections);
    }
    Ok(page)
}

/// Those of one file of a crate.
fn sections_of(krate: &str, text: &str) -> Result<String, String> {
    if !text.contains("thiserror::Error") {
        return Ok(String::new());
    }
    let file = syn::parse_file(text).map_err(|error| error.to_string())?;
    let mut page = String::new();
    for item in &file.items {
        match item {
            Item::Enum(item) if is_shown(&item.vis, &item.attrs) => {
                let short = item.ident.to_string();
                let kinds = METHODS.iter().find_map(|method| {
                    let kinds = kinds(&file, &short, method);
                    (!kinds.is_empty()).then_some((*method, kinds))
                });
                page.push_str(&table(&format!("{krate}::{short}"), item, kinds.as_ref()));
            }
            Item::Struct(item) if is_shown(&item.vis, &item.attrs) => {
                let (short, meaning) = (&item.ident, meaning(&item.attrs));
                let _ = write!(page, "\n### `{krate}::{short}`\n\n{meaning}\n");
            }
            _ => {}
        }
    }
    Ok(page)
}

fn is_shown(visibility: &syn::Visibility, attributes: &[syn::Attribute]) -> bool {
    let is_error = attributes.iter().any(|attribute| {
        let is_derive = attribute.path().is_ident("derive");
        let derives = attribute.meta.require_list().ok();
        let derives = derives.map(|list| list.tokens.to_string().replace(' ', ""));
        is_derive && derives.is_some_and(|derives| derives.contains("thiserror::Error"))
    });
    is_error && matches!(visibility, syn::Visibility::Public(_))
}

fn table(name: &str, item: &ItemEnum, kinds: Option<&(&str, BTreeMap<String, String>)>) -> String {
    let head = kinds.map_or_else(String::new, |(method, _)| format!(" `{method}()` |"));
    let line = if kinds.is_some() { "---|" } else { "" };
    let mut table =
        format!("\n### `{name}`\n\n| Variant | What it means |{head}\n|---|---|{line}\n");
    for variant in &item.variants {
        let name = variant.ident.to_string();
        let _ = write!(table, "| `{name}` | {} |", meaning(&variant.attrs));
        if let Some((_, kinds)) = kinds {
            let kind = kinds.get(&name).map_or("its cause's", String::as_str);
            let _ = write!(table, " {kind} |");
        }
        table.push('\n');
    }
    table
}

/// The first paragraph of the documentation.
fn meaning(attributes: &[syn::Attribute]) -> String {
    paragraphs(attributes)
        .into_iter()
        .next()
        .unwrap_or_default()
}

/// The paragraphs of the documentation, each on one line, without links.
pub(crate) fn paragraphs(attributes: &[syn::Attribute]) -> Vec<String> {
    let lines = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                Expr::Lit(literal) => match &literal.lit {
                    Lit::Str(text) => Some(text.value()),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        });
    let lines: Vec<String> = lines.map(|line| line.trim().to_owned()).collect();
    let paragraphs = lines.split(|line| line.is_empty());
    let text = paragraphs.map(|lines| without_links(&lines.join(" ")));
    text.filter(|text| !text.is_empty()).collect()
}

/// `[text](target)` as `text`, and a `|` so that it ends no cell.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        plain.push_str(before);
        let Some((name, after)) = link.split_once(']') else {
            rest = link;
            continue;
        };
        plain.push_str(name);
        rest = match after
            .strip_prefix('(')
            .and_then(|target| target.split_once(')'))
        {
            Some((_, after)) => after,
            None => after,
        };
    }
    plain.push_str(rest);
    plain.replace("  ", " ").replace('|', "\\|")
}

/// What a method that is one `match` over the variants answers for each.
fn kinds(file: &syn::File, of: &str, method: &str) -> BTreeMap<String, String> {
    let mut kinds = BTreeMap::new();
    for item in &file.items {
        let Item::Impl(item) = item else { continue };
        let is_of = matches!(&*item.self_ty, syn::Type::Path(path) if path.path.is_ident(of));
        for member in &item.items {
            if let ImplItem::Fn(function) = member
                && is_of
                && function.sig.ident == method
                && let Some(syn::Stmt::Expr(Expr::Match(found), _)) = function.block.stmts.last()
            {
                arms(found, &mut kinds);
            }
        }
    }
    kinds
}

fn arms(found: &ExprMatch, kinds: &mut BTreeMap<String, String>) {
    for arm in &found.arms {
        let Expr::Path(answer) = &*arm.body else {
            continue;
        };
        let Some(answer) = answer.path.segments.last() else {
            continue;
        };
        for (variant, inner) in variants(&arm.pat) {
            let kind = match inner {
                Some(inner) => format!("`{}` for `{inner}`", answer.ident),
                None => format!("`{}`", answer.ident),
            };
            let entry = kinds.entry(variant).or_default();
            if !entry.is_empty() {
                entry.push_str(", else ");
            }
            entry.push_str(&kind);
        }
    }
}

/// The variants in a pattern, and the variant within where only one is meant.
fn variants(pattern: &Pat) -> Vec<(String, Option<String>)> {
    let last = |path: &syn::Path| {
        path.segments
            .last()
            .map(|segment| segment.ident.to_string())
    };
    match pattern {
        Pat::Or(any) => any.cases.iter().flat_map(variants).collect(),
        Pat::Path(path) => last(&path.path)
            .map(|name| (name, None))
            .into_iter()
            .collect(),
        Pat::Struct(found) => last(&found.path)
            .map(|name| (name, None))
            .into_iter()
            .collect(),
        Pat::TupleStruct(found) => {
            let inner = found.elems.first().map(variants).unwrap_or_default();
            let inner = inner.into_iter().next().map(|(name, _)| name);
            last(&found.path)
                .map(|name| (name, inner))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::sections_of;

    #[test]
    fn variants_come_with_their_meaning_and_kind() {
        let text = "/// E.\n#[derive(Debug, thiserror::Error)]\npub enum E {\n/// It is [`a`](x)\n/// thing.\n///\n/// More.\nA(u8),\n\
                    /// B.\nB { c: u8 },\n/// C.\nC(F),\n}\n\
                    impl E { fn kind(&self) -> K { match self { Self::A(error) => error.kind(), \
                    Self::C(F::G { .. }) => K::Busy, Self::B { .. } | Self::C(_) => K::No } } }\n\
                    /// S.\n#[derive(thiserror::Error)]\npub struct S;\n\
                    #[derive(thiserror::Error)]\nenum Private {}\n\
                    /// No error.\npub enum Other {}";
        assert_eq!(
            sections_of("x", text).unwrap(),
            "\n### `x::E`\n\n| Variant | What it means | `kind()` |\n|---|---|---|\n\
             | `A` | It is `a` thing. | its cause's |\n| `B` | B. | `No` |\n\
             | `C` | C. | `Busy` for `G`, else `No` |\n\n### `x::S`\n\nS.\n"
        );
    }
}
