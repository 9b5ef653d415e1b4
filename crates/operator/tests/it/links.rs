//! `operator link`: who may have a link made, by the socket of a gate that runs.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};

use serde_json::Value;

use crate::harness::operator;
use crate::serve::{Place, Served};

/// A key that OpenSSL made for these tests, and its public half.
const GATE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIC0CAbHEJl/1FE1Lvm0yFQad8H/fFESaXyBiRESmmgCS
-----END PRIVATE KEY-----
";
const GATE_PUBLIC: &str = "MCowBQYDK2VwAyEADo5FzWavbQye2JRRDZmrR8I/wyzCUMUJRJJ5jT9QUlo=";

/// Who runs these tests.
fn own_uid() -> u32 {
    fs::metadata("/proc/self").unwrap().uid()
}

/// Files of a gate at this address, which makes links for this user.
fn write(place: &Place, url: &str, uid: u32) {
    let config = fs::read_to_string(place.path("config.toml")).unwrap();
    let clusters = config.split("[serve]").next().unwrap();
    let serve = format!(
        "[serve]\nurl = \"{url}\"\nsession_key = \"session.key\"\n\
         [[serve.local_user]]\nuid = {uid}\nname = \"ben\"\n"
    );
    fs::write(place.path("config.toml"), format!("{clusters}{serve}")).unwrap();
    let key = place.path("session.key");
    fs::write(&key, GATE).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
}

fn place() -> Place {
    let place = Place::new();
    let policy = fs::read_to_string(place.path("policy.toml")).unwrap();
    let gate = format!("[[gate]]\nname = \"gate\"\nkey = \"{GATE_PUBLIC}\"\n");
    fs::write(place.path("policy.toml"), format!("{policy}{gate}")).unwrap();
    place
}

/// What is answered to a browser.
fn ask(served: &Served, method: &str, path: &str, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(&served.at).unwrap();
    let (at, length) = (&served.at, body.len());
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {at}\r\n{head}Content-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn after<'a>(text: &'a str, begin: &str, end: char) -> &'a str {
    let found = text.split_once(begin);
    let (_, rest) = found.unwrap_or_else(|| unreachable!("{begin}: {text}"));
    rest.split(end).next().unwrap()
}

#[test]
fn who_is_listed_logs_in_once_by_a_link() {
    let place = place();
    // Where it listens is known once it does.
    write(&place, "http://127.0.0.1:1", own_uid());
    let mut served = place.serve_at("127.0.0.1:0");
    assert_eq!(served.shown["url"], "http://127.0.0.1:1");
    let url = format!("http://{}", served.at);
    write(&place, &url, own_uid());
    served.tell("-HUP");
    served.says("reloaded: changes");
    let socket = format!("{}/link.sock", place.0.state_dir());
    let socket = fs::symlink_metadata(socket).unwrap();
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.mode() & 0o777, 0o660);
    let made = place.operator(&["link", "-o", "json"]).ended(0);
    let shown: Value = serde_json::from_str(&made.stdout).unwrap();
    assert_eq!(shown["actor"], "user:ben");
    let link = shown["url"].as_str().unwrap();
    let secret = link.strip_prefix(&format!("{url}/link#")).unwrap();
    let page = ask(&served, "GET", "/link", "", "");
    let (cookie, csrf) = (
        after(&page, "set-cookie: ", ';'),
        after(&page, "name=\"csrf\" value=\"", '"'),
    );
    let head = format!(
        "Cookie: {cookie}\r\nOrigin: {url}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    );
    let form = format!("csrf={csrf}&link={secret}");
    let opened = ask(&served, "POST", "/link", &head, &form);
    assert!(opened.starts_with("HTTP/1.1 303"), "{opened}");
    let again = ask(&served, "POST", "/link", &head, &form);
    assert!(again.starts_with("HTTP/1.1 403"), "{again}");
    served.says("\"level\":\"warn\",\"message\":\"a login link was refused\"");
    let session = after(&opened, "set-cookie: ", ';');
    let front = ask(&served, "GET", "/", &format!("Cookie: {session}\r\n"), "");
    assert!(front.contains("user:ben</strong>"), "{front}");
    let journal = place.operator(&["journal", "show"]).ended(0).stdout;
    assert!(
        journal.contains("link made") && journal.contains("logged in"),
        "{journal}"
    );
    assert!(!journal.contains(secret), "{journal}");
    // Another gate on the same directory finds the socket taken.
    let other = place
        .operator(&["serve", "--listen", "127.0.0.1:0"])
        .ended(1);
    assert!(
        other
            .stderr
            .contains("another gate is already listening there"),
        "{}",
        other.stderr
    );
    // They are listed no more.
    write(&place, &url, own_uid() + 1);
    served.tell("-HUP");
    served.says("reloaded: changes");
    let front = ask(&served, "GET", "/", &format!("Cookie: {session}\r\n"), "");
    assert!(front.starts_with("HTTP/1.1 303"), "{front}");
    let refused = place.operator(&["link"]).ended(3);
    assert!(
        refused.stderr.contains("is not listed"),
        "{}",
        refused.stderr
    );
}

#[test]
fn where_no_gate_makes_links_it_is_said_and_a_key_for_all_is_refused() {
    let place = place();
    let none = place.operator(&["link"]).ended(1);
    assert!(
        none.stderr.contains("is `operator serve` running"),
        "{}",
        none.stderr
    );
    write(&place, "http://127.0.0.1:7070", own_uid());
    let key = place.path("session.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let open = place
        .operator(&["serve", "--listen", "127.0.0.1:0"])
        .ended(2);
    assert!(
        open.stderr.contains("every user of this machine can read"),
        "{}",
        open.stderr
    );
    fs::write(&key, "no key").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let none = place
        .operator(&["serve", "--listen", "127.0.0.1:0"])
        .ended(2);
    assert!(
        none.stderr.contains("session key cannot be used"),
        "{}",
        none.stderr
    );
    write(&place, "http://gate.example.com:7070", own_uid());
    let plain = place
        .operator(&["serve", "--listen", "127.0.0.1:0"])
        .ended(2);
    assert!(
        plain.stderr.contains("must be `https://…`"),
        "{}",
        plain.stderr
    );
}

/// All clusters are what a list that was emptied would otherwise be.
#[test]
fn a_row_with_no_clusters_and_a_name_with_its_kind_are_refused() {
    let place = place();
    write(&place, "http://127.0.0.1:7070", own_uid());
    let config = fs::read_to_string(place.path("config.toml")).unwrap();
    let login = "[serve.login]\nname = \"corp\"\nissuer = \"https://login.example.com\"\n\
                 authorization_endpoint = \"https://login.example.com/auth\"\n\
                 token_endpoint = \"https://login.example.com/token\"\n\
                 jwks_uri = \"https://login.example.com/keys\"\nclient_id = \"operator\"\n\
                 client_secret_file = \"session.key\"\nalgorithms = [\"ES256\"]\n\
                 [[serve.login.subject]]\nsub = \"1\"\n";
    for (more, problem) in [
        (
            "clusters = []\n".to_owned(),
            "`clusters` of `user:ben` in `[[serve.local_user]]` is empty",
        ),
        (
            format!("{login}name = \"ana\"\nclusters = []\n"),
            "`clusters` of `user:ana` in `[[serve.login.subject]]` is empty",
        ),
        (
            format!("{login}name = \"user:ana\"\n"),
            "`name = \"user:ana\"` in `[[serve.login.subject]]` is not a name alone",
        ),
    ] {
        fs::write(place.path("config.toml"), format!("{config}{more}")).unwrap();
        place.operator(&["serve"]).ended(2).says(problem);
    }
}

#[test]
fn what_is_wrong_with_files_of_a_login_is_said_in_words() {
    let place = place();
    write(&place, "http://127.0.0.1:7070", own_uid());
    let config = fs::read_to_string(place.path("config.toml")).unwrap();
    let serve = |config: &str, code, problem: &str| {
        fs::write(place.path("config.toml"), config).unwrap();
        let ended = place.operator(&["serve", "--listen", "127.0.0.1:0"]);
        let ended = ended.ended(code);
        assert!(ended.stderr.contains(problem), "{}", ended.stderr);
        assert!(
            !ended.stderr.contains("--gate-certificate"),
            "{}",
            ended.stderr
        );
    };
    let elsewhere = config.replace("session.key", "session-secret");
    serve(&elsewhere, 2, "session-secret` (No such file");
    let pipe = place.path("pipe");
    let mut make = std::process::Command::new("mkfifo");
    assert!(make.args(["-m", "600", &pipe]).status().unwrap().success());
    serve(&config.replace("session.key", "pipe"), 2, "no regular file");
    // Who may replace what is in its directory can be taken for the gate.
    let open = place.path("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    let socket = "[serve]\nlink_socket = \"open/link.sock\"\n";
    serve(&config.replace("[serve]\n", socket), 1, "writable by all");
}

/// What will be refused is said at the start, and not when somebody tries.
#[test]
fn what_a_gate_could_not_do_is_said_when_it_opens() {
    let place = Place::new();
    write(&place, "http://127.0.0.1:1", own_uid());
    place
        .operator(&["mode", "observe", "--reason", "x"])
        .ended(0);
    let state = place.0.state_dir();
    operator(&[
        "mode",
        "execute",
        "--reason",
        "x",
        "--state-dir",
        state,
        "--actor",
        "user:mallory",
    ])
    .ended(0);
    let mut served = place.serve_at("127.0.0.1:0");
    served.says("warning: the policy does not list this gate's `session_key`");
    served.says("warning: prod: nothing is sent, because `user:mallory` set the mode to execute");
}
