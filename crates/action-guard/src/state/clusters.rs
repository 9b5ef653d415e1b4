//! The systems that have a name: one name is one system, and one system has one name.

use serde::{Deserialize, Serialize};

use crate::identity::{NameClash, Target};

/// The systems that have a name, in the order in which they were first named. A name stays with its
/// system for as long as there is the journal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Clusters(Vec<Target>);

impl Clusters {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Target> {
        self.0.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a system is called.
    #[must_use]
    pub fn name_of(&self, subject: &str, system: &str) -> Option<&str> {
        let mut known = self.0.iter();
        known
            .find(|known| known.subject == subject && known.system == system)
            .and_then(|known| known.cluster.as_deref())
    }

    /// Refuses a name that is another system's, and another name for a system that has one.
    ///
    /// # Errors
    /// Which of both, with both systems or both names.
    pub fn check(&self, target: &Target) -> Result<(), NameClash> {
        let Some(name) = &target.cluster else {
            return Ok(());
        };
        for known in &self.0 {
            let is_same = known.is_same_system(target);
            let Some(known_name) = &known.cluster else {
                continue;
            };
            if known_name == name && !is_same {
                return Err(NameClash::OtherSystem {
                    cluster: name.clone(),
                    known: known.system.clone(),
                    found: target.system.clone(),
                });
            }
            if known_name != name && is_same {
                return Err(NameClash::OtherName {
                    system: target.system.clone(),
                    known: known_name.clone(),
                    found: name.clone(),
                });
            }
        }
        Ok(())
    }

    /// The same system by the name that it has here, whatever it was called.
    pub(crate) fn by_its_name(&self, target: Target) -> Target {
        let mut known = self.0.iter();
        let known = known.find(|known| known.is_same_system(&target));
        known.cloned().unwrap_or(target)
    }

    /// Whether a name is not known yet.
    pub(crate) fn is_new(&self, target: &Target) -> bool {
        target.cluster.is_some() && !self.0.contains(target)
    }

    /// Keeps a name that is not known yet.
    pub(crate) fn add(&mut self, target: Target) {
        self.0.push(target);
    }
}
