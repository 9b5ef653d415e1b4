//! The whole terminal, for as long as it is looked at; given back whatever ends that.

use std::io::{self, BufWriter, Stdout, Write as _, stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{self, Event};
use crossterm::style::{Attribute, Color as Colour, Print, SetAttribute, SetForegroundColor};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui_core::buffer::{Buffer, Cell};
use ratatui_core::layout::Rect;
use ratatui_core::style::{Color, Modifier};
use terminal_size::{Height, Width, terminal_size_of};
use tokio::sync::mpsc;

/// Whether the terminal is taken now.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The whole terminal.
pub(super) struct Screen {
    stdout: BufWriter<Stdout>,
    /// What is on it.
    shown: Buffer,
}

impl Screen {
    /// Takes it. A panic gives it back before it is told.
    pub(super) fn open() -> io::Result<Self> {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            give_back();
            tell(panic);
        }));
        TAKEN.store(true, Ordering::SeqCst);
        let screen = Self {
            stdout: BufWriter::new(stdout()),
            shown: Buffer::empty(Rect::ZERO),
        };
        enable_raw_mode()?;
        execute!(stdout(), EnterAlternateScreen, Hide)?;
        Ok(screen)
    }

    /// Shows what is drawn, as large as the terminal is now.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        let area = area();
        if area != self.shown.area {
            queue!(self.stdout, Clear(ClearType::All))?;
            self.shown = Buffer::empty(area);
        }
        let mut next = Buffer::empty(area);
        draw(&mut next);
        let mut last: Option<(u16, u16, &Cell)> = None;
        for (x, y, cell) in self.shown.diff(&next) {
            let is_behind = |(before, line, _): (u16, u16, &Cell)| line == y && before + 1 == x;
            if !last.is_some_and(is_behind) {
                queue!(self.stdout, MoveTo(x, y))?;
            }
            let is_alike = |(_, _, other): (u16, u16, &Cell)| other.style() == cell.style();
            if !last.is_some_and(is_alike) {
                dress(&mut self.stdout, cell)?;
            }
            queue!(self.stdout, Print(cell.symbol()))?;
            // Behind a wide one the terminal is further on.
            last = (cell.symbol().chars().count() == 1 && cell.symbol().is_ascii())
                .then_some((x, y, cell));
        }
        self.shown = next;
        self.stdout.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Leaves the terminal as it was, once. Where it is gone there is nothing to leave.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(
            stdout(),
            SetAttribute(Attribute::Reset),
            LeaveAlternateScreen,
            Show
        );
        let _ = disable_raw_mode();
    }
}

/// What follows looks like this.
fn dress(stdout: &mut BufWriter<Stdout>, cell: &Cell) -> io::Result<()> {
    queue!(stdout, SetAttribute(Attribute::Reset))?;
    for (modifier, attribute) in [
        (Modifier::BOLD, Attribute::Bold),
        (Modifier::DIM, Attribute::Dim),
    ] {
        if cell.modifier.contains(modifier) {
            queue!(stdout, SetAttribute(attribute))?;
        }
    }
    match cell.fg {
        Color::Green => queue!(stdout, SetForegroundColor(Colour::DarkGreen))?,
        Color::Red => queue!(stdout, SetForegroundColor(Colour::DarkRed))?,
        _ => {}
    }
    Ok(())
}

/// As large as stdout is, or as a terminal usually is that does not say.
fn area() -> Rect {
    let (width, height) = match terminal_size_of(stdout()) {
        Some((Width(width), Height(height))) if width > 0 && height > 0 => (width, height),
        _ => (80, 24),
    };
    Rect::new(0, 0, width, height)
}

/// What is pressed, until the terminal is gone. Ends with the process: nobody can call off a read.
pub(super) fn keys() -> mpsc::UnboundedReceiver<Event> {
    let (send, keys) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        while let Ok(event) = event::read() {
            if send.send(event).is_err() {
                return;
            }
        }
    });
    keys
}
