//! The two directions of a value: from text, and to text.

/// One way to write a `T`. The error of [`parse`](Kind::parse) says what was expected.
pub(in crate::config) trait Kind<T> {
    fn parse(&self, text: &str) -> Result<T, &'static str>;
    fn show(&self, value: &T) -> String;
}
