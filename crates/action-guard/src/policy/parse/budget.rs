//! Reading `[[budget]]`: what it counts, and how much of it may be.

use action_core::{DurationText, Quantity};

use crate::policy::budget::{Budget, Limit};
use crate::policy::section::Section;
use crate::policy::window;

/// How long sendings are kept at hand for budgets.
const LONGEST_PER: DurationText = DurationText::from_mins(24 * 60);

pub(super) fn budget(section: Section<'_>) -> Option<(usize, Budget)> {
    let (offset, line) = (section.offset, section.line());
    let name = section.required("name");
    let mut limits = Vec::new();
    let (actions, per) = (section.number("actions"), section.text("per"));
    if actions.is_some() != per.is_some() {
        section.wrong("a budget needs both `actions` and `per`, or neither");
    }
    let length = |text: &str| window::duration_ms("per", text, LONGEST_PER);
    let per_ms = section.read(per, length);
    if let (Some(actions), Some(per_ms)) = (actions, per_ms) {
        limits.push(Limit::Actions {
            most: actions.value,
            per_ms,
        });
    }
    let most = |key| section.number(key).map(|most| most.value);
    limits.extend(most("lasting").map(|most| Limit::Lasting { most }));
    for name in [Quantity::LEADERS, Quantity::REGIONS, Quantity::MOVED_MIB] {
        limits.extend(most(name).map(|most| Limit::InMotion { name, most }));
    }
    let domains = most("failure_domains");
    limits.extend(domains.map(|most| Limit::FailureDomains { most }));
    let action = section.patterns("action");
    let actor = section.actors("actor");
    let subject = section.patterns("subject");
    let system = section.patterns("system");
    if limits.is_empty() && !section.has("actions") {
        section.wrong(
            "a budget needs a limit: `actions` with `per`, `lasting`, `leaders`, `regions`, `moved_mib` or `failure_domains`",
        );
    }
    section.finish();
    let budget = Budget {
        name: name?.value.to_owned(),
        line,
        action,
        actor,
        subject,
        system,
        limits,
    };
    Some((offset, budget))
}
