//! `operator token`: secrets by which a server knows an agent.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::harness::{Finished, operator};

/// A key that OpenSSL made for these tests, and its public half.
const ANA: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIC0CAbHEJl/1FE1Lvm0yFQad8H/fFESaXyBiRESmmgCS
-----END PRIVATE KEY-----
";
const ANA_PUBLIC: &str = "MCowBQYDK2VwAyEADo5FzWavbQye2JRRDZmrR8I/wyzCUMUJRJJ5jT9QUlo=";

/// A directory with a config file, a policy and Ana's key.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        let config = "[clusters.prod]\npd = \"http://127.0.0.1:1\"\ncluster_id = \"7\"\n";
        let policy =
            format!("version = 1\n[[person]]\nname = \"user:ana\"\nkey = \"{ANA_PUBLIC}\"\n");
        for (name, text) in [
            ("config.toml", config),
            ("policy.toml", &policy),
            ("key.pem", ANA),
        ] {
            fs::write(place.0.path().join(name), text).unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn operator(&self, arguments: &[&str]) -> Finished {
        let files = [
            self.path("config.toml"),
            self.path("policy.toml"),
            self.path("state"),
        ];
        let given = [
            "--config",
            &files[0],
            "--policy-file",
            &files[1],
            "--state-dir",
            &files[2],
        ];
        operator(&[arguments, &given].concat())
    }

    fn create(&self, more: &[&str]) -> Finished {
        let key = self.path("key.pem");
        let create = ["token", "create", "--expires", "30d", "--up-to", "medium"];
        self.operator(&[&create[..], &["--sign-with", &key], more].concat())
    }
}

const NIGHT: [&str; 4] = ["--actor", "agent:night", "--cluster", "prod"];

/// All that is in the files of a directory.
fn contents(directory: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all += &contents(&path);
        } else {
            all += &String::from_utf8_lossy(&fs::read(path).unwrap());
        }
    }
    all
}

#[test]
fn a_token_is_shown_once_and_kept_nowhere() {
    let place = Place::new();
    let made = place
        .create(&NIGHT)
        .ended(0)
        .says("agent:night on prod")
        .says("user:ana is responsible");
    let secret = made.stdout.trim();
    assert!(
        secret.starts_with("opgt_") && secret.len() == 77,
        "{secret}"
    );
    assert!(!made.stderr.contains("opgt_"), "{}", made.stderr);
    let random = &secret[5..69];
    let kept = contents(&place.0.path().join("state"));
    assert!(
        kept.contains("token_made") && !kept.contains(random),
        "{kept}"
    );
    assert!(!kept.contains("[redacted]"), "{kept}");
    for arguments in [
        &["token", "list"][..],
        &["token", "list", "-o", "json"],
        &["journal", "show"],
        &["journal", "show", "-o", "json"],
    ] {
        let listed = place.operator(arguments).ended(0);
        assert!(!listed.stdout.contains(random), "{}", listed.stdout);
        listed.shows("agent:night").shows("prod").shows("user:ana");
    }
    let listed = place.operator(&["token", "list", "-o", "json"]).json();
    let token = &listed["tokens"][0];
    assert_eq!(
        (&token["state"], &token["made"]["grant"]["up_to"]),
        (&"good".into(), &"medium".into())
    );
    let id = token["made"]["id"].as_str().unwrap();
    let other = place
        .create(&[&NIGHT[..], &["-o", "json"]].concat())
        .ended(0)
        .json();
    assert!(
        other["secret"].as_str().unwrap().starts_with("opgt_"),
        "{other}"
    );
    assert_ne!(other["id"], id);
    let revoke = ["token", "revoke", id, "--reason", "leaked"];
    place.operator(&revoke).ended(0).shows("is revoked");
    place
        .operator(&["token", "list"])
        .ended(0)
        .shows("revoked by user:ana: leaked");
    place
        .operator(&["journal", "show"])
        .ended(0)
        .shows("token revoked");
    place.operator(&revoke).ended(3).says("already revoked");
    place.operator(&["journal", "verify"]).ended(0);
}

#[test]
fn a_token_names_its_agent_its_cluster_and_who_makes_it() {
    let place = Place::new();
    place
        .create(&["--cluster", "prod"])
        .ended(2)
        .says("--actor agent:NAME");
    place
        .create(&["--actor", "agent:night"])
        .ended(2)
        .says("--cluster NAME");
    let nowhere = ["--actor", "agent:night", "--cluster", "spare"];
    place
        .create(&nowhere)
        .ended(2)
        .says("no cluster `spare` in");
    let person = ["--actor", "user:ben", "--cluster", "prod"];
    place.create(&person).ended(2).says("not an agent");
    let unsigned = ["token", "create", "--expires", "1d", "--up-to", "low"];
    place
        .operator(&[&unsigned[..], &NIGHT].concat())
        .ended(2)
        .says("--sign-with");
    place
        .operator(&["token", "create", "--up-to", "low"])
        .ended(2)
        .says("--expires");
    // None of it has written anything.
    place
        .operator(&["token", "list"])
        .ended(2)
        .says("no state directory");
}
