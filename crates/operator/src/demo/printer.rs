//! Where the demo prints: with the data, unless data is JSON.

use operator_cli::Output;

pub(super) struct Printer<'a>(pub(super) &'a mut Output);

impl Printer<'_> {
    pub(super) fn print(&mut self, text: &str) {
        self.0.narrate(text);
    }
}
