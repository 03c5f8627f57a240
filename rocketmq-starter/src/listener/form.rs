//! The forms of listeners and checkers that an application takes. They serve the compiler's messages.

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
