//! What was seen last, and what could not be seen since.

use std::time::{Duration, Instant};

use action_core::printable;
use action_guard::{Mode, State};
use jiff::Timestamp;

use super::look::{Decided, Round};
use super::panel::Panel;
use crate::subjects::who_answers;
use crate::verbs::mode::word;

/// What was seen last.
pub(super) struct Seen {
    /// Where it is looked, and how often.
    pub(super) place: String,
    pub(super) every: Duration,
    /// Which system it is, once that is known.
    pub(super) system: Option<String>,
    /// When all that is shown of the system was true.
    at: Option<Instant>,
    /// Why that is not now.
    problem: Option<String>,
    decided: Decided,
    journal_problem: Option<String>,
    of_system: Vec<Panel>,
    panels: Vec<Panel>,
}

/// How a line is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Good,
    Bad,
}

impl Seen {
    pub(super) fn new(place: String, every: Duration, decided: Decided) -> Self {
        let mut seen = Self {
            place,
            every,
            system: None,
            at: None,
            problem: None,
            decided,
            journal_problem: None,
            of_system: Vec::new(),
            panels: Vec::new(),
        };
        seen.put_together();
        seen
    }

    /// Takes what was found. What could not be found stays as it was seen last.
    pub(super) fn take(&mut self, round: Round) {
        let now = Instant::now();
        self.problem = None;
        match round.system {
            Ok(system) => self.system = Some(system),
            Err(problem) => self.problem = Some(problem),
        }
        for (definition, value) in round.values {
            let name = &definition.name;
            let known = self.of_system.iter_mut().find(|panel| panel.name == *name);
            match (value, known) {
                (Ok(value), Some(known)) => *known = Panel::of(&definition, &value),
                (Ok(value), None) => self.of_system.push(Panel::of(&definition, &value)),
                (Err(problem), _) => self.problem = Some(problem),
            }
        }
        if self.problem.is_none() {
            self.at = Some(now);
        }
        match round.journal {
            Ok(decided) => {
                self.decided = decided;
                self.journal_problem = None;
            }
            Err(problem) => self.journal_problem = Some(problem),
        }
        self.put_together();
    }

    fn put_together(&mut self) {
        let now = Timestamp::now();
        let mut panels = self.of_system.clone();
        panels.push(Panel::of_open(&self.decided.state, now));
        panels.push(Panel::of_effects(&self.decided.state, now));
        self.panels = panels;
    }

    pub(super) fn panels(&self) -> &[Panel] {
        &self.panels
    }

    /// Whether anything may be sent.
    pub(super) fn mode(&self) -> &'static str {
        let state = &self.decided.state;
        let own = self.system.as_ref().and_then(|id| state.switches.get(id));
        match own {
            Some(own) if state.mode == Mode::Execute => word(own.mode),
            _ => word(state.mode),
        }
    }

    /// Lines about what does not go on as ever, and otherwise when it was looked.
    pub(super) fn lines(&self, now: Instant) -> Vec<(Tone, String)> {
        let mut lines = Vec::new();
        let who = who_answers();
        let age = |at: Instant| now.saturating_duration_since(at).as_secs();
        match (&self.problem, self.at) {
            (None, None) => lines.push((Tone::Plain, format!("{who} is asked for the first time"))),
            (None, Some(at)) => {
                let ago = age(at);
                lines.push((Tone::Good, format!("{who} answered {ago} s ago")));
            }
            (Some(problem), at) => {
                let shown = match at {
                    Some(at) => format!("what is shown is {} s old", age(at)),
                    None => "nothing is known yet".to_owned(),
                };
                let problem = printable(problem);
                lines.push((Tone::Bad, format!("{who}: {shown}: {problem}")));
            }
        }
        if let Some(problem) = &self.journal_problem {
            let problem = printable(problem);
            lines.push((
                Tone::Bad,
                format!("journal: shown as it was before: {problem}"),
            ));
        }
        let stopped = stopped(&self.decided, self.system.as_deref());
        lines.extend(stopped.map(|stopped| (Tone::Bad, stopped)));
        lines
    }
}

/// Who stopped everything, or this system.
fn stopped(decided: &Decided, system: Option<&str>) -> Option<String> {
    let state: &State = &decided.state;
    let own = system.and_then(|system| state.switches.get(system));
    let killed = state
        .killed
        .as_ref()
        .or_else(|| own.and_then(|own| own.killed.as_ref()));
    match killed {
        Some(killed) => {
            let reason = printable(&killed.reason);
            Some(format!("stopped by {}: {reason}", killed.by))
        }
        None if decided.kill_file => Some("stopped by a `KILL` file".to_owned()),
        None => None,
    }
}
