//! `[rocketmq.tls]`: how connections are encrypted.

use super::parse;
use super::secret::Secret;
use super::section::Section;
use crate::error::{Mistake, MistakeKind};
use std::path::PathBuf;

/// Certificates and keys for the encrypted connections of the application.
///
/// ```
/// use rocketmq_starter::App;
///
/// let app = App::new().configure(|properties| properties.tls.enable = Some(true));
/// # drop(app);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsProperties {
    /// `enable`: encrypt, unless `tls-enable` is false. Default: false.
    pub enable: Option<bool>,
    /// `ca`: file with the certificates of the trusted authorities, in PEM. Default: the authorities this system trusts.
    pub ca: Option<PathBuf>,
    /// `cert`: file with the certificate chain for servers that ask for one, in PEM. Default: none.
    pub cert: Option<PathBuf>,
    /// `key`: file with the key of `cert`, in PEM. Default: none.
    pub key: Option<PathBuf>,
    /// `key-password`: the password of an encrypted key. Default: none.
    pub key_password: Option<Secret>,
    /// `server-name`: the name every server's certificate must carry. Default: the host that is dialled.
    pub server_name: Option<String>,
    /// `insecure`: skip the check of servers' certificates, as Java's client does by default. Default: false.
    pub insecure: Option<bool>,
}

impl TlsProperties {
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        TlsProperties {
            enable: section.switch("enable"),
            ca: section.read("ca", parse::path),
            cert: section.read("cert", parse::path),
            key: section.read("key", parse::path),
            key_password: section.secret("key-password"),
            server_name: section.text("server-name"),
            insecure: section.switch("insecure"),
        }
    }

    /// Reports settings that contradict each other. `table`: the table that holds them.
    pub(crate) fn check(&self, table: &str, mistakes: &mut Vec<Mistake>) {
        let mut wrong = |text: String| mistakes.push(Mistake::new(MistakeKind::WrongValue, text));
        match (&self.cert, &self.key) {
            (Some(_), None) => wrong(format!("`{table}.key` is missing: cert and key are set together")),
            (None, Some(_)) => wrong(format!("`{table}.cert` is missing: cert and key are set together")),
            _ => {}
        }
        if self.enable.is_none() && (self.ca.is_some() || self.cert.is_some() || self.insecure.is_some()) {
            tracing::warn!(
                "`{table}.enable` is not set: only producers and listeners with `tls-enable = true` are encrypted"
            );
        }
        if self.insecure == Some(true) && self.ca.is_some() {
            wrong(format!(
                "`{table}.insecure` is true, which makes `{table}.ca` useless: remove one of them"
            ));
        }
    }

    /// Converts the settings for the client.
    #[cfg(feature = "tls")]
    pub(crate) fn client(&self) -> rocketmq_client::TlsConfig {
        use rocketmq_client::TlsConfig;
        let mut tls = match &self.ca {
            _ if self.insecure == Some(true) => TlsConfig::insecure(),
            Some(ca) => TlsConfig::trusting(ca),
            None => TlsConfig::default(),
        };
        if let (Some(cert), Some(key)) = (&self.cert, &self.key) {
            let password = self.key_password.as_ref().map(|password| password.expose().to_owned());
            tls = tls.identity(cert, key, password);
        }
        match &self.server_name {
            Some(name) => tls.server_name(name),
            None => tls,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sources::Sources;
    use super::*;

    fn read(toml: &str) -> (TlsProperties, Vec<String>) {
        let (sources, mut mistakes) = Sources::from_toml(toml, &[]);
        let tls = TlsProperties::read(Section::new(&sources, "rocketmq.tls", &mut mistakes));
        tls.check("rocketmq.tls", &mut mistakes);
        (tls, mistakes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_key_is_read_and_the_password_is_not_shown() {
        let (tls, mistakes) = read(
            "[rocketmq.tls]\nenable=true\nca='ca.pem'\ncert='c.pem'\nkey='c.key'\nkey-password='pw-7'\n\
             server-name='brokers'\ninsecure=false",
        );
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!((tls.enable, tls.insecure), (Some(true), Some(false)));
        assert_eq!(tls.server_name.as_deref(), Some("brokers"));
        assert!(!format!("{tls:?}").contains("pw-7"), "{tls:?}");
    }

    #[test]
    fn contradictions_are_mistakes() {
        let (_, mistakes) = read("[rocketmq.tls]\nca='ca.pem'\ninsecure=true\ncert='c.pem'\nkee='k'");
        assert_eq!(mistakes.len(), 3, "{mistakes:?}");
        assert!(mistakes[0].contains("nearest known key is `key`"), "{mistakes:?}");
        assert!(mistakes[1].contains("`rocketmq.tls.key` is missing"), "{mistakes:?}");
        assert!(mistakes[2].contains("`rocketmq.tls.ca`"), "{mistakes:?}");
    }
}
