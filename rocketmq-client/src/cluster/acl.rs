//! Signing requests with an access key, as brokers with access control demand.

use std::fmt;
use std::sync::Arc;

use rocketmq_remoting::{Command, signature};

/// An access key and its secret. `Debug` shows neither secret nor token.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    access_key: String,
    secret_key: String,
    security_token: Option<String>,
}

impl Credentials {
    /// An access key (the user's name) and its secret.
    pub fn new(access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self { access_key: access_key.into(), secret_key: secret_key.into(), security_token: None }
    }

    /// Adds the token of temporary credentials.
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

/// Where credentials come from. Asked for every request, so a source that renews them keeps the current
/// ones at hand and never blocks.
pub trait CredentialsSource: Send + Sync + 'static {
    /// The credentials to sign with now.
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
