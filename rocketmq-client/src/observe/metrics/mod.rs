//! Counters, gauges and histograms through the `metrics` facade, with the feature of that name; without it every function
//! here is empty. docs/observability.md lists them.

#[cfg(feature = "metrics")]
mod on;
#[cfg(feature = "metrics")]
pub(crate) use on::*;

#[cfg(not(feature = "metrics"))]
mod off;
#[cfg(not(feature = "metrics"))]
pub(crate) use off::*;
