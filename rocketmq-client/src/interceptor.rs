//! Hooks around every send and every delivery.

use crate::delivery::{Delivery, Outcome};
use crate::error::{BoxError, SendError};
use crate::message::Message;
use crate::producer::Receipt;

/// Called around sends and deliveries, in the order they were added to the client. Each method does
/// nothing unless it is overridden. They run on the path of every message: keep them short and never block.
pub trait Interceptor: Send + Sync + 'static {
    /// Before a message is checked and sent; may change it. An error keeps it from being sent and reaches
    /// the caller as the source of a `Vetoed` error.
    fn before_send(&self, message: &mut Message) -> Result<(), BoxError> {
        let _ = message;
        Ok(())
    }

    /// After the last try of a send.
    fn after_send(&self, topic: &str, result: Result<&Receipt, &SendError>) {
        let _ = (topic, result);
    }

    /// Before deliveries of `group` reach their handler.
    fn before_consume(&self, group: &str, deliveries: &[Delivery]) {
        let _ = (group, deliveries);
    }

    /// After the handler: one outcome per delivery.
    fn after_consume(&self, group: &str, deliveries: &[Delivery], outcomes: &[Outcome]) {
        let _ = (group, deliveries, outcomes);
    }
}
