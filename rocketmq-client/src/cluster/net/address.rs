//! Addresses as texts.

use std::io;

/// Splits an address into host and port at the last colon: brokers register bare IPv6 addresses too.
pub(crate) fn target(address: &str) -> io::Result<(&str, u16)> {
    let parts = address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    let (host, port) = parts.ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("\"{address}\" is not host:port"))
    })?;
    Ok((host.trim_start_matches('[').trim_end_matches(']'), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_split_at_the_last_colon() {
        assert_eq!(target("host:1").expect("fine"), ("host", 1));
        assert_eq!(target("::1:9876").expect("fine"), ("::1", 9876));
        assert_eq!(target("[::1]:9876").expect("fine"), ("::1", 9876));
        for bad in ["host", "host:", "host:70000"] {
            assert!(target(bad).is_err(), "{bad}");
        }
    }
}
