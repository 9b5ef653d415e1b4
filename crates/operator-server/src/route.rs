//! One way to ask: what the router and the OpenAPI document have to know of it.

use axum::handler::Handler;
use axum::routing::{MethodRouter, get, post};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use crate::gate::Gate;

/// One way to ask: where, how, with what, and which statuses answer it.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) about: &'static str,
    pub(crate) query: Option<Schema>,
    pub(crate) body: Option<Schema>,
    /// Whether it is asked for again by `Idempotency-Key`.
    pub(crate) has_key: bool,
    /// What answers it where it is done.
    pub(crate) done: &'static [u16],
    /// What answers it where it is not.
    pub(crate) refused: &'static [u16],
    pub(crate) who: Who,
    /// What is answered where it is done.
    pub(crate) answer: Option<Schema>,
    /// The form of what is answered where it is done.
    pub(crate) form: &'static str,
    pub(crate) handler: MethodRouter<Gate>,
}

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Who is proven.
    Proven,
    /// Whoever brings what a person has signed.
    Signed,
    /// Anybody.
    Anybody,
}

/// What may be answered to whoever asks, whatever it is: no body, host or rate is as it should be.
pub(crate) const TO_ANYBODY: &[u16] = &[400, 403, 408, 413, 429, 503];

/// The same for who must be proven, about what need not be there.
pub(crate) const TO_WHO_ASKS: &[u16] = &[400, 401, 403, 404, 408, 413, 429, 503];

/// The same where the system is asked, which may not do it, or not answer.
pub(crate) const OF_A_SYSTEM: &[u16] = &[400, 401, 403, 404, 408, 409, 413, 422, 429, 502, 503];

impl Route {
    fn new(
        (method, path): (&'static str, &'static str),
        about: &'static str,
        handler: MethodRouter<Gate>,
    ) -> Self {
        Self {
            method,
            path,
            about,
            query: None,
            body: None,
            has_key: false,
            done: &[200],
            refused: TO_WHO_ASKS,
            who: Who::Proven,
            answer: None,
            form: "application/json",
            handler,
        }
    }

    pub(crate) fn get<H: Handler<T, Gate>, T: 'static>(
        path: &'static str,
        about: &'static str,
        handler: H,
    ) -> Self {
        Self::new(("get", path), about, get(handler))
    }

    pub(crate) fn post<H: Handler<T, Gate>, T: 'static>(
        path: &'static str,
        about: &'static str,
        handler: H,
    ) -> Self {
        Self::new(("post", path), about, post(handler))
    }

    pub(crate) fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(schema::<T>());
        self
    }

    pub(crate) fn body<T: JsonSchema>(mut self) -> Self {
        self.body = Some(schema::<T>());
        self
    }

    pub(crate) fn answers<T: JsonSchema>(mut self) -> Self {
        self.answer = Some(schema::<T>());
        self
    }

    /// What may stand behind the `?`.
    pub(crate) fn query_names(&self) -> Vec<String> {
        let properties = self
            .query
            .as_ref()
            .and_then(|query| query.get("properties"));
        let names = properties.and_then(Value::as_object).into_iter().flatten();
        names.map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn keyed(mut self) -> Self {
        self.has_key = true;
        self
    }

    pub(crate) fn done(mut self, statuses: &'static [u16]) -> Self {
        self.done = statuses;
        self
    }

    /// It is answered bit by bit, for as long as who asks listens.
    pub(crate) fn streamed(mut self) -> Self {
        self.form = "text/event-stream";
        self
    }

    pub(crate) fn of_a_system(mut self) -> Self {
        self.refused = OF_A_SYSTEM;
        self
    }

    pub(crate) fn who(mut self, who: Who, refused: &'static [u16]) -> Self {
        (self.who, self.refused) = (who, refused);
        self
    }
}

/// What a request may say, for the document.
fn schema<T: JsonSchema>() -> Schema {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.remove("$schema");
    schema
}
