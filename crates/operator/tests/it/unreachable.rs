//! A PD that cannot be asked.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// What a PD behind TLS answers, byte for byte: Go's words, without a header.
const GO_TO_HTTP: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

#[test]
fn http_to_a_pd_behind_tls_is_unreachable_and_says_https() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for connection in listener.incoming() {
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                // The client may have gone: it is asked again or it has ended.
                let Ok(mut connection) = connection else {
                    continue;
                };
                let mut request = [0; 4096];
                if connection.read(&mut request).is_ok() {
                    let _ = connection.write_all(GO_TO_HTTP);
                }
            }
        });
        let pd = format!("http://{address}");
        let state = tempfile::TempDir::new().unwrap();
        let transfer = ["transfer_leader", "--region-id", "12", "--to-store-id", "4"];
        let run = [
            "run",
            "--yes",
            "--state-dir",
            state.path().to_str().unwrap(),
        ];
        let finished = [
            operator(&["--pd", &pd, "run", "list_stores"]),
            operator(&[&["--pd", &pd, "plan"], &transfer[..]].concat()),
            operator(&[&["--pd", &pd], &run[..], &transfer[..]].concat()),
        ];
        is_over.store(true, Ordering::SeqCst);
        // The listener waits for one more, to see that it is over.
        drop(std::net::TcpStream::connect(address));
        for one in finished {
            one.ended(5)
                .says("Client sent an HTTP request to an HTTPS server")
                .says("PD uses TLS: write `https://` before its address");
        }
    });
}

/// What PD says in its own words came from the right address; what is nobody's words may not have.
#[test]
fn only_what_pd_did_not_say_asks_for_the_address() {
    let timed_out = r#""[PD:etcd:ErrEtcdTxnInternal]internal etcd transaction error occurred""#;
    let deadline = r#""context deadline exceeded""#;
    for (kind, body, is_pds) in [
        ("application/json", timed_out, true),
        ("application/json", deadline, true),
        ("text/html", "<html>502 Bad Gateway</html>", false),
    ] {
        let cluster = Cluster::start();
        let answer = pd_sim::Fault::answer("GET", "/stores", 500, kind, body);
        cluster.sim.fault(answer.always());
        let ran = cluster.operator(&["run", "list_stores"]).ended(5);
        assert_eq!(ran.stderr.contains("PD_ADDR"), !is_pds, "{}", ran.stderr);
    }
}

/// What answers and is not PD is named as that, whatever it answers with.
#[test]
fn what_is_not_pd_is_said_to_be_none() {
    for answer in [
        "HTTP/1.1 404 Not Found\r\nContent-Length: 19\r\nConnection: close\r\n\r\n404 page not found\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 20\r\nConnection: close\r\n\r\n<html>sign in</html>",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut request = [0; 4_096];
                let _ = std::io::Read::read(&mut stream, &mut request);
                let _ = std::io::Write::write_all(&mut stream, answer.as_bytes());
            }
        });
        let state = tempfile::tempdir().unwrap();
        let state = state.path().to_str().unwrap();
        for verb in ["doctor", "why"] {
            let ran = operator(&["--pd", &address, "--state-dir", state, verb]).ended(5);
            ran.says("what answers there is not PD");
        }
    }
}

/// A page that is no answer of PD's is not read as PD's refusal, whatever its status: a store is not
/// called unsafe to stop, and not called missing, by what a proxy says.
#[test]
fn a_page_of_a_proxy_is_no_answer() {
    for (status, kind, body) in [
        (401, "text/html", "<html>sign in</html>"),
        (403, "text/html", "<html>not for you</html>"),
        (404, "text/html", "<html>not here</html>"),
        (404, "text/plain", ""),
        (401, "text/plain", "sign in"),
        (403, "application/json", r#"{"error":"not for you"}"#),
        (503, "text/html", "<html>later</html>"),
    ] {
        let cluster = Cluster::start();
        for commands in [
            &["run", "list_stores"][..],
            &["run", "get_store", "--store-id", "1"],
            &["run", "safe_to_stop", "--store-ids", "1"],
            &["run", "get_region", "--region-id", "12"],
            &["plan", "drain_store", "--store-id", "1"],
            &["doctor"],
        ] {
            let fault = pd_sim::Fault::answer("GET", "", status, kind, body);
            cluster.sim.fault(fault.always());
            let ran = cluster.operator(commands);
            assert_eq!(
                ran.code, 5,
                "{status} {body} {commands:?}: {}\n{}",
                ran.stdout, ran.stderr
            );
        }
    }
}

/// However few files may be open, what could not be opened is said, and nothing panics.
#[cfg(unix)]
#[test]
fn too_few_files_are_said_to_be_too_few() {
    let state = tempfile::tempdir().unwrap();
    for limit in 4..12 {
        for words in ["mode", "--pd http://127.0.0.1:1 run list_stores"] {
            let binary = env!("CARGO_BIN_EXE_operator");
            let line = format!("ulimit -n {limit}; exec {binary} {words}");
            let mut shell = assert_cmd::Command::new("sh");
            shell
                .args(["-c", &line])
                .env("OPERATOR_STATE_DIR", state.path());
            let ran = crate::harness::finished(shell.env("OPERATOR_ACTOR", "user:ana"));
            assert!(
                [0, 1, 5].contains(&ran.code),
                "{limit} {words}: {}",
                ran.stderr
            );
            if ran.stderr.contains("Too many open files") {
                let named = ran.stderr.contains("cannot ") || ran.stderr.contains("could not ");
                assert!(named && ran.stderr.contains("ulimit -n"), "{}", ran.stderr);
            }
        }
    }
}
