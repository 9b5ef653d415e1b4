//! Serves a dial to agents, on this machine only.
//!
//! `cargo run -p axum-agent -- FOLDER 8080`, and once `operator mode execute --state-dir FOLDER/state`.

use std::path::Path;

use action_core::BoxError;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, port] = &words[..] else {
        return Err("usage: axum-agent FOLDER PORT".into());
    };
    let guard = axum_agent::example::guard(Path::new(folder)).await?;
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let router = axum_agent::router(guard, "agent:web".parse()?);
    axum::serve(listener, router).await?;
    Ok(())
}
