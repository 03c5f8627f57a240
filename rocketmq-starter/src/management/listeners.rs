//! `/listeners`: shows the listeners, and pauses, resumes and tunes their groups.

use crate::context::Context;
use crate::health::ListenerHealth;
use crate::web::Shown;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most handlers of a group.
const MOST: usize = 1000;

/// A listener and the reasons for which it gets nowhere.
#[derive(Debug, Serialize)]
pub(super) struct Shape {
    #[serde(flatten)]
    health: ListenerHealth,
    reasons: Vec<String>,
}

/// An answer in words.
type Refused = (StatusCode, String);
type Answer = Result<Json<Vec<Shape>>, Refused>;

pub(super) async fn all(State(shown): State<Shown>) -> Answer {
    Ok(show(started(&shown)?, |_| true))
}

pub(super) async fn of_group(State(shown): State<Shown>, Path(group): Path<String>) -> Answer {
    let context = started(&shown)?;
    let health = context.health();
    if health.listeners.iter().any(|listener| listener.group == group) {
        return Ok(show(context, |listener| listener.group == group));
    }
    Err((StatusCode::NOT_FOUND, no_group(context, &group)))
}

pub(super) async fn pause(State(shown): State<Shown>, Path(group): Path<String>) -> Answer {
    act(&shown, &group, "paused", |context| context.pause(&group))
}

pub(super) async fn resume(State(shown): State<Shown>, Path(group): Path<String>) -> Answer {
    act(&shown, &group, "resumed", |context| context.resume(&group))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Concurrency {
    handlers: usize,
}

pub(super) async fn set_concurrency(
    State(shown): State<Shown>,
    Path(group): Path<String>,
    Query(Concurrency { handlers }): Query<Concurrency>,
) -> Answer {
    if !(1..=MOST).contains(&handlers) {
        let why = format!("`handlers` is {handlers}; it takes a whole number from 1 to {MOST}\n");
        return Err((StatusCode::BAD_REQUEST, why));
    }
    let done = format!("given {handlers} handlers");
    act(&shown, &group, &done, |context| context.set_concurrency(&group, handlers))
}

/// Acts on the group and shows its listeners afterwards.
fn act(shown: &Shown, group: &str, done: &str, act: impl FnOnce(&Context) -> bool) -> Answer {
    let context = started(shown)?;
    if !act(context) {
        return Err((StatusCode::NOT_FOUND, no_group(context, group)));
    }
    tracing::info!(group, "{done} by the management page");
    Ok(show(context, |listener| listener.group == group))
}

fn started(shown: &Shown) -> Result<&Context, Refused> {
    shown.get().ok_or((StatusCode::SERVICE_UNAVAILABLE, "the application is starting\n".to_owned()))
}

fn no_group(context: &Context, group: &str) -> String {
    let known: BTreeSet<_> = context.health().listeners.into_iter().map(|listener| listener.group).collect();
    if known.contains(group) {
        return format!("the group `{group}` is not at work: it is starting, or has ended\n");
    }
    let known: Vec<_> = known.into_iter().collect();
    format!("no listener here has the group `{group}`; the groups are: {}\n", known.join(", "))
}

fn show(context: &Context, wanted: impl Fn(&ListenerHealth) -> bool) -> Json<Vec<Shape>> {
    let listeners = context.health().listeners.into_iter().filter(wanted);
    Json(listeners.map(|health| Shape { reasons: health.reasons(), health }).collect())
}
