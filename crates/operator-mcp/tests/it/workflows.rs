//! Work in several steps, as tools.

use std::time::Duration;

use action_core::Risk;
use operator_mcp::Ceiling;
use operator_mcp::rmcp::model::{ClientRequest, Request};
use operator_mcp::rmcp::service::PeerRequestOptions;
use serde_json::{Value, json};

use crate::bench::{Client, Era, House, call, client_of, fits, params, said};

async fn start(client: &Client, given: Value) -> Value {
    said(&call(client, "start_workflow", given).await)
}

async fn get(client: &Client, id: &Value, wait_seconds: u8) -> Value {
    let asked = json!({"workflow_id": id, "wait_seconds": wait_seconds});
    said(&call(client, "get_workflow", asked).await)
}

fn switch(id: &str, lamp: u8) -> Value {
    json!({"id": id, "action": "switch_lamp", "parameters": {"lamp": lamp, "lit": true}})
}

fn of(steps: &[Value]) -> Value {
    json!({"document": {"title": "a few lamps", "steps": steps}})
}

fn rewire() -> Value {
    json!({"id": "wires", "action": "rewire_lamp", "parameters": {"lamp": 5}})
}

/// Waits until it is no longer in progress.
async fn ended(client: &Client, id: &Value) -> Value {
    loop {
        let looked = get(client, id, 5).await;
        if looked["standing"] != "in_progress" {
            return looked;
        }
    }
}

#[tokio::test]
async fn steps_are_done_one_after_the_other_and_proven() {
    for era in [Era::Initialize, Era::Discover] {
        let house = House::new().await;
        let server = house.server("agent:night", Ceiling::UpTo(Risk::Low));
        let client = client_of(server, era).await;
        let seen = json!({"id": "seen", "observe": "list_lamps",
            "until": [{"at": "/lamps", "at_least": 2}]});
        let back = json!({"id": "back", "undo": "one"});
        let steps = [switch("one", 1), switch("two", 2), seen, back];
        let done = start(&client, of(&steps)).await;
        assert_eq!(done["standing"], "completed", "{done}");
        assert_eq!(house.sent(), [(1, true), (2, true), (1, false)]);
        let words: Vec<&Value> = done["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| &step["standing"])
            .collect();
        assert_eq!(words, ["done"; 4], "{done}");
        assert_eq!(done["steps"][0]["taken_back"], "done");
        let tools = client.list_all_tools().await.unwrap();
        for tool in ["start_workflow", "get_workflow"] {
            let tool = tools.iter().find(|one| one.name == tool).unwrap();
            fits(tool, &done);
        }
        // What each step did is a proposal like any other.
        let first = json!({"proposal_id": done["steps"][0]["proposal_id"]});
        let first = said(&call(&client, "get_proposal", first).await);
        assert_eq!(first["standing"], "taken_back", "{first}");
    }
}

#[tokio::test]
async fn one_that_a_tool_makes_is_started_once_however_often_it_is_asked_for() {
    let house = House::new().await;
    let client = house.client().await;
    let asked = json!({"workflow": "light_lamps", "arguments": {"lamps": [1, 2]}});
    let first = start(&client, asked.clone()).await;
    assert_eq!(first["standing"], "completed", "{first}");
    assert_eq!(first["repeated"], false);
    // What the tool makes now is another workflow, and what was asked for is the same.
    let again = start(&client, asked.clone()).await;
    assert_eq!(again["workflow_id"], first["workflow_id"]);
    assert_eq!(again["repeated"], true);
    house.lamps.house(|house| house.lit.insert(1, false));
    let mut keyed = params("start_workflow", asked);
    keyed.meta = Some(serde_json::from_value(json!({"idempotencyKey": "a:b"})).unwrap());
    let other = said(&client.call_tool(keyed.clone()).await.unwrap());
    assert_eq!(other["standing"], "completed", "{other}");
    assert_ne!(other["workflow_id"], first["workflow_id"]);
    let same = said(&client.call_tool(keyed.clone()).await.unwrap());
    assert_eq!(same["workflow_id"], other["workflow_id"]);
    let another = json!({"workflow": "light_lamps", "arguments": {"lamps": [3]}});
    keyed.arguments = another.as_object().cloned();
    let used = said(&client.call_tool(keyed).await.unwrap());
    assert!(
        used["error"]["message"]
            .to_string()
            .contains("earlier call"),
        "{used}"
    );
    assert_eq!(house.sent(), [(1, true), (2, true), (1, true)]);
}

#[tokio::test]
async fn what_is_wrong_is_told_and_nothing_is_started() {
    let house = House::new().await;
    let client = house.client().await;
    let one_and_a_half = json!({"id": "x", "action": "switch_lamp", "parameters": {"lamp": 99}});
    for (given, words) in [
        (json!({}), &["exactly one"][..]),
        (
            json!({"workflow": "light_lamps", "document": {}}),
            &["exactly one"],
        ),
        (
            json!({"workflow": "list_lamps"}),
            &["does not make a workflow"],
        ),
        (
            json!({"workflow": "light_lamps", "arguments": {"lamp": 1}}),
            &["lamps"],
        ),
        (json!({"workflow": 5, "more": 1}), &["`workflow`", "`more`"]),
        (json!({"document": {"steps": []}}), &["title"]),
        (of(&[one_and_a_half]), &["lamp", "lit"]),
        (
            json!({"document": {"steps": [
                {"id": "A b", "action": "switch_lamp", "parameters": {"lamp": 99}},
                {"id": "two", "action": "no_such"},
            ]}}),
            &["title", "`id`", "`lit`", "no_such"],
        ),
        (json!({"workflow_id": "none"}), &["none"]),
    ] {
        let wrong = start(&client, given.clone()).await;
        let text = wrong["error"]["message"].as_str().unwrap_or_default();
        assert!(
            words.iter().all(|word| text.contains(word)),
            "{given}: {wrong}"
        );
    }
    let state = house.guard().state().await.unwrap();
    assert!(state.flows.is_empty());
}

#[tokio::test]
async fn one_with_a_step_above_the_ceiling_is_not_begun() {
    let house = House::new().await;
    let server = house.server("agent:night", Ceiling::UpTo(Risk::Low));
    let low = client_of(server, Era::Discover).await;
    let unscrew = json!({"id": "off", "action": "unscrew_lamp", "parameters": {"lamp": 4}});
    let back = json!({"id": "back", "undo": "off"});
    for (steps, step) in [
        (
            [switch("one", 1), rewire()],
            "step `wires`: `rewire_lamp` has a higher risk",
        ),
        (
            [unscrew, back],
            "step `back`: `rewire_lamp`, which takes `off` back, has a higher risk",
        ),
    ] {
        let above = start(&low, of(&steps)).await;
        let text = above["error"]["message"].as_str().unwrap_or_default();
        assert!(text.contains(step), "{above}");
    }
    // One that was started with a higher one is not gone on with.
    let high = house.client().await;
    let waits = start(&high, of(&[rewire()])).await;
    house
        .approve(waits["waits_for"][0]["proposal_id"].as_str().unwrap())
        .await;
    let above = start(&low, json!({"workflow_id": waits["workflow_id"]})).await;
    assert!(
        above["error"]["message"].to_string().contains("higher"),
        "{above}"
    );
    assert_eq!(house.sent(), []);
}

#[tokio::test]
async fn a_step_that_waits_says_who_approves_and_how_and_is_gone_on_with() {
    let house = House::new().await;
    let server = house.server("agent:night", Ceiling::UpTo(Risk::High));
    let client = client_of(server.approved_by("operator approve"), Era::Discover).await;
    let waits = start(&client, of(&[switch("one", 1), rewire(), switch("two", 2)])).await;
    assert_eq!(waits["standing"], "waits_for_approval", "{waits}");
    let step = &waits["waits_for"][0];
    assert_eq!(
        (&step["step"], &step["approval"]["by"]),
        (&json!("wires"), &json!(["user:*"]))
    );
    let proposal = step["proposal_id"].as_str().unwrap();
    assert_eq!(
        step["approval"]["how"],
        format!("operator approve {proposal}")
    );
    assert_eq!(house.sent(), [(1, true)]);
    let id = &waits["workflow_id"];
    let asked = start(&client, json!({ "workflow_id": id })).await;
    assert_eq!(
        asked["standing"], "waits_for_approval",
        "asking again is no consent: {asked}"
    );
    let looking = get(&client, id, 30);
    let (looked, ()) = tokio::join!(looking, house.approve(proposal));
    assert_eq!(looked["standing"], "ready", "{looked}");
    assert_eq!(house.sent(), [(1, true)], "looking at it sends nothing");
    let done = start(&client, json!({ "workflow_id": id })).await;
    assert_eq!(done["standing"], "completed", "{done}");
    assert_eq!(house.sent(), [(1, true), (5, true), (2, true)]);
}

#[tokio::test]
async fn a_person_confirms_and_never_the_agent() {
    let house = House::new().await;
    let server = house.server("agent:night", Ceiling::UpTo(Risk::Low));
    let client = client_of(
        server.confirmed_by("operator workflow confirm"),
        Era::Discover,
    )
    .await;
    let disk = json!({"id": "bulb", "confirm": "Screw in a new bulb.", "by": ["user:ana"]});
    let waits = start(&client, of(&[disk, switch("one", 1)])).await;
    assert_eq!(waits["standing"], "waits_for_confirmation", "{waits}");
    let (step, id) = (
        &waits["waits_for"][0],
        waits["workflow_id"].as_str().unwrap(),
    );
    assert_eq!(step["text"], "Screw in a new bulb.");
    assert_eq!(step["approval"]["by"], json!(["user:ana"]));
    assert_eq!(
        step["approval"]["how"],
        format!("operator workflow confirm {id} bulb")
    );
    assert_eq!(house.sent(), []);
}

#[tokio::test]
async fn it_is_seen_by_who_started_it_and_on_its_system_only() {
    let house = House::new().await;
    let client = house.client().await;
    let waits = start(&client, of(&[rewire()])).await;
    let (id, proposal) = (&waits["workflow_id"], &waits["waits_for"][0]["proposal_id"]);
    let other = house.server("agent:day", Ceiling::UpTo(Risk::High));
    let other = client_of(other, Era::Discover).await;
    house.lamps.house(|house| house.moved_to = Some("house 2"));
    let elsewhere = house.client().await;
    house.lamps.house(|house| house.moved_to = None);
    for (client, moved_to) in [(&other, None), (&elsewhere, Some("house 2"))] {
        house.lamps.house(|house| house.moved_to = moved_to);
        for tool in ["get_workflow", "start_workflow"] {
            let asked = json!({ "workflow_id": id });
            let unknown = said(&call(client, tool, asked).await);
            let text = unknown["error"]["message"].as_str().unwrap_or_default();
            assert!(text.contains("no workflow"), "{unknown}");
        }
        let asked = json!({ "proposal_id": proposal });
        let unknown = said(&call(client, "get_proposal", asked).await);
        assert!(unknown["error"].is_object(), "{unknown}");
        let listed = said(&call(client, "list_proposals", json!({})).await);
        assert_eq!(listed["proposals"], json!([]));
    }
    // The same there is not the same.
    let there = start(&elsewhere, of(&[rewire()])).await;
    assert_eq!(there["repeated"], false, "{there}");
}

#[tokio::test]
async fn it_answers_before_it_is_done_and_goes_on() {
    let house = House::new().await;
    house.lamps.house(|house| house.slow = true);
    let server = house.server("agent:night", Ceiling::UpTo(Risk::Low));
    let server = server.answer_within(Duration::from_millis(300));
    let client = client_of(server, Era::Discover).await;
    let slow = start(&client, of(&[switch("one", 1), switch("two", 2)])).await;
    assert_eq!(slow["standing"], "in_progress", "{slow}");
    house.lamps.house(|house| house.slow = false);
    let done = ended(&client, &slow["workflow_id"]).await;
    assert_eq!(done["standing"], "completed", "{done}");
    assert_eq!(house.sent(), [(1, true), (2, true)]);
}

#[tokio::test]
async fn a_step_that_fails_ends_it_there() {
    let house = House::new().await;
    let client = house.client().await;
    let failed = call(
        &client,
        "start_workflow",
        of(&[switch("nine", 9), switch("one", 1)]),
    )
    .await;
    assert_eq!(failed.is_error, Some(true));
    let failed = said(&failed);
    assert_eq!(failed["standing"], "failed", "{failed}");
    assert!(
        failed["summary"].as_str().unwrap().contains("no bulb"),
        "{failed}"
    );
    assert_eq!(house.sent(), []);
}

#[tokio::test]
async fn a_call_that_is_cancelled_ends_it_at_the_next_step() {
    let house = House::new().await;
    house.lamps.house(|house| house.slow = true);
    let client = house.client().await;
    let asked = params("start_workflow", of(&[switch("one", 1), switch("two", 2)]));
    let request = ClientRequest::CallToolRequest(Request::new(asked));
    let options = PeerRequestOptions::default();
    let handle = client
        .peer()
        .send_cancellable_request(request, options)
        .await
        .unwrap();
    while house.sent().is_empty() {
        tokio::task::yield_now().await;
    }
    handle.cancel(None).await.unwrap();
    let id = loop {
        let state = house.guard().state().await.unwrap();
        let flow = state.flows.values().next().unwrap();
        if flow.cancel.is_some() {
            break json!(flow.id);
        }
        tokio::task::yield_now().await;
    };
    house.lamps.house(|house| house.slow = false);
    let over = ended(&client, &id).await;
    assert_eq!(over["standing"], "cancelled", "{over}");
    assert_eq!(
        over["steps"][0]["standing"], "done",
        "what was sent is followed to its end"
    );
    assert_eq!(house.sent(), [(1, true)]);
}

fn confirm(id: &str) -> Value {
    json!({"id": id, "confirm": "look at the lamps"})
}

async fn cancel(client: &Client, id: &Value) -> Value {
    let asked = json!({"workflow_id": id, "reason": "a test"});
    said(&call(client, "cancel_workflow", asked).await)
}

/// Two hosts of one agent, asked at the same moment.
#[tokio::test]
async fn the_same_asked_of_two_servers_at_once_is_done_once() {
    for round in 0..4 {
        let house = House::new().await;
        let clients = [house.client().await, house.client().await];
        let mut flow = params("start_workflow", of(&[switch("one", 1), confirm("seen")]));
        let mut lamp = params("switch_lamp", json!({"lamp": 2, "lit": true}));
        if round % 2 == 0 {
            let key = json!({"idempotencyKey": "k"});
            flow.meta = Some(serde_json::from_value(key.clone()).unwrap());
            lamp.meta = Some(serde_json::from_value(json!({"idempotencyKey": "l"})).unwrap());
        }
        let [one, other] = &clients;
        let (first, second) = tokio::join!(one.call_tool(flow.clone()), other.call_tool(flow));
        let (first, second) = (said(&first.unwrap()), said(&second.unwrap()));
        assert_eq!(
            first["workflow_id"], second["workflow_id"],
            "{first} {second}"
        );
        let (first, second) = tokio::join!(one.call_tool(lamp.clone()), other.call_tool(lamp));
        let (first, second) = (said(&first.unwrap()), said(&second.unwrap()));
        assert_eq!(
            first["proposal_id"], second["proposal_id"],
            "{first} {second}"
        );
        ended(one, &get_id(&house).await).await;
        let mut sent = house.sent();
        sent.sort_unstable();
        assert_eq!(sent, [(1, true), (2, true)]);
    }
}

async fn get_id(house: &House) -> Value {
    let state = house.guard().state().await.unwrap();
    let mut flows = state.flows.values().filter(|flow| flow.cancel.is_none());
    json!(flows.next().unwrap().id)
}

#[tokio::test]
async fn what_was_cancelled_is_not_begun_anew_where_a_step_was_done() {
    let house = House::new().await;
    let client = house.client().await;
    let asked = of(&[switch("one", 1), confirm("seen"), switch("two", 2)]);
    let first = start(&client, asked.clone()).await;
    assert_eq!(first["standing"], "waits_for_confirmation", "{first}");
    let cancelled = cancel(&client, &first["workflow_id"]).await;
    assert_eq!(cancelled["standing"], "cancelled", "{cancelled}");
    let again = start(&client, asked).await;
    assert_eq!(again["workflow_id"], first["workflow_id"], "{again}");
    assert_eq!(house.sent(), [(1, true)]);
    // What was not begun is asked for anew.
    let asked = of(&[confirm("seen")]);
    let first = start(&client, asked.clone()).await;
    cancel(&client, &first["workflow_id"]).await;
    let again = start(&client, asked).await;
    assert_ne!(again["workflow_id"], first["workflow_id"], "{again}");
}

#[tokio::test]
async fn an_agent_leaves_room_for_others_and_can_end_its_own() {
    let house = House::new().await;
    let client = house.client().await;
    let mut ids = Vec::new();
    for one in 0..4 {
        let started = start(&client, of(&[confirm(&format!("seen-{one}"))])).await;
        ids.push(started["workflow_id"].clone());
    }
    let fifth = of(&[confirm("seen-5")]);
    let refused = start(&client, fifth.clone()).await;
    let text = refused["error"]["message"].as_str().unwrap();
    assert!(text.contains("`cancel_workflow`"), "{text}");
    let other = house.server("agent:other", Ceiling::UpTo(Risk::Low));
    let other = client_of(other, Era::Discover).await;
    let unknown = cancel(&other, &ids[0]).await;
    let text = unknown["error"]["message"].as_str().unwrap();
    assert!(text.contains("no workflow `"), "{unknown}");
    let started = start(&other, fifth.clone()).await;
    assert_eq!(started["standing"], "waits_for_confirmation", "{started}");
    cancel(&client, &ids[0]).await;
    let started = start(&client, fifth).await;
    assert_eq!(started["standing"], "waits_for_confirmation", "{started}");
}

#[tokio::test]
async fn what_is_much_too_much_is_answered_in_short() {
    let house = House::new().await;
    let client = house.client().await;
    let steps: Vec<Value> = (0..20_000)
        .map(|at| json!({"id": at, "foo": "x"}))
        .collect();
    let long = "x".repeat(200_000);
    for wrong in [
        start(&client, of(&steps)).await,
        start(&client, of(&steps[..600])).await,
        start(&client, of(&steps[..500])).await,
        start(&client, json!({"workflow": long})).await,
        get(&client, &json!(long), 0).await,
        said(&call(&client, "get_proposal", json!({"proposal_id": long})).await),
    ] {
        let text = wrong.to_string();
        assert!(text.len() < 50_000, "{} bytes", text.len());
        assert!(wrong["error"]["message"].is_string(), "{text}");
    }
}

/// What is cut first is what anybody can look up: people and their commands stay for longest.
#[tokio::test]
async fn whom_it_waits_for_is_cut_last() {
    let house = House::new().await;
    let server = house
        .server("agent:night", Ceiling::UpTo(Risk::Low))
        .most_characters(4_000);
    let client = client_of(
        server.confirmed_by("operator workflow confirm"),
        Era::Discover,
    )
    .await;
    let steps = (0..8).map(|at| {
        let text = format!("Screw in a new bulb, number {at}.");
        json!({"id": format!("bulb-{at}"), "needs": [], "confirm": text, "by": ["user:ana", "user:bob"]})
    });
    let steps: Vec<Value> = steps.collect();
    let waits = start(&client, of(&steps)).await;
    let shown = waits["waits_for"].as_array().unwrap();
    assert_eq!(shown.len(), 8, "{waits}");
    assert!(shown[7]["approval"]["how"].is_string(), "{waits}");
    assert!(
        waits["truncated"]["steps"]["shown"].as_u64() < Some(8),
        "{waits}"
    );
    assert!(waits.to_string().len() <= 4_000);
}
