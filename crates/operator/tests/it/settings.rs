//! Flags, environment, config file, defaults: which counts.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::Cluster;
use crate::harness::{command, finished, formats};

#[test]
fn the_page_names_every_format() {
    let page = include_str!("../../../../docs/operating.md");
    let row = page.lines().find(|line| line.contains("| `--output` |"));
    for format in formats() {
        let is_named = row.is_some_and(|row| row.contains(&format!("`{format}`")));
        assert!(is_named, "docs/operating.md, settings: {format}");
    }
}

/// A directory with a config file for a cluster.
fn config(text: &str) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    (directory, path)
}

fn named(pd: &str, id: &str) -> String {
    format!("cluster = \"prod\"\n[clusters.prod]\npd = \"{pd}\"\ncluster_id = \"{id}\"\n")
}

#[test]
fn a_named_cluster_has_an_address_and_an_id_that_is_pinned() {
    let cluster = Cluster::start();
    let id = cluster.sim.cluster_id().to_string();
    let (_directory, path) = config(&named(cluster.sim.endpoint(), &id));
    let path = path.to_str().unwrap();
    let stores = ["run", "list_stores"];
    finished(command().args(stores).args(["--config", path]))
        .ended(0)
        .shows("STORE");
    finished(command().args(stores).env("OPERATOR_CONFIG", path)).ended(0);
    let (_directory, other) = config(&named(cluster.sim.endpoint(), "42"));
    finished(
        command()
            .args(stores)
            .args(["--config", other.to_str().unwrap()]),
    )
    .ended(3)
    .says("not 42");
    // By its name it stays pinned, whatever the address.
    let (_directory, wrong) = config(&named("http://127.0.0.1:1", "42"));
    let wrong = wrong.to_str().unwrap();
    finished(
        command()
            .args(stores)
            .args(["--config", wrong, "--pd", cluster.sim.endpoint()]),
    )
    .ended(0);
    let by_name = [
        "--config",
        wrong,
        "--cluster",
        "prod",
        "--pd",
        cluster.sim.endpoint(),
    ];
    finished(command().args(stores).args(by_name))
        .ended(3)
        .says("not 42");
    let two = [&by_name[..], &["--cluster-id", "7"]].concat();
    finished(command().args(stores).args(two))
        .ended(2)
        .says("says 42");
    let unknown = ["--config", wrong, "--cluster", "prd"];
    finished(command().args(stores).args(unknown))
        .ended(2)
        .says("it has prod");
    finished(command().args(stores).args(["--cluster", "prod"]))
        .ended(2)
        .says("no cluster `prod`");
}

#[test]
fn a_flag_counts_before_the_environment_and_that_before_the_file() {
    let (directory, path) = config("state_dir = \"from-file\"\noutput = \"json\"\n");
    let path = path.to_str().unwrap();
    let place = |command: &mut assert_cmd::Command| {
        finished(command).ended(0).json()["state_dir"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (env, flag) = (at("from-env"), at("from-flag"));
    for place in [&at("from-file"), &env, &flag] {
        std::fs::create_dir(place).unwrap();
    }
    let mode = ["mode", "--config", path];
    assert_eq!(place(command().args(mode)), at("from-file"));
    assert_eq!(
        place(command().args(mode).env("OPERATOR_STATE_DIR", &env)),
        env
    );
    let both = [&mode[..], &["--state-dir", &flag]].concat();
    assert_eq!(
        place(command().args(both).env("OPERATOR_STATE_DIR", &env)),
        flag
    );
    let table = [&mode[..], &["-o", "table"]].concat();
    finished(command().args(table))
        .ended(0)
        .shows("observe in ");
}

#[test]
fn a_config_file_that_is_wrong_is_told_with_its_line() {
    let (_directory, path) = config("state_dr = \"x\"\n");
    let path = path.to_str().unwrap();
    finished(command().args(["mode", "--config", path]))
        .ended(2)
        .says("line 1, column 1")
        .says("unknown field `state_dr`");
    finished(command().args(["mode", "--config", "/nonexistent/config.toml"]))
        .ended(2)
        .says("cannot read");
}

#[test]
fn who_acts_is_named_as_actors_are() {
    let directory = TempDir::new().unwrap();
    let state = directory.path().to_str().unwrap();
    let on = ["kill-switch", "on", "--reason", "x", "--state-dir", state];
    let ran = finished(command().args(on).args(["--actor", "user:a\u{1b}[31mb"])).ended(2);
    assert!(
        ran.stderr.contains("ASCII letters") && !ran.stderr.contains('\u{1b}'),
        "{}",
        ran.stderr
    );
    finished(command().args(on).env("OPERATOR_ACTOR", "alice"))
        .ended(2)
        .says("invalid actor");
}

#[test]
fn completions_know_commands_actions_and_flags() {
    for (shell, mark) in [
        ("bash", "_operator"),
        ("zsh", "#compdef operator"),
        (
            "fish",
            "complete --keep-order --exclusive --command operator",
        ),
    ] {
        let ran = finished(command().args(["completions", shell])).ended(0);
        assert!(ran.stdout.contains(mark), "{shell}: {}", ran.stdout);
        assert!(
            ran.stdout.len() < 4_000,
            "{shell}: it is read at each start"
        );
    }
    finished(command().args(["completions", "tcsh"])).ended(2);
    for (words, wanted) in [
        (&["kill"][..], "kill-switch"),
        (&["--pd", "x", "run", "transfer_l"], "transfer_leader"),
        (&["run", "transfer_leader", "--reg"], "--region-id"),
        (&["run", "list_stores", "--col"], "--columns"),
        (&["mode", "--state-d"], "--state-dir"),
    ] {
        let all = completed(&mut command(), words);
        assert!(
            all.iter().any(|one| one.starts_with(wanted)),
            "{words:?}: {all:?}"
        );
    }
}

/// What a shell would show behind these words.
fn completed(command: &mut assert_cmd::Command, words: &[&str]) -> Vec<String> {
    let command = command.env("COMPLETE", "bash").env("_CLAP_IFS", "\n");
    let command = command.env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    let ran = finished(command.args(["--", "operator"]).args(words)).ended(0);
    ran.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn a_shell_completes_clusters_proposals_and_stores() {
    let cluster = Cluster::start();
    let (home, _) = config(&named("http://pd-0:2379", "7"));
    let at = || {
        let mut command = command();
        command.env("OPERATOR_STATE_DIR", cluster.state_dir());
        command.env("PD_ADDR", cluster.sim.endpoint());
        command
    };
    let folder = home.path().join("operator");
    std::fs::create_dir(&folder).unwrap();
    std::fs::rename(home.path().join("config.toml"), folder.join("config.toml")).unwrap();
    let mut configured = at();
    configured.env("XDG_CONFIG_HOME", home.path());
    assert_eq!(
        completed(&mut configured, &["mode", "--cluster", ""]),
        ["prod"]
    );
    let stores = ["run", "get_store", "--store-id", ""];
    assert_eq!(completed(&mut at(), &stores), ["1", "2", "3", "4", "5"]);
    let words = [
        "run",
        "drain_store",
        "--store-id",
        "4",
        "--actor",
        "agent:night",
    ];
    finished(at().args(words)).ended(6);
    let ids = completed(&mut at(), &["approve", ""]);
    let ids = ids.iter().filter(|one| !one.starts_with('-'));
    assert_eq!(ids.count(), 1);
    let mut away = at();
    away.env("PD_ADDR", "http://127.0.0.1:1");
    assert_eq!(completed(&mut away, &stores), Vec::<String>::new());
}

#[test]
fn without_color_nothing_is_colored() {
    for arguments in [
        &["--help"][..],
        &["run"],
        &["nonsense"],
        &["policy", "check"],
    ] {
        let ran = finished(command().args(arguments).env("NO_COLOR", "1"));
        assert!(!(ran.stdout + &ran.stderr).contains('\u{1b}'));
    }
}

/// The environment is anybody's to set.
#[cfg(unix)]
#[test]
fn who_acts_is_the_user_of_the_process() {
    let name = std::process::Command::new("id")
        .arg("-un")
        .output()
        .unwrap();
    let name = format!("user:{}", String::from_utf8(name.stdout).unwrap().trim());
    for user in [Some("mallory"), None] {
        let directory = TempDir::new().unwrap();
        let state = ["--state-dir", directory.path().to_str().unwrap()];
        let mut mode = command();
        mode.args(["mode", "observe", "--reason", "a test"])
            .args(state);
        mode.env_remove("OPERATOR_ACTOR");
        for variable in ["USER", "LOGNAME", "USERNAME"] {
            match user {
                Some(user) => mode.env(variable, user),
                None => mode.env_remove(variable),
            };
        }
        finished(&mut mode).ended(0);
        let show = ["journal", "show", "-o", "json"];
        let shown = finished(command().args(show).args(state)).ended(0).json();
        assert_eq!(shown["entries"][0]["record"]["by"], name);
    }
}
