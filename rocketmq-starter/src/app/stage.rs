//! The cluster of a test, in the place of every configured one.

use crate::listener::Observer;

/// The stage on which a test starts an application.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The cluster of all producers and consumers, whatever their configuration names: a test must not reach another.
    pub(crate) name_server: String,
    /// Hears of every message that a listener settled.
    pub(crate) observer: Observer,
}
