//! The page: tables of ratios, and pictures of how costs grow.

use std::fmt::Write as _;
use std::path::Path;

use plotters::prelude::{
    ChartBuilder, IntoDrawingArea, IntoLogRange, LineSeries, PathElement, RGBColor, SVGBackend,
    WHITE,
};

use crate::Failed;
use crate::measure::Compared;

/// All that was measured.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    curves: Vec<Curve>,
    facts: Vec<(String, String)>,
}

struct Row {
    what: String,
    beside: String,
    /// What the ratio of wall time, or of CPU time where that is named, is to be.
    budget: Budget,
    compared: Compared,
    runs: u64,
}

/// The most that ours may cost as a multiple of the reference.
#[derive(Clone, Copy)]
pub(crate) enum Budget {
    Wall(f64),
    Cpu(f64),
    /// It is shown, and held to nothing.
    None,
}

/// How a cost grows.
pub(crate) struct Curve {
    pub(crate) file: &'static str,
    pub(crate) title: &'static str,
    pub(crate) x: &'static str,
    pub(crate) y: &'static str,
    pub(crate) lines: Vec<(&'static str, Vec<(f64, f64)>)>,
}

impl Report {
    /// Ours beside a reference, each of `runs` equal pieces of work.
    pub(crate) fn row(
        &mut self,
        what: impl Into<String>,
        beside: &str,
        budget: Budget,
        runs: u64,
        compared: Compared,
    ) {
        let what = what.into();
        eprintln(&format!(
            "{what} beside {beside}: {:.2} (CPU {:.2})",
            compared.wall.median, compared.cpu.median
        ));
        self.rows.push(Row {
            what,
            beside: beside.to_owned(),
            budget,
            compared,
            runs,
        });
    }

    pub(crate) fn fact(&mut self, what: impl Into<String>, value: impl Into<String>) {
        let (what, value) = (what.into(), value.into());
        eprintln(&format!("{what}: {value}"));
        self.facts.push((what, value));
    }

    pub(crate) fn curve(&mut self, curve: Curve) {
        self.curves.push(curve);
    }

    /// Writes `performance.md`, and its pictures beside it.
    pub(crate) fn write(&self, docs: &Path, machine: &str) -> Result<(), Failed> {
        let mut page = format!("{HEAD}\n{machine}\n\n{TABLE}");
        for row in &self.rows {
            let Row { compared, runs, .. } = row;
            let (wall, cpu) = (compared.wall, compared.cpu);
            let (budget, held) = match row.budget {
                Budget::Wall(most) => (format!("≤ {most:.2}"), Some(wall.median <= most)),
                Budget::Cpu(most) => (format!("CPU ≤ {most:.2}"), Some(cpu.median <= most)),
                Budget::None => (String::new(), None),
            };
            let held = held.map_or("", |held| if held { "yes" } else { "**no**" });
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} | {:.2} ({:.2}–{:.2}) | {:.2} ({:.2}–{:.2}) | {} |",
                row.what,
                each(compared.ours.wall, *runs),
                row.beside,
                each(compared.reference.wall, *runs),
                wall.median,
                wall.low,
                wall.high,
                cpu.median,
                cpu.low,
                cpu.high,
                if budget.is_empty() {
                    String::new()
                } else {
                    format!("{budget}: {held}")
                },
            );
        }
        page.push_str("\n## Counts and sizes\n\n| What | |\n|---|---|\n");
        for (what, value) in &self.facts {
            let _ = writeln!(page, "| {what} | {value} |");
        }
        page.push_str("\n## How it grows\n");
        for curve in &self.curves {
            let name = format!("performance-{}.svg", curve.file);
            draw(curve, &docs.join(&name))?;
            let _ = write!(page, "\n![{}]({name})\n", curve.title);
        }
        page.push_str(REMAINS);
        std::fs::write(docs.join("performance.md"), page)?;
        Ok(())
    }
}

const HEAD: &str = "\
# Performance

Written by `cargo xtask bench`; do not edit. Each row is ours beside a reference that was run in
turns with it (ours, reference, reference, ours; ten runs each), so that the ratio says more than
the times. The median of the pairs stands before the least and the most. CPU is that of the process
that does the work, all threads; the simulated PD is a process of its own.
";

/// By callgrind, on the commit that this text came with: it changes less often than times do.
const REMAINS: &str = "
## What costs most, and why it does

`cargo xtask counts` counts instructions, which CI holds against `tests/bench/counts.json`; shares are
callgrind's.

* **A mutation** takes 570,000 instructions with its journal in memory (692,000 before a text was looked at once
  for a sign of a secret and a definition was shared; 28 % are SHA-256 in software, as under valgrind, 19 % take
  secrets out of its records, 11 % hash its plan at the proposal and at the send, and the rest is JSON that is
  written and kept). With a file, each of its four records goes to the thread that writes and back, so that a
  runtime's thread never waits for a disk, and takes 30 calls of the system, which find out what another
  process wrote meanwhile, whether there is a stop, and who holds the lock. The reference does none of that: the faster
  the disk syncs, the higher the ratio.
* **An approval** is a fifth record with a fifth sync: with as many syncs as the guard needs, 1.25 is the least.
* **A plan about a region** reads `/store/{id}` of the stores that matter, at the same time, and `/config`, 78 bytes of which
  a store has for its limits: PD has no narrower endpoint for the settings. Of a thousand stores `/stores` is
  760 kB, which plans read where one of all is chosen: a drain's, for who may take its leaders, and a move's,
  where another store could be farther from the others. Those that follow a drain read it where nothing
  moves, not again within ten seconds, and once for the proof, which is about all stores.
* **Verifying** takes 54,000 instructions a record: half is SHA-256 where the processor does not help with it,
  as under valgrind, and a third is reading the record. It is read because verifying also says whether it
  can have happened after what is before it. Segments are verified side by side. Where the processor helps, the reference
  is three times as fast and the reading is not.
* **A text with a pattern** takes 2,640 instructions (19,277 before), 350 of them in `regex`; two numbers take
  2,560. The reference looks at no pattern and no length. `regex` with its DFA is 1.7 MB of the program; a schema's
  pattern is what an agent's every call is held to.
* **Starting** is the dynamic linker, and for all but a version building the command line: 1 million instructions until
  `--version` is printed, 0.3 million for a program that says hello.
";

const TABLE: &str = "\
## Ratios

| What | Each | Beside | Each | Wall, ratio | CPU, ratio | Budget |
|---|---|---|---|---|---|---|
";

/// A length of time, for one of several equal pieces of work.
fn each(seconds: f64, runs: u64) -> String {
    let seconds = seconds / runs as f64;
    match seconds {
        s if s < 1e-6 => format!("{:.0} ns", s * 1e9),
        s if s < 1e-3 => format!("{:.1} µs", s * 1e6),
        s if s < 1.0 => format!("{:.1} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

fn eprintln(line: &str) {
    use std::io::Write as _;
    // Progress that nobody reads is no reason to stop.
    let _ = writeln!(std::io::stderr(), "{line}");
}

const COLOURS: [RGBColor; 3] = [
    RGBColor(31, 119, 180),
    RGBColor(255, 127, 14),
    RGBColor(44, 160, 44),
];

fn draw(curve: &Curve, path: &Path) -> Result<(), Failed> {
    let points = || curve.lines.iter().flat_map(|(_, points)| points);
    let span = |of: fn(&(f64, f64)) -> f64| {
        let low = points().map(of).fold(f64::INFINITY, f64::min);
        let high = points().map(of).fold(f64::NEG_INFINITY, f64::max);
        (low * 0.8)..(high * 1.25)
    };
    let area = SVGBackend::new(path, (720, 420)).into_drawing_area();
    area.fill(&WHITE).map_err(drawing)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(curve.title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(70)
        .build_cartesian_2d(
            span(|point| point.0).log_scale(),
            span(|point| point.1).log_scale(),
        )
        .map_err(drawing)?;
    chart
        .configure_mesh()
        .x_desc(curve.x)
        .y_desc(curve.y)
        .draw()
        .map_err(drawing)?;
    for ((name, points), colour) in curve.lines.iter().zip(COLOURS) {
        chart
            .draw_series(LineSeries::new(points.iter().copied(), colour))
            .map_err(drawing)?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour));
    }
    chart
        .configure_series_labels()
        .border_style(COLOURS[0])
        .draw()
        .map_err(drawing)?;
    area.present().map_err(drawing)
}

/// Why there is no picture.
fn drawing(error: impl std::fmt::Display) -> Failed {
    format!("no picture: {error}").into()
}
