//! TiKV and etcd in one command line: which is meant, and what is there then.

use std::process::{Command, Output};

use action_guard::{Entry, Hash, Record};
use pd_sim::Sim;
use serde_json::{Value, json};
use tempfile::TempDir;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// A member that is its whole cluster, as one of etcd 3.4.23 answered; only the address is another.
async fn etcd() -> MockServer {
    let header = json!({"cluster_id": "7779735013363539452", "member_id": "8384158469671582799",
        "revision": "6", "raft_term": "2"});
    let member = MockServer::start().await;
    let status = json!({"header": header, "version": "3.4.23", "dbSize": "20480",
        "leader": "8384158469671582799", "raftIndex": "8", "raftTerm": "2",
        "raftAppliedIndex": "8", "dbSizeInUse": "16384"});
    let list = json!({"header": header, "members": [{"ID": "8384158469671582799", "name": "m2",
        "peerURLs": ["http://127.0.0.1:1"], "clientURLs": [member.uri()]}]});
    for (at, body) in [
        ("/v3/cluster/member/list", list),
        ("/v3/maintenance/status", status),
    ] {
        let answer = ResponseTemplate::new(200).set_body_json(body);
        Mock::given(path(at))
            .respond_with(answer)
            .mount(&member)
            .await;
    }
    member
}

/// All of them, with a config file that names them.
pub(crate) struct Systems {
    pub(crate) sim: Sim,
    pub(crate) staging: Sim,
    pub(crate) etcd: MockServer,
    pub(crate) directory: TempDir,
}

impl Systems {
    pub(crate) async fn start() -> Self {
        let systems = Self {
            sim: Sim::builder().start().await.unwrap(),
            staging: Sim::builder().cluster_id(11).start().await.unwrap(),
            etcd: etcd().await,
            directory: TempDir::new().unwrap(),
        };
        let config = format!(
            "[clusters.prod]\nsubject = \"tikv\"\npd = \"{}\"\ncluster_id = \"{}\"\n\
             [clusters.staging]\nsubject = \"tikv\"\npd = \"{}\"\ncluster_id = \"11\"\n\
             [clusters.meta]\nsubject = \"etcd\"\nendpoints = \"{}\"\n\
             cluster_id = \"6bf72bc69e33ddfc\"\n",
            systems.sim.endpoint(),
            systems.sim.cluster_id(),
            systems.staging.endpoint(),
            systems.etcd.uri(),
        );
        std::fs::write(systems.directory.path().join("config.toml"), config).unwrap();
        systems
    }

    pub(crate) async fn run(&self, words: &[&str]) -> Output {
        self.run_in(&[], words).await
    }

    /// With these variables in the environment.
    async fn run_in(&self, variables: &[(&str, &str)], words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_two-systems"));
        command
            .args(words)
            .args(["-o", "json"])
            .env_remove("PD_ADDR")
            .env_remove("ETCDCTL_ENDPOINTS")
            .envs(variables.iter().copied())
            .env("OPERATOR_CONFIG", self.directory.path().join("config.toml"))
            .env("OPERATOR_STATE_DIR", self.directory.path().join("state"));
        let ran = tokio::task::spawn_blocking(move || command.output());
        ran.await.unwrap().unwrap()
    }

    /// What it printed.
    pub(crate) async fn shows(&self, words: &[&str]) -> Value {
        let ran = self.run(words).await;
        let told = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(0), "{words:?}: {told}");
        serde_json::from_slice(&ran.stdout).unwrap()
    }

    /// What it said, ending with wrong usage.
    pub(crate) async fn refuses(&self, words: &[&str]) -> String {
        self.ends(2, words).await
    }

    /// What it said, ending so.
    pub(crate) async fn ends(&self, code: i32, words: &[&str]) -> String {
        let ran = self.run(words).await;
        let told = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!(ran.status.code(), Some(code), "{words:?}: {told}");
        told
    }

    /// Makes these unsettled, as when their processes died after they had sent them: how it ended
    /// is not in the journal.
    pub(crate) fn left_open<const N: usize>(&self, ids: [&str; N]) {
        let journal = self.directory.path().join("state/journal");
        let segment = journal.join("00000000000000000001.jsonl");
        let text = std::fs::read_to_string(&segment).unwrap();
        let (mut prev, mut lines) = (Hash::ZERO, String::new());
        for line in text.lines() {
            let entry = Entry::read(line.as_bytes(), None).unwrap();
            let is_of = |id: &String| ids.contains(&id.as_str());
            if matches!(&entry.record, Record::Outcome { id, .. } if is_of(id)) {
                continue;
            }
            let seq = lines.lines().count() as u64 + 1;
            let (at, instance) = (entry.at, &entry.instance);
            let sealed = Entry::seal(seq, at, instance, prev, entry.target, entry.record);
            let (entry, line) = sealed.unwrap();
            prev = entry.hash;
            lines.push_str(&line);
            lines.push('\n');
        }
        std::fs::write(segment, lines).unwrap();
    }

    /// Changes the config file.
    pub(crate) fn configure(&self, change: impl FnOnce(String) -> String) {
        let path = self.directory.path().join("config.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, change(text)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cluster_that_is_named_says_which_actions_there_are() {
    let systems = Systems::start().await;
    let pd = systems
        .shows(&["run", "list_members", "--cluster", "prod"])
        .await;
    let etcd = systems
        .shows(&["run", "list_members", "--cluster", "meta"])
        .await;
    assert_ne!(pd["members"], etcd["members"]);
    assert_eq!(etcd["members"][0]["name"], "m2");
    let of_other = ["run", "list_stores", "--cluster", "meta"];
    assert!(systems.refuses(&of_other).await.contains("list_stores"));
    let foreign = ["run", "list_members", "--cluster", "meta", "--pd", "x"];
    let told = systems.refuses(&foreign).await;
    assert!(
        told.contains("`--pd` is not a setting of etcd cluster"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_or_an_action_of_one_kind_says_which_is_meant() {
    let systems = Systems::start().await;
    let (pd, uri) = (systems.sim.endpoint(), systems.etcd.uri());
    let stores = systems.shows(&["run", "list_stores", "--pd", pd]).await;
    assert!(!stores["stores"].as_array().unwrap().is_empty());
    for words in [
        &["run", "list_members", "--endpoints", &uri][..],
        &["run", "etcd.list_members", "--endpoints", &uri],
        &[
            "run",
            "member_status",
            "--endpoints",
            &uri,
            "--member-id",
            "745a5b1e9ed4ee0f",
        ],
    ] {
        let ran = systems.run(words).await;
        let told = String::from_utf8_lossy(&ran.stderr);
        assert!(!told.contains("which system"), "{words:?}: {told}");
        assert!(
            !told.contains("unrecognized subcommand"),
            "{words:?}: {told}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_says_which_they_are_called_by_their_kind() {
    let systems = Systems::start().await;
    let listed = systems.shows(&["actions", "list"]).await;
    let names: Vec<&str> = listed["actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|action| action["name"].as_str().unwrap())
        .collect();
    for name in ["tikv.list_members", "etcd.list_members", "etcd.move_leader"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let told = systems.refuses(&["run", "list_members"]).await;
    assert!(told.contains("list_members"), "{told}");
    let told = systems.refuses(&["doctor"]).await;
    assert!(told.contains("`--pd` or `--endpoints`"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_knows_the_actions_of_all_kinds() {
    let systems = Systems::start().await;
    let policy = systems.directory.path().join("policy.toml");
    let text = "version = 1\n[[rule]]\nname = \"both\"\naction = [\"move_leader\", \"transfer_leader\"]\n\
                decision = \"allow\"\n";
    std::fs::write(&policy, text).unwrap();
    let policy = policy.to_str().unwrap();
    let valid = systems
        .shows(&["policy", "check", "--policy-file", policy])
        .await;
    assert_eq!(valid["valid"], true);
}

/// A mutation of TiKV.
pub(crate) fn limit(limit: &str) -> Vec<&str> {
    let settles = ["--yes", "--settle-for", "0s"];
    [
        &["run", "set_leader_schedule_limit", "--limit", limit][..],
        &settles,
    ]
    .concat()
}

pub(crate) fn at<'a>(words: &[&'a str], cluster: &'a str) -> Vec<&'a str> {
    [words, &["--cluster", cluster]].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_record_names_its_cluster_and_a_name_stays_with_it() {
    let systems = Systems::start().await;
    systems
        .shows(&["mode", "execute", "--reason", "a test"])
        .await;
    systems.shows(&at(&limit("3"), "prod")).await;
    let id = systems.sim.cluster_id().to_string();
    let shown = systems.shows(&["journal", "show", "--after", "1"]).await;
    let entries = shown["entries"].as_array().unwrap();
    assert!(entries.len() > 3, "{shown}");
    for entry in entries {
        let prod = json!({"subject": "tikv", "cluster": "prod", "system": id});
        assert_eq!(entry["target"], prod, "{entry}");
    }
    let other = Sim::builder().cluster_id(7).start().await.unwrap();
    let (endpoint, before) = (
        other.endpoint().to_owned(),
        systems.sim.endpoint().to_owned(),
    );
    let (of_it, old) = (id.clone(), before.clone());
    systems.configure(move |text| text.replace(&old, &endpoint).replace(&of_it, "7"));
    let told = systems.ends(3, &at(&limit("3"), "prod")).await;
    assert!(
        told.contains(&id) && told.contains("leads to cluster `7`"),
        "{told}"
    );
    let (endpoint, of_it) = (other.endpoint().to_owned(), id.clone());
    systems.configure(move |text| {
        let text = text.replace(&endpoint, &before);
        text.replace("\"7\"", &format!("\"{of_it}\""))
            .replace("clusters.prod", "clusters.blue")
    });
    let told = systems.ends(3, &at(&limit("5"), "blue")).await;
    assert!(told.contains("is named `prod` in this journal"), "{told}");
    let again = format!(
        "\n[clusters.green]\nsubject = \"tikv\"\npd = \"http://127.0.0.1:1\"\ncluster_id = \"{id}\"\n"
    );
    systems.configure(|text| text + &again);
    let told = systems.refuses(&at(&limit("5"), "blue")).await;
    assert!(told.contains("two entries for cluster"), "{told}");
}

/// Who works with TiKV has its address in the environment.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_another_kind_in_the_environment_is_in_nobodys_way() {
    let systems = Systems::start().await;
    let pd = systems.sim.endpoint().to_owned();
    let words = ["run", "list_members", "--cluster", "meta"];
    let ran = systems.run_in(&[("PD_ADDR", &pd)], &words).await;
    let told = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(0), "{told}");
    let shown: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(shown["members"][0]["name"], "m2");
}

/// What one program has in force, and who may do what in it, is nothing to another.
#[test]
fn another_program_has_a_state_directory_of_its_own() {
    let home = TempDir::new().unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_two-systems"))
        .args(["mode", "-o", "json"])
        .env_remove("OPERATOR_STATE_DIR")
        .env_remove("OPERATOR_CONFIG")
        .env("XDG_CONFIG_HOME", home.path())
        .env("XDG_STATE_HOME", home.path())
        .output()
        .unwrap();
    let shown: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let directory = home.path().join("two-systems");
    assert_eq!(shown["state_dir"], directory.to_str().unwrap());
}
