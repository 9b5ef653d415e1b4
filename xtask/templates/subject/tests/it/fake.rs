//! The system, as far as the subject uses it: `GET /identity`, `GET /level`, `PUT /level`.

use serde_json::{Value, json};
use system_http::testing::{FakeAnswer, FakeApi, FakeRequest, FakeServer};

/// A fake of the system.
pub(crate) struct Fake(pub(crate) FakeServer<Level>);

/// What it holds.
pub(crate) struct Level {
    pub(crate) id: u64,
    pub(crate) level: u64,
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let system = Level { id: 1, level: 3 };
        Self(FakeServer::start(system).await.unwrap())
    }
}

impl FakeApi for Level {
    fn is_write(&self, request: &FakeRequest) -> bool {
        request.method != "GET"
    }

    fn answer(&mut self, request: &FakeRequest) -> FakeAnswer {
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/identity") => ok(&json!({ "id": self.id.to_string() })),
            ("GET", "/level") => ok(&json!({ "level": self.level, "limit": 80 })),
            ("PUT", "/level") => {
                let wanted: Value = serde_json::from_str(&request.body).unwrap();
                match wanted["level"].as_u64().unwrap() {
                    81.. => FakeAnswer::new(409, "the limit is 80"),
                    level => {
                        self.level = level;
                        ok(&wanted)
                    }
                }
            }
            _ => FakeAnswer::new(404, "no such path"),
        }
    }
}

fn ok(body: &Value) -> FakeAnswer {
    FakeAnswer::new(200, body.to_string())
}
