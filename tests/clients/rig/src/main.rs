//! An agent of rig's whose model is a script beside it: `rig-client COMMAND ARGUMENT…`, which is a server of the
//! Model Context Protocol over stdio.
//!
//! For each turn it writes the last message of the conversation to stdout, as a line of JSON, and reads the next
//! call from stdin: `["tool", {"argument": 1}]`, or `null` when it is over.

use std::io::{BufRead as _, Write as _};

use rig_agent::agent::AgentBuilder;
use rig_agent::tool::server::ToolServer;
use rig_core::completion::CompletionRequest;
use rig_core::driver::{Exchange, Opening, Transport};
use rig_core::test_utils::{MockCompletionModel, MockFrame, MockScript, MockTurn};
use rig_rmcp::McpClientHandler;
use rig_rmcp::rmcp::model::ClientInfo;
use rmcp::transport::TokioChildProcess;
use serde_json::Value;
use tokio::process::Command;

/// A model that asks the script what to do.
#[derive(Clone)]
struct Scripted;

fn next(request: &CompletionRequest) -> MockTurn {
    let last = serde_json::to_string(&request.chat_history.last()).expect("a message is JSON");
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{last}")
        .and_then(|()| stdout.flush())
        .expect("the script reads");
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .expect("the script answers");
    match serde_json::from_str(&line).expect("it answers in JSON") {
        Some((tool, arguments)) => MockTurn::tool_call("call", tool, arguments),
        None::<(String, Value)> => MockTurn::text("done"),
    }
}

impl Transport<MockScript> for Scripted {
    fn send(&self, request: CompletionRequest, exchange: Exchange) -> Opening<MockFrame> {
        let turn = tokio::task::block_in_place(|| next(&request));
        let model = MockCompletionModel::from_turns([turn]);
        Transport::<MockScript>::send(&model.transport, request, exchange)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let mut command = Command::new(words.next().ok_or("no command")?);
    command.args(words);
    let tools = ToolServer::new().run();
    let handler = McpClientHandler::new(ClientInfo::default(), tools.clone());
    let served = handler.connect(TokioChildProcess::new(command)?).await?;
    let wire = MockCompletionModel::text("").wire;
    let model = rig_core::Model::new(wire, Scripted);
    let agent = AgentBuilder::new(model)
        .tool_server_handle(tools)
        .default_max_turns(100)
        .build();
    agent.prompt("operate it").await?;
    served.cancel().await?;
    Ok(())
}
