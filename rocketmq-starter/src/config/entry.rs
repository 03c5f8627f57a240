//! One value of the configuration, as text.

use super::keys;
use super::origin::Origin;
use rocketmq_client::remoting::spring::canonical;

/// A value, placeholders unresolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The whole key as it was written.
    pub(crate) written: String,
    pub(crate) text: String,
    pub(crate) origin: Origin,
}

/// A key in the one spelling in which it is kept: ours below `rocketmq`, elsewhere in lower case and without separators.
pub(crate) fn normal(path: &str) -> String {
    let mut segments = path.split('.');
    match segments.next() {
        Some(first) if is_ours(first) => match keys::follow(segments) {
            Ok(place) => place.path,
            Err(_) => path.to_owned(),
        },
        _ => path.split('.').map(canonical).collect::<Vec<_>>().join("."),
    }
}

/// Tells whether the first segment of a key is `rocketmq`.
pub(crate) fn is_ours(segment: &str) -> bool {
    canonical(segment) == "rocketmq"
}
