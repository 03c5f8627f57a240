//! Settings of TLS, under the names of Apache's system properties and of its `tls.properties`.

use std::fmt;
use std::path::{Path, PathBuf};

use super::kind::Words;

/// The peers that a listening side takes. Both kinds come on the same port; the first byte tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsMode {
    /// Peers that encrypt are hung up on.
    Disabled,
    /// Both kinds are served.
    #[default]
    Permissive,
    /// Peers that do not encrypt are hung up on.
    Enforcing,
}

impl TlsMode {
    /// The word for it in a configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Permissive => "permissive",
            Self::Enforcing => "enforcing",
        }
    }
}

/// The certificates that peers who encrypt have to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientAuth {
    /// They are not asked.
    #[default]
    None,
    /// They are asked; what they show must be good.
    Optional,
    /// Without one they are hung up on.
    Require,
}

pub(super) const MODE: Words<TlsMode> = Words {
    words: &[
        ("permissive", TlsMode::Permissive),
        ("enforcing", TlsMode::Enforcing),
        ("disabled", TlsMode::Disabled),
    ],
    expected: "permissive, enforcing or disabled",
};

pub(super) const CLIENT_AUTH: Words<ClientAuth> = Words {
    words: &[
        ("none", ClientAuth::None),
        ("optional", ClientAuth::Optional),
        ("require", ClientAuth::Require),
    ],
    expected: "none, optional or require",
};

/// The encryption of connections: of those that come in, and of those that a broker makes to its name servers.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsConfig {
    /// Default: permissive.
    pub mode: TlsMode,
    /// Without a certificate, use one made up at start, which no client can verify; and verify no name server.
    /// Default: on, as Apache's.
    pub test_mode: bool,
    /// A file with further `tls.` settings, which win over others. Default of the programs:
    /// `/etc/rocketmq/tls.properties`, where there is one.
    pub config_file: Option<PathBuf>,
    /// The certificate chain to show, in PEM. Read again when it changes.
    pub certificate: Option<PathBuf>,
    /// Its key, in PEM: PKCS#8, PKCS#1 or SEC1.
    pub key: Option<PathBuf>,
    /// The password of an encrypted key.
    pub key_password: Option<String>,
    /// Default: none.
    pub client_auth: ClientAuth,
    /// The authorities that issue the certificates of clients, in PEM.
    pub trust: Option<PathBuf>,
    /// Encrypt connections to name servers. Default: only in enforcing mode.
    pub outgoing: Option<bool>,
    /// Verify the name servers. Default: on.
    pub verify: bool,
    /// The authorities that issue their certificates, in PEM. Default: those this system trusts.
    pub outgoing_trust: Option<PathBuf>,
    /// The certificate chain to show to name servers that ask, in PEM.
    pub outgoing_certificate: Option<PathBuf>,
    /// Its key, in PEM.
    pub outgoing_key: Option<PathBuf>,
    /// The password of that key.
    pub outgoing_key_password: Option<String>,
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self {
            mode: TlsMode::default(),
            test_mode: true,
            config_file: None,
            certificate: None,
            key: None,
            key_password: None,
            client_auth: ClientAuth::default(),
            trust: None,
            outgoing: None,
            verify: true,
            outgoing_trust: None,
            outgoing_certificate: None,
            outgoing_key: None,
            outgoing_key_password: None,
        }
    }
}

impl TlsConfig {
    const USUAL_FILE: &str = "/etc/rocketmq/tls.properties";

    /// The file with further settings: the one named, or the usual one if it is there.
    pub(super) fn file(&self) -> Option<PathBuf> {
        let usual = || Some(Path::new(Self::USUAL_FILE)).filter(|path| path.exists()).map(Path::to_owned);
        self.config_file.clone().or_else(usual)
    }

    /// Returns true if connections to name servers are encrypted.
    pub fn is_outgoing(&self) -> bool {
        self.outgoing.unwrap_or(self.mode == TlsMode::Enforcing)
    }
}

/// Passwords are not shown.
impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig")
            .field("mode", &self.mode)
            .field("certificate", &self.certificate)
            .field("client_auth", &self.client_auth)
            .field("trust", &self.trust)
            .field("outgoing", &self.outgoing)
            .finish_non_exhaustive()
    }
}

/// The keys of a program whose `network.tls` is a [`TlsConfig`].
macro_rules! tls_keys {
    () => {
        &[
            key!("tls.server.mode", MODE, network.tls.mode),
            key!("tls.test.mode.enable", Plain, network.tls.test_mode),
            key!("tls.config.file", Optional, network.tls.config_file),
            key!("tls.server.certPath", Optional, network.tls.certificate),
            key!("tls.server.keyPath", Optional, network.tls.key),
            key!(secret "tls.server.keyPassword", Hidden, network.tls.key_password),
            key!("tls.server.need.client.auth", CLIENT_AUTH, network.tls.client_auth),
            key!("tls.server.trustCertPath", Optional, network.tls.trust),
            key!("tls.enable", Optional, network.tls.outgoing),
            key!("tls.client.authServer", Plain, network.tls.verify),
            key!("tls.client.trustCertPath", Optional, network.tls.outgoing_trust),
            key!("tls.client.certPath", Optional, network.tls.outgoing_certificate),
            key!("tls.client.keyPath", Optional, network.tls.outgoing_key),
            key!(secret "tls.client.keyPassword", Hidden, network.tls.outgoing_key_password),
        ]
    };
}
pub(super) use tls_keys;
