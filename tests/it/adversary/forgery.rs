//! A journal that somebody has changed, and a clock that is not right: nothing is sent by them.

use std::fs;
use std::path::{Path, PathBuf};

use action_guard::{Decider, FileJournal, Journal as _, Ledger, Mode, Record};
use jiff::{SignedDuration, Timestamp};

use crate::adversary::asked::Asked;
use crate::adversary::fixture::{Death, Fixture, ana};
use crate::adversary::random::Random;
use crate::adversary::tally::{Broken, Tally};

/// A record is changed, lost, doubled, moved or made up after a mutation; then another is asked for.
pub(super) async fn journal(
    fixture: &Fixture,
    asked: &Asked,
    random: &mut Random,
    tally: &mut Tally,
) {
    fixture.run("user:ana", asked, Death::None).await;
    let segment = segment(fixture);
    let written = fs::read_to_string(&segment).unwrap();
    let mut lines: Vec<String> = written.lines().map(str::to_owned).collect();
    let last = lines.len() - 1;
    let at = usize::try_from(random.below(last as u64)).unwrap();
    // Of one line, where nothing was asked for, only a word can be changed.
    let forged = random.below(if last == 0 { 1 } else { 6 });
    match forged {
        0 => {
            // One digit or letter for another.
            let line = lines[at].clone();
            let places: Vec<usize> = line
                .char_indices()
                .filter(|(_, one)| one.is_ascii_alphanumeric())
                .map(|(place, _)| place)
                .collect();
            let place = random.pick(&places);
            let other = if &line[place..=place] == "7" {
                "8"
            } else {
                "7"
            };
            lines[at].replace_range(place..=place, other);
        }
        1 => drop(lines.remove(at)),
        2 => lines.insert(at, lines[at].clone()),
        3 => lines.swap(at, at + 1),
        4 => lines.push(lines[last].clone()),
        _ => {
            let made_up = lines[last].replace("\"kind\":\"", "\"kind\":\"mode\",\"was\":\"");
            lines.push(made_up);
        }
    }
    fs::write(&segment, lines.join("\n") + "\n").unwrap();
    let before = fixture.log.seen().len();
    let fresh = FileJournal::open(fixture.path()).unwrap();
    if fresh.verify().await.is_ok() {
        tally.broke(
            Broken::Rule,
            format!("forgery {forged} at line {at} was not seen"),
        );
    }
    let another = Asked::any(fixture, random);
    fixture.run("user:ana", &another, Death::None).await;
    if fixture.log.seen().len() != before {
        tally.broke(
            Broken::Rule,
            format!("forgery {forged} at line {at}: sent all the same"),
        );
    }
    fs::write(&segment, written).unwrap();
}

fn segment(fixture: &Fixture) -> PathBuf {
    let segments = fs::read_dir(fixture.path().join("journal")).unwrap();
    let mut segments: Vec<PathBuf> = segments.map(|one| one.unwrap().path()).collect();
    segments.sort();
    segments.pop().unwrap()
}

/// The clock is two hours ahead of what was written and of what this machine has seen, or two hours
/// behind what was written: nothing is sent by it.
pub(super) async fn clock(
    fixture: &Fixture,
    asked: &Asked,
    random: &mut Random,
    tally: &mut Tally,
) {
    if random.one_in(2) {
        ahead(fixture, asked, tally).await;
    } else {
        behind(fixture, asked, random, tally).await;
    }
    fixture.run("user:ana", asked, Death::None).await;
}

/// Until a person says that the clock is right, nothing is sent.
async fn ahead(fixture: &Fixture, asked: &Asked, tally: &mut Tally) {
    let file = fixture.path().join("clock");
    let Ok(noted) = fs::read_to_string(&file) else {
        // Where no machine says how long it has been up, no leap is seen.
        return;
    };
    let mut parts: Vec<String> = noted.split_whitespace().map(str::to_owned).collect();
    let shown: i64 = parts[2].parse().unwrap();
    parts[2] = (shown - 2 * 3_600_000).to_string();
    fs::write(&file, parts.join(" ") + "\n").unwrap();
    let mut ledger = Ledger::new();
    let mut lines = Vec::new();
    for entry in fixture.entries().await {
        let then = entry.at - TWO_HOURS;
        let sealed = ledger.write(vec![entry.record], then, &entry.instance);
        lines.extend(sealed.unwrap().into_iter().map(|one| one.line));
    }
    write(&segment(fixture), &lines);
    nothing_is_sent(fixture, asked, tally).await;
    let ana = ana();
    let controls = fixture.controls();
    let confirmed = controls.confirm_clock(Decider::claimed(&ana), "it is right");
    if let Err(error) = confirmed.await {
        tally.broke(Broken::Rule, format!("the clock: {error}"));
    }
}

/// The last record is of a time that the clock does not show yet.
async fn behind(fixture: &Fixture, asked: &Asked, random: &mut Random, tally: &mut Tally) {
    if random.one_in(2) {
        fixture.run("user:ana", asked, Death::any(random)).await;
    }
    let segment = segment(fixture);
    let written = fs::read_to_string(&segment).unwrap();
    let mut ledger = Ledger::new();
    let mut lines = Vec::new();
    for line in written.lines() {
        // A last line may be torn.
        if ledger.follow(line.as_bytes()).is_ok() {
            lines.push(line.to_owned());
        }
    }
    let mode = Record::Mode {
        target: None,
        mode: Mode::Execute,
        by: ana(),
        reason: "by another clock".to_owned(),
        proof: None,
        attested: None,
    };
    let later = Timestamp::now() + TWO_HOURS;
    let sealed = ledger.write(vec![mode], later, "another");
    lines.extend(sealed.unwrap().into_iter().map(|one| one.line));
    write(&segment, &lines);
    nothing_is_sent(fixture, asked, tally).await;
    fs::write(&segment, written).unwrap();
}

const TWO_HOURS: SignedDuration = SignedDuration::from_hours(2);

fn write(segment: &Path, lines: &[String]) {
    fs::write(segment, lines.join("\n") + "\n").unwrap();
}

async fn nothing_is_sent(fixture: &Fixture, asked: &Asked, tally: &mut Tally) {
    let sent = fixture.log.seen().len();
    fixture.run("agent:night", asked, Death::None).await;
    if fixture.log.seen().len() != sent {
        tally.broke(Broken::Rule, "sent by a clock that is not right".to_owned());
    }
}
