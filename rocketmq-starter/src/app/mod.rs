//! The application.

mod plan;
