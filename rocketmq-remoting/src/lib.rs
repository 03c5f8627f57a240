//! rocketmq-remoting

pub mod body;
pub mod compress;
pub mod error;
pub mod fastjson;
pub mod message;
pub mod route;
pub mod subscription;

pub use error::{DecodeError, EncodeError};
