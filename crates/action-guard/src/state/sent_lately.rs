//! What was sent lately, and how often, so that a budget counts it without walking over all of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::state::Activity;

/// What was sent lately, the latest at the back. It is written down as a list; the rest follows
/// from that.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Arc<Activity>>", into = "Vec<Arc<Activity>>")]
pub struct SentLately {
    all: VecDeque<Arc<Activity>>,
    /// When each was sent, by its proposal.
    at: BTreeMap<String, Timestamp>,
    /// When it was sent, by what budgets are about.
    times: BTreeMap<About, VecDeque<Timestamp>>,
}

/// What budgets want to know of a sending.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct About {
    pub(crate) action: String,
    pub(crate) actor: String,
    pub(crate) subject: String,
    pub(crate) system: String,
}

impl About {
    fn of(sent: &Activity) -> Self {
        Self {
            action: sent.action.clone(),
            actor: sent.actor.clone(),
            subject: sent.subject.clone(),
            system: sent.system.clone(),
        }
    }
}

impl SentLately {
    /// All, the latest last.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Activity>> {
        self.all.iter()
    }

    /// What was sent first of them.
    #[must_use]
    pub fn first(&self) -> Option<&Activity> {
        self.all.front().map(|first| &**first)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether nothing was sent lately.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// When the intent of a proposal was written, as far as that is kept.
    pub(crate) fn at(&self, id: &str) -> Option<Timestamp> {
        self.at.get(id).copied()
    }

    /// How many were sent after a time, of those of an action, an actor and a system that it is
    /// about.
    pub(crate) fn count(&self, after: Timestamp, is_about: impl Fn(&About) -> bool) -> usize {
        let about = |(about, _): &(&About, _)| is_about(about);
        let times = self.times.iter().filter(about).flat_map(|(_, times)| times);
        times.filter(|at| **at > after).count()
    }

    pub(crate) fn push(&mut self, sent: Activity) {
        self.at.insert(sent.id.clone(), sent.at);
        let times = self.times.entry(About::of(&sent)).or_default();
        times.push_back(sent.at);
        self.all.push_back(Arc::new(sent));
    }

    pub(crate) fn drop_first(&mut self) {
        let Some(first) = self.all.pop_front() else {
            return;
        };
        self.at.remove(&first.id);
        let about = About::of(&first);
        if let Some(times) = self.times.get_mut(&about) {
            times.pop_front();
            if times.is_empty() {
                self.times.remove(&about);
            }
        }
    }
}

impl PartialEq for SentLately {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all
    }
}

impl From<Vec<Arc<Activity>>> for SentLately {
    fn from(all: Vec<Arc<Activity>>) -> Self {
        let mut sent = Self::default();
        for one in all {
            sent.push(Arc::unwrap_or_clone(one));
        }
        sent
    }
}

impl From<SentLately> for Vec<Arc<Activity>> {
    fn from(sent: SentLately) -> Self {
        sent.all.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(second: i64, action: &str) -> Activity {
        Activity {
            at: Timestamp::from_second(second).unwrap(),
            id: format!("sent-{second}"),
            action: action.to_owned(),
            actor: "agent:night".to_owned(),
            subject: "dials".to_owned(),
            system: "one".to_owned(),
            impact: Vec::new(),
            failure_domains: Vec::new(),
        }
    }

    #[track_caller]
    fn check(kept: &SentLately, after: i64, action: &str, expected: usize) {
        let after = Timestamp::from_second(after).unwrap();
        let walked = kept
            .iter()
            .filter(|sent| sent.action == action && sent.at > after);
        assert_eq!(walked.count(), expected);
        assert_eq!(kept.count(after, |about| about.action == action), expected);
    }

    #[test]
    fn what_is_counted_is_what_is_kept() {
        let mut kept = SentLately::default();
        for (second, action) in [(1, "a"), (2, "b"), (2, "a"), (3, "a")] {
            kept.push(sent(second, action));
        }
        check(&kept, 0, "a", 3);
        check(&kept, 1, "a", 2);
        check(&kept, 3, "a", 0);
        check(&kept, 0, "b", 1);
        kept.drop_first();
        check(&kept, 0, "a", 2);
        assert_eq!(kept.at("sent-1"), None);
        kept.drop_first();
        check(&kept, 0, "b", 0);
    }

    /// It is read as it was written before there was more than the list.
    #[test]
    fn it_is_written_as_a_list() {
        let mut kept = SentLately::default();
        kept.push(sent(1, "a"));
        kept.push(sent(2, "b"));
        let written = serde_json::to_value(&kept).unwrap();
        assert_eq!(written.as_array().map(Vec::len), Some(2));
        assert_eq!(serde_json::from_value::<SentLately>(written).unwrap(), kept);
    }
}
