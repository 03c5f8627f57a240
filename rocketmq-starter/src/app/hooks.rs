//! The hooks that run at the turning points of an application.

use crate::context::Context;
use crate::outcome::BoxError;
use futures_util::future::BoxFuture;
use std::fmt;
use std::sync::{Mutex, PoisonError};

type Hook = Box<dyn FnOnce(Context) -> BoxFuture<'static, Result<(), BoxError>> + Send>;

/// The hooks of one turning point, run in the order they were added. The mutex is never contended: it makes applications
/// `Sync`, so that their futures can be spawned.
#[derive(Default)]
pub(crate) struct Hooks(Mutex<Vec<Hook>>);

impl Hooks {
    pub(crate) fn add<F, Fut, E>(&mut self, hook: F)
    where
        F: FnOnce(Context) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.all().push(Box::new(|context| {
            let hook = hook(context);
            Box::pin(async move { hook.await.map_err(Into::into) })
        }));
    }

    fn all(&mut self) -> &mut Vec<Hook> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs them until one fails.
    pub(crate) async fn run(mut self, context: &Context) -> Result<(), BoxError> {
        for hook in std::mem::take(self.all()) {
            hook(context.clone()).await?;
        }
        Ok(())
    }

    /// Runs them all, whatever fails.
    pub(crate) async fn run_all(mut self, context: &Context) {
        for hook in std::mem::take(self.all()) {
            if let Err(error) = hook(context.clone()).await {
                tracing::warn!(%error, "a hook failed");
            }
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hooks")
    }
}
