//! A transport that gives one prepared answer and remembers what was asked.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use pd_client::{
    Body, Client, HeldPermit, HttpTransport, TransportError, WriteConnection, WriteTransport,
};

/// Answers every request alike. The search for a leader finds none and is not remembered.
#[derive(Clone)]
pub(crate) struct Replay {
    answer: Arc<Response<Bytes>>,
    answers_members: bool,
    asked: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl Replay {
    pub(crate) fn new(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let mut answer = Response::builder().status(status);
        for (name, value) in headers {
            answer = answer.header(*name, *value);
        }
        let answer = answer.body(Bytes::from(body.to_owned())).unwrap();
        Self {
            answer: Arc::new(answer),
            answers_members: false,
            asked: Arc::default(),
        }
    }

    /// Gives the prepared answer to `GET /members` too.
    pub(crate) fn answering_members(self) -> Self {
        Self {
            answers_members: true,
            ..self
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::builder()
            .endpoints("http://pd:2379")
            .transport(self.clone())
            .build()
            .unwrap()
    }

    fn answer(&self, request: Request<Bytes>) -> Response<Body> {
        self.asked.lock().unwrap().push(request);
        let mut response = Response::new(());
        *response.status_mut() = self.answer.status();
        *response.headers_mut() = self.answer.headers().clone();
        response.map(|()| Body::from(self.answer.body().clone()))
    }

    /// What was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<Request<Bytes>> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

#[async_trait]
impl HttpTransport for Replay {
    async fn call(&self, request: Request<Bytes>) -> Result<Response<Body>, TransportError> {
        if request.uri().path() == "/pd/api/v1/members" && !self.answers_members {
            return Ok(Response::new(Body::from("{\"members\":[]}")));
        }
        Ok(self.answer(request))
    }

    fn writes(&self) -> Option<&dyn WriteTransport> {
        Some(self)
    }
}

#[async_trait]
impl WriteTransport for Replay {
    async fn connect(&self, _: &str) -> Result<Box<dyn WriteConnection>, TransportError> {
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl WriteConnection for Replay {
    /// Which cluster this is; that is not remembered.
    async fn read(
        &mut self,
        _: Request<Bytes>,
        _: usize,
    ) -> Result<Response<Bytes>, TransportError> {
        Ok(Response::new(Bytes::from("{\"id\":7}")))
    }

    async fn write(
        self: Box<Self>,
        request: Request<Bytes>,
        permit: Box<dyn HeldPermit>,
    ) -> Result<Response<Body>, TransportError> {
        permit.check().map_err(TransportError::not_sent)?;
        Ok(self.answer(request))
    }
}
