//! What a command answers.

use std::fmt;

/// One line when all is well, what was found otherwise.
pub(crate) type Report = Result<String, Findings>;

/// What is wrong, one entry for each thing a person has to look at.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    /// Adds one more.
    pub(crate) fn add(&mut self, finding: impl Into<String>) {
        self.0.push(finding.into());
    }

    /// Adds all of others.
    pub(crate) fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// The summary if nothing was found.
    pub(crate) fn or(self, summary: String) -> Report {
        if self.0.is_empty() {
            Ok(summary)
        } else {
            Err(self)
        }
    }
}

impl From<String> for Findings {
    fn from(finding: String) -> Self {
        Self(vec![finding])
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|finding| writeln!(f, "{finding}"))
    }
}

#[cfg(test)]
impl Findings {
    /// The entries, to compare with.
    pub(crate) fn entries(&self) -> &[String] {
        &self.0
    }
}
