//! What was counted, and what must not have been.

use std::collections::BTreeMap;
use std::fmt;

/// What must never be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Broken {
    Unintended,
    Double,
    AfterStop,
    Misreported,
    Unlisted,
    /// Anything else that was promised.
    Rule,
}

const WORDS: [(Broken, &str); 6] = [
    (Broken::Unintended, "sends without intent"),
    (Broken::Double, "double sends"),
    (Broken::AfterStop, "sends after a stop"),
    (Broken::Misreported, "misreported outcomes"),
    (Broken::Unlisted, "effects that no list shows"),
    (Broken::Rule, "other promises broken"),
];

/// What was counted in some runs.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) runs: BTreeMap<&'static str, u64>,
    pub(super) kills: u64,
    pub(super) faults: u64,
    pub(super) stops: u64,
    pub(super) sends: usize,
    pub(super) applied: u64,
    pub(super) not_applied: u64,
    pub(super) unknown: u64,
    pub(super) broken: Vec<(Broken, String)>,
}

impl Tally {
    pub(super) fn broke(&mut self, what: Broken, told: String) {
        self.broken.push((what, told));
    }

    pub(super) fn add(&mut self, other: Self) {
        for (kind, runs) in other.runs {
            *self.runs.entry(kind).or_default() += runs;
        }
        self.kills += other.kills;
        self.faults += other.faults;
        self.stops += other.stops;
        self.sends += other.sends;
        self.applied += other.applied;
        self.not_applied += other.not_applied;
        self.unknown += other.unknown;
        self.broken.extend(other.broken);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs: u64 = self.runs.values().sum();
        let kinds: Vec<_> = self
            .runs
            .iter()
            .map(|(kind, runs)| format!("{kind} {runs}"))
            .collect();
        writeln!(
            f,
            "runs                        {runs:>7}  {}",
            kinds.join(", ")
        )?;
        writeln!(f, "kills                       {:>7}", self.kills)?;
        writeln!(f, "faults                      {:>7}", self.faults)?;
        writeln!(f, "stops                       {:>7}", self.stops)?;
        writeln!(
            f,
            "sends                       {:>7}  applied {}, not applied {}, unknown {}",
            self.sends, self.applied, self.not_applied, self.unknown
        )?;
        for (what, words) in WORDS {
            let times = self
                .broken
                .iter()
                .filter(|(broken, _)| *broken == what)
                .count();
            writeln!(f, "{words:<28}{times:>7}")?;
        }
        Ok(())
    }
}
