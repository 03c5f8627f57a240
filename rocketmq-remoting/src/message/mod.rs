//! Messages in the log, in pulls and in sends: records, properties, ids, flags and batches.

pub mod batch;
pub mod flags;
pub mod id;
pub mod properties;
pub mod record;

pub use batch::BatchMessage;
pub use flags::{PullFlag, SysFlag, TransactionKind};
pub use id::{OffsetMessageId, UniqueIds};
pub use properties::{Properties, names};
pub use record::{MessageRecord, RecordView, layout};
