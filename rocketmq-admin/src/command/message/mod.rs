//! Commands about messages.

mod by_key;
mod report;
mod stored;

pub use by_key::{KeyMatch, KeyMatches, QueryMsgByKey};
pub use report::{MessageReport, MessagesReport};
pub use stored::{QueryMsgById, QueryMsgByOffset, QueryMsgByUniqueKey};
