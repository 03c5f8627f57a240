//! The faults of an embedded cluster, by name.

use std::time::Duration;

use rocketmq_remoting::ResponseCode;

use super::cluster::Embedded;
use crate::faults::{Fault, Kind};

impl Embedded {
    /// Answers the next send with this code instead of storing it. Sends are those of producers, batches and half messages
    /// too; retries, dead letters and replies are none.
    ///
    /// ```
    /// use rocketmq_remoting::ResponseCode;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_server::EmbeddedError> {
    /// let cluster = rocketmq_server::Embedded::start().await?;
    /// let busy = cluster.refuse_next_send(ResponseCode::SYSTEM_BUSY);
    /// // … a producer sends, is refused, and sends again …
    /// # drop(busy);
    /// # Ok(())
    /// # }
    /// ```
    pub fn refuse_next_send(&self, code: ResponseCode) -> Fault {
        self.faults.begin(Kind::RefuseNextSend(code))
    }

    /// Stores the next send and breaks its connection instead of answering: the producer cannot know that it was stored.
    pub fn lose_reply(&self) -> Fault {
        self.faults.begin(Kind::LoseReply)
    }

    /// Breaks all connections to the brokers, and each new one at its first request.
    pub fn disconnect(&self) -> Fault {
        let fault = self.faults.begin(Kind::Disconnect);
        self.brokers.iter().for_each(|broker| broker.disconnect());
        fault
    }

    /// Lets each request to the brokers wait before it is worked on, in real time. Dropping the fault ends the waits.
    pub fn slow(&self, by: Duration) -> Fault {
        self.faults.begin(Kind::Slow(by))
    }

    /// Lets the brokers' disk have no room: a message that is to be stored is refused, and those stored are still served.
    pub fn full_disk(&self) -> Fault {
        self.faults.begin(Kind::FullDisk)
    }
}
