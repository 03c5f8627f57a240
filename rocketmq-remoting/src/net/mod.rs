//! Connections of clients and servers: one task owns each socket, and handles talk to the task.
//!
//! ```
//! use std::net::SocketAddr;
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use rocketmq_remoting::net::{Answer, Connection, ConnectionConfig, Handler};
//! use rocketmq_remoting::{Command, RequestCode, ResponseCode};
//!
//! struct Echo;
//!
//! impl Handler for Echo {
//!     fn handle(&self, _: &Connection, request: Command) -> Answer {
//!         Answer::Now(Command::response(ResponseCode::SUCCESS).with_body(request.body))
//!     }
//! }
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let (near, far) = tokio::io::duplex(4096); // or a TcpStream and what a TcpListener accepts
//! let address = SocketAddr::from(([127, 0, 0, 1], 10911));
//! let start = |stream| Connection::spawn(stream, address, address, Arc::new(Echo), ConnectionConfig::default());
//! let (server, client) = (start(far), start(near));
//!
//! let request = Command::request(RequestCode::HEART_BEAT).with_body("hello");
//! let response = client.call(request, Duration::from_secs(3)).await?;
//! assert_eq!(response.body, "hello");
//! # drop(server);
//! # Ok::<(), rocketmq_remoting::net::CallError>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod connection;
mod deadline;
mod driver;
mod error;
mod memory;
mod output;
#[cfg(feature = "tls")]
pub mod tls;

pub use connection::{Answer, Connection, ConnectionConfig, Handler, MAX_BLOCKING, Refusal, Work};
pub use deadline::{LONGEST_WAIT, deadline};
pub use error::{CallError, CloseReason};
pub use memory::MemoryLimit;
