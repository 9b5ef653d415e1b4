//! The document of the API, which every answer that these tests see is held to.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;

use crate::client::{Answer, ask, ask_over};
use crate::house::House;
use crate::routes::GUARDED;

const PATH: &str = "/api/v1/openapi.json";

/// Which document it is does not depend on the gate that serves it.
static DOCUMENT: OnceCell<Value> = OnceCell::const_new();

async fn document(to: SocketAddr) -> &'static Value {
    let read = async || {
        let stream = TcpStream::connect(to).await.unwrap();
        let answer = ask_over(stream, "localhost", "GET", PATH, &[], "").await;
        answer.is(200).json()
    };
    DOCUMENT.get_or_init(read).await
}

/// Holds an answer to what is documented, where it is one to what is.
pub(crate) async fn holds(to: SocketAddr, method: &str, path: &str, answer: &Answer) {
    if path.starts_with("/mcp/") || answer.status == 0 {
        return;
    }
    let Some(operation) = operation(document(to).await, method, path) else {
        return;
    };
    let known = &operation["responses"][answer.status.to_string()];
    assert!(known.is_object(), "{method} {path}: {answer:?}");
    let forms = known["content"].as_object().unwrap();
    // What is not HTTP is refused before anything is answered in a form.
    let form = answer.head.split("content-type: ").nth(1);
    let form = form.and_then(|rest| rest.split(['\r', ';']).next());
    assert!(
        form.is_none_or(|form| forms.contains_key(form)),
        "{method} {path}: {answer:?}"
    );
    let schema = &forms.get("application/json").unwrap_or(&Value::Null)["schema"];
    if form == Some("application/json") {
        assert!(schema.is_object(), "{method} {path} has no schema");
        let validator = jsonschema::draft202012::new(schema).unwrap();
        let body = answer.json();
        let errors = validator.iter_errors(&body);
        let errors: Vec<_> = errors
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(
            errors.is_empty(),
            "{method} {path}: {errors:#?} in {body:#}"
        );
    }
}

/// A schema says more than that something is an object.
#[tokio::test]
async fn what_is_answered_is_described_member_by_member() {
    let house = House::new().await;
    let document = document(house.at).await;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            let done = responses
                .iter()
                .filter(|(status, _)| status.starts_with('2'));
            for (status, response) in done {
                let schema = &response["content"]["application/json"]["schema"];
                let is_stream = response["content"]["text/event-stream"].is_object();
                let is_any = path.ends_with("openapi.json") || path.contains("/observations/");
                let has_members = schema["properties"]
                    .as_object()
                    .is_some_and(|all| !all.is_empty());
                assert!(
                    has_members || is_stream || is_any,
                    "{method} {path} {status}: {schema}"
                );
            }
        }
    }
}

fn operation<'d>(document: &'d Value, method: &str, path: &str) -> Option<&'d Value> {
    let path = path.split('?').next().unwrap_or_default();
    let paths = document["paths"].as_object().unwrap();
    let fits = |template: &str| {
        let (known, asked): (Vec<&str>, Vec<&str>) =
            (template.split('/').collect(), path.split('/').collect());
        let mut parts = known.iter().zip(&asked);
        known.len() == asked.len()
            && parts.all(|(known, asked)| known.starts_with('{') || known == asked)
    };
    let mut found = paths.iter().filter(|(template, _)| fits(template));
    found.find_map(|(_, path)| path.get(method.to_lowercase()))
}

/// Each route of the API is documented, and each that is documented is tried by attackers.
#[tokio::test]
async fn each_route_is_documented_and_attacked() {
    let house = House::new().await;
    let answer = ask(house.at, "GET", PATH, &[], "").await.is(200);
    let document = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
    for (method, path) in GUARDED.iter().filter(|(_, path)| path.starts_with("/api/")) {
        let operation = operation(&document, method, path);
        let operation = operation.unwrap_or_else(|| unreachable!("{method} {path}"));
        assert_eq!(
            operation["security"].as_array().unwrap().len(),
            3,
            "{method} {path}"
        );
        assert!(operation["responses"]["401"].is_object(), "{method} {path}");
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let is_for_anybody = operation["security"].as_array().unwrap().is_empty();
            let is_attacked = GUARDED.iter().any(|(known, asked)| {
                let template = self::operation(&document, known, asked);
                known.eq_ignore_ascii_case(method) && template == Some(operation)
            });
            assert_ne!(is_for_anybody, is_attacked, "{method} {path}");
            // What is not documented is not there.
            let asked = path
                .replace("{cluster}", "prod")
                .replace("{id}", "x")
                .replace("{name}", "x")
                .replace("{agent}", "agent:x");
            let answer = ask(house.at, &method.to_uppercase(), &asked, &[], "{}").await;
            assert!(
                [200, 400, 401].contains(&answer.status),
                "{method} {path}: {answer:?}"
            );
        }
    }
    assert!(!document.to_string().contains("$schema"), "{document}");
}
