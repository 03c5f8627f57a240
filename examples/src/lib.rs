//! What the examples share: a cluster to talk to.

use rocketmq_server::Embedded;

/// Any error, as `main` of an example returns it.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The cluster an example talks to: `ROCKETMQ_NAME_SERVER`, or one inside the example.
#[derive(Debug)]
pub struct Cluster {
    name_server: String,
    embedded: Option<Embedded>,
}

impl Cluster {
    /// Finds or starts it.
    ///
    /// # Errors
    /// When the embedded cluster does not start.
    pub async fn start() -> Result<Self, Error> {
        if let Ok(name_server) = std::env::var("ROCKETMQ_NAME_SERVER") {
            return Ok(Cluster { name_server, embedded: None });
        }
        // Off unless it is asked for, as in Apache's broker.
        let embedded = Embedded::builder().set("recallMessageEnable", true).start().await?;
        Ok(Cluster { name_server: embedded.name_server(), embedded: Some(embedded) })
    }

    /// Its name servers.
    pub fn name_server(&self) -> &str {
        &self.name_server
    }

    /// The cluster inside the example, whose time can be moved.
    pub fn embedded(&self) -> Option<&Embedded> {
        self.embedded.as_ref()
    }
}
