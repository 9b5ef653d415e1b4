//! What is read beside calling tools: resources, and runbooks as prompts.

use action_core::Risk;
use action_guard::{Guard, MemoryJournal};
use operator_mcp::rmcp::ServiceError;
use operator_mcp::rmcp::model::{
    ErrorCode, GetPromptRequestParams, ReadResourceRequestParams, ResourceContents,
};
use operator_mcp::{Ceiling, Server};
use serde_json::{Value, json};

use crate::bench::{Client, Era, House, call, client_of, said};

async fn read(client: &Client, uri: &str) -> Result<(String, String), ErrorCode> {
    match client
        .read_resource(ReadResourceRequestParams::new(uri))
        .await
    {
        Ok(result) => match &result.contents[..] {
            [
                ResourceContents::TextResourceContents {
                    uri: of,
                    mime_type,
                    text,
                    ..
                },
            ] => {
                assert_eq!(of, uri);
                Ok((mime_type.clone().unwrap(), text.clone()))
            }
            other => unreachable!("{other:?}"),
        },
        Err(ServiceError::McpError(error)) => {
            assert_eq!(error.data, Some(json!({ "uri": uri })));
            Err(error.code)
        }
        Err(other) => unreachable!("{other}"),
    }
}

#[tokio::test]
async fn pages_the_policy_and_the_journal_of_ones_own_proposals_are_read() {
    for (era, unknown) in [
        (Era::Initialize, ErrorCode::RESOURCE_NOT_FOUND),
        (Era::Discover, ErrorCode::INVALID_PARAMS),
    ] {
        let house = House::new().await;
        let server = house.server("agent:night", Ceiling::UpTo(Risk::Low));
        let client = client_of(server, era).await;
        let listed = client.list_all_resources().await.unwrap();
        let uris: Vec<&str> = listed.iter().map(|one| one.uri.as_str()).collect();
        assert_eq!(uris, ["operator://reasons", "operator://policy"]);
        let templates = client.list_all_resource_templates().await.unwrap();
        let uris: Vec<&str> = templates
            .iter()
            .map(|one| one.uri_template.as_str())
            .collect();
        assert_eq!(
            uris,
            ["operator://actions/{name}", "operator://proposals/{id}"]
        );

        let (kind, reasons) = read(&client, "operator://reasons").await.unwrap();
        assert_eq!(kind, "text/markdown");
        assert!(reasons.contains("No bulb"), "{reasons}");
        let (_, policy) = read(&client, "operator://policy").await.unwrap();
        assert!(policy.contains("it hangs by a thread"), "{policy}");
        let (_, action) = read(&client, "operator://actions/rewire_lamp")
            .await
            .unwrap();
        assert!(
            action.starts_with("# rewire_lamp") && action.contains("high risk"),
            "{action}"
        );

        let lit = call(&client, "switch_lamp", json!({"lamp": 1, "lit": true})).await;
        let uri = format!(
            "operator://proposals/{}",
            said(&lit)["proposal_id"].as_str().unwrap()
        );
        let (kind, journal) = read(&client, &uri).await.unwrap();
        assert_eq!(kind, "application/jsonl");
        let lines: Vec<Value> = journal
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let kinds: Vec<&Value> = lines.iter().map(|line| &line["record"]["kind"]).collect();
        assert_eq!(
            kinds,
            ["proposed", "intent", "answer", "outcome"],
            "{journal}"
        );

        let other = house.server("agent:day", Ceiling::UpTo(Risk::Low));
        let other = client_of(other, era).await;
        assert_eq!(read(&other, &uri).await, Err(unknown));
        for uri in [
            "operator://nothing",
            "operator://actions/no_such_action",
            "operator://proposals/none",
            "operator://other/reasons",
            "file:///etc/passwd",
        ] {
            assert_eq!(read(&client, uri).await, Err(unknown), "{uri}");
        }
    }
}

#[tokio::test]
async fn a_long_text_is_cut_behind_a_line_and_says_so() {
    let house = House::new().await;
    let server = house
        .server("agent:night", Ceiling::ReadOnly)
        .most_characters(200);
    let client = client_of(server, Era::Discover).await;
    let (_, policy) = read(&client, "operator://policy").await.unwrap();
    assert!(policy.chars().count() <= 200, "{policy}");
    let last = policy.lines().last().unwrap();
    assert!(
        last.starts_with("[truncated: this text has ") && last.contains("200"),
        "{policy}"
    );
}

async fn prompt(client: &Client, name: &str, given: Value) -> Result<String, String> {
    let mut asked = GetPromptRequestParams::new(name);
    asked.arguments = given.as_object().cloned();
    match client.get_prompt(asked).await {
        Ok(result) => {
            let message = serde_json::to_value(&result.messages).unwrap();
            assert_eq!(message[0]["role"], "user");
            Ok(message[0]["content"]["text"].as_str().unwrap().to_owned())
        }
        Err(ServiceError::McpError(error)) => {
            assert_eq!(error.code, ErrorCode::INVALID_PARAMS);
            Err(error.message.into_owned())
        }
        Err(other) => unreachable!("{other}"),
    }
}

#[tokio::test]
async fn a_runbook_is_a_prompt_whose_arguments_are_checked() {
    for era in [Era::Initialize, Era::Discover] {
        let house = House::new().await;
        let client = client_of(house.server("agent:night", Ceiling::ReadOnly), era).await;
        let listed = client.list_all_prompts().await.unwrap();
        let arguments = listed[0].arguments.clone().unwrap();
        let arguments: Vec<_> = arguments
            .iter()
            .map(|one| (one.name.as_str(), one.required))
            .collect();
        assert_eq!(arguments, [("lamp", Some(true)), ("why", Some(false))]);
        assert_eq!(listed[0].description.as_deref(), Some("Lights one lamp."));
        // Arguments of a prompt are texts.
        let text = prompt(&client, "light_up", json!({"lamp": "4"}))
            .await
            .unwrap();
        assert!(text.contains("lamp 4. Why: not given."), "{text}");
        let wrong = prompt(&client, "light_up", json!({"lamp": "44", "whi": "x"})).await;
        let wrong = wrong.unwrap_err();
        assert!(
            wrong.contains("`lamp`") && wrong.contains("`whi`"),
            "{wrong}"
        );
        let missing = prompt(&client, "light_up", json!({})).await.unwrap_err();
        assert!(missing.contains("`lamp`"), "{missing}");
        let unknown = prompt(&client, "no_such", json!({})).await.unwrap_err();
        assert!(unknown.contains("no_such"), "{unknown}");
    }
}

#[tokio::test]
async fn a_runbook_of_a_system_with_a_prefix_names_its_actions() {
    let mut registry = action_core::ActionRegistry::new();
    for prefix in ["left", "right"] {
        registry
            .register_as(prefix, crate::lamps::Lamps::default())
            .unwrap();
    }
    let guard = Guard::new(registry, MemoryJournal::new());
    let server = Server::new(guard, "agent:night".parse().unwrap(), Ceiling::ReadOnly).unwrap();
    let client = client_of(server, Era::Discover).await;
    let listed = client.list_all_resources().await.unwrap();
    assert_eq!(
        listed.len(),
        1,
        "both say the same, and there is no policy: {listed:?}"
    );
    let text = prompt(&client, "right_light_up", json!({"lamp": 4}))
        .await
        .unwrap();
    assert!(text.contains("`right_switch_lamp`"), "{text}");
}
