//! Reading `[[rule]]`: what it is about, when, and what it decides.

use action_core::{DurationText, Effect, Risk};
use jiff::civil::Time;

use crate::identity::PROVEN_BY;
use crate::policy::actor_pattern;
use crate::policy::problem::did_you_mean;
use crate::policy::rule::{Rule, Selector, Then};
use crate::policy::section::{At, Section, Source};
use crate::policy::window::{self, Window};

/// How long an approval may be good: whoever means longer means something else.
const LONGEST_TTL: DurationText = DurationText::from_mins(366 * 24 * 60);

const DECISIONS: [&str; 3] = ["allow", "approve", "deny"];

pub(super) fn rule<'s>(source: &'s Source<'s>, section: Section<'s>) -> Option<(usize, Rule)> {
    let (offset, line) = (section.offset, section.line());
    let name = section.required("name");
    let risks = section.texts("risk").into_iter();
    let selector = Selector {
        action: section.patterns("action"),
        subject: section.patterns("subject"),
        system: section.patterns("system"),
        actor: section.actors("actor"),
        proven_by: section
            .texts("proven_by")
            .into_iter()
            .filter_map(|word| section.read(Some(word), proven_of))
            .collect(),
        risk: risks
            .filter_map(|risk| section.read(Some(risk), risk_of))
            .collect(),
        effect: section.read(section.text("effect"), effect_of),
        reversible: section.flag("reversible"),
        takes_back: section.flag("takes_back"),
        windows: section
            .tables("window")
            .into_iter()
            .filter_map(window)
            .collect(),
    };
    let decision = section.required("decision");
    let then = match decision.as_ref().map(|decision| decision.value) {
        Some("approve") => approve(source, &section),
        other => {
            let stray = ["by", "count", "ttl", "approval_proven_by"]
                .into_iter()
                .find(|key| section.has(key));
            if let Some(key) = stray {
                section.wrong(format!("`{key}` needs `decision = \"approve\"`"));
            }
            match other {
                Some("allow") => Some(Then::Allow),
                Some("deny") => Some(Then::Deny),
                _ => None,
            }
        }
    };
    if let Some(decision) = decision.filter(|decision| !DECISIONS.contains(&decision.value)) {
        let hint = did_you_mean(decision.value, &DECISIONS).unwrap_or_default();
        let message = format!("invalid decision: use `allow`, `approve` or `deny`{hint}");
        source.wrong(decision.offset, message);
    }
    let reason = section.text("reason").map(|reason| reason.value.to_owned());
    section.finish();
    let rule = Rule {
        name: name?.value.to_owned(),
        line,
        selector,
        then: then?,
        reason,
    };
    Some((offset, rule))
}

fn approve<'s>(source: &'s Source<'s>, section: &Section<'s>) -> Option<Then> {
    if !section.has("by") {
        section
            .wrong("a rule with `decision = \"approve\"` needs `by`, such as `by = [\"user:*\"]`");
    }
    let people = section.texts("by");
    for by in &people {
        if !by.value.starts_with("user:") {
            source.wrong(
                by.offset,
                "only people can approve: use a pattern that begins with `user:`",
            );
        } else if let Some(problem) = actor_pattern::problem(by.value) {
            source.wrong(by.offset, problem);
        }
    }
    let count = match section.number("count") {
        None => Some(1),
        Some(count) => match u32::try_from(count.value) {
            Ok(value @ 1..=100) => Some(value),
            _ => {
                source.wrong(count.offset, "invalid `count`: use 1 to 100");
                None
            }
        },
    };
    if let Some(count) = count {
        enough(source, section, &people, count);
    }
    let ttl = section.required("ttl");
    let length = |text: &str| window::duration_ms("ttl", text, LONGEST_TTL);
    let ttl_ms = section.read(ttl, length);
    let proven_by = section.texts("approval_proven_by").into_iter();
    let proven_by = proven_by.filter_map(|word| section.read(Some(word), approval_proof_of));
    Some(Then::Approve {
        proven_by: proven_by.collect(),
        by: people.iter().map(|by| section.pattern(by)).collect(),
        count: count?,
        ttl_ms: ttl_ms?,
    })
}

/// Names that are written out are as many people as there are of them: more never agree.
fn enough(source: &Source<'_>, section: &Section<'_>, by: &[At<&str>], count: u32) {
    if by.is_empty() || by.iter().any(|by| by.value.contains(['*', '?'])) {
        return;
    }
    let mut names: Vec<_> = by.iter().map(|by| by.value.to_ascii_lowercase()).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() < count.try_into().unwrap_or(usize::MAX)
        && let Some(written) = section.number("count")
    {
        let message = format!(
            "`count` is {count}, but `by` names {}: nobody can approve twice, so it could never be approved; name more people, or lower `count`",
            match names.as_slice() {
                [one] => format!("one person, `{one}`"),
                more => format!("{} people", more.len()),
            }
        );
        source.wrong(written.offset, message);
    }
}

fn window(section: Section<'_>) -> Option<Window> {
    let has_days = section.has("days");
    let (has_from, has_to) = (section.has("from"), section.has("to"));
    if !(has_days || has_from || has_to) {
        section.wrong("an empty window: give `days`, or `from` and `to`, or leave `window` out");
    }
    let days = section.texts("days").into_iter();
    let days = days
        .filter_map(|day| section.read(Some(day), window::day))
        .collect();
    if has_from != has_to {
        section.wrong("a window needs both `from` and `to`, or neither");
    }
    let (from, to) = (section.text("from"), section.text("to"));
    if let (Some(from), Some(to)) = (&from, &to)
        && from.value == to.value
    {
        section.wrong(format!(
            "an empty window from `{0}` to `{0}`: leave out `from` and `to` for whole days, or `window` for always",
            from.value
        ));
    }
    let from = section.read(from, window::time);
    let to = section.read(to, window::end_time);
    section.finish();
    if has_from || has_to {
        return Some(Window {
            days,
            from: from?,
            to: to?,
        });
    }
    let midnight = Time::midnight();
    Some(Window {
        days,
        from: midnight,
        to: midnight,
    })
}

fn risk_of(text: &str) -> Result<Risk, String> {
    match text {
        "low" => Ok(Risk::Low),
        "medium" => Ok(Risk::Medium),
        "high" => Ok(Risk::High),
        _ => Err(format!("unknown risk `{text}`: use low, medium or high")),
    }
}

fn proven_of(text: &str) -> Result<&'static str, String> {
    let known = PROVEN_BY.into_iter().find(|known| *known == text);
    known.ok_or_else(|| {
        let hint = did_you_mean(text, &PROVEN_BY).unwrap_or_default();
        let known = PROVEN_BY.join("`, `");
        format!("unknown proof of identity `{text}`: use `{known}`{hint}")
    })
}

/// How it can be proven who approves.
const APPROVAL_PROVEN_BY: [&str; 4] = ["claimed", "signature", "oidc", "link"];

fn approval_proof_of(text: &str) -> Result<&'static str, String> {
    let mut known = APPROVAL_PROVEN_BY.into_iter();
    known.find(|known| *known == text).ok_or_else(|| {
        let hint = did_you_mean(text, &APPROVAL_PROVEN_BY).unwrap_or_default();
        let known = APPROVAL_PROVEN_BY.join("`, `");
        format!("unknown proof of an approver's identity `{text}`: use `{known}`{hint}")
    })
}

fn effect_of(text: &str) -> Result<Effect, String> {
    match text {
        "one_shot" => Ok(Effect::OneShot),
        "lasting" => Ok(Effect::Lasting),
        _ => Err(format!("unknown effect `{text}`: use one_shot or lasting")),
    }
}
