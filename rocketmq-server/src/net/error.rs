//! The errors of encryption.

/// Names the reason for which encryption cannot begin as it is configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecurityError {
    /// One of two settings that make sense together only.
    #[error("`{missing}` is missing: a certificate and its key are set together")]
    HalfIdentity {
        /// The setting without a value.
        missing: &'static str,
    },
    /// Nobody could connect.
    #[error(
        "`tls.server.mode` is enforcing, but there is no certificate: set `tls.server.certPath` and `tls.server.keyPath`"
    )]
    NoCertificate,
    /// Every certificate would do.
    #[error(
        "`tls.server.need.client.auth` asks for certificates, but nobody is trusted to issue them: set `tls.server.trustCertPath`"
    )]
    NoTrust,
    /// A file cannot be used.
    #[cfg(feature = "tls")]
    #[error("`{key}` cannot be used: {source}")]
    Unusable {
        /// The setting.
        key: &'static str,
        /// The fault.
        source: rocketmq_remoting::net::tls::TlsError,
    },
    /// The program cannot encrypt at all.
    #[error(
        "TLS is configured, but this program was built without it: build rocketmq-server with the feature `tls`"
    )]
    NotBuilt,
}
