//! A terminal that a test sits at.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::num::NonZero;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// How high a terminal is.
const ROWS: u16 = 40;

/// A terminal, seen from where a person sits.
pub(crate) struct Terminal {
    person: File,
    seen: String,
    screen: vt100::Parser,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        Self::of(120)
    }

    /// One that is so wide.
    pub(crate) fn of(columns: u16) -> Self {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let terminal = Self {
            person: person.into(),
            seen: String::new(),
            screen: vt100::Parser::new(not_none(ROWS), not_none(columns), 0),
        };
        terminal.set_size(columns);
        terminal
    }

    fn set_size(&self, columns: u16) {
        let size = Winsize {
            ws_row: ROWS,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&self.person, size).unwrap();
    }

    /// Makes it so wide, and tells the program.
    pub(crate) fn resize(&mut self, columns: u16, child: &Child) {
        self.set_size(columns);
        let screen = self.screen.screen_mut();
        screen.set_size(not_none(ROWS), not_none(columns));
        let pid = Pid::from_child(child);
        kill_process(pid, Signal::WINCH).unwrap();
    }

    /// Starts a program that is asked and answers here.
    pub(crate) fn run(&mut self, command: &mut Command) -> Child {
        self.run_with(command, Stdio::null())
    }

    /// The same, whose data is shown here as well.
    pub(crate) fn run_wholly(&mut self, command: &mut Command) -> Child {
        let stdout = self.open();
        self.run_with(command, stdout)
    }

    fn run_with(&mut self, command: &mut Command, stdout: Stdio) -> Child {
        command
            .stdin(self.open())
            .stdout(stdout)
            .stderr(self.open());
        let child = command.spawn().unwrap();
        // What is open here would keep the terminal open after the program is gone.
        let [stdin, stdout, stderr] = [Stdio::null(), Stdio::null(), Stdio::null()];
        command.stdin(stdin).stdout(stdout).stderr(stderr);
        child
    }

    fn open(&self) -> Stdio {
        let name = ptsname(&self.person, Vec::new()).unwrap();
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .open(name.to_str().unwrap());
        Stdio::from(opened.unwrap())
    }

    /// Types a line.
    pub(crate) fn types(&mut self, text: &str) {
        self.presses(&format!("{text}\n"));
    }

    /// Presses keys.
    pub(crate) fn presses(&mut self, keys: &str) {
        self.person.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until this is to be read.
    pub(crate) fn wait_for(&mut self, text: &str) {
        while !self.seen.contains(text) {
            assert!(self.read(), "it ended without `{text}`: {}", self.seen);
        }
    }

    /// Waits until the screen is as it is to be, and gives it.
    pub(crate) fn wait_until(&mut self, is_so: impl Fn(&str) -> bool) -> String {
        loop {
            let screen = self.screen();
            if is_so(&screen) {
                return screen;
            }
            assert!(self.read(), "it ended like this:\n{screen}");
        }
    }

    /// All that is written until nobody writes any more.
    pub(crate) fn read_to_the_end(&mut self) -> &str {
        while self.read() {}
        &self.seen
    }

    /// What stands on the screen, without the spaces at the ends of lines.
    pub(crate) fn screen(&self) -> String {
        self.screen.screen().contents()
    }

    /// Whether the program has the whole screen for itself.
    pub(crate) fn is_taken(&self) -> bool {
        self.screen.screen().alternate_screen()
    }

    pub(crate) fn shows_cursor(&self) -> bool {
        !self.screen.screen().hide_cursor()
    }

    /// Reads on, unless the last program that wrote here is gone.
    fn read(&mut self) -> bool {
        let mut bytes = [0; 1024];
        // Where nobody has it open any more, Linux says that there is no such device.
        let read = self.person.read(&mut bytes).unwrap_or(0);
        self.screen.process(&bytes[..read]);
        self.seen.push_str(&String::from_utf8_lossy(&bytes[..read]));
        read > 0
    }
}

fn not_none(number: u16) -> NonZero<u16> {
    NonZero::new(number).unwrap()
}
