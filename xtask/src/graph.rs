//! A small directed graph: its circles, its floors, and the arrows that point back up.

use std::collections::BTreeSet;

use crate::imports::Modules;

/// Who points to whom, by position.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    to: Vec<BTreeSet<usize>>,
}

impl Graph {
    /// Modules and their imports.
    pub(crate) fn of_modules(modules: &Modules) -> Self {
        let to = modules.all.iter().map(|module| module.imports.clone());
        Self { to: to.collect() }
    }

    /// Groups of a graph's points, and who of them points to whom. `groups` has each point's.
    pub(crate) fn grouped(&self, groups: &[usize]) -> Self {
        let count = groups.iter().max().map_or(0, |most| most + 1);
        let mut to = vec![BTreeSet::new(); count];
        for (targets, from) in self.to.iter().zip(groups) {
            let others = targets.iter().filter_map(|&target| groups.get(target));
            if let Some(arrows) = to.get_mut(*from) {
                arrows.extend(others.filter(|other| *other != from));
            }
        }
        Self { to }
    }

    /// How many arrows there are.
    pub(crate) fn arrows(&self) -> usize {
        self.to.iter().map(BTreeSet::len).sum()
    }

    /// Sets of points that can all be reached from each other, of more than one.
    pub(crate) fn circles(&self) -> Vec<Vec<usize>> {
        let reached = self.reached();
        let reaches =
            |from: usize, to: usize| reached.get(from).is_some_and(|set| set.contains(&to));
        let mut seen = BTreeSet::new();
        let mut circles = Vec::new();
        for from in 0..self.to.len() {
            if !reaches(from, from) || seen.contains(&from) {
                continue;
            }
            let circle: Vec<usize> = (0..self.to.len())
                .filter(|&to| reaches(from, to) && reaches(to, from))
                .collect();
            seen.extend(circle.iter().copied());
            if circle.len() > 1 {
                circles.push(circle);
            }
        }
        circles
    }

    /// The floor of each point, from 1, when everything stands above all that it points to, arrows
    /// back up left out.
    pub(crate) fn floors(&self) -> Vec<usize> {
        let back = self.back();
        let mut floors = vec![1_usize; self.to.len()];
        // Without circles the longest way has at most as many points as there are.
        for _ in 0..self.to.len() {
            for (from, targets) in self.to.iter().enumerate() {
                let down = targets.iter().filter(|&&to| !back.contains(&(from, to)));
                let below = down.filter_map(|&to| floors.get(to)).max();
                let floor = 1 + below.copied().unwrap_or(0);
                if let Some(own) = floors.get_mut(from) {
                    *own = (*own).max(floor);
                }
            }
        }
        floors
    }

    /// The arrows that point back up: the fewest that a greedy search finds whose loss leaves no
    /// circle.
    pub(crate) fn back(&self) -> BTreeSet<(usize, usize)> {
        let circles = self.circles();
        let back = circles.iter().flat_map(|circle| self.back_within(circle));
        back.collect()
    }

    /// Orders a circle by taking who has nothing below, then nothing above, then the one with the
    /// most arrows down for its arrows up.
    fn back_within(&self, circle: &[usize]) -> Vec<(usize, usize)> {
        let mut left: BTreeSet<usize> = circle.iter().copied().collect();
        let (mut high, mut low) = (Vec::new(), Vec::new());
        while !left.is_empty() {
            let down = |at: usize| {
                self.to
                    .get(at)
                    .map_or(0, |to| to.intersection(&left).count())
            };
            let up = |at: usize| left.iter().filter(|&&from| self.points(from, at)).count();
            if let Some(&at) = left.iter().find(|&&at| down(at) == 0) {
                low.push(at);
                left.remove(&at);
            } else if let Some(&at) = left.iter().find(|&&at| up(at) == 0) {
                high.push(at);
                left.remove(&at);
            } else {
                let gain = |&&at: &&usize| down(at) + self.to.len() - up(at);
                let Some(&at) = left.iter().max_by_key(gain) else {
                    break;
                };
                high.push(at);
                left.remove(&at);
            }
        }
        low.reverse();
        let order = [high, low].concat();
        let pairs = order.iter().enumerate().flat_map(|(place, &from)| {
            let above = order.iter().take(place);
            above.map(move |&to| (from, to))
        });
        pairs.filter(|&(from, to)| self.points(from, to)).collect()
    }

    fn points(&self, from: usize, to: usize) -> bool {
        self.to
            .get(from)
            .is_some_and(|targets| targets.contains(&to))
    }

    /// All that each point leads to, over any number of arrows.
    fn reached(&self) -> Vec<BTreeSet<usize>> {
        let all = self.to.iter().map(|direct| {
            let mut reached = BTreeSet::new();
            let mut waiting: Vec<usize> = direct.iter().copied().collect();
            while let Some(at) = waiting.pop() {
                if reached.insert(at) {
                    waiting.extend(self.to.get(at).into_iter().flatten());
                }
            }
            reached
        });
        all.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Graph;

    #[track_caller]
    fn check(arrows: &[&[usize]], floors: usize, back: usize, circles: &[&[usize]]) {
        let graph = Graph {
            to: arrows
                .iter()
                .map(|to| to.iter().copied().collect())
                .collect(),
        };
        assert_eq!(graph.floors().into_iter().max(), Some(floors));
        assert_eq!(graph.back().len(), back);
        assert_eq!(graph.circles(), circles);
    }

    #[test]
    fn a_house_without_circles_has_floors() {
        check(&[&[1, 2], &[2], &[], &[]], 3, 0, &[]);
    }

    #[test]
    fn a_hub_that_everyone_points_to_and_that_lists_everyone_points_back() {
        check(&[&[1, 2, 3], &[0], &[0], &[0]], 2, 3, &[&[0, 1, 2, 3]]);
    }

    #[test]
    fn two_circles_are_told_apart() {
        check(&[&[1], &[0, 2], &[3], &[2]], 2, 2, &[&[0, 1], &[2, 3]]);
    }
}
