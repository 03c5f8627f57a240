//! The cluster that all examples use.

use rocketmq_server::Embedded;

/// Any error, for the `main` of an example.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The cluster of an example: the one at `ROCKETMQ_NAME_SERVER`, or an embedded one.
#[derive(Debug)]
pub struct Cluster {
    name_server: String,
    embedded: Option<Embedded>,
}

impl Cluster {
    /// Connects to the cluster at `ROCKETMQ_NAME_SERVER`, or starts an embedded one.
    ///
    /// # Errors
    /// Fails if the embedded cluster does not start.
    pub async fn start() -> Result<Self, Error> {
        if let Ok(name_server) = std::env::var("ROCKETMQ_NAME_SERVER") {
            return Ok(Cluster { name_server, embedded: None });
        }
        // Recalling is off by default, as in Apache's broker.
        let embedded = Embedded::builder().set("recallMessageEnable", true).start().await?;
        Ok(Cluster { name_server: embedded.name_server(), embedded: Some(embedded) })
    }

    /// Returns the addresses of the name servers.
    pub fn name_server(&self) -> &str {
        &self.name_server
    }

    /// Returns the embedded cluster, if there is one. Its clock can be moved.
    pub fn embedded(&self) -> Option<&Embedded> {
        self.embedded.as_ref()
    }
}
