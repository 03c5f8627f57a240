//! Greets the peers of a listening socket: those that encrypt and those that do not.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tracing::debug;

use super::error::SecurityError;
use super::proxy;
#[cfg(feature = "tls")]
use super::tls::Acceptor;
use crate::config::{Networks, TlsConfig, TlsMode};

/// First byte of a TLS handshake record. A plain frame begins with the high byte of its length, which is 0.
const TLS_RECORD: u8 = 0x16;

/// The rule of one server; clones share the certificate.
#[derive(Debug, Clone)]
pub struct Security {
    mode: TlsMode,
    #[cfg(feature = "tls")]
    acceptor: Option<std::sync::Arc<Acceptor>>,
}

impl Security {
    /// Takes plain peers only.
    pub fn plain() -> Self {
        Self {
            mode: TlsMode::Disabled,
            #[cfg(feature = "tls")]
            acceptor: None,
        }
    }

    /// Reads certificates and keys.
    ///
    /// # Errors
    /// When the settings ask for what cannot be had; the text names the setting.
    #[cfg(feature = "tls")]
    pub fn load(config: &TlsConfig) -> Result<Self, SecurityError> {
        if config.mode == TlsMode::Disabled {
            return Ok(Self::plain());
        }
        match Acceptor::load(config)? {
            None if config.mode == TlsMode::Enforcing => Err(SecurityError::NoCertificate),
            acceptor => Ok(Self { mode: config.mode, acceptor: acceptor.map(Into::into) }),
        }
    }

    /// Takes plain peers only: this program is built without TLS.
    ///
    /// # Errors
    /// When the settings ask for TLS.
    #[cfg(not(feature = "tls"))]
    pub fn load(config: &TlsConfig) -> Result<Self, SecurityError> {
        if config.mode == TlsMode::Enforcing || config.certificate.is_some() {
            return Err(SecurityError::NotBuilt);
        }
        Ok(Self::plain())
    }

    /// Looks at the first byte to find out what the peer speaks, and settles how to speak to it; takes a PROXY preamble
    /// off before. Only a trusted balancer says who the peer is: anybody could claim an address that is allowed more.
    pub(super) async fn greet(
        &self,
        mut stream: TcpStream,
        mut peer: SocketAddr,
        trusted_proxies: &Networks,
    ) -> io::Result<(Box<dyn Stream>, SocketAddr)> {
        // Small answers must not wait for the acknowledgement of earlier ones.
        stream.set_nodelay(true)?;
        let mut first = peek(&stream).await?;
        if matches!(first, proxy::V1_FIRST | proxy::V2_FIRST) {
            let claimed = proxy::read_preamble(&mut stream, first).await?;
            if trusted_proxies.contains(peer.ip()) {
                peer = claimed.unwrap_or(peer);
            } else {
                debug!(%peer, ?claimed, "not a balancer of `trustedProxies`: whom it speaks for does not count");
            }
            first = peek(&stream).await?;
        }
        let stream = if first == TLS_RECORD { self.encrypted(stream).await? } else { self.bare(stream)? };
        Ok((stream, peer))
    }

    fn bare(&self, stream: TcpStream) -> io::Result<Box<dyn Stream>> {
        match self.mode {
            TlsMode::Enforcing => Err(refused("the peer does not encrypt, as `tls.server.mode` demands")),
            _ => Ok(Box::new(stream)),
        }
    }

    #[cfg(feature = "tls")]
    async fn encrypted(&self, stream: TcpStream) -> io::Result<Box<dyn Stream>> {
        match &self.acceptor {
            Some(acceptor) => Ok(Box::new(acceptor.accept(stream).await?)),
            None => Err(refused("the peer wants TLS, which is switched off or has no certificate")),
        }
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_async, reason = "it is not, with TLS")]
    async fn encrypted(&self, _stream: TcpStream) -> io::Result<Box<dyn Stream>> {
        Err(refused("the peer wants TLS, without which this program was built"))
    }
}

/// The streams that carry frames.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

fn refused(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, why)
}

async fn peek(stream: &TcpStream) -> io::Result<u8> {
    let mut first = [0];
    match stream.peek(&mut first).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(first[0]),
    }
}
