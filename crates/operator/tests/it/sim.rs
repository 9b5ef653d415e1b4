//! `operator sim`.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

fn operator(arguments: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_operator"))
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
#[cfg(unix)]
fn a_simulated_cluster_is_served_until_interrupted() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_operator"))
        .args([
            "sim",
            "--stores",
            "4",
            "--members",
            "2",
            "--pd-version",
            "7.5",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut endpoints = Vec::new();
    for _ in 0..2 {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        endpoints.push(line.trim().to_owned());
    }
    for endpoint in &endpoints {
        let listed = operator(&["--pd", endpoint, "--output", "json", "run", "list_stores"]);
        let listed = String::from_utf8(listed.stdout).unwrap();
        assert!(listed.contains("tikv-4:20160"), "{endpoint}: {listed}");
    }
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn an_unknown_release_is_refused_with_those_that_are_known() {
    let refused = operator(&["sim", "--pd-version", "5.4"]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains("known are 6.5, 7.5, 8.5 and 9.0"), "{told}");
}

/// Two of them side by side are two clusters.
#[test]
fn another_seed_is_another_cluster() {
    let id = |seed: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_operator"))
            .args(["sim", "--seed", seed])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut endpoint = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut endpoint).unwrap();
        let asked = operator(&[
            "--pd",
            endpoint.trim(),
            "-o",
            "json",
            "run",
            "cluster_health",
        ]);
        child.kill().unwrap();
        child.wait().unwrap();
        let health: serde_json::Value = serde_json::from_slice(&asked.stdout).unwrap();
        health["cluster_id"].as_str().unwrap().to_owned()
    };
    assert_ne!(id("1"), id("2"));
}
