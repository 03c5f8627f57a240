//! The management page: health for probes, metrics for Prometheus, and the listeners for people and scripts.

mod health;
mod listeners;
mod metrics;

use crate::error::Mistake;
use crate::web::{PageServer, Shown};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use std::net::SocketAddr;

/// The key of its address.
pub(crate) const KEY: &str = "rocketmq.management.address";

const HELP: &str = "\
GET  /health/live                              200 while the process answers
GET  /health/ready[?strict=true]               200, or 503 with the reasons; strict: 503 also if paused, failing, falling behind
GET  /metrics                                  for Prometheus
GET  /listeners                                the health of each listener
GET  /listeners/{group}                        of those of a group
POST /listeners/{group}/pause                  stop pulling
POST /listeners/{group}/resume                 pull again
POST /listeners/{group}/concurrency?handlers=8 handle so many messages at once, 1 to 1000
";

/// Starts the page, and records metrics from now on.
///
/// # Errors
/// Nobody can listen on the address.
pub(crate) async fn start(address: SocketAddr, shown: Shown) -> Result<PageServer, Mistake> {
    metrics::install();
    let site = PageServer::serve(KEY, address, pages(shown)).await?;
    let address = site.address();
    tracing::info!(%address, "the management page is at http://{address}/");
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "whoever reaches the management page can pause listeners: it asks for no password");
    }
    Ok(site)
}

fn pages(shown: Shown) -> Router {
    Router::new()
        .route("/", get(HELP))
        .route("/health/live", get("alive\n"))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(metrics::show))
        .route("/listeners", get(listeners::all))
        .route("/listeners/{group}", get(listeners::of_group))
        .route("/listeners/{group}/pause", post(listeners::pause))
        .route("/listeners/{group}/resume", post(listeners::resume))
        .route("/listeners/{group}/concurrency", post(listeners::set_concurrency))
        .fallback(async || (StatusCode::NOT_FOUND, format!("there is no such page; these are:\n{HELP}")))
        .with_state(shown)
}
