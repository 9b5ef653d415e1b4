//! `operator serve` over TLS: an agent's host trusts its authority, and files are read again.

use std::fs;
use std::process::Command;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use serde_json::{Value, json};

use crate::harness::operator;
use crate::mcp::Host;
use crate::serve::{Place, Served};

/// An authority, by its name, and what it makes of a gate's files.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(place: &Place, name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let made = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        fs::write(place.path(&format!("{name}.pem")), made.pem()).unwrap();
        Self(made)
    }

    /// The certificate of a gate on this machine, and its key.
    fn write(&self, place: &Place, certificate: &str, key: &str) {
        let made = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let signed = params.signed_by(&made, &self.0).unwrap();
        fs::write(place.path(certificate), signed.pem()).unwrap();
        write_key(place, key, &made.serialize_pem());
    }
}

impl Authority {
    /// The certificate of somebody with this name, and its key.
    fn client(&self, place: &Place, name: &str) {
        let made = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let signed = params.signed_by(&made, &self.0).unwrap();
        fs::write(place.path(&format!("{name}.crt")), signed.pem()).unwrap();
        write_key(place, &format!("{name}.key"), &made.serialize_pem());
    }
}

fn write_key(place: &Place, name: &str, pem: &str) {
    let path = place.path(name);
    fs::write(&path, pem).unwrap();
    allow(&path, 0o600);
}

fn allow(path: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn with_tls(place: &Place) {
    let config = fs::read_to_string(place.path("config.toml")).unwrap();
    let tls = "[serve.tls]\ncertificate = \"gate.pem\"\nkey = \"gate.key\"\n";
    fs::write(place.path("config.toml"), format!("{config}{tls}")).unwrap();
}

/// What the tools say to a host that trusts this authority.
fn list_stores(place: &Place, served: &Served, authority: &str, secret: &str) -> Value {
    let port = served.at.rsplit_once(':').unwrap().1;
    let mut host = Host::of(
        Command::new(env!("CARGO_BIN_EXE_operator"))
            .args(["mcp", "--server", &format!("https://localhost:{port}")])
            .args(["--cluster", "prod"])
            .args(["--ca-file", &place.path(&format!("{authority}.pem"))])
            .env_clear()
            .env("OPERATOR_TOKEN", secret),
    );
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "a host", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let call = json!({"name": "list_stores", "arguments": {}, "_meta": meta});
    let said = host.ask("tools/call", call);
    assert_eq!(host.end().0, Some(0));
    said
}

#[track_caller]
fn is_served(said: &Value) {
    let text = said["result"]["content"][0]["text"].as_str();
    assert!(
        text.is_some_and(|text| text.contains("\"stores\"")),
        "{said}"
    );
}

#[track_caller]
fn is_not_trusted(said: &Value) {
    assert_eq!(said["error"]["data"]["kind"], "not_reached", "{said}");
}

#[test]
fn a_gate_speaks_tls_beyond_loopback_and_its_certificates_are_read_again() {
    let place = Place::new();
    let (old, new) = (Authority::new(&place, "old"), Authority::new(&place, "new"));
    old.write(&place, "gate.pem", "gate.key");
    with_tls(&place);
    let secret = place.token("agent:night");
    let mut served = place.serve_at("0.0.0.0:0");
    let say = |served: &Served, authority| list_stores(&place, served, authority, &secret);
    is_served(&say(&served, "old"));
    is_not_trusted(&say(&served, "new"));
    served.tell("-HUP");
    served.says("reloaded: no changes");
    // A half-written pair is not taken, and neither is a config file that is wrong.
    new.write(&place, "gate.pem", "other.key");
    served.tell("-HUP");
    served.says("does not match the certificate");
    is_served(&say(&served, "old"));
    let config = fs::read_to_string(place.path("config.toml")).unwrap();
    fs::write(place.path("config.toml"), format!("{config}kee = 1\n")).unwrap();
    served.tell("-HUP");
    served.says("unknown field `kee`");
    fs::write(place.path("config.toml"), config).unwrap();
    new.write(&place, "gate.pem", "gate.key");
    served.tell("-HUP");
    served.says("changes are in force");
    is_served(&say(&served, "new"));
    is_not_trusted(&say(&served, "old"));
}

#[test]
fn what_is_wrong_with_its_files_is_said_before_it_listens() {
    let place = Place::new();
    let authority = Authority::new(&place, "old");
    authority.write(&place, "gate.pem", "gate.key");
    let (certificate, key) = (place.path("gate.pem"), place.path("gate.key"));
    let serve = |more: &[&str]| place.operator(&[&["serve"], more].concat());
    serve(&["--gate-certificate", &certificate])
        .ended(2)
        .says("`--gate-key FILE`");
    serve(&["--gate-key", &key])
        .ended(2)
        .says("the certificate is missing");
    let both = ["--gate-certificate", &certificate, "--gate-key", &key];
    allow(&key, 0o604);
    serve(&both).ended(2).says("chmod o=");
    let swapped = ["--gate-certificate", &key, "--gate-key", &certificate];
    serve(&swapped).ended(2).says("chmod o=");
    allow(&key, 0o600);
    allow(&certificate, 0o600);
    serve(&swapped).ended(2).says("BEGIN CERTIFICATE");
    let none = ["--gate-certificate", "/nonexistent", "--gate-key", &key];
    serve(&none).ended(2).says("cannot read `/nonexistent`");
    with_tls(&place);
    let config = fs::read_to_string(place.path("config.toml")).unwrap();
    let wrong = config.replace("certificate =", "certifikate =");
    fs::write(place.path("config.toml"), wrong).unwrap();
    let config = place.path("config.toml");
    operator(&["serve", "--config", &config])
        .ended(2)
        .says("certifikate");
}

/// What the config file says of who comes with a certificate.
#[test]
fn who_is_listed_wrongly_is_said_before_it_listens() {
    let place = Place::new();
    let authority = Authority::new(&place, "old");
    authority.write(&place, "gate.pem", "gate.key");
    with_tls(&place);
    let config = fs::read_to_string(place.path("config.toml")).unwrap();
    let ca = "client_ca = \"old.pem\"\n";
    for (more, problem) in [
        (
            "[[serve.client]]\nactor = \"agent:night\"\n",
            "`dns` or `uri`",
        ),
        (
            "[[serve.client]]\nactor = \"agent:night\"\ndns = \"a\"\nuri = \"b://c\"\n",
            "`dns` or `uri`",
        ),
        (
            "[[serve.client]]\nactor = \"night\"\ndns = \"a\"\n",
            "must be `agent:NAME`",
        ),
        (
            "[[serve.client]]\nactor = \"agent:night\"\ndns = \"a\"\n",
            "an agent needs named clusters",
        ),
        (
            "[[serve.client]]\nactor = \"agent:night\"\ndns = \"a\"\nclusters = [\"prd\"]\n",
            "no cluster `prd`",
        ),
        (
            "[[serve.client]]\nactor = \"user:ana\"\ndns = \"a\"\nclusters = []\n",
            "`clusters` of `user:ana` in `[[serve.client]]` is empty",
        ),
        (
            "[[serve.client]]\nactor = \"user:ana\"\ndns = \"a\"\nup_to = \"huge\"\n",
            "huge",
        ),
        (
            "[[serve.client]]\nactor = { actor = \"user:ana\", proven_by = { kind = \"gate\" } }\n",
            "expected a string",
        ),
    ] {
        fs::write(place.path("config.toml"), format!("{config}{ca}{more}")).unwrap();
        place.operator(&["serve"]).ended(2).says(problem);
    }
    // And of issuers of tokens.
    let issuer = |more: &str| {
        let at = "[serve]\nurl = \"https://gate.example.com\"\n";
        let issuer = "[[serve.issuer]]\nname = \"corp\"\nissuer = \"https://login.example.com\"\n\
                      jwks_uri = \"https://login.example.com/keys\"\nkind = \"agent\"\n";
        let subject = "[[serve.issuer.subject]]\nsub = \"1\"\nname = \"night\"\n";
        format!("{at}{issuer}{}", more.replace("SUBJECT\n", subject))
    };
    let whole = "algorithms = [\"ES256\"]\nSUBJECT\nclusters = [\"prod\"]\n";
    let plain = config.replace("[serve.tls]", "[serve_tls]");
    let plain = plain.split("[serve_tls]").next().unwrap().to_owned();
    for (more, problem) in [
        ("", "algorithms"),
        (
            "algorithms = [\"none\"]\n",
            "unsupported signature algorithm `none`",
        ),
        (
            "algorithms = [\"ES256\"]\nSUBJECT\n",
            "an agent needs named clusters",
        ),
        (&whole.replace("prod", "prd"), "no cluster `prd`"),
        (
            &whole.replace("[\"prod\"]", "[]"),
            "`agent:night` in `[[serve.issuer.subject]]` is empty",
        ),
        (&format!("actor = \"agent:x\"\n{whole}"), "actor"),
        (&format!("ca_file = \"none.pem\"\n{whole}"), "cannot read"),
    ] {
        fs::write(
            place.path("config.toml"),
            format!("{plain}{}", issuer(more)),
        )
        .unwrap();
        place.operator(&["serve"]).ended(2).says(problem);
    }
    fs::write(
        place.path("config.toml"),
        format!("{plain}{}", issuer(whole)),
    )
    .unwrap();
    let served = place.serve_at("127.0.0.1:0");
    let (status, told) = served.ask(
        "GET",
        "/.well-known/oauth-protected-resource/mcp/prod",
        "",
        "",
    );
    assert_eq!(status, "200");
    assert!(told.contains("https://gate.example.com/mcp/prod"), "{told}");
    // Who is listed is read again while it is open.
    let (mut served, other) = (served, issuer(whole).replace("gate.ex", "gate2.ex"));
    fs::write(place.path("config.toml"), format!("{plain}{other}")).unwrap();
    served.tell("-HUP");
    served.says("changes are in force");
    let (_, told) = served.ask(
        "GET",
        "/.well-known/oauth-protected-resource/mcp/prod",
        "",
        "",
    );
    assert!(
        told.contains("https://gate2.example.com/mcp/prod"),
        "{told}"
    );
    let client = "[[serve.client]]\nactor = \"agent:night\"\ndns = \"a\"\nclusters = [\"prod\"]\nup_to = \"none\"\n";
    fs::write(place.path("config.toml"), format!("{config}{client}")).unwrap();
    let without = place.operator(&["serve"]).ended(2);
    without.says("need `client_ca`");
    fs::write(place.path("config.toml"), format!("{config}{ca}{client}")).unwrap();
    place.serve_at("127.0.0.1:0");
}

/// `operator --server https://…` with a certificate and nothing else; what allows sends is signed besides.
#[test]
fn a_command_line_is_known_by_its_certificate() {
    let place = Place::new();
    let authority = Authority::new(&place, "old");
    authority.write(&place, "gate.pem", "gate.key");
    with_tls(&place);
    let config = fs::read_to_string(place.path("config.toml")).unwrap();
    let rows = "client_ca = \"old.pem\"\n\
                [[serve.client]]\nactor = \"user:ana\"\ndns = \"ana.example\"\n\
                [[serve.client]]\nactor = \"agent:night\"\ndns = \"night.example\"\nclusters = [\"prod\"]\n";
    fs::write(place.path("config.toml"), format!("{config}{rows}")).unwrap();
    for name in ["ana.example", "night.example", "mallory.example"] {
        authority.client(&place, name);
    }
    let mut served = place.serve_at("127.0.0.1:0");
    let (_, port) = served.at.rsplit_once(':').unwrap();
    let url = format!("https://localhost:{port}");
    let (ca, signing) = (place.path("old.pem"), place.path("key.pem"));
    let by = |name: &str, words: &[&str]| {
        let [certificate, key] = ["crt", "key"].map(|end| place.path(&format!("{name}.{end}")));
        let at = ["--server", &url, "--ca-file", &ca];
        let who = ["--client-certificate", &certificate, "--client-key", &key];
        operator(&[words, &at, &who].concat())
    };
    by("ana.example", &["mode"])
        .ended(0)
        .shows("execute in https://localhost");
    by("ana.example", &["run", "list_stores"]).ended(0);
    by("ana.example", &["kill-switch", "on", "--reason", "smoke"]).ended(0);
    let reset = ["kill-switch", "reset", "--reason", "over"];
    by("ana.example", &reset).ended(3).says("--sign-with");
    by(
        "ana.example",
        &[&reset[..], &["--sign-with", &signing]].concat(),
    )
    .ended(0);
    by("ana.example", &["journal", "show"])
        .ended(0)
        .shows("identity proven by the certificate");
    by("night.example", &["proposals", "list"]).ended(0);
    by("night.example", &["kill-switch", "on", "--reason", "x"])
        .ended(3)
        .says("a person with a proven identity is required");
    by("mallory.example", &["mode"])
        .ended(3)
        .says("did not accept the credentials");
    // Whose row is taken out is nobody, without a word to the gate: it looks at its files by itself.
    let (rest, _) = rows.rsplit_once("[[serve.client]]").unwrap();
    fs::write(place.path("config.toml"), format!("{config}{rest}")).unwrap();
    served.says("changes are in force");
    by("night.example", &["proposals", "list"])
        .ended(3)
        .says("did not accept the credentials");
    by("ana.example", &["mode"]).ended(0);
    // One proof, and no other beside it.
    let untrusted = ["mode", "--server", &url, "--sign-with", &signing];
    operator(&untrusted).ended(5).says("nothing was sent");
}
