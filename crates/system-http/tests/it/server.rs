//! A server that answers what it is told and keeps what it was sent, connection by connection.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server on a port of its own. It ends with the test's runtime.
pub(crate) struct Server {
    pub(crate) origin: String,
    /// What each connection was sent, in the order in which they were made.
    received: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers these texts in turn, on any connection; no further answer when there is none left.
    pub(crate) async fn answering(answers: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::<Mutex<Vec<String>>>::default();
        let answers: Vec<_> = answers.iter().rev().copied().collect();
        let answers = Arc::new(Mutex::new(answers));
        let kept = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = {
                    let mut all = kept.lock().unwrap();
                    all.push(String::new());
                    all.len() - 1
                };
                let (kept, answers) = (Arc::clone(&kept), Arc::clone(&answers));
                tokio::spawn(serve(stream, number, kept, answers));
            }
        });
        Self { origin, received }
    }

    /// What each connection was sent.
    pub(crate) fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }
}

/// A request is one read: those of the tests are short.
async fn serve(
    mut stream: TcpStream,
    number: usize,
    kept: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<Vec<&'static str>>>,
) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        kept.lock().unwrap()[number].push_str(&text);
        let answer = answers.lock().unwrap().pop();
        if let Some(answer) = answer {
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    }
}
