//! Signing requests with an access key, as brokers with access control demand.

use std::fmt;
use std::sync::Arc;

use rocketmq_remoting::{Command, signature};

/// Holds an access key and its secret. `Debug` shows neither secret nor token.
///
/// ```
/// use rocketmq_client::Credentials;
///
/// let credentials = Credentials::new("shop", "secret").with_security_token("token");
/// assert!(!format!("{credentials:?}").contains("secret"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    access_key: String,
    secret_key: String,
    security_token: Option<String>,
}

impl Credentials {
    /// Makes credentials of an access key, which is the user's name, and its secret.
    ///
    /// ```
    /// use rocketmq_client::Credentials;
    ///
    /// let credentials = Credentials::new("shop", "secret");
    /// # drop(credentials);
    /// ```
    pub fn new(access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self { access_key: access_key.into(), secret_key: secret_key.into(), security_token: None }
    }

    /// Adds the token of temporary credentials.
    ///
    /// ```
    /// use rocketmq_client::Credentials;
    ///
    /// let temporary = Credentials::new("shop", "secret").with_security_token("token");
    /// # drop(temporary);
    /// ```
    #[must_use]
    pub fn with_security_token(mut self, token: impl Into<String>) -> Self {
        self.security_token = Some(token.into());
        self
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

/// Provides credentials for each request. A source that renews them keeps the current ones at hand and never blocks.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use rocketmq_client::Credentials;
/// use rocketmq_client::client::CredentialsSource;
///
/// /// Another task puts renewed credentials in.
/// struct Renewed(Mutex<Arc<Credentials>>);
///
/// impl CredentialsSource for Renewed {
///     fn credentials(&self) -> Arc<Credentials> {
///         self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
///     }
/// }
///
/// let source = Renewed(Mutex::new(Arc::new(Credentials::new("shop", "secret"))));
/// let builder = rocketmq_client::Client::builder("127.0.0.1:9876").credentials(source);
/// # drop(builder);
/// ```
pub trait CredentialsSource: Send + Sync + 'static {
    /// Returns the credentials to sign with now.
    fn credentials(&self) -> Arc<Credentials>;
}

impl CredentialsSource for Arc<Credentials> {
    fn credentials(&self) -> Arc<Credentials> {
        self.clone()
    }
}

/// Signs `command`. Nothing may be added to its header afterwards.
pub(crate) fn sign(command: &mut Command, credentials: &Credentials) {
    let Credentials { access_key, secret_key, security_token } = credentials;
    signature::sign(command, access_key, secret_key, security_token.as_deref());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", Credentials::new("user", "hush").with_security_token("psst"));
        assert!(shown.contains("user") && !shown.contains("hush") && !shown.contains("psst"));
    }
}
