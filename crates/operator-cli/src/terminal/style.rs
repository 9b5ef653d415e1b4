//! Weight and colour of words, where a terminal shows them: never alone, the word says the same.
//!
//! A text says which of its words stand out by marks that nobody sees. [`painted`] makes escape sequences
//! of them, or nothing; the escapes of anybody else stay what [`printable`] made of them.

use std::io::{self, IsTerminal as _};

use action_core::printable;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

/// What is said of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Bad,
    Doubtful,
    Heading,
}

const TONES: [Tone; 4] = [Tone::Good, Tone::Bad, Tone::Doubtful, Tone::Heading];

/// Behind a word.
const END: char = '\u{fff8}';

impl Tone {
    /// Before a word. [`printable`] leaves none of these in what comes from elsewhere.
    const fn mark(self) -> char {
        match self {
            Self::Good => '\u{fff0}',
            Self::Bad => '\u{fff1}',
            Self::Doubtful => '\u{fff2}',
            Self::Heading => '\u{fff3}',
        }
    }

    fn style(self) -> Style {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Self::Good => colour(AnsiColor::Green),
            Self::Bad => colour(AnsiColor::Red).bold(),
            Self::Doubtful => colour(AnsiColor::Yellow),
            Self::Heading => Style::new().bold(),
        }
    }
}

/// A text that stands out. Each of its words does by itself, so that a line can be broken between them.
pub(crate) fn toned(tone: Tone, text: &str) -> String {
    let one = |word: &str| match word {
        "" => String::new(),
        word => format!("{}{word}{END}", tone.mark()),
    };
    text.split(' ').map(one).collect::<Vec<_>>().join(" ")
}

/// As [`printable`], but for marks.
pub(crate) fn marked_printable(text: &str) -> String {
    let parts = text.split_inclusive(is_mark).map(|part| {
        let last = part.chars().next_back().filter(|last| is_mark(*last));
        let rest = part.trim_end_matches(is_mark);
        let last = last.map_or_else(String::new, String::from);
        format!("{}{last}", printable(rest))
    });
    parts.collect()
}

pub(crate) fn is_mark(character: char) -> bool {
    character == END || TONES.iter().any(|tone| tone.mark() == character)
}

/// A line with escape sequences in place of marks, or without either.
pub(crate) fn painted(line: &str, has_colour: bool) -> String {
    let mut text = line.to_owned();
    for tone in TONES {
        let (begin, style) = (tone.mark(), tone.style());
        if has_colour {
            text = text.replace(&format!("{END} {begin}"), " ");
            text = text.replace(begin, &style.to_string());
        } else {
            text = text.replace(begin, "");
        }
    }
    match has_colour {
        true => text.replace(END, &Style::new().bold().render_reset().to_string()),
        false => text.replace(END, ""),
    }
}

/// Whether a stream shows colour: it is a terminal, and neither `NO_COLOR` nor `TERM=dumb` is set.
pub(crate) fn has_colour(stream: &impl anstream::stream::RawStream) -> bool {
    // Where `CI` is set, any terminal is taken to show colour.
    let is_forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|set| set != "0");
    AutoStream::choice(stream) != ColorChoice::Never && (is_forced || !is_dumb())
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Whether a line on stderr can be written over.
pub(crate) fn can_write_over() -> bool {
    io::stderr().is_terminal() && !is_dumb()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_out_where_colour_is_shown_and_stay_where_not() {
        let text = format!("{}: {}", toned(Tone::Bad, "Not applied"), "no");
        assert_eq!(painted(&text, false), "Not applied: no");
        assert_eq!(
            painted(&text, true),
            "\u{1b}[1m\u{1b}[31mNot applied\u{1b}[0m: no"
        );
        assert_eq!(toned(Tone::Good, ""), "");
    }

    #[test]
    fn what_comes_from_elsewhere_is_escaped_and_paints_nothing() {
        let word = toned(Tone::Good, "up");
        assert_eq!(marked_printable(&word), word);
        let other = printable("\u{fff1}x\u{1b}[31m\u{fff8}").into_owned();
        let text = format!("{word} {other}");
        assert_eq!(
            painted(&marked_printable(&text), false),
            "up \\ufff1x\\u001b[31m\\ufff8"
        );
        assert_eq!(marked_printable("a\u{1b}b\tc"), "a\\u001bb\\u0009c");
    }
}
