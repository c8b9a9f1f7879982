//! Signatures: Intercom's on its webhooks, and Standard Webhooks' towards bots, both ways.
//!
//! Comparison is in constant time (`Mac::verify_slice`). The forms are strict: what the sender
//! would not send is not a signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::Sha256;

use super::ids::Timestamp;

/// A secret key. It shows itself to nobody: not in `Debug`, not in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Vec<u8>);

impl Key {
    /// A key from its bytes.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// A Standard Webhooks key from its text: `whsec_` and base64 of 24 to 64 bytes.
    #[must_use]
    pub fn from_whsec(text: &str) -> Option<Self> {
        let bytes = BASE64.decode(text.strip_prefix("whsec_")?).ok()?;
        (24..=64).contains(&bytes.len()).then_some(Self(bytes))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Whether `header` is Intercom's signature of these very bytes: `sha1=` and 40 lower-case hex
/// digits, HMAC-SHA1 with the app's client secret (Intercom's webhook documentation). Any of the
/// keys may have signed; all are tried, so that the time tells nothing of which.
#[must_use]
pub fn is_intercoms(header: &[u8], body: &[u8], keys: &[Key]) -> bool {
    let Some(given) = header.strip_prefix(b"sha1=").and_then(decode_hex) else { return false };
    let mut genuine = false;
    for key in keys {
        if let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&key.0) {
            mac.update(body);
            genuine |= mac.verify_slice(&given).is_ok();
        }
    }
    genuine
}

/// Exactly 40 lower-case hex digits.
fn decode_hex(text: &[u8]) -> Option<[u8; 20]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if text.len() != 40 {
        return None;
    }
    let mut bytes = [0; 20];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

/// How far a Standard Webhooks timestamp may lie from our clock, in seconds, as the specification
/// recommends.
pub const TOLERANCE_SECONDS: u64 = 5 * 60;

/// How many signatures of one message are looked at: more than any rotation of keys needs.
const MAX_SIGNATURES: usize = 8;

/// Why a Standard Webhooks message is not genuine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotGenuine {
    /// `webhook-timestamp` is no number of seconds.
    #[error("webhook-timestamp must be Unix seconds")]
    BadTimestamp,
    /// It is too far from now.
    #[error("webhook-timestamp is more than {TOLERANCE_SECONDS} s away from now")]
    OutOfTime,
    /// No signature fits.
    #[error("webhook-signature does not fit")]
    NoMatch,
}

fn standard_mac(key: &Key, id: &str, timestamp: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).ok()?;
    mac.update(id.as_bytes());
    mac.update(b".");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac)
}

/// The `webhook-signature` of a message: `v1,` and base64 of HMAC-SHA256 over
/// `id.timestamp.body`.
#[must_use]
pub fn sign(key: &Key, id: &str, at: Timestamp, body: &[u8]) -> String {
    let timestamp = at.seconds().to_string();
    let mac = standard_mac(key, id, &timestamp, body);
    let code = mac.map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default();
    format!("v1,{}", BASE64.encode(code))
}

/// Checks a Standard Webhooks message. `signatures` is the header: one or more, parted by spaces.
///
/// # Errors
/// [`NotGenuine`] says what does not fit.
pub fn verify(
    key: &Key,
    id: &str,
    timestamp: &str,
    signatures: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), NotGenuine> {
    let plain_number = !timestamp.is_empty() && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: u64 = timestamp.parse().ok().filter(|_| plain_number).ok_or(NotGenuine::BadTimestamp)?;
    if seconds.abs_diff(now.seconds()) > TOLERANCE_SECONDS {
        return Err(NotGenuine::OutOfTime);
    }
    let mac = standard_mac(key, id, timestamp, body).ok_or(NotGenuine::NoMatch)?;
    let given = signatures.split(' ').filter_map(|signature| signature.strip_prefix("v1,")).take(MAX_SIGNATURES);
    let genuine = given.fold(false, |genuine, encoded| {
        let code = BASE64.decode(encoded).unwrap_or_default();
        genuine | mac.clone().verify_slice(&code).is_ok()
    });
    if genuine { Ok(()) } else { Err(NotGenuine::NoMatch) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intercoms_signature_is_hmac_sha1_of_the_raw_bytes() {
        // RFC 2202, test case 2.
        let key = [Key::new("Jefe")];
        let body = b"what do ya want for nothing?";
        let header = b"sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";
        assert!(is_intercoms(header, body, &key));
        assert!(is_intercoms(header, body, &[Key::new("other"), Key::new("Jefe")]));
        assert!(!is_intercoms(header, body, &[]));
    }

    #[test]
    fn only_the_exact_form_is_a_signature() {
        let key = [Key::new("Jefe")];
        let body = b"what do ya want for nothing?";
        for header in [
            "",
            "sha1=",
            "sha1=EFFCDF6AE5EB2FA2D27416D5F184DF9C259A7C79",
            "sha256=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c7",
            "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c790",
            "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79 ",
            " sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            "SHA1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
        ] {
            assert!(!is_intercoms(header.as_bytes(), body, &key), "{header:?} passed");
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed() {
        let key = [Key::new("Jefe")];
        let header = b"sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";
        let body = b"what do ya want for nothing?";
        for position in 0..body.len() * 8 {
            let mut altered = body.to_vec();
            altered[position / 8] ^= 1 << (position % 8);
            assert!(!is_intercoms(header, &altered, &key));
        }
    }

    #[test]
    fn a_standard_webhook_survives_the_way_and_nothing_else_does() {
        // The key, message and signature of the specification's own example.
        let key = Key::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let at = Timestamp::from_seconds(1_614_265_330);
        let body = br#"{"test": 2432232314}"#;
        let signature = sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let check = |id: &str, time: &str, signatures: &str, body: &[u8], now: Timestamp| {
            verify(&key, id, time, signatures, body, now)
        };
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        assert_eq!(check(id, "1614265330", &format!("v1,AAAA {signature}"), body, at), Ok(()));
        assert_eq!(check("other", "1614265330", &signature, body, at), Err(NotGenuine::NoMatch));
        assert_eq!(check(id, "1614265330", &signature, b"{}", at), Err(NotGenuine::NoMatch));
        assert_eq!(check(id, "1614265331", &signature, body, at), Err(NotGenuine::NoMatch));
        assert_eq!(check(id, "+1614265330", &signature, body, at), Err(NotGenuine::BadTimestamp));
        assert_eq!(check(id, "1614265330", &signature, body, at.plus_ms(301_000)), Err(NotGenuine::OutOfTime));
    }

    #[test]
    fn a_key_does_not_show_itself() {
        assert_eq!(format!("{:?}", Key::new("Jefe")), "Key(…)");
    }
}
