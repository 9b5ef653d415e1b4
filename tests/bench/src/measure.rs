//! Ours and a reference beside it, in turns, so that what else the machine does hits both.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Turns of ours, reference, reference, ours.
pub(crate) const TURNS: usize = 5;

/// What one run took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: f64,
    /// Seconds of CPU of this process.
    pub(crate) cpu: f64,
}

/// How ours compares with the reference: the median of all pairs, with the least and the most.
#[derive(Debug, Clone)]
pub(crate) struct Compared {
    pub(crate) wall: Spread,
    pub(crate) cpu: Spread,
    /// Medians, in seconds for one run.
    pub(crate) ours: Cost,
    pub(crate) reference: Cost,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Spread {
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
        Self {
            low: at(0),
            median: at(values.len() / 2),
            high: at(values.len().saturating_sub(1)),
        }
    }
}

/// What a run costs.
pub(crate) fn cost<T>(run: &mut impl FnMut() -> T) -> Cost {
    let (cpu, begun) = (cpu_time(), Instant::now());
    black_box(run());
    Cost {
        wall: begun.elapsed().as_secs_f64(),
        cpu: (cpu_time() - cpu).as_secs_f64(),
    }
}

/// Both in turns. Each is run once before, unmeasured.
pub(crate) fn compared<A, B>(
    mut ours: impl FnMut() -> A,
    mut reference: impl FnMut() -> B,
) -> Compared {
    compared_costs(TURNS, || cost(&mut ours), || cost(&mut reference))
}

/// The same for what says itself what it cost, in so many turns.
pub(crate) fn compared_costs(
    turns: usize,
    mut ours: impl FnMut() -> Cost,
    mut reference: impl FnMut() -> Cost,
) -> Compared {
    ours();
    reference();
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..turns {
        a.push(ours());
        b.push(reference());
        b.push(reference());
        a.push(ours());
    }
    let ratios = |of: fn(&Cost) -> f64| {
        let pairs = a.iter().zip(&b);
        Spread::of(pairs.map(|(ours, theirs)| of(ours) / of(theirs)).collect())
    };
    let median = |costs: &[Cost]| Cost {
        wall: Spread::of(costs.iter().map(|cost| cost.wall).collect()).median,
        cpu: Spread::of(costs.iter().map(|cost| cost.cpu).collect()).median,
    };
    Compared {
        wall: ratios(|cost| cost.wall),
        cpu: ratios(|cost| cost.cpu),
        ours: median(&a),
        reference: median(&b),
    }
}

/// CPU time of this process, over all its threads.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanoseconds)
}
