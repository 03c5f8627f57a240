//! The PROXY preamble (versions 1 and 2) with which a load balancer says who it speaks for.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt};

/// First byte of the text form: no frame of a sane length begins with it.
pub(super) const V1_FIRST: u8 = b'P';
/// First byte of the binary form.
pub(super) const V2_FIRST: u8 = b'\r';

/// The longest text preamble the specification allows, with its line end.
const V1_MAX: usize = 107;
const V2_SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const V2_HEAD: usize = 16;
/// More than any address needs; what follows the addresses (extensions) must fit too.
const V2_MAX_BODY: usize = 4096;

/// Reads one preamble off `stream`, and not a byte more. `None`: the balancer speaks for itself.
pub(super) async fn read_preamble<S>(stream: &mut S, first: u8) -> io::Result<Option<SocketAddr>>
where
    S: AsyncRead + Unpin,
{
    if first == V1_FIRST { read_v1(stream).await } else { read_v2(stream).await }
}

async fn read_v1<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<SocketAddr>> {
    let mut line = Vec::with_capacity(V1_MAX);
    // Byte by byte: whatever follows the line belongs to the next layer.
    while !line.ends_with(b"\r\n") {
        if line.len() == V1_MAX {
            return Err(malformed("a PROXY line without an end"));
        }
        line.push(stream.read_u8().await?);
    }
    parse_v1(&line).ok_or_else(|| malformed("a PROXY line that is not one"))
}

fn parse_v1(line: &[u8]) -> Option<Option<SocketAddr>> {
    let mut words = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?.split(' ');
    if words.next() != Some("PROXY") {
        return None;
    }
    match words.next()? {
        "UNKNOWN" => Some(None),
        "TCP4" | "TCP6" => {
            let source: IpAddr = words.next()?.parse().ok()?;
            let _destination: IpAddr = words.next()?.parse().ok()?;
            Some(Some(SocketAddr::new(source, words.next()?.parse().ok()?)))
        }
        _ => None,
    }
}

async fn read_v2<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<SocketAddr>> {
    let mut head = [0; V2_HEAD];
    stream.read_exact(&mut head).await?;
    let length = usize::from(u16::from_be_bytes([head[14], head[15]]));
    if !head.starts_with(V2_SIGNATURE) || length > V2_MAX_BODY {
        return Err(malformed("a binary PROXY preamble that is not one"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(parse_v2(head[12], head[13], &body))
}

fn parse_v2(version_and_command: u8, family: u8, body: &[u8]) -> Option<SocketAddr> {
    const PROXY: u8 = 0x21;
    if version_and_command != PROXY {
        return None;
    }
    match family >> 4 {
        1 => {
            let ip: [u8; 4] = body.get(..4)?.try_into().ok()?;
            Some(SocketAddr::new(Ipv4Addr::from(ip).into(), port_at(body, 8)?))
        }
        2 => {
            let ip: [u8; 16] = body.get(..16)?.try_into().ok()?;
            Some(SocketAddr::new(Ipv6Addr::from(ip).into(), port_at(body, 32)?))
        }
        _ => None,
    }
}

fn port_at(body: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(body.get(at..at + 2)?.try_into().ok()?))
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(mut bytes: &[u8]) -> (io::Result<Option<SocketAddr>>, usize) {
        let first = bytes[0];
        let result = read_preamble(&mut bytes, first).await;
        (result, bytes.len())
    }

    #[tokio::test]
    async fn the_text_form_names_the_client_and_leaves_the_rest() {
        let (peer, left) = read(b"PROXY TCP4 10.1.2.3 10.0.0.1 4711 9876\r\nrest").await;
        assert_eq!(peer.unwrap(), Some("10.1.2.3:4711".parse().unwrap()));
        assert_eq!(left, 4);
        assert_eq!(read(b"PROXY UNKNOWN\r\n").await.0.unwrap(), None);
    }

    #[tokio::test]
    async fn what_only_begins_like_one_is_refused() {
        assert!(read(b"POST / HTTP/1.1\r\n").await.0.is_err());
        assert!(read(&[b'P'; 200]).await.0.is_err());
        assert!(read(b"PROXY TCP4 x y 1 2\r\n").await.0.is_err());
        assert!(read(b"\r\n\r\n0123456789abcdef").await.0.is_err());
        assert!(read(b"PROXY TCP4").await.0.is_err());
    }

    #[tokio::test]
    async fn the_binary_form_names_the_client_and_leaves_the_rest() {
        let mut bytes = V2_SIGNATURE.to_vec();
        bytes.extend([0x21, 0x11, 0, 12, 10, 1, 2, 3, 10, 0, 0, 1, 0x12, 0x67, 0x26, 0x94, b'x']);
        let (peer, left) = read(&bytes).await;
        assert_eq!(peer.unwrap(), Some("10.1.2.3:4711".parse().unwrap()));
        assert_eq!(left, 1);
    }

    #[tokio::test]
    async fn a_health_check_of_the_balancer_has_no_client() {
        let mut bytes = V2_SIGNATURE.to_vec();
        bytes.extend([0x20, 0, 0, 0]);
        assert_eq!(read(&bytes).await.0.unwrap(), None);
    }
}
