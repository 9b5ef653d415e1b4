//! The page of all reasons.

use std::fmt::Write as _;

use crate::observations::reasons::REASONS;

const HEAD: &str = "\
# Reasons

Why something does not move, and what was left behind. `operator why` and `operator doctor` find
these; their codes are stable. Each finding comes with what was read that shows it, and, for a
lasting effect, with the key by which a journal knows who asked for it.

Not told: moves that PD leaves undone because replicas would be less apart than before, what balancing of
hot spots would do next, and where a scheduler that shuffles sends a region: that it runs is told.
";

/// What each reason means and what to do next, in Markdown, with a table under each heading.
#[must_use]
pub fn reasons_page() -> String {
    let mut page = HEAD.to_owned();
    let mut about = "";
    for reason in REASONS {
        if reason.about != about {
            about = reason.about;
            let _ = write!(
                page,
                "\n## {about}\n\n| Code | What it means | Next |\n|---|---|---|\n"
            );
        }
        let _ = writeln!(
            page,
            "| `{}` | {} | {} |",
            reason.code, reason.meaning, reason.next
        );
    }
    page
}
