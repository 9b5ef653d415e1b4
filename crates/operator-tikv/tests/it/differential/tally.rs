//! Counts of how plans and PD's answers agree.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use action_core::Verdict;

/// How one request went.
pub(super) enum Outcome {
    /// Planned as accepted, and accepted.
    Accepted,
    /// Planned as refused, and refused in the same words.
    Refused,
    /// Planned as nothing to do, and PD did nothing.
    NothingToDo,
    /// The plan does not claim to know, for this reason.
    Undecided(String),
    /// Refused by us, whatever PD would say.
    Ours,
    /// Planned, and not sent.
    PlannedOnly(Verdict),
    /// The cluster changed between the plan and PD's answer, as a second plan shows.
    Overtaken,
    /// The plan and PD say different things.
    Differs(String),
}

#[derive(Default)]
struct Counts {
    accepted: u64,
    refused: u64,
    nothing: u64,
    ours: u64,
    planned: u64,
    overtaken: u64,
    undecided: BTreeMap<String, u64>,
    differs: Vec<String>,
}

#[derive(Default)]
pub(super) struct Tally(BTreeMap<&'static str, Counts>);

/// What PD decides by facts that it does not show, or by a clock that nobody reads as closely.
const CANNOT_BE_KNOWN: [&str; 5] = [
    "store_limits_not_shown",
    "store_silence_near_limit",
    "scatter_running",
    "evicted_stores_not_shown",
    "operator_in_the_way",
];

impl Tally {
    pub(super) fn count(&mut self, name: &'static str, outcome: Outcome) {
        let counts = self.0.entry(name).or_default();
        match outcome {
            Outcome::Accepted => counts.accepted += 1,
            Outcome::Refused => counts.refused += 1,
            Outcome::NothingToDo => counts.nothing += 1,
            Outcome::Ours => counts.ours += 1,
            Outcome::PlannedOnly(Verdict::Undecided { causes }) => {
                counts.planned += 1;
                let code = causes[0].code.clone();
                *counts.undecided.entry(code).or_default() += 1;
            }
            Outcome::PlannedOnly(_) => counts.planned += 1,
            Outcome::Overtaken => counts.overtaken += 1,
            Outcome::Undecided(code) => *counts.undecided.entry(code).or_default() += 1,
            Outcome::Differs(how) => counts.differs.push(how),
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        for (name, more) in other.0 {
            let counts = self.0.entry(name).or_default();
            counts.accepted += more.accepted;
            counts.refused += more.refused;
            counts.nothing += more.nothing;
            counts.ours += more.ours;
            counts.planned += more.planned;
            counts.overtaken += more.overtaken;
            for (code, count) in more.undecided {
                *counts.undecided.entry(code).or_default() += count;
            }
            counts.differs.extend(more.differs);
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.0.values().map(Counts::total).sum()
    }

    pub(super) fn overtaken(&self) -> u64 {
        self.0.values().map(|counts| counts.overtaken).sum()
    }

    /// Shares by action, for people.
    pub(super) fn table(&self) -> String {
        let mut text = format!(
            "{:<28}{:>6}{:>9}{:>8}{:>8}{:>10}{:>6}{:>8}{:>10}  agree\n",
            "action",
            "sent",
            "accepted",
            "refused",
            "no-op",
            "undecided",
            "ours",
            "planned",
            "overtaken"
        );
        let mut all = Self::default();
        for (name, counts) in &self.0 {
            counts.row(name, &mut text);
            let sum = all.0.entry("all").or_default();
            sum.accepted += counts.accepted;
            sum.refused += counts.refused;
            sum.nothing += counts.nothing;
            sum.ours += counts.ours;
            sum.planned += counts.planned;
            sum.overtaken += counts.overtaken;
            let undecided = sum.undecided.entry(String::new()).or_default();
            *undecided += counts.undecided.values().sum::<u64>();
            sum.differs.extend(counts.differs.iter().cloned());
        }
        for (name, counts) in &all.0 {
            counts.row(name, &mut text);
        }
        for (name, counts) in &self.0 {
            for (code, count) in &counts.undecided {
                let _ = writeln!(text, "undecided: {name}, {count} times: {code}");
            }
        }
        text
    }

    /// Every plan that claims to know is right, and none is undecided without need; these besides
    /// are needs.
    #[track_caller]
    pub(super) fn check(&self, besides: &[&str]) {
        let differs: Vec<&String> = self.0.values().flat_map(|one| &one.differs).collect();
        let shown = differs
            .iter()
            .take(12)
            .fold(String::new(), |mut text, one| {
                let _ = writeln!(text, "{one}");
                text
            });
        assert!(differs.is_empty(), "{} differ:\n{shown}", differs.len());
        for (name, counts) in &self.0 {
            for code in counts.undecided.keys() {
                let mut needs = CANNOT_BE_KNOWN.iter().chain(besides);
                let known = needs.any(|need| *need == code.as_str());
                assert!(known, "{name} is undecided for {code}");
            }
        }
    }
}

impl Counts {
    fn total(&self) -> u64 {
        let undecided: u64 = self.undecided.values().sum();
        self.decided() + undecided + self.ours + self.planned + self.overtaken
    }

    fn decided(&self) -> u64 {
        self.accepted + self.refused + self.nothing + self.differs.len() as u64
    }

    fn row(&self, name: &str, text: &mut String) {
        let undecided: u64 = self.undecided.values().sum();
        let decided = self.decided();
        let right = decided - self.differs.len() as u64;
        let share = if decided == 0 {
            "-".to_owned()
        } else {
            format!("{:.1} %", 100.0 * right as f64 / decided as f64)
        };
        let _ = writeln!(
            text,
            "{name:<28}{decided:>6}{:>9}{:>8}{:>8}{undecided:>10}{:>6}{:>8}{:>10}  {share}",
            self.accepted, self.refused, self.nothing, self.ours, self.planned, self.overtaken
        );
    }
}
