//! The table of `docs/embedding.md`: how a mutation can stand, from the enum.

use std::fmt::Write as _;

use syn::Item;

use crate::error_variants::paragraphs;
use crate::findings::Findings;
use crate::workspace::Workspace;

const FILE: &str = "crates/action-guard/src/proposal/standing.rs";

/// A row for each variant: what it means, what a loop does, what a model is told.
pub(crate) fn table(workspace: &Workspace) -> Result<String, Findings> {
    let rows = rows(&workspace.read(FILE)?);
    rows.map_err(|what| Findings::from(format!("{FILE}: {what}")))
}

fn rows(text: &str) -> Result<String, String> {
    let file = syn::parse_file(text).map_err(|error| error.to_string())?;
    let found = file.items.iter().find_map(|item| match item {
        Item::Enum(item) if item.ident == "Standing" => Some(item),
        _ => None,
    });
    let found = found.ok_or("has no enum `Standing`")?;
    let mut table = "| `Standing::…` | What it means | What a loop does | What a model is told |\n\
         |---|---|---|---|\n"
        .to_owned();
    for variant in &found.variants {
        let name = &variant.ident;
        let [meaning, does, told] = &paragraphs(&variant.attrs)[..] else {
            return Err(format!(
                "the documentation of `{name}` has not three paragraphs: what it means, what a \
                 loop does, what a model is told"
            ));
        };
        let _ = writeln!(table, "| `{name}` | {meaning} | {does} | {told} |");
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn each_variant_says_what_a_loop_does_and_what_a_model_is_told() {
        let text =
            "pub enum Standing {\n/// It is so.\n///\n/// Goes\n/// on.\n///\n/// All.\nA(u8),\n}";
        let table = rows(text).unwrap();
        assert!(
            table.ends_with("|\n| `A` | It is so. | Goes on. | All. |\n"),
            "{table}"
        );
        let wrong = rows("pub enum Standing {\n/// It is so.\nB,\n}").unwrap_err();
        assert!(
            wrong.starts_with("the documentation of `B` has not three"),
            "{wrong}"
        );
    }
}
