//! A PD that cannot be asked.

use crate::{Cluster, operator};

#[track_caller]
fn unreachable(pd: &str) {
    for command in ["plan", "run"] {
        let state = tempfile::TempDir::new().unwrap();
        let region = ["--region-id", "12", "--to-store-id", "4"];
        let mut all = vec!["--pd", pd, command, "transfer_leader"];
        all.extend(region);
        if command == "run" {
            all.extend(["--yes", "--state-dir", state.path().to_str().unwrap()]);
        }
        operator(&all).ended(5).says("error: ").says("PD_ADDR");
    }
    let ran = operator(&["--pd", pd, "-o", "json", "run", "list_stores"]).ended(5);
    assert!(ran.json()["error"]["message"].is_string());
}

#[test]
fn a_refused_connection_is_unreachable() {
    unreachable("http://127.0.0.1:1");
}

#[test]
fn a_name_that_is_nobodys_is_unreachable() {
    unreachable("http://nonexistent.invalid:2379");
}

#[test]
fn tls_to_a_server_without_is_unreachable() {
    let cluster = Cluster::start();
    unreachable(&cluster.sim.endpoint().replace("http://", "https://"));
    assert_eq!(cluster.sim.received_total(), 0);
}
