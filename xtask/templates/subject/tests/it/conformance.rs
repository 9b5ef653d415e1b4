//! What every subject promises, tried for each action.

use action_core::testing::{Example, FakeSystem, assert_conforms};
use action_core::{Addresses, Connect};
use async_trait::async_trait;
use operator_subject_name::{SubjectName, SubjectNameSettings};
use serde_json::{Value, json};

use crate::fake::Fake;

#[async_trait]
impl FakeSystem for Fake {
    type Subject = SubjectName;

    async fn start(_action: &str) -> Self {
        Self::start().await
    }

    async fn connect(&self) -> SubjectName {
        let settings = SubjectNameSettings {
            address: Addresses(self.0.origin().to_owned()),
            tls: Default::default(),
        };
        SubjectName::connect(settings).await.unwrap()
    }

    fn example(&self, action: &str) -> Example {
        match action {
            "set_level" => Example::new(json!({ "level": 7 })).rejected(json!({ "level": 90 })),
            _ => Example::new(json!({})),
        }
    }

    async fn state(&self) -> Value {
        self.0.with(|system| json!({ "level": system.level }))
    }

    fn writes(&self) -> u64 {
        self.0.writes()
    }

    fn lose_next_request(&self) {
        self.0.lose_next_request();
    }

    fn lose_next_answer(&self) {
        self.0.lose_next_answer();
    }

    fn become_another(&self) {
        self.0.with(|system| system.id += 1);
    }
}

#[tokio::test]
async fn every_action_keeps_its_promises() {
    assert_conforms::<Fake>().await;
}

#[test]
fn the_page_of_actions_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/ACTIONS.md");
    let page = action_core::actions_page::<SubjectName>("WRITE_PAGES=1 cargo test page_of_actions");
    if std::env::var_os("WRITE_PAGES").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let there = std::fs::read_to_string(path).unwrap();
    assert_eq!(there, page, "WRITE_PAGES=1 cargo test page_of_actions");
}
