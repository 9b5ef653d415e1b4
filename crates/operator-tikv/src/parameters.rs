//! Types of parameters: their bounds are checked as they are read, and shown in schemas.

pub(crate) mod bounded;
pub(crate) mod ids;
pub(crate) mod list_limit;
pub(crate) mod schedule_limit;
pub(crate) mod scheduler_name;
