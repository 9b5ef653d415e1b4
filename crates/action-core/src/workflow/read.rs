//! Reads a workflow that somebody wrote, and finds all that is wrong with it at once.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::declare::STEPS;
use crate::printable::printable;
use crate::workflow::Workflow;
use crate::workflow::condition::Condition;
use crate::workflow::duration_text::DurationText;
use crate::workflow::order::{MOST_STEPS, too_many};
use crate::workflow::problem::{WorkflowError, WorkflowProblem, nearest};
use crate::workflow::step::{Retry, Step};

/// Of all of it, as JSON.
const LONGEST: usize = 128 * 1024;
const LONGEST_LINE: usize = 200;
const LONGEST_TEXT: usize = 1_000;
const MOST_RETRIES: u32 = 10;
const MOST_READINGS: u32 = 100;

/// What belongs only to steps of some kinds.
const OF_ONE_KIND: &[&str] = &[
    "parameters",
    "lease",
    "keep",
    "retry",
    "until",
    "readings",
    "poll",
    "within",
    "by",
];

impl Workflow {
    /// Reads a document, such as one from TOML or JSON. A step that does not say what it `needs`
    /// needs the step before it; `needs = []` is for one that needs none.
    ///
    /// # Errors
    /// All that is wrong with it, whether in its words or in its order. Whether its actions exist
    /// is for [`read_for`](Self::read_for) to say.
    pub fn read(document: &Value) -> Result<Self, WorkflowError> {
        let (workflow, problems) = Self::read_as_it_is(document)?;
        WorkflowError::unless_empty(problems)?;
        Ok(workflow)
    }

    /// As much as can be read, and what is wrong with it.
    pub(super) fn read_as_it_is(
        document: &Value,
    ) -> Result<(Self, Vec<WorkflowProblem>), WorkflowError> {
        WorkflowError::unless_empty(too_much(document))?;
        let mut problems = Vec::new();
        let mut root = Members::of(document, "", &mut problems);
        let title: String = root.required("title", "what it does, in one line");
        let steps = root.list(STEPS);
        root.finish(&[]);
        line("title", &title, LONGEST_LINE, &mut problems);
        let mut workflow = Self::new(title);
        for (at, step) in steps.iter().enumerate() {
            let before = workflow.steps.last().map(|step| step.id.clone());
            let step = read_step(step, at, before, &mut problems);
            workflow.steps.push(step);
        }
        problems.extend(workflow.order_problems());
        Ok((workflow, problems))
    }
}

/// What is too much of a document: the rest of it is not looked at then.
fn too_much(document: &Value) -> Vec<WorkflowProblem> {
    if document.to_string().len() > LONGEST {
        let text = format!("longer than {LONGEST} bytes of JSON");
        return vec![WorkflowProblem::new("", text)];
    }
    let steps = document.get(STEPS).and_then(Value::as_array);
    let steps = steps.map_or(0, Vec::len);
    match steps > MOST_STEPS {
        true => vec![too_many(steps)],
        false => Vec::new(),
    }
}

fn read_step(
    value: &Value,
    at: usize,
    before: Option<String>,
    problems: &mut Vec<WorkflowProblem>,
) -> Step {
    let place = match value.get("id").and_then(Value::as_str) {
        Some(id) => format!("step `{}`", id.chars().take(40).collect::<String>()),
        None => format!("step {}", at + 1),
    };
    let mut members = Members::of(value, &place, problems);
    let mut step = Step {
        id: members.required("id", "a name, such as `drain-4`"),
        title: members.optional("title", "text"),
        needs: members
            .optional("needs", "a list of ids of steps")
            .unwrap_or_else(|| before.into_iter().collect()),
        action: members.optional("action", "the name of a mutation"),
        undo: members.optional("undo", "the id of an earlier step"),
        observe: members.optional("observe", "the name of an observation"),
        confirm: members.optional("confirm", "the manual work, in words"),
        ..Step::default()
    };
    let kinds = [&step.action, &step.undo, &step.observe, &step.confirm];
    let kinds = kinds.iter().filter(|kind| kind.is_some()).count();
    if kinds != 1 {
        let text =
            format!("has {kinds} of `action`, `undo`, `observe` and `confirm`: give exactly one");
        members.problem("", text);
    }
    read_what_it_takes(&mut step, &mut members);
    let foreign = match kinds {
        1 => &[],
        // What it is decides what belongs to it.
        _ => OF_ONE_KIND,
    };
    members.finish(foreign);
    id(&place, &step.id, problems);
    let texts = [
        (&step.title, LONGEST_LINE, "title"),
        (&step.confirm, LONGEST_TEXT, "confirm"),
    ];
    for (text, longest, name) in texts {
        if let Some(text) = text {
            line(&format!("{place}: `{name}`"), text, longest, problems);
        }
    }
    step
}

/// Reads what belongs to a step of its kind.
fn read_what_it_takes(step: &mut Step, members: &mut Members<'_>) {
    if step.action.is_some() || step.observe.is_some() {
        step.parameters = members
            .optional("parameters", "a table of parameters")
            .unwrap_or_default();
    }
    if step.action.is_some() {
        step.lease = members.span("lease");
        step.keep = members
            .optional("keep", "`true` or `false`")
            .unwrap_or_default();
    }
    if step.action.is_some() || step.undo.is_some() {
        step.retry = members
            .take("retry")
            .map(|retry| read_retry(&retry, members));
    }
    if step.observe.is_some() {
        read_wait(step, members);
    }
    if step.observe.is_some() || step.confirm.is_some() {
        step.within = members.span("within");
    }
    if step.confirm.is_some() {
        step.by = members
            .optional("by", "a list of patterns, such as `[\"user:*\"]`")
            .unwrap_or_default();
        if !step.by.iter().all(|pattern| names_people(pattern)) {
            let text = "only people can confirm: use `user:` and a name, with `*` and `?`";
            members.problem("by", text);
        }
    }
}

/// Reads what an observation is looked at for.
fn read_wait(step: &mut Step, members: &mut Members<'_>) {
    let until = members.list("until");
    if until.is_empty() {
        members.problem("until", "missing, expected a list of conditions");
    }
    step.until = until
        .iter()
        .map(|condition| read_condition(condition, members))
        .collect();
    step.readings = members.optional("readings", "a number");
    if step
        .readings
        .is_some_and(|times| times == 0 || times > MOST_READINGS)
    {
        members.problem("readings", format!("expected 1 to {MOST_READINGS}"));
    }
    step.poll = members.span("poll");
}

fn read_retry(value: &Value, outer: &mut Members<'_>) -> Retry {
    let place = outer.place("retry");
    let mut members = Members::of(value, &place, outer.problems);
    let mut retry = Retry::times(members.required("times", "a number from 1 to 10"));
    retry.first = members.span("first").unwrap_or(retry.first);
    retry.longest = members.span("longest").unwrap_or(retry.longest);
    if retry.times > MOST_RETRIES {
        members.problem("times", format!("expected at most {MOST_RETRIES}"));
    }
    if retry.first > retry.longest || retry.first == DurationText::from_millis(0) {
        members.problem("first", "expected more than `0s` and at most `longest`");
    }
    members.finish(&[]);
    retry
}

fn read_condition(value: &Value, outer: &mut Members<'_>) -> Condition {
    let place = outer.place("until");
    let mut members = Members::of(value, &place, outer.problems);
    let condition = Condition {
        at: members.required("at", "a JSON pointer, such as `/store/leader_count`"),
        equals: members.take("equals"),
        at_least: members.optional("at_least", "a number"),
        at_most: members.optional("at_most", "a number"),
    };
    let Condition {
        equals,
        at_least,
        at_most,
        ..
    } = &condition;
    let tests = [equals.is_some(), at_least.is_some(), at_most.is_some()];
    if tests.iter().filter(|given| **given).count() != 1 {
        members.problem(
            "",
            "expected exactly one of `equals`, `at_least` and `at_most`",
        );
    }
    if !condition.at.is_empty() && !condition.at.starts_with('/') {
        members.problem("at", "expected a JSON pointer, which begins with `/`");
    }
    members.finish(&[]);
    condition
}

fn id(place: &str, id: &str, problems: &mut Vec<WorkflowProblem>) {
    let tail =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    let is_id = id
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_lowercase())
        && id.len() <= 40
        && id.bytes().all(tail);
    if !is_id && !id.is_empty() {
        let text = "expected a lower-case letter, then lower-case letters, digits, `-` and `_`, at most 40";
        problems.push(WorkflowProblem::new(format!("{place}: `id`"), text));
    }
}

/// Whether a pattern is about people and can match the name of one.
fn names_people(pattern: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._@/+=:-*?".contains(&byte);
    pattern
        .strip_prefix("user:")
        .is_some_and(|name| (1..=128).contains(&name.len()) && name.bytes().all(is_name))
}

fn line(place: &str, text: &str, longest: usize, problems: &mut Vec<WorkflowProblem>) {
    if text.chars().count() > longest || text.chars().any(char::is_control) {
        let text = format!("expected at most {longest} characters, on one line");
        problems.push(WorkflowProblem::new(place, text));
    }
}

/// The members of an object, taken one by one; what is left at the end is unknown.
struct Members<'a> {
    left: Map<String, Value>,
    known: Vec<&'static str>,
    place: String,
    problems: &'a mut Vec<WorkflowProblem>,
}

impl<'a> Members<'a> {
    fn of(value: &Value, place: &str, problems: &'a mut Vec<WorkflowProblem>) -> Self {
        let left = value.as_object().cloned().unwrap_or_default();
        let mut members = Self {
            left,
            known: Vec::new(),
            place: place.to_owned(),
            problems,
        };
        if !value.is_object() {
            members.problem("", "expected a table");
        }
        members
    }

    fn place(&self, name: &str) -> String {
        match (self.place.is_empty(), name.is_empty()) {
            (true, true) => String::new(),
            (true, false) => format!("`{name}`"),
            (false, true) => self.place.clone(),
            (false, false) => format!("{}: `{name}`", self.place),
        }
    }

    fn problem(&mut self, name: &str, text: impl Into<String>) {
        let place = self.place(name);
        self.problems.push(WorkflowProblem::new(place, text));
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.left.remove(name)
    }

    fn optional<T: DeserializeOwned>(&mut self, name: &'static str, right: &str) -> Option<T> {
        let value = self.take(name)?;
        let read = serde_json::from_value(value);
        if read.is_err() {
            self.problem(name, format!("expected {right}"));
        }
        read.ok()
    }

    fn required<T: DeserializeOwned + Default>(&mut self, name: &'static str, right: &str) -> T {
        if !self.left.contains_key(name) {
            self.known.push(name);
            self.problem(name, format!("missing, expected {right}"));
            return T::default();
        }
        self.optional(name, right).unwrap_or_default()
    }

    fn span(&mut self, name: &'static str) -> Option<DurationText> {
        self.optional(name, "a duration, such as `90s`, `10m` or `1h30m`")
    }

    fn list(&mut self, name: &'static str) -> Vec<Value> {
        match self.take(name) {
            Some(Value::Array(items)) => items,
            None if name != STEPS => Vec::new(),
            _ => {
                self.problem(name, "expected a list of tables");
                Vec::new()
            }
        }
    }

    /// Names what is unknown. Nothing is said of `spared`.
    fn finish(mut self, spared: &[&str]) {
        let left: Vec<String> = self.left.keys().cloned().collect();
        for name in left.iter().filter(|name| !spared.contains(&name.as_str())) {
            let meant = nearest(name, self.known.iter().copied());
            let hint = meant.map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
            let name: String = name.chars().take(40).collect();
            self.problem(&printable(&name), format!("unknown key{hint}"));
        }
    }
}
