//! Drafts that were shown: a proposal that is made of one has its id, so that what was shown holds.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use action_guard::Actor;

/// How long one is known: as long as a proposal lasts.
const LASTS: Duration = Duration::from_hours(1);

/// How many are known at a time: of one, and in all. The oldest are forgotten for newer ones.
const OF_ONE: usize = 32;
const IN_ALL: usize = 4_096;

/// The ids of drafts, which this gate has made and shown. An id that it has not is nobody's to choose.
#[derive(Debug, Default)]
pub(crate) struct Shown(Mutex<BTreeMap<String, (String, Instant)>>);

impl Shown {
    /// Keeps that this one was shown a draft.
    pub(crate) fn keep(&self, id: &str, who: &Actor) {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shown.retain(|_, (_, at)| at.elapsed() < LASTS);
        let is_theirs = |known: &str| known.eq_ignore_ascii_case(who.as_str());
        let theirs = shown.values().filter(|(known, _)| is_theirs(known)).count();
        let (is_full, is_many) = (shown.len() >= IN_ALL, theirs >= OF_ONE);
        if is_full || is_many {
            let mut all: Vec<_> = shown.iter().collect();
            all.retain(|(_, (known, _))| is_full || is_theirs(known));
            let oldest = all.into_iter().min_by_key(|(_, (_, at))| *at);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                shown.remove(&oldest);
            }
        }
        shown.insert(id.to_owned(), (who.as_str().to_owned(), Instant::now()));
    }

    /// The id of a draft that this one was shown lately. It is taken once.
    pub(crate) fn take(&self, id: &str, who: &Actor) -> Option<String> {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, at) = shown.get(id)?;
        let is_theirs = known.eq_ignore_ascii_case(who.as_str()) && at.elapsed() < LASTS;
        is_theirs.then(|| shown.remove_entry(id))?.map(|(id, _)| id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_once_and_by_who_was_shown_it() {
        let shown = Shown::default();
        let [night, day] = ["agent:night", "agent:day"].map(|who| who.parse::<Actor>().unwrap());
        shown.keep("a", &night);
        assert_eq!(shown.take("a", &day), None);
        assert_eq!(shown.take("b", &night), None);
        assert_eq!(shown.take("a", &night).as_deref(), Some("a"));
        assert_eq!(shown.take("a", &night), None);
    }

    #[test]
    fn who_asks_for_many_drafts_puts_out_their_own() {
        let shown = Shown::default();
        let [night, day] = ["agent:night", "agent:day"].map(|who| who.parse::<Actor>().unwrap());
        shown.keep("day", &day);
        for at in 0..=OF_ONE {
            shown.keep(&format!("night {at}"), &night);
        }
        assert_eq!(shown.take("night 0", &night), None);
        assert!(shown.take("night 1", &night).is_some());
        assert!(shown.take("day", &day).is_some());
    }
}
