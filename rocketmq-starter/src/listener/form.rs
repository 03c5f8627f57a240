//! The forms in which an application takes listeners and checkers, for the compiler's messages alone.

/// A function with an attribute.
#[derive(Debug)]
pub enum Annotated {}

/// A listener or checker as a value.
#[derive(Debug)]
pub enum Made {}

/// No form at all.
#[derive(Debug)]
pub enum None {}

/// Implemented by nothing.
pub trait Nobody {
    /// Is never called.
    fn never<T>(self) -> T;
}
