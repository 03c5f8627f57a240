//! A small SOCKS5 proxy for tests: user and password, addresses and names, CONNECT.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// User and password that the proxy accepts.
pub const USER: (&str, &str) = ("carol", "open sesame");

const BY_PASSWORD: u8 = 2;
const NAME: u8 = 3;
const IPV4: u8 = 1;

/// A proxy on a port of its own, until it is dropped.
#[derive(Debug)]
pub struct SocksProxy {
    address: SocketAddr,
    led: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl SocksProxy {
    /// Starts to listen.
    ///
    /// # Errors
    /// Fails if no port is free.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, led) = (listener.local_addr()?, Arc::<AtomicUsize>::default());
        let count = led.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(lead(client, count.clone()));
            }
        });
        Ok(Self { address, led, accepting })
    }

    /// Returns the proxy's address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the number of connections it has made to servers.
    pub fn led(&self) -> usize {
        self.led.load(Ordering::Relaxed)
    }
}

impl Drop for SocksProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn lead(mut client: TcpStream, led: Arc<AtomicUsize>) -> io::Result<()> {
    greet(&mut client).await?;
    let mut server = TcpStream::connect(target(&mut client).await?).await?;
    client.write_all(&[5, 0, 0, IPV4, 0, 0, 0, 0, 0, 0]).await?;
    led.fetch_add(1, Ordering::Relaxed);
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

async fn greet(client: &mut TcpStream) -> io::Result<()> {
    let _version = client.read_u8().await?;
    let methods = short(client).await?;
    if !methods.contains(&BY_PASSWORD) {
        return client.write_all(&[5, 0xFF]).await.and(Err(io::ErrorKind::PermissionDenied.into()));
    }
    client.write_all(&[5, BY_PASSWORD]).await?;
    let _version = client.read_u8().await?;
    let given = (short(client).await?, short(client).await?);
    let is_right = given.0 == USER.0.as_bytes() && given.1 == USER.1.as_bytes();
    client.write_all(&[1, u8::from(!is_right)]).await?;
    if is_right { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

/// Reads bytes behind a length of one byte.
async fn short(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; client.read_u8().await?.into()];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn target(client: &mut TcpStream) -> io::Result<(String, u16)> {
    let mut head = [0; 4];
    client.read_exact(&mut head).await?;
    let host = match head[3] {
        NAME => String::from_utf8_lossy(&short(client).await?).into_owned(),
        _ => std::net::Ipv4Addr::from(client.read_u32().await?).to_string(),
    };
    Ok((host, client.read_u16().await?))
}
