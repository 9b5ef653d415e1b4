//! The variants of our errors in `docs/errors.md`, from the sources.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use syn::{Expr, ExprMatch, ImplItem, Item, ItemEnum, Lit, Meta, Pat};

use crate::findings::Findings;
use crate::workspace::Workspace;

/// An error that callers see, and the method that says what to do about it.
struct Source {
    name: &'static str,
    file: &'static str,
    kind: Option<&'static str>,
}

const SOURCES: &[Source] = &[
    Source {
        name: "pd_client::Error",
        file: "crates/pd-client/src/error.rs",
        kind: Some("class"),
    },
    Source {
        name: "action_core::ActionError",
        file: "crates/action-core/src/error.rs",
        kind: Some("kind"),
    },
    Source {
        name: "action_guard::GuardError",
        file: "crates/action-guard/src/guard/error.rs",
        kind: Some("kind"),
    },
    Source {
        name: "action_guard::Refusal",
        file: "crates/action-guard/src/proposal/refusal.rs",
        kind: None,
    },
];

/// A section for each error, with a row for each of its variants.
pub(crate) fn sections(workspace: &Workspace) -> Result<String, Findings> {
    let mut page = String::new();
    for source in SOURCES {
        let text = workspace.read(source.file)?;
        let section = section(source, &text).map_err(|what| format!("{}: {what}", source.file))?;
        page.push_str(&section);
    }
    Ok(page)
}

fn section(source: &Source, text: &str) -> Result<String, String> {
    let file = syn::parse_file(text).map_err(|error| error.to_string())?;
    let short = source.name.rsplit(':').next().unwrap_or(source.name);
    let of_that_name = |item: &Item| match item {
        Item::Enum(item) if item.ident == short => Some(item.clone()),
        _ => None,
    };
    let item = file.items.iter().find_map(of_that_name);
    let item = item.ok_or_else(|| format!("has no enum `{short}`"))?;
    let kinds = source
        .kind
        .map(|method| (method, kinds(&file, short, method)));
    Ok(table(source.name, &item, kinds.as_ref()))
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

/// The first paragraph of the documentation, on one line, without links.
fn meaning(attributes: &[syn::Attribute]) -> String {
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
    let first = lines.take_while(|line| !line.trim().is_empty());
    let text = first.collect::<Vec<_>>().join(" ");
    without_links(text.trim())
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
    use super::{Source, section};

    #[test]
    fn variants_come_with_their_meaning_and_kind() {
        let text = "/// E.\npub enum E {\n/// It is [`a`](x)\n/// thing.\n///\n/// More.\nA(u8),\n\
                    /// B.\nB { c: u8 },\n/// C.\nC(F),\n}\n\
                    impl E { fn kind(&self) -> K { match self { Self::A(error) => error.kind(), \
                    Self::C(F::G { .. }) => K::Busy, Self::B { .. } | Self::C(_) => K::No } } }";
        let source = Source {
            name: "x::E",
            file: "",
            kind: Some("kind"),
        };
        assert_eq!(
            section(&source, text).unwrap(),
            "\n### `x::E`\n\n| Variant | What it means | `kind()` |\n|---|---|---|\n\
             | `A` | It is `a` thing. | its cause's |\n| `B` | B. | `No` |\n\
             | `C` | C. | `Busy` for `G`, else `No` |\n"
        );
    }
}
