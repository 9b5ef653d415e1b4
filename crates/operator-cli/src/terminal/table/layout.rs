//! Rows whose text is broken between words, never inside of one.

use crate::terminal::style::is_mark;

/// Between two columns.
pub(super) const GAP: usize = 2;

/// How wide the last column is at least, so that its text can be broken there.
const LEAST: usize = 24;

/// What does not stand in its column stands below the row, behind this.
const BELOW: usize = 4;

/// Rows under a header. Where the columns have no room side by side, what is left of a row stands below its
/// beginning, and no header is of use.
pub(super) fn lines(
    header: Option<Vec<String>>,
    rows: &[Vec<String>],
    width: Option<usize>,
) -> Vec<String> {
    let all: Vec<&Vec<String>> = header.iter().chain(rows).collect();
    let widths = widths(&all);
    let Some((longest, before)) = widths.split_last() else {
        return Vec::new();
    };
    let start: usize = before.iter().map(|width| width + GAP).sum();
    let Some(width) = width else {
        return all.iter().map(|row| side_by_side(row, before)).collect();
    };
    if start + longest.min(&LEAST) > width {
        return rows.iter().flat_map(|row| stacked(row, width)).collect();
    }
    let room = width - start;
    let lines = all.iter().flat_map(|row| {
        let (cells, last) = row.split_at(row.len().min(before.len()));
        let last = last.first().map_or("", String::as_str);
        let beginning = padded(cells, before);
        if start == 0 || last.split(' ').all(|word| length(word) <= room) {
            return hung(&beginning, wrapped(last, room), start);
        }
        let below = wrapped(last, width - BELOW).into_iter();
        hung(
            beginning.trim_end(),
            [String::new()].into_iter().chain(below),
            BELOW,
        )
    });
    lines.collect()
}

/// Lines behind the beginning of the first, the others as far in.
fn hung(beginning: &str, text: impl IntoIterator<Item = String>, indent: usize) -> Vec<String> {
    let lines = text.into_iter().enumerate().map(|(at, line)| match at {
        0 => format!("{beginning}{line}").trim_end().to_owned(),
        _ => format!("{}{line}", " ".repeat(indent)),
    });
    lines.collect()
}

/// How wide each column is where nothing is broken.
fn widths(rows: &[&Vec<String>]) -> Vec<usize> {
    let columns = rows.iter().map(|row| row.len()).max().unwrap_or(0);
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        cells.map(|cell| length(cell)).max()
    };
    (0..columns).map(|at| width(at).unwrap_or(0)).collect()
}

fn side_by_side(row: &[String], before: &[usize]) -> String {
    let beginning = padded(&row[..row.len().min(before.len())], before);
    let last = row.get(before.len()).map_or("", String::as_str);
    format!("{beginning}{last}").trim_end().to_owned()
}

fn padded(row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths);
    let cells = cells.map(|(cell, width)| {
        let gap = " ".repeat(width + GAP - length(cell));
        format!("{cell}{gap}")
    });
    cells.collect()
}

/// The beginning of a row on one line, as far as it fits, and what is left of it below.
fn stacked(row: &[String], width: usize) -> Vec<String> {
    let mut cells = row.iter().filter(|cell| !cell.is_empty()).peekable();
    let mut first = cells.next().cloned().unwrap_or_default();
    while let Some(next) = cells.next_if(|next| length(&first) + GAP + length(next) <= width) {
        first = format!("{first}{}{next}", " ".repeat(GAP));
    }
    let below = cells.flat_map(|cell| wrapped(cell, width - BELOW));
    hung("", wrapped(&first, width).into_iter().chain(below), BELOW)
}

/// A text on lines that are no longer than this, unless one of its words is.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let words: Vec<_> = text.split(' ').map(str::to_owned).collect();
    broken(&words, width)
}

fn broken(words: &[String], width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words {
        let line = lines.len() - 1;
        let used = length(&lines[line]);
        if used == 0 {
            lines[line].push_str(word);
        } else if used + 1 + length(word) <= width {
            lines[line].push(' ');
            lines[line].push_str(word);
        } else {
            lines.push(word.clone());
        }
    }
    lines
}

/// A text whose long lines are broken between words. Commands stay whole, on a line of their own or between marks,
/// so that they can be copied; what is laid out in columns stays as it is.
pub(super) fn prose(text: &str, width: usize, us: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let inner = line.trim_start();
        let is_laid_out = inner.contains("  ") || is_command(inner, us);
        if length(line) <= width || is_laid_out {
            return line.to_owned();
        }
        let indent = length(line) - length(inner);
        let broken = broken(&units(inner), width.saturating_sub(indent));
        let lines = broken
            .iter()
            .map(|line| format!("{}{line}", " ".repeat(indent)));
        lines.collect::<Vec<_>>().join("\n")
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn is_command(line: &str, us: &str) -> bool {
    let line = line.strip_prefix("$ ").unwrap_or(line);
    line.split(' ').next() == Some(us)
}

/// The words of a text; what stands between two marks is one.
fn units(text: &str) -> Vec<String> {
    let mut units: Vec<String> = Vec::new();
    let mut is_inside = false;
    for word in text.split(' ') {
        match units.last_mut() {
            Some(unit) if is_inside => {
                unit.push(' ');
                unit.push_str(word);
            }
            _ => units.push(word.to_owned()),
        }
        is_inside ^= word.matches('`').count() % 2 == 1;
    }
    units
}

fn length(text: &str) -> usize {
    // Marks are not seen.
    text.chars().filter(|one| !is_mark(*one)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a second drain is one too many while store 4 is drained";

    fn shown(rows: &[&[&str]], width: usize) -> String {
        let rows: Vec<Vec<String>> = rows
            .iter()
            .map(|row| row.iter().map(|cell| (*cell).to_owned()).collect())
            .collect();
        lines(None, &rows, Some(width)).join("\n")
    }

    #[test]
    fn text_is_broken_between_words_and_stays_in_its_column() {
        assert_eq!(
            shown(&[&["policy", TEXT], &["id", "7"]], 40),
            "policy  a second drain is one too many\n        while store 4 is drained\nid      7"
        );
    }

    #[test]
    fn a_word_that_is_longer_than_its_column_stands_below() {
        let hash = "0123456789abcdef".repeat(4);
        assert_eq!(
            shown(&[&["plan", &hash], &["state", "applied"]], 60),
            format!("plan\n    {hash}\nstate  applied")
        );
    }

    #[test]
    fn what_has_no_room_side_by_side_stands_below_its_beginning() {
        let (name, source) = ("leader of the region", "GET /pd/api/v1/region/id/9");
        assert_eq!(
            shown(&[&[name, source, "store 2 is the leader"]], 60),
            format!("{name}  {source}\n    store 2 is the leader")
        );
    }

    #[test]
    fn prose_is_broken_and_commands_are_not() {
        let text = "it is no longer in force: run `operator undo 01a2 --state-dir /var/lib/operator` to\n  \
                    operator undo 01a2b3c4d5e6 --state-dir /var/lib/operator\n  id  what is laid out in columns";
        assert_eq!(
            prose(text, 40, "operator"),
            "it is no longer in force: run\n`operator undo 01a2 --state-dir /var/lib/operator`\nto\n  \
             operator undo 01a2b3c4d5e6 --state-dir /var/lib/operator\n  id  what is laid out in columns"
        );
    }

    /// Whatever the width: each word is on a line, and each line that is too long is one word.
    #[test]
    fn no_word_is_ever_broken() {
        let cells = ["01a2b3c4d5e6", "evict-leader/2", TEXT];
        for width in 40..130 {
            let text = shown(&[&cells], width);
            let words: Vec<_> = text.split_whitespace().collect();
            let expected: Vec<_> = cells.iter().flat_map(|cell| cell.split(' ')).collect();
            assert_eq!(words, expected, "{width}\n{text}");
            assert!(
                text.lines().all(|line| line.chars().count() <= width),
                "{width}\n{text}"
            );
        }
    }
}
