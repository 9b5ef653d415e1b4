//! What was seen, drawn.

use std::time::Instant;

use ratatui_core::buffer::Buffer;
use ratatui_core::style::{Color, Modifier, Style};

use super::fit::{self, Fitted, GAP};
use super::panel::Panel;
use super::seen::{Seen, Tone};
use super::view::{KEYS, View};
use crate::program::program;

/// Draws all of it.
pub(super) fn draw(seen: &Seen, view: &mut View, buffer: &mut Buffer) {
    let mut pen = Pen {
        line: buffer.area.top(),
        buffer,
    };
    title(seen, &mut pen);
    for (tone, text) in seen.lines(Instant::now()) {
        pen.write(&text, toned(tone, view.has_colour));
    }
    pen.skip();
    if view.has_help {
        pen.write("Keys", Style::new().add_modifier(Modifier::BOLD));
        for key in KEYS {
            pen.write(key, Style::new());
        }
        return;
    }
    let panels = seen.panels();
    view.focus = view.focus.min(panels.len().saturating_sub(1));
    let focus = view.focus;
    let shown: Vec<usize> = (0..panels.len())
        .filter(|at| !view.is_alone || *at == focus)
        .collect();
    let needs: Vec<usize> = shown.iter().map(|at| needed(&panels[*at])).collect();
    let at_focus = shown.iter().position(|at| *at == focus).unwrap_or(0);
    let heights = fit::heights(&needs, at_focus, pen.left());
    for (at, height) in shown.into_iter().zip(heights) {
        panel(&panels[at], at == focus, height, view, &mut pen);
        pen.skip();
    }
}

/// How many lines a list has: its heading, and where there are rows, these below their names.
fn needed(panel: &Panel) -> usize {
    match panel.items.len() {
        0 => 1,
        rows => rows + 2,
    }
}

fn title(seen: &Seen, pen: &mut Pen<'_>) {
    let mut parts = vec![format!("{} top", program().name)];
    parts.push(format!("mode: {}", seen.mode()));
    parts.push(seen.place.clone());
    parts.extend(seen.system.clone());
    parts.push(format!("every {} s", seen.every.as_secs_f64()));
    parts.push("? shows keys".to_owned());
    // The last of them is the one that a newcomer needs.
    let room = pen.width();
    while parts.len() > 3 && parts.join("   ").chars().count() > room {
        parts.remove(parts.len() - 2);
    }
    pen.write(
        &parts.join("   "),
        Style::new().add_modifier(Modifier::BOLD),
    );
}

fn panel(panel: &Panel, is_focus: bool, height: usize, view: &mut View, pen: &mut Pen<'_>) {
    if height == 0 {
        return;
    }
    let sort = view.sort(panel).map(|(by, down)| (by.to_owned(), down));
    let sort = sort.as_ref().map(|(by, down)| (by.as_str(), *down));
    let rows = panel.rows(sort);
    let fit = height.saturating_sub(2);
    let first = view.first(panel, fit);
    let mark = if is_focus { "▸" } else { " " };
    let mut heading = format!("{mark} {}", panel.heading);
    if rows.len() > fit && fit > 0 {
        let last = (first + fit).min(rows.len());
        heading.push_str(&format!("  ({} to {last})", first + 1));
    }
    pen.write(&heading, Style::new().add_modifier(Modifier::BOLD));
    if rows.is_empty() || height < 3 {
        return;
    }
    let headers: Vec<_> = panel
        .columns
        .iter()
        .map(|name| panel.header(name))
        .collect();
    let columns = fit::columns(
        &panel.columns,
        &headers,
        &rows,
        pen.width().saturating_sub(2),
    );
    let marked = |column: &Fitted| match sort {
        Some((by, down)) if by == panel.columns[column.at] => {
            format!("{} {}", headers[column.at], if down { "▼" } else { "▲" })
        }
        _ => headers[column.at].clone(),
    };
    let names = columns.iter().map(|column| (column, marked(column)));
    pen.row(names, Style::new().add_modifier(Modifier::DIM));
    for row in rows.iter().skip(first).take(fit) {
        let cells = columns
            .iter()
            .map(|column| (column, row[column.at].clone()));
        pen.row(cells, Style::new());
    }
}

fn toned(tone: Tone, has_colour: bool) -> Style {
    match tone {
        Tone::Good if has_colour => Style::new().fg(Color::Green),
        Tone::Bad if has_colour => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
        Tone::Bad => Style::new().add_modifier(Modifier::BOLD),
        _ => Style::new(),
    }
}

/// Writes line below line.
struct Pen<'b> {
    buffer: &'b mut Buffer,
    line: u16,
}

impl Pen<'_> {
    fn width(&self) -> usize {
        self.buffer.area.width.into()
    }

    /// How many lines are left.
    fn left(&self) -> usize {
        self.buffer.area.bottom().saturating_sub(self.line).into()
    }

    fn skip(&mut self) {
        self.line = self.line.saturating_add(1);
    }

    fn write(&mut self, text: &str, style: Style) {
        self.put(0, &cut(text, self.width()), style);
        self.skip();
    }

    fn row<'c>(&mut self, cells: impl Iterator<Item = (&'c Fitted, String)>, style: Style) {
        let mut x = 2;
        for (column, text) in cells {
            let text = cut(&text, column.width);
            let room = column.width - text.chars().count();
            let indent = if column.is_number { room } else { 0 };
            self.put(x + indent, &text, style);
            x += column.width + GAP;
        }
        self.skip();
    }

    fn put(&mut self, x: usize, text: &str, style: Style) {
        let (Ok(x), true) = (u16::try_from(x), self.left() > 0) else {
            return;
        };
        if x < self.buffer.area.width {
            self.buffer.set_string(x, self.line, text, style);
        }
    }
}

/// No more of a text than there is room for.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(room.saturating_sub(1)).collect();
    if room > 0 {
        cut.push('…');
    }
    cut
}
