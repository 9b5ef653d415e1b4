//! What calls do, and what they answer.

use std::time::Duration;

use action_core::Risk;
use operator_mcp::Ceiling;
use operator_mcp::rmcp::model::{ClientRequest, Request};
use operator_mcp::rmcp::service::PeerRequestOptions;
use serde_json::{Value, json};

use crate::bench::{Client, Era, House, call, client_of, fits, params, said};

fn switch(lamp: u8) -> Value {
    json!({"lamp": lamp, "lit": true})
}

async fn switched(client: &Client, lamp: u8) -> Value {
    said(&call(client, "switch_lamp", switch(lamp)).await)
}

/// Asks for what waits for people.
async fn rewired(client: &Client) -> Value {
    said(&call(client, "rewire_lamp", json!({"lamp": 5})).await)
}

#[tokio::test]
async fn a_mutation_is_sent_once_proven_and_taken_back() {
    for era in [Era::Initialize, Era::Discover] {
        let house = House::new().await;
        let server = house.server("agent:night", Ceiling::UpTo(Risk::Low));
        let client = client_of(server, era).await;
        let applied = switched(&client, 1).await;
        assert_eq!(applied["standing"], "applied", "{applied}");
        assert_eq!(
            applied["outcome"]["evidence"][0]["value"], true,
            "{applied}"
        );
        assert_eq!(applied["undo"]["possible"], true);
        assert_eq!(house.sent(), [(1, true)]);
        let undo = json!({"proposal_id": applied["proposal_id"]});
        let undone = said(&call(&client, "undo", undo).await);
        assert_eq!(undone["standing"], "applied", "{undone}");
        assert_eq!(house.sent(), [(1, true), (1, false)]);
        let first = json!({"proposal_id": applied["proposal_id"]});
        let first = said(&call(&client, "get_proposal", first).await);
        assert_eq!(first["standing"], "taken_back", "{first}");
    }
}

#[tokio::test]
async fn what_a_call_gives_fits_the_schema_that_it_is_listed_with() {
    let house = House::new().await;
    let client = house.client().await;
    let tools = client.list_all_tools().await.unwrap();
    let tool = |name: &str| tools.iter().find(|tool| tool.name == name).unwrap();
    let applied = switched(&client, 1).await;
    fits(tool("switch_lamp"), &applied);
    fits(tool("switch_lamp"), &rewired(&client).await);
    let id = json!({"proposal_id": applied["proposal_id"]});
    fits(
        tool("get_proposal"),
        &said(&call(&client, "get_proposal", id).await),
    );
    let plan = json!({"action": "switch_lamp", "arguments": switch(2)});
    fits(
        tool("plan"),
        &said(&call(&client, "plan", plan.clone()).await),
    );
    for asked in [json!({}), plan] {
        let explained = said(&call(&client, "explain_policy", asked).await);
        fits(tool("explain_policy"), &explained);
    }
    // Each says what it answers.
    for tool in &tools {
        let schema = tool.output_schema.as_ref().unwrap();
        assert!(schema["properties"].is_object(), "{}", tool.name);
    }
    fits(
        tool("list_lamps"),
        &said(&call(&client, "list_lamps", json!({})).await),
    );
    fits(
        tool("list_proposals"),
        &said(&call(&client, "list_proposals", json!({})).await),
    );
}

#[tokio::test]
async fn wrong_arguments_list_every_problem() {
    let house = House::new().await;
    let client = house.client().await;
    for (tool, given, wrong) in [
        (
            "switch_lamp",
            json!({"lamp": 99, "lti": true}),
            &["lamp", "lit", "lti"][..],
        ),
        (
            "list_lamps",
            json!({"count": "x", "more": 1}),
            &["count", "more"],
        ),
        (
            "get_proposal",
            json!({"id": "x", "wait_seconds": 900}),
            &["id", "proposal_id", "wait_seconds"],
        ),
        ("plan", json!({"arguments": {}}), &["action"]),
    ] {
        let answer = call(&client, tool, given).await;
        assert_eq!(answer.is_error, Some(true));
        let said = said(&answer);
        assert_eq!(said["error"]["kind"], "invalid_input", "{said}");
        let problems = said["error"]["problems"].as_array().unwrap();
        let text = said["error"]["message"].as_str().unwrap();
        assert_eq!(problems.len(), wrong.len(), "{said}");
        assert!(
            wrong.iter().all(|name| text.contains(&format!("`{name}`"))),
            "{said}"
        );
    }
    assert_eq!(house.sent(), []);
}

/// No client makes the journal as large as it likes.
#[tokio::test]
async fn what_would_be_recorded_is_not_too_long() {
    let house = House::new().await;
    let client = house.client().await;
    let id = rewired(&client).await["proposal_id"].clone();
    let cancel = json!({"proposal_id": id, "reason": "x".repeat(65_536)});
    let long = said(&call(&client, "cancel_proposal", cancel).await);
    assert_eq!(long["error"]["kind"], "invalid_input", "{long}");
    for (length, is_error) in [(257, true), (256, false)] {
        let mut keyed = params("switch_lamp", switch(1));
        let meta = json!({"idempotencyKey": "k".repeat(length)});
        keyed.meta = Some(serde_json::from_value(meta).unwrap());
        let answer = client.call_tool(keyed).await.unwrap();
        assert_eq!(answer.is_error, Some(is_error), "{length}");
    }
    assert_eq!(house.sent(), [(1, true)]);
}

/// What no declaration here says is told, too.
#[tokio::test]
async fn arguments_of_a_plan_are_an_object() {
    let house = House::new().await;
    let client = house.client().await;
    let asked = json!({"action": "switch_lamp", "arguments": 5});
    let wrong = said(&call(&client, "plan", asked).await);
    let text = wrong["error"]["message"].as_str().unwrap();
    assert!(
        text.contains("`plan`") && text.contains("expected a map"),
        "{wrong}"
    );
}

#[tokio::test]
async fn what_the_plan_or_the_policy_refuses_is_not_sent() {
    let house = House::new().await;
    let client = house.client().await;
    let refused = switched(&client, 9).await;
    assert_eq!(refused["standing"], "refused_by_plan");
    assert!(
        refused["summary"].as_str().unwrap().contains("no bulb"),
        "{refused}"
    );
    let banned = house.server("agent:banned", Ceiling::UpTo(Risk::Low));
    let denied = switched(&client_of(banned, Era::Discover).await, 1).await;
    assert_eq!(denied["standing"], "denied_by_policy");
    assert!(
        denied["summary"].as_str().unwrap().contains("thread"),
        "{denied}"
    );
    let dark = json!({"lamp": 1, "lit": false});
    let nothing = call(&client, "switch_lamp", dark).await;
    assert_eq!(nothing.is_error, Some(false), "nothing to do is no error");
    assert_eq!(said(&nothing)["standing"], "nothing_to_do");
    assert_eq!(house.sent(), []);
}

#[tokio::test]
async fn what_waits_is_approved_elsewhere_and_then_carried_out_by_who_asked() {
    let house = House::new().await;
    let client = house.client().await;
    let waits = rewired(&client).await;
    assert_eq!(waits["standing"], "waits_for_approval");
    assert_eq!(waits["approval"]["by"], json!(["user:*"]));
    let id = waits["proposal_id"].as_str().unwrap().to_owned();
    let asked = json!({ "proposal_id": id });
    let still = said(&call(&client, "execute_proposal", asked.clone()).await);
    assert_eq!(still["standing"], "waits_for_approval");
    assert_eq!(house.sent(), []);
    house.approve(&id).await;
    let other = house.server("agent:day", Ceiling::UpTo(Risk::High));
    let other = client_of(other, Era::Discover).await;
    for tool in ["execute_proposal", "get_proposal", "undo"] {
        let theirs = call(&other, tool, asked.clone()).await;
        assert_eq!(theirs.is_error, Some(true), "{tool}");
    }
    assert_eq!(house.sent(), []);
    let done = said(&call(&client, "execute_proposal", asked.clone()).await);
    assert_eq!(done["standing"], "applied", "{done}");
    let again = said(&call(&client, "execute_proposal", asked).await);
    assert_eq!(again["standing"], "applied", "it says how it stands");
    assert_eq!(house.sent(), [(5, true)], "one request");
}

#[tokio::test]
async fn a_repeated_call_is_the_same_proposal() {
    let house = House::new().await;
    let client = house.client().await;
    let first = switched(&client, 1).await;
    house.lamps.house(|house| house.lit.insert(1, false));
    let again = switched(&client, 1).await;
    assert_eq!(again["proposal_id"], first["proposal_id"]);
    assert_eq!(
        (&again["repeated"], &first["repeated"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(house.sent(), [(1, true)]);
    // Another key means another call.
    let mut keyed = params("switch_lamp", switch(1));
    let meta = json!({"idempotencyKey": "k2"});
    keyed.meta = Some(serde_json::from_value(meta).unwrap());
    let other = said(&client.call_tool(keyed.clone()).await.unwrap());
    assert_ne!(other["proposal_id"], first["proposal_id"], "{other}");
    let same = said(&client.call_tool(keyed.clone()).await.unwrap());
    assert_eq!(same["proposal_id"], other["proposal_id"]);
    // A key stands for one call, and is a text.
    keyed.arguments = switch(2).as_object().cloned();
    let used = said(&client.call_tool(keyed.clone()).await.unwrap());
    assert!(
        used["error"]["message"]
            .to_string()
            .contains("belongs to another request"),
        "{used}"
    );
    keyed.meta = Some(serde_json::from_value(json!({"idempotencyKey": 7})).unwrap());
    let wrong = said(&client.call_tool(keyed).await.unwrap());
    assert!(
        wrong["error"]["message"]
            .to_string()
            .contains("use a string"),
        "{wrong}"
    );
    assert_eq!(house.sent(), [(1, true), (1, true)]);
}

#[tokio::test]
async fn fifty_at_once_send_one_request() {
    let house = House::new().await;
    let client = house.client().await;
    let mut ids = Vec::new();
    let mut running = tokio::task::JoinSet::new();
    let peer = client.peer().clone();
    for _ in 0..50 {
        let peer = peer.clone();
        running.spawn(async move { peer.call_tool(params("switch_lamp", switch(2))).await });
    }
    while let Some(done) = running.join_next().await {
        ids.push(said(&done.unwrap().unwrap())["proposal_id"].clone());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!(house.sent(), [(2, true)]);
}

#[tokio::test]
async fn a_call_answers_before_it_is_proven_and_is_waited_for() {
    let house = House::new().await;
    house.lamps.house(|house| house.slow = true);
    let server = house.server("agent:night", Ceiling::UpTo(Risk::Low));
    let server = server.answer_within(Duration::from_millis(300));
    let client = client_of(server, Era::Discover).await;
    let slow = switched(&client, 3).await;
    assert_eq!(slow["standing"], "in_progress", "{slow}");
    let asked = json!({"proposal_id": slow["proposal_id"]});
    let still = said(&call(&client, "get_proposal", asked.clone()).await);
    assert_eq!(still["standing"], "in_progress");
    assert_eq!(switched(&client, 3).await["repeated"], true);
    house.lamps.house(|house| house.slow = false);
    let done = loop {
        let mut asked = asked.clone();
        asked["wait_seconds"] = json!(5);
        let looked = said(&call(&client, "get_proposal", asked).await);
        if looked["standing"] != "in_progress" {
            break looked;
        }
    };
    assert_eq!(done["standing"], "applied", "{done}");
    assert_eq!(house.sent(), [(3, true)]);
}

#[tokio::test]
async fn what_fails_after_its_call_has_answered_is_not_left_open() {
    let house = House::new().await;
    house
        .lamps
        .house(|house| (house.plans_left, house.hold_answers) = (Some(1), true));
    let server = house.server("agent:night", Ceiling::UpTo(Risk::Low));
    let server = server.answer_within(Duration::from_millis(50));
    let client = client_of(server, Era::Discover).await;
    let slow = switched(&client, 3).await;
    assert_eq!(slow["standing"], "in_progress", "{slow}");
    house.lamps.house(|house| house.hold_answers = false);
    let asked = json!({"proposal_id": slow["proposal_id"]});
    let ended = loop {
        let looked = said(&call(&client, "get_proposal", asked.clone()).await);
        if looked["standing"] != "allowed" {
            break looked;
        }
    };
    assert_eq!(ended["standing"], "cancelled", "{ended}");
    assert_eq!(house.sent(), []);
}

#[tokio::test]
async fn a_lost_answer_is_proven_by_what_is_seen() {
    let house = House::new().await;
    house.lamps.house(|house| house.lose_answer = true);
    let client = house.client().await;
    let applied = switched(&client, 1).await;
    assert_eq!(applied["standing"], "applied", "{applied}");
    assert_eq!(house.sent(), [(1, true)]);
}

/// Nobody is asked to approve what this server would not carry out then.
#[tokio::test]
async fn what_is_above_the_ceiling_is_not_carried_out_by_its_id() {
    let house = House::new().await;
    let client = house.client().await;
    let id = rewired(&client).await["proposal_id"].clone();
    let low = house.server("agent:night", Ceiling::UpTo(Risk::Low));
    let low = client_of(low, Era::Discover).await;
    for approved in [false, true] {
        if approved {
            house.approve(id.as_str().unwrap()).await;
        }
        let asked = json!({ "proposal_id": id });
        let above = said(&call(&low, "execute_proposal", asked).await);
        assert!(
            above["error"]["message"].to_string().contains("higher"),
            "{above}"
        );
    }
    assert_eq!(house.sent(), []);
}

#[tokio::test]
async fn the_next_server_recovers_what_the_last_one_left() {
    let house = House::new().await;
    house.lamps.house(|house| house.slow = true);
    let id = {
        let server = house.server("agent:night", Ceiling::UpTo(Risk::Low));
        let server = server.answer_within(Duration::from_millis(200));
        let client = client_of(server, Era::Discover).await;
        switched(&client, 4).await["proposal_id"].clone()
    };
    house.lamps.house(|house| house.slow = false);
    let client = house.client().await;
    let done = loop {
        let asked = json!({"proposal_id": id, "wait_seconds": 5});
        let looked = said(&call(&client, "get_proposal", asked).await);
        if looked["standing"] != "in_progress" {
            break looked;
        }
    };
    assert_eq!(done["standing"], "applied", "{done}");
    assert_eq!(house.sent(), [(4, true)]);
}

#[tokio::test]
async fn a_cancelled_proposal_is_not_sent_and_one_of_another_is_not_seen() {
    let house = House::new().await;
    let client = house.client().await;
    let id = rewired(&client).await["proposal_id"].clone();
    let other = house.server("agent:day", Ceiling::UpTo(Risk::Low));
    let other = client_of(other, Era::Discover).await;
    let listed = said(&call(&other, "list_proposals", json!({"ended": true})).await);
    assert_eq!(listed["proposals"], json!([]));
    let asked = json!({"proposal_id": id, "reason": "not wanted"});
    assert_eq!(
        call(&other, "cancel_proposal", asked.clone())
            .await
            .is_error,
        Some(true)
    );
    let cancelled = said(&call(&client, "cancel_proposal", asked).await);
    assert_eq!(cancelled["standing"], "cancelled", "{cancelled}");
    let listed = said(&call(&client, "list_proposals", json!({"ended": true})).await);
    assert_eq!(listed["proposals"][0]["proposal_id"], id, "{listed}");
    assert_eq!(house.sent(), []);
}

#[tokio::test]
async fn long_answers_are_cut_and_say_so() {
    let house = House::new().await;
    let server = house.server("agent:night", Ceiling::ReadOnly);
    let client = client_of(server, Era::Discover).await;
    let long = call(&client, "list_lamps", json!({"count": 20_000})).await;
    let said = said(&long);
    assert!(said.to_string().len() <= 50_000);
    assert_eq!(
        said["truncated"]["lamps"]["of"], 20_000,
        "{}",
        said["truncated"]
    );
    let shown = said["lamps"].as_array().unwrap().len();
    assert_eq!(said["truncated"]["lamps"]["shown"], shown);
    assert!(
        said.to_string().len() > 49_000,
        "no more is cut than has to be"
    );
}

#[tokio::test]
async fn pages_of_proposals_follow_each_other() {
    let house = House::new().await;
    let client = house.client().await;
    for lamp in [1, 2, 3, 4, 7] {
        switched(&client, lamp).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), None::<Value>);
    loop {
        let mut asked = json!({"ended": true, "limit": 2});
        if let Some(cursor) = cursor {
            asked["cursor"] = cursor;
        }
        let page = said(&call(&client, "list_proposals", asked).await);
        let lamps = page["proposals"].as_array().unwrap().iter();
        seen.extend(lamps.map(|one| one["arguments"]["lamp"].as_u64().unwrap()));
        match &page["next_cursor"] {
            Value::Null => break,
            next => cursor = Some(next.clone()),
        }
    }
    assert_eq!(seen, [7, 4, 3, 2, 1]);
}

#[tokio::test]
async fn a_plan_says_what_would_be_refused_and_what_the_policy_says() {
    let house = House::new().await;
    let server = house.server("agent:night", Ceiling::ReadOnly);
    let client = client_of(server, Era::Discover).await;
    let plan = json!({"action": "switch_lamp", "arguments": switch(9)});
    let plan = said(&call(&client, "plan", plan).await);
    assert_eq!(plan["plan"]["verdict"]["code"], "no_bulb", "{plan}");
    let waits = json!({"action": "rewire_lamp", "arguments": {"lamp": 5}});
    let waits = said(&call(&client, "plan", waits).await);
    assert!(
        waits["policy"].to_string().contains("ask for wires"),
        "{waits}"
    );
    let listed = said(&call(&client, "list_proposals", json!({"ended": true})).await);
    assert_eq!(
        listed["proposals"],
        json!([]),
        "a plan leaves nothing behind"
    );
}

/// When its intent is in the journal, a cancel still stops what was not sent, and nothing says then that it
/// was.
#[tokio::test]
async fn what_is_called_off_right_before_it_is_sent_is_cancelled_and_what_was_sent_is_followed() {
    for (is_sent, standing) in [(false, "cancelled"), (true, "applied")] {
        let house = House::new().await;
        house
            .lamps
            .house(|house| (house.hold_sends, house.hold_answers) = (!is_sent, is_sent));
        let client = house.client().await;
        let asked = Request::new(params("switch_lamp", switch(1)));
        let begun = client.peer().send_cancellable_request(
            ClientRequest::CallToolRequest(asked),
            PeerRequestOptions::default(),
        );
        let begun = begun.await.unwrap();
        while !house
            .lamps
            .house(|house| house.is_about_to_send && (!is_sent || !house.sent.is_empty()))
        {
            tokio::task::yield_now().await;
        }
        let state = house.guard().state().await.unwrap();
        let (id, status) = state.open.first_key_value().unwrap();
        assert!(status.intent.is_some());
        begun.cancel(None).await.unwrap();
        // By the time of these answers it was seen.
        for _ in 0..5 {
            call(&client, "list_lamps", json!({})).await;
        }
        house
            .lamps
            .house(|house| (house.hold_sends, house.hold_answers) = (false, false));
        let asked = json!({"proposal_id": id, "wait_seconds": 45});
        let over = said(&call(&client, "get_proposal", asked).await);
        assert_eq!(over["standing"], standing, "{over}");
        let was_sent = house.sent();
        assert_eq!(was_sent.len(), usize::from(is_sent), "{was_sent:?}");
        let summary = over["summary"].as_str().unwrap();
        assert_eq!(summary.contains("nothing was sent"), !is_sent, "{summary}");
        let recorded = house.guard().proposal_status(id).await.unwrap();
        let code = recorded.outcome.as_ref().unwrap().code.as_deref();
        assert_eq!(code, (!is_sent).then_some("cancelled"));
    }
}
