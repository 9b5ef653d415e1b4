//! `docs/first-half-hour.md`, done from the first line to the last, in a home of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// A line that a person types, and what is printed below it.
struct Line {
    command: String,
    ends_with: i32,
    shown: Vec<String>,
}

fn lines(page: &str) -> Vec<Line> {
    let mut all: Vec<Line> = Vec::new();
    for block in page.split("```console").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        for text in block.lines().filter(|text| !text.is_empty()) {
            let Some(typed) = text.strip_prefix("$ ") else {
                all.last_mut().unwrap().shown.push(text.to_owned());
                continue;
            };
            let (command, code) = typed.split_once("   # ends with ").unwrap_or((typed, "0"));
            all.push(Line {
                command: command.to_owned(),
                ends_with: code.parse().unwrap(),
                shown: Vec::new(),
            });
        }
    }
    all
}

/// The simulated cluster of the page, and who practises at it.
struct Practice {
    sim: Child,
    endpoint: String,
    home: TempDir,
}

impl Practice {
    fn begin(line: &str) -> Self {
        let words = line.split(' ').skip(1);
        let words = words.map(|word| if word == "2379" { "0" } else { word });
        let mut sim = Command::new(env!("CARGO_BIN_EXE_operator"))
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut endpoint = String::new();
        let stdout = sim.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut endpoint).unwrap();
        Self {
            sim,
            endpoint: endpoint.trim().to_owned(),
            home: TempDir::new().unwrap(),
        }
    }

    /// Types a line in a shell; who sits there says yes.
    fn types(&self, line: &str) -> Output {
        let program = Path::new(env!("CARGO_BIN_EXE_operator")).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        Command::new("sh")
            .args(["-c", line])
            .current_dir(self.home.path())
            .env("PATH", format!("{}:{path}", program.display()))
            .env("HOME", self.home.path())
            .env("PD_ADDR", &self.endpoint)
            .env("OPERATOR_ACTOR", "user:ana")
            .env("OPERATOR_SETTLE_FOR", "0s")
            .env_remove("XDG_STATE_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("OPERATOR_STATE_DIR")
            .env_remove("OPERATOR_CONFIG")
            .env_remove("OPERATOR_POLICY_FILE")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// The line with the id that stands in for `ID`, and with what a person answers.
    fn answered(&self, line: &str) -> String {
        let mut line = line.to_owned();
        if line.contains(" ID") {
            let listed = self.types("operator proposals list -o name");
            let listed = String::from_utf8(listed.stdout).unwrap();
            let id = listed.lines().next().unwrap();
            line = line.replace(" ID", &format!(" {id}"));
            if line.starts_with("operator approve") {
                let shown = self.types(&format!("operator proposals show {id} -o json"));
                let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
                let plan = &shown["proposal"]["plan_hash"].as_str().unwrap()[..12];
                line.push_str(&format!(" --plan {plan}"));
            }
        }
        let asks = ["operator run ", "operator undo ", "operator proposals run "];
        if asks.iter().any(|asks| line.starts_with(asks)) && is_of_a_mutation(&line) {
            line.push_str(" --yes");
        }
        line
    }

    /// What `curl` would.
    fn post(&self, body: &str) {
        let host = self.endpoint.trim_start_matches("http://");
        let mut connection = TcpStream::connect(host).unwrap();
        let head = format!(
            "POST /sim/control HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        connection.write_all(head.as_bytes()).unwrap();
        connection.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{body}: {answer}");
    }
}

impl Drop for Practice {
    fn drop(&mut self) {
        let _ = self.sim.kill();
        let _ = self.sim.wait();
    }
}

fn is_of_a_mutation(line: &str) -> bool {
    let looks = ["list_", "get_", "find_", "safe_to_"];
    !looks
        .iter()
        .any(|looks| line.starts_with(&format!("operator run {looks}")))
}

#[test]
fn it_goes_as_the_page_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/first-half-hour.md");
    let lines = lines(&std::fs::read_to_string(page).unwrap());
    let practice = Practice::begin(&lines[0].command);
    let mut typed = 0;
    for line in &lines[1..] {
        let command = &line.command;
        if command == "operator top" {
            // It needs a terminal: see `top.rs`.
            continue;
        }
        if command.starts_with("curl ") {
            let body = command.split('\'').nth(1).unwrap();
            assert!(command.contains(" http://127.0.0.1:2379/sim/control "));
            practice.post(body);
            continue;
        }
        let ended = practice.types(&practice.answered(command));
        let stdout = String::from_utf8(ended.stdout).unwrap();
        let told = format!(
            "{command}: {stdout}{}",
            String::from_utf8_lossy(&ended.stderr)
        );
        assert_eq!(ended.status.code(), Some(line.ends_with), "{told}");
        for shown in &line.shown {
            assert!(stdout.contains(shown.as_str()), "{shown}: {told}");
        }
        typed += 1;
    }
    assert!(typed > 25, "{typed}");
}
