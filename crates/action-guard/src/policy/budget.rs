//! How much may be going on at a time.

use std::borrow::Cow;
use std::collections::BTreeSet;

use action_core::{Effect, Plan, Quantity};
use jiff::{SignedDuration, Timestamp};

use crate::policy::pattern::{Pattern, any_matches, is_of_system};
use crate::policy::question::Ask;
use crate::state::{Clusters, SentLately};

/// What was sent lately, is on its way, or is in force.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Usage<'a> {
    /// One for each mutation that was sent within a day, or is on its way or in force.
    pub used: Vec<Used<'a>>,
    /// Set when there was too much to keep: what was sent before this is not in the list.
    pub complete_since: Option<Timestamp>,
    /// What was sent within a day, where the list has only what is on its way or in force of it.
    pub(super) sent: Option<&'a SentLately>,
    /// What the systems of those are called.
    pub(super) clusters: Option<&'a Clusters>,
}

/// One mutation that counts against budgets.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Used<'a> {
    /// The action's name.
    pub action: &'a str,
    /// Who asked for it.
    pub actor: &'a str,
    /// The kind of system.
    pub subject: &'a str,
    /// The system.
    pub system: &'a str,
    /// What that system is called, if it has a name.
    pub cluster: Option<&'a str>,
    /// When it was sent.
    pub at: Timestamp,
    /// Whether it was sent and its outcome is not known.
    pub in_motion: bool,
    /// Whether it left something that is ours and in force, or may have.
    pub in_force: bool,
    /// What it would move or change.
    pub impact: Cow<'a, [Quantity]>,
    /// The failure domains it touches.
    pub failure_domains: Cow<'a, [String]>,
    /// Whether it is among what was sent within a day, which counts it.
    pub(super) is_counted: bool,
}

impl<'a> Used<'a> {
    /// Something that was sent, and has ended leaving nothing.
    #[must_use]
    pub fn new(action: &'a str, actor: &'a str, system: &'a str, at: Timestamp) -> Self {
        Self {
            action,
            actor,
            subject: "",
            system,
            cluster: None,
            at,
            in_motion: false,
            in_force: false,
            impact: Cow::default(),
            failure_domains: Cow::default(),
            is_counted: false,
        }
    }
}

/// How much of what it is about may be going on at a time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Budget {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) action: Vec<Pattern>,
    pub(super) actor: Vec<Pattern>,
    pub(super) subject: Vec<Pattern>,
    pub(super) system: Vec<Pattern>,
    pub(super) limits: Vec<Limit>,
}

/// One bound.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Limit {
    /// So many sends within so many milliseconds.
    Actions { most: u64, per_ms: u64 },
    /// So many lasting effects in force at a time.
    Lasting { most: u64 },
    /// So much of a quantity in motion at a time.
    InMotion { name: &'static str, most: u64 },
    /// So many failure domains of one system touched at a time.
    FailureDomains { most: u64 },
}

/// How one bound stands for one request.
pub(super) struct Standing {
    pub(super) what: String,
    pub(super) would_be: u64,
    pub(super) most: u64,
}

impl Budget {
    /// What of it the request would exceed.
    pub(super) fn exceeded(&self, ask: &Ask<'_>, usage: &Usage<'_>) -> Option<String> {
        let over = |standing: &Standing| standing.would_be > standing.most;
        let standing = self.standings(ask, usage).into_iter().find(over)?;
        let Standing {
            what,
            would_be,
            most,
        } = standing;
        Some(format!(
            "budget exceeded: {would_be} {what}, at most {most} allowed"
        ))
    }

    /// How its bounds stand for a request; none when the budget is not about it.
    pub(super) fn standings(&self, ask: &Ask<'_>, usage: &Usage<'_>) -> Vec<Standing> {
        if !self.counts(ask) {
            return Vec::new();
        }
        let used: Vec<&Used<'_>> = usage
            .used
            .iter()
            .filter(|used| {
                self.is_about(used.action, used.actor)
                    && self.is_on(used.subject, used.system, used.cluster)
            })
            .collect();
        self.limits
            .iter()
            .filter_map(|limit| {
                let nothing = limit.of_nothing(ask);
                nothing.or_else(|| limit.standing(self, ask, &used, usage))
            })
            .collect()
    }

    /// Why a request is beyond it at any time and whatever it is given, on the system that is asked about
    /// or, where that is not known, on those that the budget names.
    pub(super) fn never(&self, ask: &Ask<'_>) -> Option<String> {
        let is_on = self.is_on(&ask.definition.subject, ask.system, ask.cluster);
        let is_on = is_on || ask.system.is_empty();
        if ask.takes_back || !is_on || !self.is_about(&ask.definition.name, ask.actor) {
            return None;
        }
        let is_lasting = ask.definition.effect == Some(Effect::Lasting);
        let never = self.limits.iter().find_map(|limit| match limit {
            Limit::Actions { most: 0, .. } => Some("actions"),
            Limit::Lasting { most: 0 } if is_lasting => Some("lasting effects"),
            _ => None,
        })?;
        Some(format!("the budget for {never} is 0"))
    }

    /// How many of what it is about were sent after a time.
    fn sent(&self, after: Timestamp, used: &[&Used<'_>], usage: &Usage<'_>) -> usize {
        let counted = usage.sent.map_or(0, |sent| {
            sent.count(after, |about| {
                let names = usage.clusters;
                let name = names.and_then(|names| names.name_of(&about.subject, &about.system));
                self.is_about(&about.action, &about.actor)
                    && self.is_on(&about.subject, &about.system, name)
            })
        });
        let others = used.iter().filter(|used| !used.is_counted);
        counted + others.filter(|used| used.at > after).count()
    }

    /// Whether it is about a request.
    pub(super) fn counts(&self, ask: &Ask<'_>) -> bool {
        !ask.takes_back
            && self.is_about(&ask.definition.name, ask.actor)
            && self.is_on(&ask.definition.subject, ask.system, ask.cluster)
    }

    fn is_about(&self, action: &str, actor: &str) -> bool {
        any_matches(&self.action, action) && any_matches(&self.actor, actor)
    }

    fn is_on(&self, subject: &str, system: &str, cluster: Option<&str>) -> bool {
        any_matches(&self.subject, subject) && is_of_system(&self.system, system, cluster)
    }
}

impl Limit {
    fn standing(
        &self,
        budget: &Budget,
        ask: &Ask<'_>,
        used: &[&Used<'_>],
        usage: &Usage<'_>,
    ) -> Option<Standing> {
        match self {
            Self::Actions { most, per_ms } => {
                let per = SignedDuration::from_millis(i64::try_from(*per_ms).unwrap_or(i64::MAX));
                let since = ask.at.checked_sub(per).unwrap_or(Timestamp::MIN);
                let sent = budget.sent(since, used, usage);
                // What is not kept any more may have been sent within the window.
                let is_cut = (usage.complete_since).is_some_and(|complete| complete > since);
                let would_be = if is_cut {
                    u64::MAX
                } else {
                    count(sent).saturating_add(1)
                };
                Some(Standing {
                    what: format!("actions within {} s", per_ms / 1_000),
                    would_be,
                    most: *most,
                })
            }
            Self::Lasting { most } => {
                let is_lasting = ask.definition.effect == Some(Effect::Lasting);
                let in_force = used.iter().filter(|used| used.in_force).count();
                is_lasting.then(|| Standing {
                    what: "lasting effects in force".to_owned(),
                    would_be: count(in_force).saturating_add(1),
                    most: *most,
                })
            }
            Self::InMotion { name, most } => {
                let adds = amount(&ask.plan?.impact, name);
                let moving = used.iter().filter(|used| used.in_motion);
                let moving = moving.map(|used| amount(&used.impact, name));
                let would_be = moving.fold(adds, u64::saturating_add);
                (adds > 0).then(|| Standing {
                    what: format!("{name} in motion"),
                    would_be,
                    most: *most,
                })
            }
            Self::FailureDomains { most } => {
                let plan: &Plan = ask.plan?;
                let touched = used
                    .iter()
                    .filter(|used| used.system == ask.system && (used.in_motion || used.in_force))
                    .flat_map(|used| used.failure_domains.iter());
                let domains: BTreeSet<&String> = touched.chain(&plan.failure_domains).collect();
                (!plan.failure_domains.is_empty()).then(|| Standing {
                    what: "failure domains touched".to_owned(),
                    would_be: count(domains.len()),
                    most: *most,
                })
            }
        }
    }
}

impl Limit {
    /// How it stands before anything is planned where it leaves nothing of what only a plan says.
    fn of_nothing(&self, ask: &Ask<'_>) -> Option<Standing> {
        let what = match self {
            _ if ask.plan.is_some() => return None,
            Self::InMotion { name, most: 0 } => format!("{name} in motion"),
            Self::FailureDomains { most: 0 } => "failure domains touched".to_owned(),
            _ => return None,
        };
        let (would_be, most) = (0, 0);
        Some(Standing {
            what,
            would_be,
            most,
        })
    }
}

fn amount(impact: &[Quantity], name: &str) -> u64 {
    let amounts = impact.iter().filter(|quantity| quantity.name == name);
    amounts.fold(0, |sum, quantity| sum.saturating_add(quantity.value))
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
