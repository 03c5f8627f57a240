//! What an application does at its turning points.

use crate::context::Context;
use crate::outcome::BoxError;
use futures_util::future::BoxFuture;
use std::fmt;

type Hook = Box<dyn FnOnce(Context) -> BoxFuture<'static, Result<(), BoxError>> + Send>;

/// The hooks of one turning point, run in the order they were added.
#[derive(Default)]
pub(crate) struct Hooks(Vec<Hook>);

impl Hooks {
    pub(crate) fn add<F, Fut, E>(&mut self, hook: F)
    where
        F: FnOnce(Context) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.0.push(Box::new(|context| {
            let hook = hook(context);
            Box::pin(async move { hook.await.map_err(Into::into) })
        }));
    }

    /// Runs them until one fails.
    pub(crate) async fn run(self, context: &Context) -> Result<(), BoxError> {
        for hook in self.0 {
            hook(context.clone()).await?;
        }
        Ok(())
    }

    /// Runs them all, whatever fails.
    pub(crate) async fn run_all(self, context: &Context) {
        for hook in self.0 {
            if let Err(error) = hook(context.clone()).await {
                tracing::warn!(%error, "a hook failed");
            }
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hooks({})", self.0.len())
    }
}
