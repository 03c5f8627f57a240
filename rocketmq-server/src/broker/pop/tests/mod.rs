//! POP as consumers of a broker meet it.

mod again;
mod ordered;
mod popping;
mod waiting;
