//! Signing requests with an access key, as brokers with access control demand.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rocketmq_remoting::Command;
use sha1::Sha1;

const ACCESS_KEY: &str = "AccessKey";
const SIGNATURE: &str = "Signature";
const SECURITY_TOKEN: &str = "SecurityToken";

/// An access key and its secret. `Debug` shows neither secret nor token.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    access_key: String,
    secret_key: String,
    security_token: Option<String>,
}

impl Credentials {
    /// An access key (the user's name) and its secret.
    pub fn new(access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self { access_key: access_key.into(), secret_key: secret_key.into(), security_token: None }
    }

    /// Adds the token of temporary credentials.
    #[must_use]
    pub fn with_security_token(mut self, token: impl Into<String>) -> Self {
        self.security_token = Some(token.into());
        self
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

/// Where credentials come from. Asked for every request, so a source that renews them keeps the current
/// ones at hand and never blocks.
pub trait CredentialsSource: Send + Sync + 'static {
    /// The credentials to sign with now.
    fn credentials(&self) -> Arc<Credentials>;
}

impl CredentialsSource for Arc<Credentials> {
    fn credentials(&self) -> Arc<Credentials> {
        self.clone()
    }
}

/// Signs `command`: the values of all fields in the order of their names, then the body. Nothing may be
/// added to the header afterwards.
pub(crate) fn sign(command: &mut Command, credentials: &Credentials) {
    command.ext.set(ACCESS_KEY, &credentials.access_key);
    if let Some(token) = &credentials.security_token {
        command.ext.set(SECURITY_TOKEN, token);
    }
    command.ext.remove(SIGNATURE);
    let signature = signature(command, &credentials.secret_key);
    command.ext.push(SIGNATURE, &signature);
}

fn signature(command: &Command, secret: &str) -> String {
    let mut fields: Vec<(&str, &str)> = command.ext.iter().collect();
    fields.sort_unstable_by_key(|(name, _)| *name);
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret.as_bytes()) else {
        // HMAC takes a key of any length; a server refuses an empty signature.
        return String::new();
    };
    fields.iter().for_each(|(_, value)| mac.update(value.as_bytes()));
    mac.update(&command.body);
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use rocketmq_remoting::RequestCode;

    use super::*;

    fn signed(fields: &[(&str, &str)], credentials: &Credentials) -> Command {
        let mut command = Command::request(RequestCode::SEND_MESSAGE);
        fields.iter().for_each(|(name, value)| command.ext.push(name, value));
        sign(&mut command, credentials);
        command
    }

    #[test]
    fn the_signature_is_javas() {
        let user = Credentials::new("RocketMQ", "12345678");
        let command = signed(&[("topic", "T1"), ("queueId", "0"), ("a", "z")], &user);
        assert_eq!(command.ext.get(SIGNATURE), Some("YaIUc7IsvoKoxzcHEaNxuyfXPiw="));
        let command = signed(&[("topic", "T1")], &user);
        assert_eq!(command.ext.get(SIGNATURE), Some("vpen6+nTYW8GvuhQzHwBg+mt/oA="));
    }

    #[test]
    fn the_token_is_part_of_what_is_signed_and_signing_twice_changes_nothing() {
        let plain = Credentials::new("u", "s");
        let token = plain.clone().with_security_token("t");
        let mut command = signed(&[("topic", "T1")], &token);
        assert_ne!(command.ext.get(SIGNATURE), signed(&[("topic", "T1")], &plain).ext.get(SIGNATURE));
        let first = command.ext.get(SIGNATURE).map(str::to_owned);
        sign(&mut command, &token);
        assert_eq!(command.ext.get(SIGNATURE).map(str::to_owned), first);
        assert_eq!(command.ext.len(), 4);
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", Credentials::new("user", "hush").with_security_token("psst"));
        assert!(shown.contains("user") && !shown.contains("hush") && !shown.contains("psst"));
    }
}
