//! The list of actions: the catalogue.

use action_core::{ActionSet, Subject};
use async_trait::async_trait;
use subject_http::HttpError;

use crate::read_level::ReadLevel;
use crate::set_level::SetLevel;
use crate::system::SubjectName;

#[async_trait]
impl Subject for SubjectName {
    const NAME: &'static str = "subject_name";
    type Error = HttpError;

    fn actions() -> ActionSet<Self> {
        ActionSet::new()
            .observation::<ReadLevel>()
            .mutation::<SetLevel>()
    }

    /// The id that it was given at its first start.
    async fn identity(&self) -> Result<String, HttpError> {
        Ok(self.who().await?.id)
    }
}
