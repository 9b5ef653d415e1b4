//! The least that a program does: what starting one costs.

use std::io::Write;

fn main() -> std::io::Result<()> {
    writeln!(std::io::stdout(), "hello, world")
}
