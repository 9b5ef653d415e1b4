//! One rule: what it is about, and what it says.

use action_core::{Effect, Risk};

use crate::policy::pattern::{Pattern, any_matches, is_of_system};
use crate::policy::question::Ask;
use crate::policy::window::Window;

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) selector: Selector,
    pub(super) then: Then,
    /// Why, when it says no.
    pub(super) reason: Option<String>,
}

/// What a rule says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Then {
    Allow,
    Approve {
        by: Vec<Pattern>,
        count: u32,
        ttl_ms: u64,
        /// The words for how it must be proven who approves.
        proven_by: Vec<&'static str>,
    },
    Deny,
}

/// What a rule is about: all that is given must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Selector {
    pub(super) action: Vec<Pattern>,
    pub(super) subject: Vec<Pattern>,
    pub(super) system: Vec<Pattern>,
    pub(super) actor: Vec<Pattern>,
    /// The words for how it was proven who asks.
    pub(super) proven_by: Vec<&'static str>,
    pub(super) risk: Vec<Risk>,
    pub(super) effect: Option<Effect>,
    pub(super) reversible: Option<bool>,
    pub(super) takes_back: Option<bool>,
    pub(super) windows: Vec<Window>,
}

impl Selector {
    /// Whether it is about everything.
    pub(super) fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// The first thing about the request that the rule is not about.
    pub(super) fn mismatch(&self, ask: &Ask<'_>) -> Option<String> {
        let definition = ask.definition;
        let texts = [
            ("action", &self.action, definition.name.as_str()),
            ("subject", &self.subject, definition.subject.as_str()),
            ("actor", &self.actor, ask.actor),
        ];
        for (what, patterns, text) in texts {
            if !any_matches(patterns, text) {
                return Some(format!("{what} is `{text}`"));
            }
        }
        if !self.proven_by.is_empty() && !self.proven_by.contains(&ask.proven_by.word()) {
            return Some(match ask.proven_by.is_claimed() {
                true => "the identity is claimed, not proven".to_owned(),
                false => format!("the identity is proven by {}", ask.proven_by.word()),
            });
        }
        if !is_of_system(&self.system, ask.system, ask.cluster) {
            let called = ask
                .cluster
                .map(|name| format!("system is `{name}` (`{}`)", ask.system));
            return Some(called.unwrap_or_else(|| format!("system is `{}`", ask.system)));
        }
        if !self.risk.is_empty()
            && !definition
                .risk
                .is_some_and(|risk| self.risk.contains(&risk))
        {
            return Some(format!("risk is {}", word(&definition.risk)));
        }
        if self.effect.is_some() && self.effect != definition.effect {
            return Some(format!("effect is {}", word(&definition.effect)));
        }
        let flags = [
            (
                self.reversible,
                definition.reversible,
                "it is reversible",
                "it is not reversible",
            ),
            (
                self.takes_back,
                ask.takes_back,
                "it takes back an effect of ours",
                "it takes back no effect of ours",
            ),
        ];
        for (wanted, is, yes, no) in flags {
            if wanted.is_some_and(|wanted| wanted != is) {
                return Some(if is { yes } else { no }.to_owned());
            }
        }
        let inside = |window: &Window| window.contains(ask.at);
        if !self.windows.is_empty() && !self.windows.iter().any(inside) {
            let windows: Vec<_> = self.windows.iter().map(Window::to_string).collect();
            return Some(format!("it is outside {}", windows.join(", ")));
        }
        None
    }
}

/// The word that stands for a value in JSON and in policies.
pub(super) fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => "not declared".to_owned(),
    }
}
