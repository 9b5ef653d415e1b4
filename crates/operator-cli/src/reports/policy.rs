//! What a policy says about a request, as text.

use action_core::{printable, printable_lines};
use action_guard::policy::{Answer, DecidedBy, Explanation};

use crate::terminal::table::section;

/// Which rule decides, what speaks against the others, and the budgets.
pub(crate) fn text(source: &str, explanation: &Explanation, unplanned: Option<&String>) -> String {
    let decision = &explanation.decision;
    let says = match &decision.answer {
        Answer::Allow => "Allowed".to_owned(),
        Answer::Approve {
            by, count, signed, ..
        } => {
            let signed = if *signed { ", signed" } else { "" };
            let s = if *count == 1 { "" } else { "s" };
            format!("Needs {count} approval{s} from {}{signed}", by.join(", "))
        }
        Answer::Deny { reason } => format!("Denied: {reason}"),
        other => format!("{other:?}"),
    };
    let decided = match &decision.decided_by {
        DecidedBy::Default => format!("{says}\nno rule of the policy ({source}) matches"),
        by => format!("{says}\ndecided by {by} of the policy ({source})"),
    };
    let rules = explanation.rules.iter().map(|rule| {
        let matches = rule
            .because
            .clone()
            .map_or("matches".to_owned(), |why| format!("no: {why}"));
        vec![rule.line.to_string(), rule.name.clone(), matches]
    });
    let budgets = explanation.budgets.iter().map(|budget| {
        let stands = format!("{} of {} {}", budget.would_be, budget.most, budget.what);
        vec![budget.line.to_string(), budget.name.clone(), stands]
    });
    let parts = [
        Some(printable_lines(&decided)),
        section("Rules (the first match decides)", rules.collect()),
        section("Budgets, with this request", budgets.collect()),
        unplanned.map(|why| {
            format!(
                "Budgets over quantities were not checked, because there is no plan: {}",
                printable(why)
            )
        }),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}
