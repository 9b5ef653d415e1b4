//! The conformance suite: the dial keeps all promises, and a subject that breaks one is told which.

mod broken;
mod toy;

use std::sync::Arc;

use action_core::testing::{Example, FakeSystem, assert_conforms};
use async_trait::async_trait;
use serde_json::{Value, json};

use crate::dial::{Dial, Lost, Panel};

struct FakePanel(Arc<Panel>);

#[async_trait]
impl FakeSystem for FakePanel {
    type Subject = Dial;

    async fn start(_: &str) -> Self {
        Self(Panel::new(3))
    }

    async fn connect(&self) -> Dial {
        Dial(Arc::clone(&self.0))
    }

    fn example(&self, action: &str) -> Example {
        match action {
            "set_dial" => Example::new(json!({"value": 7})).rejected(json!({"value": 9})),
            _ => Example::new(json!({})),
        }
    }

    async fn state(&self) -> Value {
        json!({"value": self.0.read(|panel| panel.value)})
    }

    fn writes(&self) -> u64 {
        self.0.read(|panel| panel.turns)
    }

    fn lose_next_request(&self) {
        self.0.read(|panel| panel.lose = Some(Lost::Request));
    }

    fn lose_next_answer(&self) {
        self.0.read(|panel| panel.lose = Some(Lost::Answer));
    }

    fn become_another(&self) {
        self.0.read(|panel| panel.serial += 1);
    }
}

#[tokio::test]
async fn the_dial_keeps_its_promises() {
    assert_conforms::<FakePanel>().await;
}
