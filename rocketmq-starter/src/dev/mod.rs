//! The page for development: what was sent to the embedded broker and how it was handled, dead letters, time that passes, messages
//! sent by hand.

mod actions;
mod journal;
mod messages;

pub(crate) use journal::Journal;

use crate::error::{Mistake, MistakeKind};
use crate::web::{PageServer, Shown};
use axum::Router;
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::{get, post};
use rocketmq_client::{Client, Producer};
use rocketmq_server::Embedded;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Weak};

/// The port, if it is free.
const PORT: u16 = 8082;
/// The group of the producer that sends by hand.
const GROUP: &str = "rocketmq-dev-page";

/// An answer in words.
type Refused = (StatusCode, String);

/// The page, and what it needs to send.
#[derive(Debug)]
pub(crate) struct DevPage {
    site: PageServer,
    journal: Journal,
    client: Client,
}

/// The parts that the handlers of requests work on.
#[derive(Debug)]
struct Desk {
    broker: Weak<Embedded>,
    shown: Shown,
    journal: Journal,
    producer: Producer,
}

impl Desk {
    fn broker(&self) -> Result<Arc<Embedded>, Refused> {
        let gone = || (StatusCode::SERVICE_UNAVAILABLE, "the application is shutting down\n".to_owned());
        self.broker.upgrade().ok_or_else(gone)
    }
}

impl DevPage {
    /// Opens the page on loopback.
    ///
    /// # Errors
    /// No port is free, or the broker does not answer.
    pub(crate) async fn open(broker: &Arc<Embedded>, shown: Shown) -> Result<Self, Mistake> {
        let failed = |error: String| {
            Mistake::new(
                MistakeKind::Connect,
                format!("the page for development does not reach the broker: {error}"),
            )
        };
        let client = rocketmq_client::connect(broker.name_server()).await;
        let client = client.map_err(|error| failed(error.to_string()))?;
        let producer = client.producer(GROUP).build().await.map_err(|error| failed(error.to_string()))?;
        let journal = Journal::default();
        let desk = Desk { broker: Arc::downgrade(broker), shown, journal: journal.clone(), producer };
        let site = serve(pages(Arc::new(desk))).await?;
        tracing::info!("the page for development is at http://{}/", site.address());
        Ok(DevPage { site, journal, client })
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.site.address()
    }

    pub(crate) async fn shutdown(self) {
        self.site.shutdown().await;
        self.client.shutdown().await;
    }
}

/// Takes another port when the usual one is taken: several applications may run on one machine.
async fn serve(pages: Router) -> Result<PageServer, Mistake> {
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match PageServer::serve("dev-page", local(PORT), pages.clone()).await {
        Ok(site) => Ok(site),
        Err(_) => PageServer::serve("dev-page", local(0), pages).await,
    }
}

fn pages(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/", get(Html(include_str!("page.html"))))
        .route("/state", get(messages::state))
        .route("/send", post(actions::send))
        .route("/again", post(actions::again))
        .route("/advance", post(actions::advance))
        .with_state(desk)
}
