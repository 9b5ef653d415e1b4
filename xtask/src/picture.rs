//! The picture on README's first screen: a real session on a simulated cluster, with its colours.
//!
//! The commands are run, and what they wrote is drawn as it is: nothing in it is typed by hand but the
//! commands. Ids, times and amounts differ each time, so that [`check`] compares the rest.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::findings::{Findings, Report};
use crate::workspace::Workspace;

const PICTURE: &str = "docs/session.svg";

/// What is typed. The port is the one where the command looks by itself.
const SIM: [&str; 3] = ["sim", "--port", "2379"];
const SESSION: [Typed; 4] = [
    Typed {
        words: &[
            "run",
            "list_stores",
            "--columns",
            "store_id,address,state,leader_count,region_count",
        ],
        head: 8,
    },
    Typed {
        words: &[
            "plan",
            "transfer_leader",
            "--region-id",
            "9",
            "--to-store-id",
            "4",
        ],
        head: 3,
    },
    Typed {
        words: &[
            "run",
            "transfer_leader",
            "--region-id",
            "9",
            "--to-store-id",
            "2",
            "--yes",
        ],
        head: 3,
    },
    Typed {
        words: &["undo", "--last", "--yes"],
        head: 1,
    },
];

/// A command, and how many lines of what it shows.
struct Typed {
    words: &'static [&'static str],
    head: usize,
}

/// In characters and pixels.
const WIDEST: usize = 100;
const CHARACTER: f64 = 8.4;
const LINE: usize = 19;
const MARGIN: usize = 16;

/// Writes it.
pub(crate) fn write(workspace: &Workspace) -> Report {
    let picture = picture(workspace)?;
    fs::write(workspace.root().join(PICTURE), picture)
        .map_err(|error| Findings::from(format!("{PICTURE}: {error}")))?;
    Ok(format!("picture: wrote {PICTURE}"))
}

/// Whether the session still looks like this, but for ids, times and amounts.
pub(crate) fn check(workspace: &Workspace) -> Report {
    let (now, written) = (picture(workspace)?, workspace.read(PICTURE)?);
    match structure(&now) == structure(&written) {
        true => Ok(format!("picture: {PICTURE} is current")),
        false => Err(Findings::from(format!(
            "{PICTURE} is not what a session looks like now: `cargo xtask picture` writes it"
        ))),
    }
}

fn picture(workspace: &Workspace) -> Result<String, Findings> {
    Ok(drawn(&session(workspace)?))
}

/// The simulated cluster of a session, for as long as that takes.
struct Sim(Child);

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a person sees, with escape sequences for colours.
fn session(workspace: &Workspace) -> Result<String, Findings> {
    workspace.output("cargo", &["build", "--quiet", "--package", "operator"])?;
    let home = workspace.root().join("target/picture");
    let _ = fs::remove_dir_all(&home);
    let failed = |error: std::io::Error| Findings::from(format!("picture: {error}"));
    fs::create_dir_all(&home).map_err(failed)?;
    let mut sim = operator(workspace, &home)
        .args(SIM)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let stdout = sim.stdout.take();
    let _sim = Sim(sim);
    let mut address = String::new();
    if let Some(stdout) = stdout {
        BufReader::new(stdout)
            .read_line(&mut address)
            .map_err(failed)?;
    }
    if address.is_empty() {
        let text = "picture: nothing is simulated: is something else at 127.0.0.1:2379?";
        return Err(Findings::from(text.to_owned()));
    }
    let mode = ["mode", "execute", "--reason", "a picture"];
    operator(workspace, &home)
        .args(mode)
        .output()
        .map_err(failed)?;
    let mut seen = String::new();
    for Typed { words, head } in SESSION {
        let ran = operator(workspace, &home)
            .args(words)
            .output()
            .map_err(failed)?;
        let typed = words.join(" ");
        let shown = String::from_utf8_lossy(&ran.stdout);
        if shown.trim().is_empty() {
            let told = String::from_utf8_lossy(&ran.stderr);
            return Err(Findings::from(format!("picture: `{typed}`: {told}")));
        }
        let all: Vec<&str> = shown.trim_end().lines().collect();
        let cut = match all.len() > head {
            true => format!(" | head -{head}"),
            false => String::new(),
        };
        let shown = all
            .iter()
            .take(head)
            .copied()
            .collect::<Vec<_>>()
            .join("\n");
        let _ = write!(seen, "$ operator {typed}{cut}\n{}\n\n", shown.trim_end());
    }
    Ok(seen.trim_end().to_owned())
}

/// The command, with nothing of whose machine this is.
fn operator(workspace: &Workspace, home: &Path) -> Command {
    let program = workspace.root().join("target/debug/operator");
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("HOME", home)
        .env("CLICOLOR_FORCE", "1")
        .env("TERM", "xterm-256color")
        .env("OPERATOR_ACTOR", "user:ana")
        .stdin(Stdio::null());
    command
}

/// A text with escape sequences, as a picture.
fn drawn(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let (width, height) = (
        (WIDEST as f64 * CHARACTER) as usize + 2 * MARGIN,
        lines.len() * LINE + 2 * MARGIN,
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>A session: a predicted refusal, a transfer that is proven, and its undo</title>\n\
         <style>text{{font:14px ui-monospace,Menlo,Consolas,monospace;fill:#d4d4d4;white-space:pre}}\
         .b{{font-weight:bold}}.p{{fill:#8cb4ff}}.s31{{fill:#ff7b72}}.s32{{fill:#7ee787}}.s33{{fill:#e3b341}}\
         </style>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#161b22\"/>\n"
    );
    for (at, line) in lines.iter().enumerate() {
        let y = MARGIN + (at + 1) * LINE - 5;
        let _ = writeln!(svg, "<text x=\"{MARGIN}\" y=\"{y}\">{}</text>", spans(line));
    }
    svg.push_str("</svg>\n");
    svg
}

/// The parts of a line that look alike.
fn spans(line: &str) -> String {
    let mut spans = String::new();
    let (mut classes, mut room): (Vec<String>, usize) = (Vec::new(), WIDEST);
    if line.starts_with("$ ") {
        classes.push("p".to_owned());
    }
    for (place, part) in line.split('\u{1b}').enumerate() {
        let mut text = part;
        if place > 0 {
            let Some((codes, rest)) = part.strip_prefix('[').and_then(|part| part.split_once('m'))
            else {
                continue;
            };
            text = rest;
            for code in codes.split(';') {
                match code {
                    "0" | "" => classes.clear(),
                    "1" => classes.push("b".to_owned()),
                    other => classes.push(format!("s{other}")),
                }
            }
        }
        let mut shown: String = text.chars().take(room).collect();
        if shown.len() < text.len() && !shown.is_empty() {
            shown.pop();
            shown.push('…');
        }
        room -= shown.chars().count();
        if shown.is_empty() {
            continue;
        }
        let shown = escaped(&shown);
        match classes.is_empty() {
            true => spans.push_str(&shown),
            false => {
                let classes = classes.join(" ");
                let _ = write!(spans, "<tspan class=\"{classes}\">{shown}</tspan>");
            }
        }
    }
    spans
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The words of a picture without what differs from session to session: those with a digit in them, and
/// how many spaces stand between two.
fn structure(svg: &str) -> String {
    let texts = svg
        .split('<')
        .filter_map(|tag| Some(tag.split_once('>')?.1));
    let text: String = texts.collect();
    let words = text.split_whitespace();
    let words = words.map(|word| match word.chars().any(|one| one.is_ascii_digit()) {
        true => "#",
        false => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_kept_and_markup_is_not_made() {
        let line = "\u{1b}[1m\u{1b}[31mNot\u{1b}[0m <a> & b";
        assert_eq!(
            spans(line),
            "<tspan class=\"b s31\">Not</tspan> &lt;a&gt; &amp; b"
        );
        assert_eq!(spans("$ operator"), "<tspan class=\"p\">$ operator</tspan>");
        let long = spans(&"x".repeat(WIDEST + 5));
        assert_eq!(long.chars().count(), WIDEST);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn what_differs_from_session_to_session_is_not_compared() {
        let structure = |text: &str| structure(&format!("<text y=\"3\">{text}</text>"));
        let one = structure("Proposal 01a22c,  after 3 s");
        assert_eq!(one, structure("Proposal 01b99f, after 12 s"));
        assert_ne!(one, structure("Proposal 01a22c, in 3 s"));
        assert!(one.starts_with("Proposal"));
    }
}
