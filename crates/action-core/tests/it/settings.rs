//! How a system is reached, by settings that its subject declares.

use action_core::{
    ActionSet, Addresses, Connect, ConnectError, DurationText, FilePath, Subject, SubjectKind,
    TlsFiles,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::subjects::YardError;

/// How a lamp is reached.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LampSettings {
    /// Where it is.
    #[serde(default = "here")]
    #[schemars(extend("x-env" = "LAMP_ADDR", "x-short" = "u"))]
    at: Addresses,
    /// How long it is waited for, in seconds.
    #[serde(default)]
    #[schemars(range(min = 1, max = 60))]
    patience: Option<u64>,
    /// How often it is looked at.
    #[serde(default)]
    look_every: Option<DurationText>,
    /// What opens it.
    #[serde(default)]
    #[schemars(extend("writeOnly" = true))]
    token: Option<String>,
    /// TLS.
    #[serde(default)]
    tls: TlsFiles,
}

fn here() -> Addresses {
    Addresses("http://127.0.0.1:1".to_owned())
}

struct Lamp;

#[async_trait]
impl Subject for Lamp {
    const NAME: &'static str = "lamp";
    type Error = YardError;

    fn actions() -> ActionSet<Self> {
        ActionSet::new()
    }

    async fn identity(&self) -> Result<String, YardError> {
        Ok("lamp".to_owned())
    }
}

#[async_trait]
impl Connect for Lamp {
    type Settings = LampSettings;
    const TITLE: &'static str = "lamp";
    const ANSWERS: &'static str = "the lamp";
    const ADDRESS: &'static str = "at";

    async fn connect(settings: LampSettings) -> Result<Self, ConnectError> {
        match settings.tls {
            TlsFiles { ca: Some(path), .. } => {
                let read = std::fs::read(path.as_path());
                read.map_err(|error| ConnectError::setting("tls_ca", error))?;
                Ok(Self)
            }
            TlsFiles {
                key: Some(FilePath(path)),
                ..
            } => {
                let text = format!("{} without a certificate", path.display());
                Err(ConnectError::setting("tls_key", text))
            }
            _ => Ok(Self),
        }
    }
}

fn given(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn settings_are_derived_from_a_struct_and_the_structs_in_it() {
    let settings = SubjectKind::of::<Lamp>().settings().unwrap();
    let names: Vec<&str> = settings.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "at",
            "look_every",
            "patience",
            "tls_ca",
            "tls_cert",
            "tls_key",
            "token"
        ]
    );
    let of = |name: &str| settings.iter().find(|one| one.name == name).unwrap();
    let at = of("at");
    assert_eq!(
        (at.env.as_deref(), at.short),
        (Some("LAMP_ADDR"), Some('u'))
    );
    assert!(at.is_address && !at.is_file && !at.required);
    assert_eq!(at.default, Some(json!("http://127.0.0.1:1")));
    assert!(of("tls_ca").is_file && of("token").shape.secret);
}

#[tokio::test]
async fn what_is_wrong_with_settings_is_said_by_their_names() {
    let kind = SubjectKind::of::<Lamp>();
    kind.connect(Map::new()).await.unwrap();
    for (settings, expected) in [
        (
            json!({"patience": 0, "att": "x"}),
            vec!["`patience`", "`att`"],
        ),
        (
            json!({"tls_key": "k.pem"}),
            vec!["`tls_key`: k.pem without"],
        ),
        (
            json!({"tls_ca": "/nonexistent/ca.pem"}),
            vec!["`tls_ca`: No such file"],
        ),
    ] {
        let error = kind
            .connect(given(&settings))
            .await
            .err()
            .unwrap()
            .to_string();
        assert!(expected.iter().all(|one| error.contains(one)), "{error}");
    }
}

/// A value that only its type refuses is named, and none of the others is shown with it.
#[tokio::test]
async fn what_only_a_type_refuses_shows_no_secret() {
    let kind = SubjectKind::of::<Lamp>();
    let settings = json!({"at": "http://ana:hunter2@lamp", "look_every": "5x", "token": "hunter3"});
    let error = kind.connect(given(&settings)).await.err().unwrap();
    let error = error.to_string();
    assert!(
        error.starts_with("`look_every`: invalid duration `5x`"),
        "{error}"
    );
    assert!(!error.contains("hunter"), "{error}");
}

#[test]
fn an_address_is_shown_without_what_may_be_a_secret() {
    let shown = format!("{:?}", Addresses("http://ana:pw@lamp:1".to_owned()));
    assert!(!shown.contains("pw"), "{shown}");
}
