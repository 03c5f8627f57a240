//! Texts that logs must not show.

use std::fmt;

/// A credential, which `Debug` hides.
///
/// ```
/// use rocketmq_starter::config::Secret;
///
/// let key = Secret::new("s3cret");
/// assert_eq!(format!("{key:?}"), "Secret(hidden)");
/// assert_eq!(key.expose(), "s3cret");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a credential.
    ///
    /// ```
    /// let key = rocketmq_starter::config::Secret::new("s3cret");
    /// # drop(key);
    /// ```
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// Returns the credential itself.
    ///
    /// ```
    /// assert_eq!(rocketmq_starter::config::Secret::new("s3cret").expose(), "s3cret");
    /// ```
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}
