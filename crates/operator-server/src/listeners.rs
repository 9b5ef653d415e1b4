//! Who listens to what happens: how many they are, and that it ends.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// How many may listen at a time: of one, and in all.
const OF_ONE: usize = 4;
const IN_ALL: usize = 64;

/// Those who listen.
#[derive(Debug)]
pub(crate) struct Listeners {
    places: Arc<Mutex<BTreeMap<String, usize>>>,
    ending: watch::Sender<bool>,
}

impl Default for Listeners {
    fn default() -> Self {
        Self {
            places: Arc::default(),
            ending: watch::Sender::new(false),
        }
    }
}

impl Listeners {
    /// A place for one who wants to listen, while there is one.
    pub(crate) fn place(&self, who: &str) -> Option<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = places.values().sum();
        let theirs = places.get(who).copied().unwrap_or(0);
        if all >= IN_ALL || theirs >= OF_ONE {
            return None;
        }
        places.insert(who.to_owned(), theirs + 1);
        Some(Place {
            who: who.to_owned(),
            places: Arc::clone(&self.places),
            ending: self.ending.subscribe(),
        })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.values().sum()
    }

    /// Ends what they listen to.
    pub(crate) fn end(&self) {
        self.ending.send_replace(true);
    }
}

/// The place of one who listens, until it is dropped.
pub(crate) struct Place {
    who: String,
    places: Arc<Mutex<BTreeMap<String, usize>>>,
    ending: watch::Receiver<bool>,
}

impl Place {
    /// Returns when there is nothing more to listen to.
    pub(crate) async fn ended(&mut self) {
        // Without a sender there is no gate any more.
        let _ = self.ending.wait_for(|is_over| *is_over).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(theirs) = places.get_mut(&self.who) {
            *theirs = theirs.saturating_sub(1);
            if *theirs == 0 {
                places.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_place_for_each_and_no_more_than_there_are() {
        let listeners = Listeners::default();
        let one: Vec<_> = (0..OF_ONE).map(|_| listeners.place("a").unwrap()).collect();
        assert!(listeners.place("a").is_none());
        let others: Vec<_> = (OF_ONE..IN_ALL)
            .map(|at| listeners.place(&format!("b{at}")).unwrap())
            .collect();
        assert!(listeners.place("c").is_none());
        drop(one);
        assert!(listeners.place("a").is_some() && listeners.place("c").is_some());
        drop(others);
        assert!(listeners.places.lock().unwrap().is_empty());
    }
}
