//! Which columns there is room for, and how high each list is.

use crate::terminal::values::is_id;

/// How wide a column of text is at least, where what stands in it is longer.
const SHORTEST: usize = 16;

/// Between two columns.
pub(super) const GAP: usize = 2;

/// A column that there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fitted {
    pub(super) at: usize,
    pub(super) width: usize,
    /// Numbers stand on the right.
    pub(super) is_number: bool,
}

/// The columns that fit into a width, from the first: ids whole, others shortened where they are long. What
/// is left of the room goes to those that are shortened.
pub(super) fn columns(
    names: &[String],
    headers: &[String],
    rows: &[Vec<String>],
    width: usize,
) -> Vec<Fitted> {
    let mut fitted: Vec<(Fitted, usize)> = Vec::new();
    let mut used = 0;
    for (at, (name, header)) in names.iter().zip(headers).enumerate() {
        let cells = || rows.iter().filter_map(move |row| row.get(at));
        let longest = cells().map(|cell| cell.chars().count()).max().unwrap_or(0);
        // A mark of the order stands behind a header.
        let header = header.chars().count() + 2;
        let whole = longest.max(header);
        let least = match is_id(name) {
            true => whole,
            false => longest.min(SHORTEST).max(header),
        };
        let gap = if at == 0 { 0 } else { GAP };
        if at > 0 && used + gap + least > width {
            break;
        }
        used += gap + least;
        let is_number =
            cells().all(|cell| cell == "-" || cell.is_empty() || cell.parse::<f64>().is_ok());
        let column = Fitted {
            at,
            width: least,
            is_number: is_number && !rows.is_empty(),
        };
        fitted.push((column, whole));
    }
    let mut left = width.saturating_sub(used);
    for (column, whole) in &mut fitted {
        let more = whole.saturating_sub(column.width).min(left);
        column.width += more;
        left -= more;
    }
    fitted.into_iter().map(|(column, _)| column).collect()
}

/// How many lines each list gets of so many, with one between two: as many as it needs where there is room
/// for all; else each its first lines, and the rest goes to the one that is looked at, then to the others.
pub(super) fn heights(needs: &[usize], focus: usize, lines: usize) -> Vec<usize> {
    // A heading, the names of columns, and a row.
    const LEAST: usize = 3;
    let mut left = lines.saturating_sub(needs.len().saturating_sub(1));
    let mut heights = vec![0; needs.len()];
    let first = std::iter::once(focus).chain((0..needs.len()).filter(|at| *at != focus));
    let order: Vec<usize> = first.filter(|at| *at < needs.len()).collect();
    for most in [1, LEAST, usize::MAX] {
        for at in &order {
            let more = (needs[*at].min(most) - heights[*at]).min(left);
            heights[*at] += more;
            left -= more;
        }
    }
    heights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn as_many_columns_are_shown_as_there_is_room_for() {
        let names = texts(&["store_id", "address", "leader_count"]);
        let headers = texts(&["STORE ID", "ADDRESS", "LEADER COUNT"]);
        let rows = vec![texts(&["1234567890123", "tikv-0.example.com:20160", "12"])];
        let widths = |width| {
            let columns = columns(&names, &headers, &rows, width);
            columns.iter().map(|one| one.width).collect::<Vec<_>>()
        };
        assert_eq!(widths(5), [13]);
        assert_eq!(widths(30), [13]);
        assert_eq!(widths(31), [13, 16]);
        assert_eq!(widths(40), [13, 24]);
        assert_eq!(widths(60), [13, 24, 14]);
        let columns = columns(&names, &headers, &rows, 60);
        assert!(columns[0].is_number && !columns[1].is_number && columns[2].is_number);
    }

    #[test]
    fn the_list_that_is_looked_at_has_the_most_lines() {
        assert_eq!(heights(&[7, 1, 4], 0, 40), [7, 1, 4]);
        assert_eq!(heights(&[20, 1, 9], 0, 16), [10, 1, 3]);
        assert_eq!(heights(&[20, 1, 9], 2, 16), [4, 1, 9]);
        assert_eq!(heights(&[20, 20, 20], 0, 5), [1, 1, 1]);
        assert_eq!(heights(&[20, 20], 7, 1), [0, 0]);
        assert_eq!(heights(&[], 0, 9), Vec::<usize>::new());
    }
}
