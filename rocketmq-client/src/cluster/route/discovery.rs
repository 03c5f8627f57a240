//! The HTTP address server: a page that lists the name servers.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::cluster::config::{ClientConfig, NameServers, addresses};
use crate::error::{ConnectError, ConnectErrorKind};

/// Limits the time for the page.
const TIMEOUT: Duration = Duration::from_secs(3);
/// No list of name servers is longer.
const MAX_PAGE: u64 = 64 * 1024;

/// `http://host[:port]/path`, taken apart. The port defaults to 80.
#[derive(Debug, PartialEq, Eq)]
struct Url<'a> {
    authority: &'a str,
    host: &'a str,
    port: u16,
    path: &'a str,
}

impl<'a> Url<'a> {
    fn parse(url: &'a str) -> Option<Self> {
        let rest = url.strip_prefix("http://")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (authority, 80),
        };
        let path = if path.is_empty() { "/" } else { path };
        (!host.is_empty()).then_some(Self { authority, host, port, path })
    }
}

/// Returns the addresses of the name servers, and asks the address server where there is one.
pub(crate) async fn initial(
    name_servers: &NameServers,
    config: &ClientConfig,
) -> Result<Vec<String>, ConnectError> {
    match name_servers {
        NameServers::List(servers) => Ok(servers.clone()),
        NameServers::Http(url) => fetch(&of_unit(url, config)).await.map_err(|error| {
            ConnectError::new(ConnectErrorKind::Unreachable, format!("address server {url}: {error}"))
                .with_source(error)
        }),
    }
}

/// Returns the URL of the client's unit, where there are several.
pub(crate) fn of_unit<'a>(url: &'a str, config: &ClientConfig) -> Cow<'a, str> {
    match &config.unit_name {
        Some(unit) => Cow::Owned(format!("{url}-{unit}?nofix=1")),
        None => Cow::Borrowed(url),
    }
}

/// Reads the addresses that the page lists now.
pub(crate) async fn fetch(url: &str) -> io::Result<Vec<String>> {
    let parts =
        Url::parse(url).ok_or_else(|| invalid(format!("\"{url}\" is not http://host[:port]/path")))?;
    let page =
        timeout(TIMEOUT, get(&parts)).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let body = body_of(&page).ok_or_else(|| invalid(format!("{url} did not answer with a 200 page")))?;
    // Its first line, as Java reads it.
    let line = body.trim().lines().next().unwrap_or_default();
    addresses(line).map_err(|error| invalid(format!("{url} lists no name servers: {error}")))
}

/// Reads the page by HTTP/1.0, so that the answer is neither chunked nor kept open.
async fn get(url: &Url<'_>) -> io::Result<String> {
    let mut stream = TcpStream::connect((url.host, url.port)).await?;
    let request =
        format!("GET {} HTTP/1.0\r\nHost: {}\r\nConnection: close\r\n\r\n", url.path, url.authority);
    stream.write_all(request.as_bytes()).await?;
    let mut page = Vec::new();
    stream.take(MAX_PAGE).read_to_end(&mut page).await?;
    String::from_utf8(page).map_err(|_| invalid("the page is not UTF-8".to_owned()))
}

fn body_of(page: &str) -> Option<&str> {
    let (head, body) = page.split_once("\r\n\r\n")?;
    let mut status = head.split(' ');
    (status.next()?.starts_with("HTTP/1.") && status.next()? == "200").then_some(body)
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let url = Url::parse("http://x:8080/rocketmq/nsaddr").expect("a URL");
        assert_eq!((url.host, url.port, url.path), ("x", 8080, "/rocketmq/nsaddr"));
        let url = Url::parse("http://x").expect("a URL");
        assert_eq!((url.port, url.path), (80, "/"));
        for bad in ["https://x", "x", "http://", "http://x:port/"] {
            assert_eq!(Url::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_unit_has_a_page_of_its_own() {
        let mut config = ClientConfig::default();
        assert_eq!(of_unit("http://x/nsaddr", &config), "http://x/nsaddr");
        config.unit_name = Some("u1".into());
        assert_eq!(of_unit("http://x/nsaddr", &config), "http://x/nsaddr-u1?nofix=1");
    }

    async fn served(answer: &'static str) -> io::Result<Vec<String>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/rocketmq/nsaddr", listener.local_addr()?);
        let server = async {
            let (mut stream, _) = listener.accept().await?;
            let mut request = [0; 512];
            let n = stream.read(&mut request).await?;
            assert!(request[..n].starts_with(b"GET /rocketmq/nsaddr HTTP/1.0\r\n"));
            stream.write_all(answer.as_bytes()).await
        };
        let (fetched, served) = tokio::join!(fetch(&url), server);
        served.and(fetched)
    }

    #[tokio::test]
    async fn the_first_line_of_a_good_page_counts() {
        let addresses =
            served("HTTP/1.1 200 OK\r\nX: y\r\n\r\n a:9876;b:9876 \r\nrest").await.expect("a list");
        assert_eq!(addresses, ["a:9876", "b:9876"]);
    }

    #[tokio::test]
    async fn other_pages_are_errors() {
        let not_found = "HTTP/1.1 404 Not Found\r\n\r\na:1";
        let no_list = "HTTP/1.1 200 OK\r\n\r\n<html><body>Welcome</body></html>";
        for bad in [not_found, no_list, "HTTP/1.1 200 OK\r\n\r\n", "nonsense"] {
            assert!(served(bad).await.is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_page_may_write_name_servers_as_urls() {
        let addresses = served("HTTP/1.1 200 OK\r\n\r\nhttp://a:9876;b:9876\n").await.expect("a list");
        assert_eq!(addresses, ["a:9876", "b:9876"]);
    }
}
