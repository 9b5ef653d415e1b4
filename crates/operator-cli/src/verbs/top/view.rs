//! What a person has chosen to see: which list, from which row, in which order.

use std::collections::BTreeMap;

use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers};

use super::panel::Panel;

/// What each key does, as the help shows it.
pub(super) const KEYS: [&str; 8] = [
    "  q, Esc          leave",
    "  ?               show or hide these keys",
    "  Tab, Right      the next list; Shift-Tab, Left the one before",
    "  Down, Up, j, k  a row on, a row back; Page Down, Page Up ten",
    "  Home, End       the first row, the last",
    "  s, S            sort by the next column, by the one before",
    "  r               the other way round",
    "  Enter           this list alone, or all",
];

/// How many rows a page is.
const PAGE: usize = 10;

/// What is to be done after a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Stay,
    Quit,
    Interrupt,
}

/// What a person has chosen to see.
pub(super) struct View {
    pub(super) has_colour: bool,
    pub(super) focus: usize,
    pub(super) is_alone: bool,
    pub(super) has_help: bool,
    /// By the names of lists.
    lists: BTreeMap<String, Chosen>,
}

#[derive(Default)]
struct Chosen {
    /// The first row that is shown.
    first: usize,
    sort_by: Option<String>,
    descending: bool,
}

impl View {
    pub(super) fn new(has_colour: bool) -> Self {
        Self {
            has_colour,
            focus: 0,
            is_alone: false,
            has_help: false,
            lists: BTreeMap::new(),
        }
    }

    /// Does what a key is for.
    pub(super) fn take(&mut self, event: &Event, panels: &[Panel]) -> Next {
        let Event::Key(key) = event else {
            return Next::Stay;
        };
        if key.kind == KeyEventKind::Release {
            return Next::Stay;
        }
        let many = panels.len().max(1);
        match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                return Next::Interrupt;
            }
            KeyCode::Esc | KeyCode::Char('q') if self.has_help => self.has_help = false,
            KeyCode::Esc | KeyCode::Char('q') => return Next::Quit,
            KeyCode::Char('?' | 'h') => self.has_help = !self.has_help,
            KeyCode::Tab | KeyCode::Right => self.focus = (self.focus + 1) % many,
            KeyCode::BackTab | KeyCode::Left => self.focus = (self.focus + many - 1) % many,
            KeyCode::Enter => self.is_alone = !self.is_alone,
            code => {
                let panel = panels.get(self.focus);
                if let Some(panel) = panel {
                    let chosen = self.lists.entry(panel.name.clone()).or_default();
                    chosen.take(code, panel);
                }
            }
        }
        Next::Stay
    }

    /// The column that a list is sorted by, and whether from the highest.
    pub(super) fn sort(&self, panel: &Panel) -> Option<(&str, bool)> {
        let chosen = self.lists.get(&panel.name)?;
        Some((chosen.sort_by.as_deref()?, chosen.descending))
    }

    /// The first row that is shown of a list, where so many fit.
    pub(super) fn first(&mut self, panel: &Panel, fit: usize) -> usize {
        let most = panel.items.len().saturating_sub(fit);
        let Some(chosen) = self.lists.get_mut(&panel.name) else {
            return 0;
        };
        chosen.first = chosen.first.min(most);
        chosen.first
    }
}

impl Chosen {
    fn take(&mut self, code: KeyCode, panel: &Panel) {
        let last = panel.items.len().saturating_sub(1);
        self.first = match code {
            KeyCode::Down | KeyCode::Char('j') => (self.first + 1).min(last),
            KeyCode::Up | KeyCode::Char('k') => self.first.saturating_sub(1),
            KeyCode::PageDown => (self.first + PAGE).min(last),
            KeyCode::PageUp => self.first.saturating_sub(PAGE),
            KeyCode::Home => 0,
            KeyCode::End => last,
            _ => self.first,
        };
        match code {
            KeyCode::Char('s') => self.sort_by = self.next_column(panel, 1),
            KeyCode::Char('S') => self.sort_by = self.next_column(panel, panel.columns.len()),
            KeyCode::Char('r') => self.descending = !self.descending,
            _ => {}
        }
    }

    /// The column so many after the one that it is sorted by, and in between the order as it comes.
    fn next_column(&self, panel: &Panel, on: usize) -> Option<String> {
        let by = self.sort_by.as_ref();
        let at = by.and_then(|by| panel.columns.iter().position(|name| name == by));
        // The place after the last column is for none.
        let places = panel.columns.len() + 1;
        let at = at.unwrap_or(panel.columns.len());
        panel.columns.get((at + on) % places).cloned()
    }
}

#[cfg(test)]
mod tests {
    use action_guard::State;
    use crossterm::event::KeyEvent;
    use jiff::Timestamp;
    use serde_json::{Map, json};

    use super::*;

    fn panel(rows: usize) -> Panel {
        let mut panel = Panel::of_open(&State::default(), Timestamp::UNIX_EPOCH);
        let row = |at| Map::from_iter([("id".to_owned(), json!(at))]);
        panel.items = (0..rows).map(row).collect();
        panel
    }

    fn press(view: &mut View, panels: &[Panel], codes: &[KeyCode]) -> Next {
        let mut next = Next::Stay;
        for code in codes {
            let key = KeyEvent::new(*code, KeyModifiers::NONE);
            next = view.take(&Event::Key(key), panels);
        }
        next
    }

    #[test]
    fn lists_are_gone_through_and_left() {
        let (mut view, panels) = (View::new(false), [panel(3), panel(0)]);
        press(&mut view, &panels, &[KeyCode::Tab]);
        assert_eq!(view.focus, 1);
        press(
            &mut view,
            &panels,
            &[KeyCode::Tab, KeyCode::Left, KeyCode::Right],
        );
        assert_eq!(view.focus, 0);
        assert_eq!(press(&mut view, &panels, &[KeyCode::Char('?')]), Next::Stay);
        // The help first.
        assert_eq!(press(&mut view, &panels, &[KeyCode::Char('q')]), Next::Stay);
        assert_eq!(press(&mut view, &panels, &[KeyCode::Char('q')]), Next::Quit);
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(view.take(&Event::Key(interrupt), &panels), Next::Interrupt);
        assert_eq!(view.take(&Event::Resize(1, 1), &[]), Next::Stay);
        press(&mut view, &[], &[KeyCode::Tab, KeyCode::Down]);
    }

    #[test]
    fn rows_are_scrolled_no_further_than_there_are_any() {
        let (mut view, panels) = (View::new(false), [panel(30)]);
        press(&mut view, &panels, &[KeyCode::PageDown, KeyCode::Down]);
        assert_eq!(view.first(&panels[0], 5), 11);
        press(&mut view, &panels, &[KeyCode::End]);
        assert_eq!(view.first(&panels[0], 5), 25);
        assert_eq!(view.first(&panel(3), 5), 0);
    }

    #[test]
    fn a_list_is_sorted_by_each_of_its_columns_in_turn() {
        let (mut view, panels) = (View::new(false), [panel(3)]);
        assert_eq!(view.sort(&panels[0]), None);
        press(&mut view, &panels, &[KeyCode::Char('s')]);
        assert_eq!(view.sort(&panels[0]), Some(("id", false)));
        press(
            &mut view,
            &panels,
            &[KeyCode::Char('s'), KeyCode::Char('r')],
        );
        assert_eq!(view.sort(&panels[0]), Some(("state", true)));
        press(
            &mut view,
            &panels,
            &[KeyCode::Char('S'), KeyCode::Char('S')],
        );
        assert_eq!(view.sort(&panels[0]), None);
        press(&mut view, &panels, &[KeyCode::Char('S')]);
        assert_eq!(view.sort(&panels[0]), Some(("asked_at", true)));
    }
}
