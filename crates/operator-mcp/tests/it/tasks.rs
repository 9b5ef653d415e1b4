//! Proposals that are followed, as tasks of the protocol.

use std::time::Duration;

use action_core::Risk;
use operator_mcp::rmcp::model::{
    CallToolResponse, CancelTaskParams, ClientCapabilities, ClientConfig, DetailedTask, ErrorCode,
    GetTaskParams, Implementation, TaskPayload, TaskStatus, UpdateTaskParams,
};
use operator_mcp::rmcp::service::{RunningService, ServiceError};
use operator_mcp::rmcp::{ClientServiceExt as _, RoleClient, ServiceExt as _};
use operator_mcp::{Ceiling, Server};
use serde_json::{Value, json};

use crate::bench::{Era, House, call, client_of, params, said};

type Client = RunningService<RoleClient, ClientConfig>;

/// A client that knows what a task is.
async fn with_tasks(server: Server, era: Era) -> Client {
    let (near, far) = tokio::io::duplex(1 << 16);
    tokio::spawn(async move {
        if let Ok(running) = server.serve(far).await {
            let _ = running.waiting().await;
        }
    });
    let capabilities = ClientCapabilities::builder().enable_tasks().build();
    let config = ClientConfig::new(capabilities, Implementation::new("tasks", "1"));
    config.serve_with_lifecycle(near, era.mode()).await.unwrap()
}

/// One that gives up soon, so that what is slow is a task soon.
fn server(house: &House, actor: &str) -> Server {
    let server = house.server(actor, Ceiling::UpTo(Risk::High));
    server.answer_within(Duration::from_millis(50))
}

async fn switched(client: &Client) -> CallToolResponse {
    let switch = params("switch_lamp", json!({"lamp": 1, "lit": true}));
    client.call_tool_once(switch).await.unwrap()
}

#[track_caller]
fn task_id(response: CallToolResponse) -> String {
    match response {
        CallToolResponse::Task(created) => created.task.task_id,
        other => unreachable!("{other:?}"),
    }
}

async fn task(client: &Client, id: &str) -> Result<DetailedTask, ServiceError> {
    let got = client.get_task(GetTaskParams::new(id)).await;
    got.map(|got| got.task)
}

async fn ended(client: &Client, id: &str) -> DetailedTask {
    loop {
        let task = task(client, id).await.unwrap();
        if task.status().is_terminal() {
            return task;
        }
    }
}

#[track_caller]
fn is_unknown<T: std::fmt::Debug>(result: Result<T, ServiceError>) {
    match result {
        Err(ServiceError::McpError(error)) => {
            assert_eq!(error.code, ErrorCode::INVALID_PARAMS, "{error:?}");
        }
        other => unreachable!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_followed_is_a_task_and_its_result_is_that_of_the_call() {
    for era in [Era::Initialize, Era::Discover] {
        let house = House::new().await;
        house.lamps.house(|house| house.slow = true);
        let client = with_tasks(server(&house, "agent:night"), era).await;
        let id = task_id(switched(&client).await);
        let state = house.guard().state().await.unwrap();
        assert_eq!(state.open.keys().collect::<Vec<_>>(), [&id]);
        let working = task(&client, &id).await.unwrap();
        assert_eq!(working.status(), TaskStatus::Working);
        assert_eq!(task_id(switched(&client).await), id, "a repeated call");
        // Who does not know what a task is hears that it is in progress.
        let other = client_of(server(&house, "agent:night"), era).await;
        let switch = json!({"lamp": 1, "lit": true});
        let followed = said(&call(&other, "switch_lamp", switch).await);
        assert_eq!(followed["standing"], "in_progress", "{followed}");
        house.lamps.house(|house| house.slow = false);
        let TaskPayload::Completed { result } = ended(&client, &id).await.payload else {
            unreachable!("it was applied")
        };
        let asked = json!({ "proposal_id": id });
        let applied = said(&call(&other, "get_proposal", asked).await);
        assert_eq!(applied["standing"], "applied");
        assert_eq!(result["structuredContent"], applied);
        assert_eq!(house.sent(), [(1, true)]);
    }
}

#[tokio::test]
async fn a_client_with_tasks_does_not_wait_for_as_long_as_others() {
    let house = House::new().await;
    house.lamps.house(|house| house.slow = true);
    let server = house.server("agent:night", Ceiling::UpTo(Risk::High));
    let server = server.answer_within(Duration::from_secs(3_600));
    let client = with_tasks(server, Era::Discover).await;
    task_id(switched(&client).await);
}

#[tokio::test]
async fn what_is_done_at_once_and_what_is_not_done_is_no_task() {
    let house = House::new().await;
    let client = with_tasks(server(&house, "agent:night"), Era::Discover).await;
    let slow = house.server("agent:night", Ceiling::UpTo(Risk::High));
    let fast = with_tasks(slow, Era::Discover).await;
    let rewire = params("rewire_lamp", json!({"lamp": 5}));
    for response in [
        switched(&fast).await,
        client.call_tool_once(rewire).await.unwrap(),
    ] {
        assert!(
            matches!(response, CallToolResponse::Complete(_)),
            "{response:?}"
        );
    }
}

#[tokio::test]
async fn a_task_outlives_its_server_and_is_unknown_to_other_actors() {
    let house = House::new().await;
    house.lamps.house(|house| house.slow = true);
    let client = with_tasks(server(&house, "agent:night"), Era::Discover).await;
    let id = task_id(switched(&client).await);
    drop(client);
    let other = with_tasks(server(&house, "agent:day"), Era::Discover).await;
    for id in [&*id, "no-such-id"] {
        is_unknown(task(&other, id).await);
        is_unknown(other.cancel_task(CancelTaskParams::new(id)).await);
        let update = UpdateTaskParams::new(id, Default::default());
        is_unknown(other.update_task(update).await);
    }
    let again = with_tasks(server(&house, "agent:night"), Era::Discover).await;
    assert_eq!(
        task(&again, &id).await.unwrap().status(),
        TaskStatus::Working
    );
    // What was sent is not cancelled: it is followed, and taken back by `undo`.
    again
        .cancel_task(CancelTaskParams::new(&*id))
        .await
        .unwrap();
    house.lamps.house(|house| house.slow = false);
    assert_eq!(ended(&again, &id).await.status(), TaskStatus::Completed);
    assert_eq!(house.sent(), [(1, true)]);
}

#[tokio::test]
async fn what_was_not_sent_is_cancelled_by_who_may_cancel_it() {
    let house = House::new().await;
    let client = with_tasks(server(&house, "agent:night"), Era::Discover).await;
    let rewire = params("rewire_lamp", json!({"lamp": 5}));
    let CallToolResponse::Complete(waits) = client.call_tool_once(rewire).await.unwrap() else {
        unreachable!("it waits for people")
    };
    let waits: Value = said(&waits);
    let id = waits["proposal_id"].as_str().unwrap();
    let reads = house.server("agent:night", Ceiling::ReadOnly);
    let reads = with_tasks(reads, Era::Discover).await;
    let refused = reads.cancel_task(CancelTaskParams::new(id)).await;
    assert!(refused.is_err(), "nothing is changed through it");
    assert_eq!(
        task(&reads, id).await.unwrap().status(),
        TaskStatus::Working
    );
    client.cancel_task(CancelTaskParams::new(id)).await.unwrap();
    assert_eq!(
        task(&client, id).await.unwrap().status(),
        TaskStatus::Cancelled
    );
    let state = house.guard().state().await.unwrap();
    let cancel = state.ended[0].cancel.as_ref().unwrap();
    assert_eq!(cancel.by.as_str(), "agent:night");
    assert_eq!(house.sent(), []);
}
