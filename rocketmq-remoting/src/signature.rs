//! The signature that brokers with access control demand: HMAC-SHA1 over the values of all fields, in the order of the
//! fields' names, then over the body. It does not cover the code, the remark and the rest of the header.
//!
//! ```
//! use rocketmq_remoting::{Command, RequestCode, signature};
//!
//! let mut request = Command::request(RequestCode::GET_MAX_OFFSET);
//! request.ext.push("topic", "orders");
//! request.ext.push("queueId", "0");
//! signature::sign(&mut request, "user", "secret", None); // the last change before the request is sent
//! assert!(signature::verify(&request, "secret"));
//! assert!(!signature::verify(&request, "guess"));
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use crate::Command;

/// Name of the field with the user.
pub const ACCESS_KEY: &str = "AccessKey";
/// Name of the field with the signature.
pub const SIGNATURE: &str = "Signature";
/// Name of the field with the token of temporary credentials.
pub const SECURITY_TOKEN: &str = "SecurityToken";
/// Name of a field of QUERY_MESSAGE. Clients sign it; servers up to 4.9 leave it out of the comparison.
const UNIQUE_KEY_QUERY: &str = "_UNIQUE_KEY_QUERY";

/// Signs `command`. A later change of its fields or body breaks the signature; signing again replaces it.
pub fn sign(command: &mut Command, access_key: &str, secret_key: &str, security_token: Option<&str>) {
    command.ext.set(ACCESS_KEY, access_key);
    if let Some(token) = security_token {
        command.ext.set(SECURITY_TOKEN, token);
    }
    command.ext.remove(SIGNATURE);
    // HMAC takes a key of any length, so this cannot fail. If it did, the server would refuse the empty signature.
    let signature =
        digest(command, secret_key, |_| true).map(|mac| STANDARD.encode(mac.finalize().into_bytes()));
    command.ext.push(SIGNATURE, &signature.unwrap_or_default());
}

/// Returns true if `command` carries the signature that `secret_key` yields. The time it takes does not tell where two
/// signatures differ.
///
/// Accepts a signature with or without `_UNIQUE_KEY_QUERY`: old and new clients differ in this.
pub fn verify(command: &Command, secret_key: &str) -> bool {
    let Some(signature) = command.ext.get(SIGNATURE).and_then(|text| STANDARD.decode(text).ok()) else {
        return false;
    };
    let holds = |covered: fn(&str) -> bool| {
        digest(command, secret_key, covered).is_some_and(|mac| mac.verify_slice(&signature).is_ok())
    };
    holds(|_| true) || (command.ext.get(UNIQUE_KEY_QUERY).is_some() && holds(|name| name != UNIQUE_KEY_QUERY))
}

fn digest(command: &Command, secret_key: &str, covered: impl Fn(&str) -> bool) -> Option<Hmac<Sha1>> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret_key.as_bytes()).ok()?;
    values(command, covered).into_iter().for_each(|value| mac.update(value.as_bytes()));
    mac.update(&command.body);
    Some(mac)
}

/// Returns the values that the signature of `command` covers before the body, in the order of their names.
pub fn covered(command: &Command) -> Vec<&str> {
    values(command, |_| true)
}

/// Lists the covered values by name. Of two fields with the same name the last counts, as for every reader of the header.
fn values(command: &Command, covered: impl Fn(&str) -> bool) -> Vec<&str> {
    let mut fields: Vec<(&str, &str)> =
        command.ext.iter().filter(|(name, _)| *name != SIGNATURE && covered(name)).collect();
    fields.reverse();
    fields.sort_by_key(|(name, _)| *name);
    fields.dedup_by_key(|(name, _)| *name);
    fields.into_iter().map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RequestCode;

    const SECRET: &str = "12345678";

    fn signed(fields: &[(&str, &str)], token: Option<&str>) -> Command {
        let mut command = Command::request(RequestCode::SEND_MESSAGE);
        fields.iter().for_each(|(name, value)| command.ext.push(name, value));
        sign(&mut command, "RocketMQ", SECRET, token);
        command
    }

    #[test]
    fn the_signature_equals_that_of_java() {
        let command = signed(&[("topic", "T1"), ("queueId", "0"), ("a", "z")], None);
        assert_eq!(command.ext.get(SIGNATURE), Some("YaIUc7IsvoKoxzcHEaNxuyfXPiw="));
        assert_eq!(signed(&[("topic", "T1")], None).ext.get(SIGNATURE), Some("vpen6+nTYW8GvuhQzHwBg+mt/oA="));
    }

    #[test]
    fn the_token_is_covered_and_signing_twice_changes_nothing() {
        let mut command = signed(&[("topic", "T1")], Some("t"));
        assert_ne!(command.ext.get(SIGNATURE), signed(&[("topic", "T1")], None).ext.get(SIGNATURE));
        let first = command.clone();
        sign(&mut command, "RocketMQ", SECRET, Some("t"));
        assert_eq!(command, first);
    }

    #[test]
    fn only_the_signature_of_the_same_secret_and_content_holds() {
        let command = signed(&[("topic", "T1")], None).with_body("42");
        assert!(!verify(&command, SECRET), "the body came after the signature");
        let mut command = Command::request(RequestCode::SEND_MESSAGE).with_body("42");
        command.ext.push("topic", "T1");
        sign(&mut command, "RocketMQ", SECRET, None);
        assert!(verify(&command, SECRET));
        assert!(!verify(&command, "12345679"));
        command.ext.push("topic", "T2");
        assert!(!verify(&command, SECRET), "a second field of the same name takes the place of the first");
        for text in ["", "x", "AAAA", "!"] {
            command.ext.set(SIGNATURE, text);
            assert!(!verify(&command, SECRET), "{text:?}");
        }
    }

    #[test]
    fn the_mark_of_a_query_by_unique_key_may_be_signed_or_not() {
        let mut command = signed(&[("topic", "T1")], None);
        command.ext.push(UNIQUE_KEY_QUERY, "true");
        assert!(verify(&command, SECRET), "as a client of 4.9.3 and older signs");
        assert!(verify(&signed(&[("topic", "T1"), (UNIQUE_KEY_QUERY, "true")], None), SECRET));
    }
}
