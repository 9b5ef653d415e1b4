//! Which step comes after which, and whether that can be.

use std::collections::{BTreeMap, BTreeSet};

use crate::printable::printable;
use crate::workflow::Workflow;
use crate::workflow::problem::{WorkflowProblem, nearest};
use crate::workflow::step::{Step, Work};

/// Of one workflow.
pub(super) const MOST_STEPS: usize = 512;

/// That there are not as many as there may be.
pub(super) fn too_many(steps: usize) -> WorkflowProblem {
    WorkflowProblem::new("", format!("has {steps} steps, expected 1 to {MOST_STEPS}"))
}

impl Workflow {
    /// What is wrong with the order of its steps.
    pub(super) fn order_problems(&self) -> Vec<WorkflowProblem> {
        let mut problems = Vec::new();
        if self.steps.is_empty() || self.steps.len() > MOST_STEPS {
            problems.push(too_many(self.steps.len()));
        }
        let mut ids = BTreeSet::new();
        for step in &self.steps {
            if !ids.insert(step.id.as_str()) {
                let text = "another step has this id";
                problems.push(problem(step, "id", text));
            }
        }
        for step in &self.steps {
            for needed in &step.needs {
                if *needed == step.id {
                    problems.push(problem(step, "needs", "it cannot need itself"));
                } else if !ids.contains(needed.as_str()) {
                    problems.push(problem(step, "needs", no_such_step(needed, &ids)));
                }
            }
        }
        if let Some(cycle) = self.cycle() {
            let text = format!(
                "steps need each other in a circle: `{}`",
                cycle.join("` needs `")
            );
            problems.push(WorkflowProblem::new("`needs`", text));
            return problems;
        }
        let mut undone = BTreeMap::new();
        for step in &self.steps {
            let Work::Undo { of, .. } = step.work() else {
                continue;
            };
            let text = match self.step(of).map(Step::work) {
                None => no_such_step(of, &ids),
                Some(Work::Action { .. }) if !self.before(step).contains(of) => {
                    format!("it must need `{of}`, directly or through other steps")
                }
                Some(Work::Action { .. }) => match undone.insert(of, step.id.as_str()) {
                    Some(other) => format!("`{of}` is already taken back by `{other}`"),
                    None => continue,
                },
                Some(_) => format!("`{of}` has no `action`, so there is nothing to take back"),
            };
            problems.push(problem(step, "undo", text));
        }
        problems
    }

    /// All steps that must be done before one.
    fn before<'a>(&'a self, step: &'a Step) -> BTreeSet<&'a str> {
        let mut before = BTreeSet::new();
        let mut waiting = vec![step];
        while let Some(step) = waiting.pop() {
            for needed in &step.needs {
                if before.insert(needed.as_str()) {
                    waiting.extend(self.step(needed));
                }
            }
        }
        before
    }

    /// Steps that wait for each other, the first at the end again.
    fn cycle(&self) -> Option<Vec<&str>> {
        // Whoever needs nothing that is left is left no longer.
        let mut left: BTreeMap<&str, &Step> = self
            .steps
            .iter()
            .map(|step| (step.id.as_str(), step))
            .collect();
        loop {
            let free: Vec<&str> = left
                .values()
                .filter(|step| {
                    !step
                        .needs
                        .iter()
                        .any(|need| left.contains_key(need.as_str()))
                })
                .map(|step| step.id.as_str())
                .collect();
            if free.is_empty() {
                break;
            }
            for id in free {
                left.remove(id);
            }
        }
        // From any that is left there is always a next one that is left.
        let mut path: Vec<&str> = vec![left.keys().next().copied()?];
        loop {
            let last = path.last().and_then(|last| left.get(last))?;
            let needed = last.needs.iter().find_map(|need| left.get(need.as_str()))?;
            let id = needed.id.as_str();
            let begins = path.iter().position(|earlier| *earlier == id);
            path.push(id);
            if let Some(begins) = begins {
                return Some(path.split_off(begins));
            }
        }
    }
}

fn problem(step: &Step, name: &str, text: impl Into<String>) -> WorkflowProblem {
    WorkflowProblem::new(format!("step `{}`: `{name}`", step.id), text)
}

fn no_such_step(id: &str, ids: &BTreeSet<&str>) -> String {
    let meant = nearest(id, ids.iter().copied());
    let hint = meant.map_or_else(String::new, |id| format!("; did you mean `{id}`?"));
    format!("unknown step `{}`{hint}", printable(id))
}
