//! `/health/ready`: tells probes and people if the application gets its messages, and why not.

use crate::health::{Health, ListenerHealth};
use crate::web::Shown;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// Counts reasons that leave an application ready, such as a paused group.
    #[serde(default)]
    strict: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Answer {
    ready: bool,
    reasons: Vec<String>,
    listeners: Vec<ListenerHealth>,
}

pub(super) async fn ready(
    State(shown): State<Shown>,
    Query(asked): Query<Asked>,
) -> (StatusCode, Json<Answer>) {
    let health = match shown.get() {
        Some(context) => context.health(),
        None => Health { ready: false, listeners: Vec::new() },
    };
    let reasons = health.reasons();
    let ready = health.ready && (!asked.strict || reasons.is_empty());
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Answer { ready, reasons, listeners: health.listeners }))
}
