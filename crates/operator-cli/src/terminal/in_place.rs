//! A line on stderr that is written over again and again, whatever becomes of the terminal meanwhile.

use std::io::{Write as _, stderr};

use terminal_size::{Width, terminal_size_of};

/// How wide a terminal is that does not say.
const USUAL: usize = 80;

/// A line on stderr that is written over.
#[derive(Default)]
pub(crate) struct InPlace {
    /// How many characters it has now.
    shown: usize,
}

impl InPlace {
    /// Whether there is one.
    pub(crate) fn is_shown(&self) -> bool {
        self.shown > 0
    }

    /// Shows this line in place of what was there. It is made for a width, and cut to it.
    pub(crate) fn show(&mut self, line: impl FnOnce(usize) -> String) {
        let width = width();
        // In the last column some terminals go on to the next line.
        let room = width.saturating_sub(1).max(1);
        let line = cut(&line(room), room);
        let text = format!("{}{line}", self.back(width));
        self.shown = line.chars().count();
        let mut stderr = stderr().lock();
        let _ = write!(stderr, "{text}").and_then(|()| stderr.flush());
    }

    /// Leaves nothing of it.
    pub(crate) fn clear(&mut self) {
        if self.is_shown() {
            let text = self.back(width());
            self.shown = 0;
            let mut stderr = stderr().lock();
            let _ = write!(stderr, "{text}").and_then(|()| stderr.flush());
        }
    }

    /// To where the line begins, with nothing left behind that place. A terminal that became narrower
    /// has broken the line.
    fn back(&self, width: usize) -> String {
        let up = self.shown.saturating_sub(1) / width.max(1);
        match up {
            0 => "\r\u{1b}[J".to_owned(),
            up => format!("\r\u{1b}[{up}A\u{1b}[J"),
        }
    }
}

impl Drop for InPlace {
    fn drop(&mut self) {
        self.clear();
    }
}

fn width() -> usize {
    let size = terminal_size_of(stderr());
    size.map_or(USUAL, |(Width(width), _)| usize::from(width))
        .max(1)
}

/// No more of a line than there is room for.
fn cut(line: &str, room: usize) -> String {
    if line.chars().count() <= room {
        return line.to_owned();
    }
    let mut cut: String = line.chars().take(room - 1).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_the_terminal_has_broken_is_taken_back_whole() {
        let line = InPlace { shown: 79 };
        for (width, expected) in [
            (200, "\r\u{1b}[J"),
            (80, "\r\u{1b}[J"),
            (79, "\r\u{1b}[J"),
            (40, "\r\u{1b}[1A\u{1b}[J"),
            (20, "\r\u{1b}[3A\u{1b}[J"),
        ] {
            assert_eq!(line.back(width), expected, "{width}");
        }
        std::mem::forget(line);
    }

    #[test]
    fn a_line_fits() {
        assert_eq!(cut("three", 5), "three");
        assert_eq!(cut("longer", 5), "long…");
        assert_eq!(cut("é", 1), "é");
        assert_eq!(cut("éé", 1), "…");
    }
}
