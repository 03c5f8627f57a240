//! The cluster of one test.

use super::group::Group;
use super::journal::Journal;
use super::topic::Topic;
use crate::app::{App, RunningApp, Stage};
use crate::context::Context;
use crate::error::StartError;
use crate::health::ListenerHealth;
use crate::outcome::BoxError;
use crate::template::{Payload, Prepared, RocketmqTemplate, WithReceipt};
use rocketmq_client::remoting::ResponseCode;
use rocketmq_server::{Embedded, EmbeddedBroker, EmbeddedError, Fault};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The time that assertions wait by default: far beyond what anything takes, also on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);
/// The interval in which applications commit, for assertions about the lag. The default of 5 s would be waited for.
const COMMIT: Duration = Duration::from_millis(20);
/// The group of the cluster's own template.
const GROUP: &str = "rocketmq-starter-testing";

/// The cluster of one test: a name server and a broker inside the test, on ports that the system chooses, with a store in a
/// temporary folder and a clock that the test moves. Dropping it stops everything and removes the store.
///
/// ```
/// use rocketmq_starter::testing::Cluster;
/// use rocketmq_starter::{App, DelayLevel, Json};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), rocketmq_starter::BoxError> {
/// let cluster = Cluster::start().await?;
/// let app = App::new().listen("invoices", "dunning", |Json(_): Json<u64>| async {});
/// let _app = app.start_on(&cluster).await?;
///
/// cluster.send("invoices", 42).deliver_after(DelayLevel::H2).await?;
/// cluster.topic("invoices").received(0).await;
/// cluster.advance(Duration::from_secs(2 * 60 * 60)); // takes no time
/// cluster.group("dunning").handled(1).await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Cluster {
    template: RocketmqTemplate,
    journal: Journal,
    apps: Mutex<Vec<Context>>,
    // The last: clients end before their brokers.
    embedded: Embedded,
}

impl Cluster {
    /// Starts a name server and a broker.
    ///
    /// ```
    /// use rocketmq_starter::testing::Cluster;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_starter::BoxError> {
    /// let cluster = Cluster::start().await?;
    /// cluster.send("orders", 7).await?;
    /// cluster.topic("orders").received(1).await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails if a port or the temporary folder is not to be had.
    ///
    /// # Cancel safety
    /// Dropping the future stops what has started.
    pub async fn start() -> Result<Self, BoxError> {
        Self::of(Embedded::start().await?).await
    }

    /// Takes an embedded cluster with a shape or settings of its own.
    ///
    /// ```
    /// use rocketmq_starter::testing::{Cluster, Embedded};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_starter::BoxError> {
    /// let two = Embedded::builder().brokers(2).set("transactionCheckMax", 3).start().await?;
    /// let cluster = Cluster::of(two).await?;
    /// assert_eq!(cluster.embedded().brokers().len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails if the template of the cluster cannot connect.
    ///
    /// # Cancel safety
    /// Dropping the future stops the cluster.
    pub async fn of(embedded: Embedded) -> Result<Self, BoxError> {
        let client = rocketmq_client::connect(embedded.name_server()).await?;
        let template = RocketmqTemplate::new(client.producer(GROUP).build().await?);
        Ok(Cluster { template, journal: Journal::default(), apps: Mutex::default(), embedded })
    }

    /// Returns the address of the name server, for clients of your own.
    ///
    /// ```no_run
    /// # async fn example(cluster: rocketmq_starter::testing::Cluster) -> Result<(), rocketmq_starter::BoxError> {
    /// let app = rocketmq_starter::App::new().set("rocketmq.name-server", cluster.name_server());
    /// # drop(app);
    /// # Ok(())
    /// # }
    /// ```
    pub fn name_server(&self) -> String {
        self.embedded.name_server()
    }

    /// Returns the name servers and brokers, for what the methods here do not reach.
    ///
    /// ```no_run
    /// # async fn example(cluster: rocketmq_starter::testing::Cluster) -> Result<(), rocketmq_starter::BoxError> {
    /// assert_eq!(cluster.embedded().brokers().len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn embedded(&self) -> &Embedded {
        &self.embedded
    }

    /// Returns a template that sends to this cluster, independent of the applications in the test.
    ///
    /// ```no_run
    /// # async fn example(cluster: rocketmq_starter::testing::Cluster) -> Result<(), rocketmq_starter::BoxError> {
    /// cluster.template().send_oneway("clicks", 7).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn template(&self) -> &RocketmqTemplate {
        &self.template
    }

    /// Sends a message, as [`RocketmqTemplate::send`] does.
    ///
    /// ```no_run
    /// # async fn example(cluster: rocketmq_starter::testing::Cluster) -> Result<(), rocketmq_starter::BoxError> {
    /// cluster.send("orders:created", 7).key("order-7").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Awaiting fails with a [`SendError`](crate::SendError).
    pub fn send(&self, destination: &str, payload: impl Payload) -> Prepared<WithReceipt> {
        self.template.send(destination, payload)
    }

    /// Moves the brokers' time forward, which takes no time: what is due within `by` becomes due now. These are delays,
    /// timers, retries, checks of transactions, and the time for which popped messages are invisible. Timeouts of clients, and
    /// the rest of an orderly queue after an error, keep to real time.
    ///
    /// ```no_run
    /// # async fn example(cluster: rocketmq_starter::testing::Cluster) -> Result<(), rocketmq_starter::BoxError> {
    /// cluster.advance(std::time::Duration::from_secs(3600));
    /// # Ok(())
    /// # }
    /// ```
    pub fn advance(&self, by: Duration) {
        self.embedded.advance(by);
    }

    /// Keeps every request unanswered until [`resume`](Self::resume), as frozen brokers would: clients run into their
    /// timeouts.
    ///
    /// ```no_run
    /// # async fn example(cluster: rocketmq_starter::testing::Cluster) -> Result<(), rocketmq_starter::BoxError> {
    /// cluster.pause();
    /// // what the program does meanwhile
    /// cluster.resume();
    /// # Ok(())
    /// # }
    /// ```
    pub fn pause(&self) {
        self.embedded.brokers().iter().for_each(EmbeddedBroker::pause);
    }

    /// Answers again after [`pause`](Self::pause), also what was asked meanwhile.
    ///
    /// ```no_run
    /// # async fn example(cluster: rocketmq_starter::testing::Cluster) -> Result<(), rocketmq_starter::BoxError> {
    /// cluster.pause();
    /// cluster.resume();
    /// cluster.send("orders", 7).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn resume(&self) {
        self.embedded.brokers().iter().for_each(EmbeddedBroker::resume);
    }

    /// Stops the brokers in order. [`restart`](Self::restart) starts them again.
    ///
    /// ```no_run
    /// # async fn example(cluster: rocketmq_starter::testing::Cluster) -> Result<(), rocketmq_starter::BoxError> {
    /// cluster.stop().await?;
    /// cluster.restart().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails if a broker cannot write its store.
    ///
    /// # Cancel safety
    /// Dropping the future kills a broker that is being stopped.
    pub async fn stop(&self) -> Result<(), EmbeddedError> {
        for broker in self.embedded.brokers() {
            broker.stop().await?;
        }
        Ok(())
    }

    /// Stops the brokers as a crash would: nothing is answered, saved or flushed. [`restart`](Self::restart) starts them
    /// again.
    ///
    /// ```no_run
    /// # async fn example(cluster: rocketmq_starter::testing::Cluster) -> Result<(), rocketmq_starter::BoxError> {
    /// cluster.send("orders", 7).await?;
    /// cluster.kill().await;
    /// cluster.restart().await?;
    /// cluster.topic("orders").received(1).await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future leaves some brokers alive.
    pub async fn kill(&self) {
        for broker in self.embedded.brokers() {
            broker.kill().await;
        }
    }

    /// Stops the brokers that run, and starts all of them again, on the same ports and with the same messages.
    ///
    /// ```no_run
    /// # async fn example(cluster: rocketmq_starter::testing::Cluster) -> Result<(), rocketmq_starter::BoxError> {
    /// cluster.restart().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails if a broker cannot write its store, or does not start again.
    ///
    /// # Cancel safety
    /// Dropping the future leaves a broker that was being restarted stopped.
    pub async fn restart(&self) -> Result<(), EmbeddedError> {
        for broker in self.embedded.brokers() {
            broker.restart().await?;
        }
        Ok(())
    }

    /// Answers the next send with this code instead of storing it. Sends are those of producers, batches and half messages
    /// too.
    ///
    /// ```
    /// use rocketmq_starter::testing::{Cluster, ResponseCode};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), rocketmq_starter::BoxError> {
    /// let cluster = Cluster::start().await?;
    /// let fault = cluster.refuse_next_send(ResponseCode::MESSAGE_ILLEGAL);
    /// assert!(cluster.send("orders", 7).await.is_err());
    /// assert_eq!(fault.times(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn refuse_next_send(&self, code: ResponseCode) -> Fault {
        self.embedded.refuse_next_send(code)
    }

    /// Stores the next send and breaks its connection instead of answering. The client sends again, so that there are two
    /// messages.
    ///
    /// ```no_run
    /// # async fn example(cluster: rocketmq_starter::testing::Cluster) -> Result<(), rocketmq_starter::BoxError> {
    /// let fault = cluster.lose_reply();
    /// cluster.send("orders", 7).await?;
    /// cluster.topic("orders").received(2).await;
    /// # drop(fault);
    /// # Ok(())
    /// # }
    /// ```
    pub fn lose_reply(&self) -> Fault {
        self.embedded.lose_reply()
    }

    /// Breaks all connections to the brokers, and each new one at its first request, until the fault is dropped.
    ///
    /// ```no_run
    /// # async fn example(cluster: rocketmq_starter::testing::Cluster) -> Result<(), rocketmq_starter::BoxError> {
    /// let fault = cluster.disconnect();
    /// assert!(cluster.send("orders", 7).await.is_err());
    /// drop(fault); // from here on all is well again
    /// # Ok(())
    /// # }
    /// ```
    pub fn disconnect(&self) -> Fault {
        self.embedded.disconnect()
    }

    /// Lets each request to the brokers wait in real time, until the fault is dropped.
    ///
    /// ```no_run
    /// # async fn example(cluster: rocketmq_starter::testing::Cluster) -> Result<(), rocketmq_starter::BoxError> {
    /// let fault = cluster.slow(std::time::Duration::from_millis(200));
    /// cluster.send("orders", 7).await?; // takes 200 ms
    /// # drop(fault);
    /// # Ok(())
    /// # }
    /// ```
    pub fn slow(&self, by: Duration) -> Fault {
        self.embedded.slow(by)
    }

    /// Lets writes to the brokers' store fail as on a full disk, until the fault is dropped. Messages that are stored are
    /// still served.
    ///
    /// ```no_run
    /// # async fn example(cluster: rocketmq_starter::testing::Cluster) -> Result<(), rocketmq_starter::BoxError> {
    /// let fault = cluster.full_disk();
    /// assert!(cluster.send("orders", 7).await.is_err());
    /// # drop(fault);
    /// # Ok(())
    /// # }
    /// ```
    pub fn full_disk(&self) -> Fault {
        self.embedded.full_disk()
    }

    /// Returns a topic, for assertions.
    ///
    /// ```no_run
    /// # async fn example(cluster: rocketmq_starter::testing::Cluster) -> Result<(), rocketmq_starter::BoxError> {
    /// cluster.topic("orders").received(3).await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn topic(&self, name: impl Into<String>) -> Topic<'_> {
        Topic::new(self, name.into(), LIMIT)
    }

    /// Returns a consumer group, for assertions.
    ///
    /// ```no_run
    /// # async fn example(cluster: rocketmq_starter::testing::Cluster) -> Result<(), rocketmq_starter::BoxError> {
    /// cluster.group("billing").handled(3).await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn group(&self, name: impl Into<String>) -> Group<'_> {
        Group::new(self, name.into(), LIMIT)
    }

    pub(super) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Returns the health of all listeners of the applications started here.
    pub(super) fn listeners(&self) -> Vec<ListenerHealth> {
        let apps = self.apps.lock().unwrap_or_else(PoisonError::into_inner);
        apps.iter().flat_map(|context| context.health().listeners).collect()
    }
}

impl App {
    /// Starts the application on the cluster of a test.
    ///
    /// The configuration is read as [`start`](App::start) does, with three differences. All producers and consumers use this
    /// cluster, whatever name servers the configuration names. No variable of the process is read, as they differ from machine
    /// to machine; [`environment`](App::environment) gives some. Offsets are committed every 20 ms unless
    /// `rocketmq.client.persist-consumer-offset-interval` is set. [`Cluster`] shows a use.
    ///
    /// ```no_run
    /// # async fn example(cluster: rocketmq_starter::testing::Cluster) -> Result<(), rocketmq_starter::BoxError> {
    /// let running = rocketmq_starter::App::new().discover().start_on(&cluster).await?;
    /// running.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails as [`start`](App::start) does.
    ///
    /// # Cancel safety
    /// Dropping the future stops the parts that have started.
    pub async fn start_on(self, cluster: &Cluster) -> Result<RunningApp, StartError> {
        let stage = Stage { name_server: cluster.name_server(), observer: cluster.journal.observer() };
        let often = self.configure(|properties| {
            properties.client.persist_consumer_offset_interval.get_or_insert(COMMIT);
        });
        let app = often.on(stage).start().await?;
        let mut apps = cluster.apps.lock().unwrap_or_else(PoisonError::into_inner);
        apps.push(app.context().clone());
        Ok(app)
    }
}
