//! A terminal that a test sits at.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A terminal, seen from where a person sits.
pub(crate) struct Terminal {
    person: File,
    seen: String,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        Self {
            person: person.into(),
            seen: String::new(),
        }
    }

    /// Starts a program that is asked and answers here.
    pub(crate) fn run(&mut self, command: &mut Command) -> Child {
        let name = ptsname(&self.person, Vec::new()).unwrap();
        let open = || {
            let opened = OpenOptions::new()
                .read(true)
                .write(true)
                .open(name.to_str().unwrap());
            Stdio::from(opened.unwrap())
        };
        command
            .stdin(open())
            .stdout(Stdio::null())
            .stderr(open())
            .spawn()
            .unwrap()
    }

    /// Types a line.
    pub(crate) fn types(&mut self, text: &str) {
        self.person
            .write_all(format!("{text}\n").as_bytes())
            .unwrap();
    }

    /// Waits until this is to be read.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let mut bytes = [0; 1024];
        while !self.seen.contains(text) {
            let read = self.person.read(&mut bytes).unwrap();
            self.seen.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    }
}
