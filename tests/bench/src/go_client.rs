//! PD's own Go client as a reference: `go-client/main.go`, which is a process of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::Failed;
use crate::measure::Cost;

/// The program, at a PD.
pub(crate) struct GoClient {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl GoClient {
    /// The program that the environment names, if it names one.
    pub(crate) fn given(endpoint: &str) -> Result<Option<Self>, Failed> {
        let Some(program) = std::env::var_os("BENCH_GO_CLIENT") else {
            return Ok(None);
        };
        let mut child = Command::new(program)
            .arg(endpoint)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the Go client has no pipes".into());
        };
        let answers = BufReader::new(answers);
        Ok(Some(Self {
            child,
            orders,
            answers,
        }))
    }

    /// Has an order carried out, and gives what it cost there.
    pub(crate) fn carry_out(&mut self, order: &str) -> Result<Cost, Failed> {
        writeln!(self.orders, "{order}")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let (wall, cpu) = line.trim().split_once(' ').ok_or("the Go client failed")?;
        let (wall, cpu) = (wall.parse()?, cpu.parse()?);
        Ok(Cost { wall, cpu })
    }

    /// The same of an order that it has carried out before.
    pub(crate) fn costs(&mut self, order: &str) -> Cost {
        let (wall, cpu) = (f64::NAN, f64::NAN);
        self.carry_out(order).unwrap_or(Cost { wall, cpu })
    }
}

impl Drop for GoClient {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
