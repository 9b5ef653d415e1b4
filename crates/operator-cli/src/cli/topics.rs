//! `operator help TOPIC`: what belongs to no one command.

use crate::terminal::exit_code::Exit;

/// A name, what it is about, and the text.
type Topic = (&'static str, &'static str, fn() -> String);

/// What can be read about, in the order of the list.
const TOPICS: [Topic; 4] = [
    ("exit-codes", "exit codes of commands", Exit::help),
    (
        "outcomes",
        "applied, not applied, unknown, and what to do next",
        || include_str!("../topics/outcomes.txt").to_owned(),
    ),
    ("policies", "who may do what, with an example", || {
        include_str!("../topics/policies.txt").to_owned()
    }),
    ("output", "output formats, columns, times and sizes", || {
        include_str!("../topics/output.txt").to_owned()
    }),
];

/// The text of a topic.
pub(super) fn text(name: &str) -> Option<String> {
    let mut topics = TOPICS.iter();
    topics
        .find(|(topic, _, _)| *topic == name)
        .map(|(_, _, text)| text())
}

/// A line for each topic.
pub(super) fn list() -> String {
    let lines = TOPICS
        .iter()
        .map(|(name, about, _)| format!("  {name:<12}{about}"));
    let lines: Vec<_> = lines.collect();
    format!("Topics (`help TOPIC`):\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use action_guard::Policy;

    use super::*;

    #[test]
    fn the_policy_that_is_shown_is_one() {
        let text = text("policies").unwrap();
        let lines = text.lines().skip_while(|line| !line.starts_with("version"));
        let policy = lines
            .take_while(|line| !line.starts_with("Check"))
            .collect::<Vec<_>>()
            .join("\n");
        policy.parse::<Policy>().unwrap();
    }

    #[test]
    fn every_topic_fits_into_80_columns() {
        for (name, _, text) in TOPICS.iter().skip(1) {
            assert!(
                text().lines().all(|line| line.chars().count() <= 80),
                "{name}"
            );
        }
        assert!(text("nothing").is_none());
    }
}
