//! Types of parameters: their bounds are checked as they are read, and shown in schemas.

pub use ids::{RegionId, StoreId};
pub use list_limit::Limit;
pub use schedule_limit::ScheduleLimit;
pub use scheduler_name::SchedulerName;
pub use tidb::{RowHandle, TidbId};

pub(crate) mod bounded;
pub(crate) mod ids;
pub(crate) mod list_limit;
pub(crate) mod schedule_limit;
pub(crate) mod scheduler_name;
pub(crate) mod tidb;
