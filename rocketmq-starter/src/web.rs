//! Serves pages over HTTP inside the application, and keeps other sites away from them.

use crate::context::Context;
use crate::error::{Mistake, MistakeKind};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The time for answers that are on their way when the application ends.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// The context, once the application has one.
pub(crate) type Shown = Arc<OnceLock<Context>>;

/// A server of pages. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct PageServer {
    address: SocketAddr,
    /// Dropped to end the server.
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl PageServer {
    /// Listens on an address, the value of `key`, and serves the pages.
    ///
    /// # Errors
    /// Nobody can listen there.
    pub(crate) async fn serve(key: &str, address: SocketAddr, pages: Router) -> Result<Self, Mistake> {
        let refused = |error: std::io::Error| {
            let message = format!(
                "`{key}` is \"{address}\", but nobody can listen there: {error}; choose another address, or port 0 for any \
                 that is free"
            );
            Mistake::new(MistakeKind::WrongValue, message)
        };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let pages = pages.layer(middleware::from_fn_with_state(address.ip(), guard));
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let served = axum::serve(listener, pages).with_graceful_shutdown(async { drop(stopped.await) });
            if let Err(error) = served.await {
                tracing::warn!(%error, "a page of the application ended");
            }
        });
        Ok(PageServer { address, stop, task })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it when the answers that are on their way are sent.
    pub(crate) async fn shutdown(self) {
        drop(self.stop);
        // A connection that stays open longer ends with the process.
        let _ = timeout(LAST_ANSWERS, self.task).await;
    }
}

/// Refuses requests that another site's page makes in the user's browser.
async fn guard(State(ip): State<IpAddr>, request: Request, next: Next) -> Response {
    match foreign(request.headers(), ip.is_loopback()) {
        Some(why) => (StatusCode::FORBIDDEN, why).into_response(),
        None => next.run(request).await,
    }
}

/// Tells why a request comes from another site. `local`: only this machine reaches the server, so its name is one of this
/// machine's, or a site has made its own name point here.
fn foreign(headers: &HeaderMap, local: bool) -> Option<String> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?").to_owned());
    let host = text(header::HOST).unwrap_or_default();
    if local && !host.is_empty() && !is_this_machine(&host) {
        return Some(format!("`{host}` is not a name of this machine: write 127.0.0.1 or localhost\n"));
    }
    let origin = text(header::ORIGIN)?;
    let same = origin.split_once("://").is_some_and(|(_, site)| site == host);
    (!same).then(|| format!("the site {origin} may not use this page\n"))
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(host: &'static str, origin: Option<&'static str>, local: bool) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        foreign(&headers, local).is_some()
    }

    #[test]
    fn a_page_of_another_site_is_refused() {
        for host in ["127.0.0.1:8081", "localhost:8081", "LOCALHOST", "[::1]:8081", "127.0.0.9"] {
            assert!(!refused(host, None, true), "{host}");
        }
        for host in ["evil.example:8081", "10.0.0.5:8081", "localhost.evil.example", ":8081"] {
            assert!(refused(host, None, true), "{host}");
        }
        assert!(!refused("10.0.0.5:8081", None, false), "a probe from elsewhere, where that is wanted");
        assert!(!refused("localhost:1", Some("http://localhost:1"), true));
        for origin in ["http://evil.example", "http://localhost:2", "null"] {
            assert!(refused("localhost:1", Some(origin), true), "{origin}");
        }
    }
}
