//! An application on Apache's `rocketmq-spring-boot-starter` and one on `rocketmq-starter`, side by side on one cluster. Both
//! have the same listeners, and send the same [`Letter`]s.

mod app;
mod journal;
mod letter;
mod member;
mod sends;

pub use app::OurApp;
pub use journal::Journal;
pub(crate) use letter::base64;
pub use letter::{Body, How, Letter, Order, Quote, Sent, Status};
pub use member::SpringMember;

use rocketmq_client::Client;

use crate::{Cluster, TestResult, unique_topic};

/// One of the two programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The application on Apache's starter for Spring.
    Spring,
    /// The application on this project's starter.
    Ours,
}

impl Side {
    /// Both programs.
    pub const BOTH: [Side; 2] = [Side::Spring, Side::Ours];
}

/// The topics of a run, and their numbers of queues.
const TOPICS: [(&str, i32); 9] = [
    ("payloads", 4),
    ("raw", 4),
    ("picked", 4),
    ("ordered", 4),
    ("shared", 8),
    ("doomed", 1),
    ("unreadable", 1),
    ("ask-spring", 2),
    ("ask-ours", 2),
];

/// Both programs, running.
#[derive(Debug)]
pub struct Pair {
    run: String,
    spring: SpringMember,
    ours: OurApp,
}

impl Pair {
    /// Makes the topics, and starts both programs.
    pub async fn start(cluster: &Cluster) -> TestResult<Self> {
        let (client, run, server) = (cluster.client().await?, unique_topic(), cluster.name_server());
        make_topics(cluster, &client, &run).await?;
        let spring = SpringMember::start(&server, &run).await?;
        let ours = OurApp::start(cluster, &run).await?;
        client.shutdown().await;
        Ok(Pair { run, spring, ours })
    }

    /// Returns the full name of a topic.
    pub fn topic(&self, name: &str) -> String {
        format!("{}-{name}", self.run)
    }

    /// Lets one of the programs send a letter to a topic, or to `topic:tag`.
    pub async fn send(&self, side: Side, destination: &str, letter: &Letter) -> TestResult<Sent> {
        let destination = self.topic(destination);
        match side {
            Side::Spring => self.spring.send(&destination, letter).await,
            Side::Ours => sends::send(self.ours.template(), &destination, letter).await,
        }
    }

    /// Lets one of the programs send a request, and returns the reply.
    pub async fn ask(&self, side: Side, destination: &str, body: &Body) -> TestResult<serde_json::Value> {
        let destination = self.topic(destination);
        match side {
            Side::Spring => self.spring.ask(&destination, body).await,
            Side::Ours => sends::ask(self.ours.template(), &destination, body).await,
        }
    }

    /// Returns the journal of one of the programs.
    pub fn journal(&self, side: Side) -> &Journal {
        match side {
            Side::Spring => self.spring.journal(),
            Side::Ours => self.ours.journal(),
        }
    }

    /// Ends both programs.
    pub async fn stop(self) -> TestResult {
        self.ours.stop().await;
        self.spring.stop().await
    }
}

/// The dead letters of both groups have topics from the start: their readers need not wait until a route is looked up anew.
async fn make_topics(cluster: &Cluster, client: &Client, run: &str) -> TestResult {
    for (topic, queues) in TOPICS {
        cluster.topic_named(client, &format!("{run}-{topic}"), queues).await?;
    }
    for group in ["s-doomed", "r-doomed"] {
        cluster.topic_named(client, &format!("%DLQ%{run}-{group}"), 1).await?;
    }
    Ok(())
}
