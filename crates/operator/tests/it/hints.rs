//! Commands that are printed for people to copy: each works as it is printed.

use crate::Cluster;
use crate::harness::{Finished, command, finished};

/// The command on the line that begins with these words, as its arguments.
fn printed<'a>(text: &'a str, begins: &str) -> Option<Vec<&'a str>> {
    let mut lines = text.lines().map(str::trim);
    let line = lines.find(|line| line.starts_with(begins))?;
    let words = line.split_whitespace().skip(1);
    Some(words.map(|word| word.trim_matches('\'')).collect())
}

/// Runs a printed command as somebody, who is named by the environment.
fn as_actor(actor: &str, line: &[&str]) -> Finished {
    finished(command().env("OPERATOR_ACTOR", actor).args(line))
}

#[test]
fn the_printed_way_to_carry_out_what_somebody_else_asked_for_works() {
    let cluster = Cluster::start();
    let waiting = cluster
        .run_transfer(&["--yes", "--actor", "agent:night"])
        .ended(6);
    let run = printed(&waiting.stderr, "operator proposals run").unwrap();
    assert!(
        run.windows(2).any(|two| two == ["--actor", "agent:night"]),
        "{run:?}"
    );
    let approve = printed(&waiting.stderr, "operator approve").unwrap();
    as_actor("user:ana", &approve).ended(0);

    // Who may not is told so before the plan and the question, and how it goes instead.
    let bare = ["proposals", "run", run[2]];
    let refused = cluster.with_state(&bare).ended(3);
    assert!(!refused.stderr.contains("Relies on"), "{}", refused.stderr);
    let refused = refused.says("only `agent:night`");
    assert!(
        refused
            .stderr
            .contains(&format!("proposals run {} --actor agent:night", run[2])),
        "{}",
        refused.stderr
    );
    assert_eq!(cluster.sim.writes(), []);
    as_actor("user:ana", &[&run[..], &["--yes"]].concat()).ended(0);
    assert_eq!(cluster.sim.writes().len(), 1);
}

#[test]
fn who_acts_by_the_environment_needs_no_flag() {
    let cluster = Cluster::start();
    let follower = cluster.first_region().follower.to_string();
    let region = cluster.first_region().id;
    let run = [
        "--pd",
        cluster.sim.endpoint(),
        "run",
        "transfer_leader",
        "--region-id",
        &region,
        "--to-store-id",
        &follower,
        "--yes",
        "--state-dir",
        cluster.state_dir(),
    ];
    let waiting = as_actor("agent:night", &run).ended(6);
    let printed = printed(&waiting.stderr, "operator proposals run").unwrap();
    assert!(!printed.contains(&"--actor"), "{printed:?}");
}

#[test]
fn an_undo_is_named_only_where_it_would_work() {
    let cluster = Cluster::start();
    let set = ["set_store_limit", "--store-id", "2", "--what", "add_peer"];
    let set = [&set[..], &["--per-minute", "7", "--yes", "-v"]].concat();
    let ran = cluster.run(&set).ended(0).says("settings changed: 1");
    let undo = printed(&ran.stdout, "operator undo").unwrap();
    let undone = as_actor("user:ana", &[&undo[..], &["--yes", "-v"]].concat()).ended(0);
    for text in [&undone.stderr, &undone.stdout] {
        assert_eq!(printed(text, "operator undo"), None, "{text}");
        assert!(
            text.contains("nothing set by this program stays in force"),
            "{text}"
        );
    }
    let id = undone
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("Proposal "));
    let again = ["undo", id.unwrap(), "--yes"];
    cluster
        .with_state(&again)
        .ended(3)
        .says("no lasting effect in force");
    let shown = cluster
        .with_state(&["proposals", "show", id.unwrap()])
        .ended(0);
    assert_eq!(printed(&shown.stdout, "operator undo"), None);
    cluster
        .with_state(&["undo"])
        .ended(2)
        .says("no proposal to undo");

    // What takes back a drain can be taken back: it does not hold on to anything.
    let ran = cluster
        .run(&["drain_store", "--store-id", "2", "--yes"])
        .ended(0);
    let undo = printed(&ran.stdout, "operator undo").unwrap();
    let undone = as_actor("user:ana", &[&undo[..], &["--yes"]].concat()).ended(0);
    let again = printed(&undone.stdout, "operator undo").unwrap();
    as_actor("user:ana", &[&again[..], &["--yes"]].concat()).ended(0);
    assert_eq!(cluster.sim.evicting(), [2]);
    // Which is in force again, and so is what was done last.
    let last = ["undo", "--last", "--yes"];
    cluster
        .with_state(&last)
        .ended(0)
        .says("(drain_store store_id=2): it was applied");
    assert!(cluster.sim.evicting().is_empty());
}

#[test]
fn who_agrees_is_told_of_all_who_are_at_it() {
    let cluster = Cluster::start();
    let file = cluster.state.path().join("work.toml");
    let work = "title = \"Work\"\n[[steps]]\nid = \"go\"\nconfirm = \"Go.\"\n\
        [[steps]]\nid = \"drain\"\naction = \"drain_store\"\nparameters = { store_id = \"2\" }\n";
    std::fs::write(&file, work).unwrap();
    let file = file.to_str().unwrap();
    let start = ["workflow", "start", "--file", file, "--yes", "-o", "json"];
    let started = cluster.with_state(&start).ended(6).json();
    let id = started["flow"]["id"].as_str().unwrap();
    cluster
        .with_state(&["workflow", "confirm", id, "go"])
        .ended(0);
    cluster
        .with_state(&["workflow", "resume", id, "--actor", "agent:evil"])
        .ended(6);
    let all = "user:ana, carried out by agent:evil";
    let list = cluster
        .with_state(&["proposals", "list"])
        .ended(0)
        .shows(all);
    let proposal = list
        .stdout
        .lines()
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next();
    let proposal = proposal.unwrap();
    cluster
        .with_state(&["proposals", "show", proposal])
        .ended(0)
        .shows(all);
    // Shown where it is decided, and where it is chosen, and in the record.
    cluster
        .with_state(&["approve", proposal])
        .ended(3)
        .says(all);
    cluster
        .with_state(&["approve"])
        .ended(2)
        .says(&format!("requested by {all}"));
    cluster
        .with_state(&["journal", "show"])
        .ended(0)
        .shows(&format!("by {all}"));
}

#[test]
fn the_printed_way_to_go_on_with_a_workflow_of_somebody_else_works() {
    let cluster = Cluster::start();
    let file = cluster.state.path().join("work.toml");
    let work = "title = \"Work\"\n[[steps]]\nid = \"drain\"\naction = \"drain_store\"\n\
        parameters = { store_id = \"2\" }\n";
    std::fs::write(&file, work).unwrap();
    let file = file.to_str().unwrap();
    let start = [
        "workflow",
        "start",
        "--file",
        file,
        "--yes",
        "--actor",
        "agent:night",
    ];
    let waiting = cluster.with_state(&start).ended(6);
    let resume = printed(&waiting.stdout, "operator workflow resume").unwrap();
    let show = printed(&waiting.stdout, "operator proposals show").unwrap();
    let shown = as_actor("user:ana", &[&show[..], &["-o", "json"]].concat()).ended(0);
    let plan = &shown.json()["proposal"]["plan_hash"];
    let approve = ["approve", show[2], "--plan", plan.as_str().unwrap()];
    cluster.with_state(&approve).ended(0);
    as_actor("user:ana", &resume).ended(0).shows("completed");
    assert_eq!(cluster.sim.evicting(), [2]);
}

/// What somebody changed is not taken back: the way off the list is named, and what can be taken
/// back instead.
#[test]
fn what_somebody_changed_comes_off_the_list_by_the_printed_command() {
    let cluster = Cluster::start();
    let set = |limit: &str, name: &str| {
        let run = [name, "--limit", limit, "--yes"];
        cluster.run(&run).ended(0);
    };
    set("9", "set_leader_schedule_limit");
    set("21", "set_region_schedule_limit");
    cluster.sim.set_schedule("region-schedule-limit", 2_000);
    let undo = ["undo", "--last", "--yes", "-o", "json"];
    let changed = cluster.with_state(&undo).ended(3);
    assert_eq!(changed.json()["error"]["code"], "changed_since");
    let commands: Vec<Vec<String>> = changed
        .stderr
        .lines()
        .filter_map(|line| line.trim().strip_prefix("run `")?.split('`').next())
        .map(words)
        .collect();
    let [release, before] = commands.as_slice() else {
        unreachable!("{commands:?}");
    };
    let yes = [before.as_slice(), &["--yes".to_owned()]].concat();
    finished(command().args(&release[1..])).ended(0);
    finished(command().args(&yes[1..])).ended(0);
    assert_eq!(cluster.sim.limit_in_force("leader-schedule-limit"), 4);
    cluster
        .with_state(&["proposals", "list"])
        .ended(0)
        .shows("No open proposals");
}

/// The words of a printed command, which may be quoted for a shell.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in line.split('\'').enumerate() {
        if place % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// Who acts by a flag acts so in the commands that lead on from there.
#[test]
fn a_command_for_whoever_asked_names_them() {
    let cluster = Cluster::start();
    let set = ["set_leader_schedule_limit", "--limit", "9", "--yes"];
    let ran = cluster
        .run(&[&set[..], &["--actor", "user:bo"]].concat())
        .ended(0);
    let undo = printed(&ran.stdout, "operator undo").unwrap();
    assert!(
        undo.windows(2).any(|two| two == ["--actor", "user:bo"]),
        "{undo:?}"
    );
    as_actor("user:ana", &[&undo[..], &["--yes"]].concat()).ended(0);
}

/// A hint leads to the same journal and the same policy.
#[test]
fn a_refusal_leads_to_the_same_place() {
    let cluster = Cluster::start();
    let policy = cluster.state.path().join("mine.toml");
    let deny = "version = 1\n[[rule]]\nname = \"none\"\ndecision = \"deny\"\nreason = \"frozen\"\n";
    std::fs::write(&policy, deny).unwrap();
    let policy = policy.to_str().unwrap();
    let denied = cluster
        .run_transfer(&["--yes", "--policy-file", policy])
        .ended(3);
    for expected in [
        format!("--policy-file {policy}"),
        format!("--state-dir {}", cluster.state_dir()),
    ] {
        assert!(denied.stderr.contains(&expected), "{}", denied.stderr);
    }
    cluster
        .with_state(&["mode", "observe", "--reason", "a test"])
        .ended(0);
    let observing = cluster.run_transfer(&["--yes"]).ended(3);
    let mode = format!(
        "operator mode execute --reason TEXT --state-dir {}",
        cluster.state_dir()
    );
    assert!(observing.stderr.contains(&mode), "{}", observing.stderr);
    // Nothing was sent, and nothing keeps an id to take it back by.
    let undo = "`operator undo ID` takes it back";
    assert!(observing.stderr.contains(undo), "{}", observing.stderr);
    let with_id = observing.stderr.contains("take it back with");
    assert!(!with_id, "{}", observing.stderr);
}

/// Nobody is handed a person's name to act by: not an agent whose turn it is not.
#[test]
fn no_printed_command_acts_as_a_person() {
    let cluster = Cluster::start();
    let waiting = cluster
        .run_transfer(&["--yes", "--actor", "agent:night"])
        .ended(6);
    let approve = printed(&waiting.stderr, "operator approve").unwrap();
    as_actor("user:ana", &approve).ended(0);
    let id = printed(&waiting.stderr, "operator proposals run").unwrap()[2].to_owned();
    let as_agent = ["proposals", "run", &id, "--actor", "agent:x"];
    // Nor another agent's.
    let refused = cluster.with_state(&as_agent).ended(3);
    assert!(
        !refused.stderr.contains("--actor agent:night"),
        "{}",
        refused.stderr
    );
    refused.says("# given by agent:night");

    let file = cluster.state.path().join("work.toml");
    let work = "title = \"Work\"\n[[steps]]\nid = \"drain\"\naction = \"drain_store\"\n\
        parameters = { store_id = \"2\" }\n[[steps]]\nid = \"go\"\nconfirm = \"Go.\"\n";
    std::fs::write(&file, work).unwrap();
    let start = [
        "workflow",
        "start",
        "--file",
        file.to_str().unwrap(),
        "--yes",
        "-o",
        "json",
    ];
    let started = cluster.with_state(&start).ended(6).json();
    let flow = started["flow"]["id"].as_str().unwrap();
    for verb in ["status", "resume"] {
        let shown = cluster.with_state(&["workflow", verb, flow, "--actor", "agent:x"]);
        for text in [&shown.stdout, &shown.stderr] {
            assert!(!text.contains("--actor user:"), "{text}");
        }
    }
}

/// An approval is by whoever runs the command, and not by who acts by the config file that goes along.
#[test]
fn a_printed_approval_is_by_whoever_runs_it() {
    let cluster = Cluster::start();
    let config = cluster.state.path().join("config.toml");
    std::fs::write(&config, "actor = \"agent:night\"\n").unwrap();
    let limit = ["run", "set_leader_schedule_limit", "--limit", "9", "--yes"];
    let place = [
        "--pd",
        cluster.sim.endpoint(),
        "--state-dir",
        cluster.state_dir(),
    ];
    let config = ["--config", config.to_str().unwrap()];
    let mut asked = command();
    asked
        .env_remove("OPERATOR_ACTOR")
        .args(limit)
        .args(place)
        .args(config);
    finished(&mut asked)
        .ended(6)
        .says("--actor \"user:$(id -un)\"");
}

/// What may still be held on the way is said to the command that takes it back, too.
#[test]
fn a_printed_undo_waits_as_long_as_its_command() {
    let cluster = Cluster::start();
    let drain = [
        "drain_store",
        "--store-id",
        "2",
        "--yes",
        "--held-for",
        "90s",
    ];
    let ran = cluster.run(&drain).ended(0);
    let all = format!("{}{}", ran.stdout, ran.stderr);
    let undo = printed(&all, "operator undo").unwrap();
    assert!(
        undo.windows(2).any(|two| two == ["--held-for", "90000ms"]),
        "{undo:?}"
    );
}

/// A secret in an address is in no command that is printed.
#[test]
fn a_printed_command_holds_no_secret_of_an_address() {
    let cluster = Cluster::start();
    let drain = ["drain_store", "--store-id", "2", "--yes"];
    cluster.run(&drain).ended(0);
    let list = ["proposals", "list", "--state-dir", cluster.state_dir()];
    for format in [&[][..], &["-o", "json"]] {
        let listed = finished(
            command()
                .env("PD_ADDR", "http://ana:Hunter3@127.0.0.1:2379")
                .args(list)
                .args(format),
        );
        assert!(listed.stdout.contains("undo"), "{}", listed.stdout);
        assert!(!listed.stdout.contains("Hunter3"), "{}", listed.stdout);
    }
}

/// What an undo of an undo has done anew is what was done last, and nothing older is taken instead.
#[test]
fn what_was_done_anew_is_what_is_taken_back_last() {
    let cluster = Cluster::start();
    let limit = ["set_leader_schedule_limit", "--limit", "9", "--yes"];
    cluster.run(&limit).ended(0);
    let region = cluster.sim.region_ids()[0];
    let led_by = cluster.sim.leader_of(region);
    cluster.run_transfer(&["--yes"]).ended(0);
    let last = ["undo", "--last", "--yes", "-o", "json"];
    let undone = cluster.with_state(&last).ended(0).json();
    assert_eq!(cluster.sim.leader_of(region), led_by);
    let anew = ["undo", undone["id"].as_str().unwrap(), "--yes"];
    cluster.with_state(&anew).ended(0);
    assert_ne!(cluster.sim.leader_of(region), led_by);
    cluster.with_state(&last).ended(0).says("transfer_leader");
    assert_eq!(cluster.sim.leader_of(region), led_by);
    assert_eq!(cluster.sim.limit_in_force("leader-schedule-limit"), 9);
}
