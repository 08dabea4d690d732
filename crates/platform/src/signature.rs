//! Partner servers sign what they post.
//!
//! The signature is HMAC-SHA256, keyed with the partner's secret exactly as it was shown to them, over
//! `<id>.<timestamp>.<body>`, and travels in three headers:
//!
//! ```text
//! Rapport-Signature-Id: order-4711            1 to 64 of A-Z a-z 0-9 _ -; also the idempotency key
//! Rapport-Signature-Timestamp: 1795300000     Unix seconds, at most five minutes off
//! Rapport-Signature: v1=9f86d0…               64 lower-case hexadecimal digits; up to two, by comma
//! ```
//!
//! Replay within the five minutes meets the idempotency record of the same id. A partner has at most
//! two live secrets, so that they change one without losing a request.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use crate::keys::{SubKey, hex_decode};

/// Header with the request's id.
pub const ID_HEADER: &str = "Rapport-Signature-Id";
/// Header with the instant of signing.
pub const TIMESTAMP_HEADER: &str = "Rapport-Signature-Timestamp";
/// Header with the signature.
pub const SIGNATURE_HEADER: &str = "Rapport-Signature";

/// How far the partner's clock may be from ours.
pub const TOLERANCE: TimeDelta = TimeDelta::minutes(5);
/// How many secrets of one partner may be live, and how many signatures a request may carry.
pub const MAX_LIVE_SECRETS: usize = 2;
const MAX_ID_LENGTH: usize = 64;

/// What a partner signs with; from [`crate::keys::DeploymentKey::partner_secret`].
#[derive(Clone)]
pub struct PartnerSecret {
    text: String,
    key: SubKey,
}

impl PartnerSecret {
    /// The secret as a partner was shown it and keeps it.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        let key = SubKey::from_secret(text.as_bytes());
        Self { text, key }
    }

    /// The secret itself, to show to the partner once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for PartnerSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PartnerSecret(…)")
    }
}

/// A request's signature, as its three headers carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSignature {
    /// The value of [`ID_HEADER`].
    pub id: String,
    /// The value of [`TIMESTAMP_HEADER`].
    pub timestamp: String,
    /// The value of [`SIGNATURE_HEADER`].
    pub signature: String,
}

/// Why a signature does not hold. For logs; the caller is told only that it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// One of the three headers is missing or is not text.
    #[error("a signature header is missing")]
    MissingHeader,
    /// The id is empty, too long, or holds other characters.
    #[error("the signature id is malformed")]
    MalformedId,
    /// The timestamp is not Unix seconds.
    #[error("the signature timestamp is malformed")]
    MalformedTimestamp,
    /// The timestamp is further than [`TOLERANCE`] from our clock, either way.
    #[error("the signature timestamp is too far from the present")]
    OutsideTolerance,
    /// The signature is not `v1=` and 64 hexadecimal digits, at most two of them.
    #[error("the signature is malformed")]
    MalformedSignature,
    /// No live secret made any of the signatures.
    #[error("no live secret made the signature")]
    Mismatch,
}

impl RequestSignature {
    /// Collects the three headers; `header` gives the value of the header with a name.
    ///
    /// # Errors
    /// [`SignatureError::MissingHeader`].
    pub fn from_headers<'h>(
        header: impl Fn(&str) -> Option<&'h str>,
    ) -> Result<Self, SignatureError> {
        let value = |name| {
            header(name)
                .map(str::to_owned)
                .ok_or(SignatureError::MissingHeader)
        };
        Ok(Self {
            id: value(ID_HEADER)?,
            timestamp: value(TIMESTAMP_HEADER)?,
            signature: value(SIGNATURE_HEADER)?,
        })
    }

    /// Signs `body`, as a partner's server does.
    #[must_use]
    pub fn sign(secret: &PartnerSecret, id: &str, at: DateTime<Utc>, body: &[u8]) -> Self {
        let timestamp = at.timestamp().to_string();
        let signature = secret.key.tag_hex(&message(id, &timestamp, body));
        Self {
            id: id.to_owned(),
            timestamp,
            signature: format!("v1={signature}"),
        }
    }

    /// Checks that one of the `live` secrets signed `body` within [`TOLERANCE`] of `now`.
    ///
    /// # Errors
    /// The first check that failed; the body is only read once the headers are in order.
    pub fn verify(
        &self,
        body: &[u8],
        live: &[PartnerSecret],
        now: DateTime<Utc>,
    ) -> Result<(), SignatureError> {
        if !is_id(&self.id) {
            return Err(SignatureError::MalformedId);
        }
        let at = parse_timestamp(&self.timestamp).ok_or(SignatureError::MalformedTimestamp)?;
        if (now - at).abs() > TOLERANCE {
            return Err(SignatureError::OutsideTolerance);
        }
        let tags = parse_signatures(&self.signature).ok_or(SignatureError::MalformedSignature)?;
        let message = message(&self.id, &self.timestamp, body);
        // Every secret is tried with every signature, so the time taken does not tell which was right.
        let matches = live
            .iter()
            .take(MAX_LIVE_SECRETS)
            .flat_map(|secret| tags.iter().map(move |tag| (secret, tag)))
            .filter(|(secret, tag)| secret.key.verify(&message, tag))
            .count();
        if matches == 0 {
            return Err(SignatureError::Mismatch);
        }
        Ok(())
    }
}

/// INVARIANT: neither id nor timestamp holds a dot, so no two requests read the same.
fn message(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat()
}

fn is_id(text: &str) -> bool {
    (1..=MAX_ID_LENGTH).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn parse_timestamp(text: &str) -> Option<DateTime<Utc>> {
    let digits = (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = digits.then(|| text.parse().ok()).flatten()?;
    DateTime::from_timestamp(seconds, 0)
}

fn parse_signatures(text: &str) -> Option<Vec<Vec<u8>>> {
    let tags: Vec<_> = text
        .split(',')
        .take(MAX_LIVE_SECRETS + 1)
        .map(|part| {
            let digits = part.trim().strip_prefix("v1=")?;
            (digits.len() == 64).then(|| hex_decode(digits)).flatten()
        })
        .collect::<Option<_>>()?;
    (tags.len() <= MAX_LIVE_SECRETS).then_some(tags)
}

#[cfg(test)]
mod tests {
    use domain::id::PartnerId;
    use uuid::Uuid;

    use super::*;
    use crate::keys::DeploymentKey;

    const BODY: &[u8] = br#"{"name":"x"}"#;

    fn secret(number: u32) -> PartnerSecret {
        let partner = PartnerId::from_uuid(Uuid::from_u128(1));
        DeploymentKey::from_bytes(&[7; 32]).partner_secret(partner, number)
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_300_000, 0).unwrap()
    }

    fn signed() -> RequestSignature {
        RequestSignature::sign(&secret(1), "order-4711", now(), BODY)
    }

    #[test]
    fn the_signature_is_plain_hmac_over_id_timestamp_and_body() {
        let known = PartnerSecret::from_text("rps_sample".into());
        let signature = RequestSignature::sign(&known, "order-4711", now(), BODY);
        // printf 'order-4711.1795300000.{"name":"x"}' | openssl dgst -sha256 -hmac rps_sample
        assert_eq!(
            signature.signature,
            "v1=aa517507807a31fcb3cb6da446fc6afe1f42a85dcc798af5bad7aea70b1003d6"
        );
        assert_eq!(signature.verify(BODY, &[known], now()), Ok(()));
    }

    #[test]
    fn both_live_secrets_hold_and_a_retired_one_does_not() {
        let live = [secret(1), secret(2)];
        for (number, expected) in [(1, Ok(())), (2, Ok(())), (3, Err(SignatureError::Mismatch))] {
            let signed = RequestSignature::sign(&secret(number), "a", now(), BODY);
            assert_eq!(signed.verify(BODY, &live, now()), expected, "{number}");
        }
        assert_eq!(
            signed().verify(BODY, &[], now()),
            Err(SignatureError::Mismatch)
        );
    }

    #[test]
    fn during_a_change_a_request_may_carry_both_signatures() {
        let old = RequestSignature::sign(&secret(1), "a", now(), BODY);
        let new = RequestSignature::sign(&secret(2), "a", now(), BODY);
        let both = RequestSignature {
            signature: format!("{}, {}", old.signature, new.signature),
            ..old.clone()
        };
        assert_eq!(both.verify(BODY, &[secret(2)], now()), Ok(()));
        let three = RequestSignature {
            signature: format!("{0},{0},{0}", old.signature),
            ..old
        };
        assert_eq!(
            three.verify(BODY, &[secret(1)], now()),
            Err(SignatureError::MalformedSignature)
        );
    }

    #[test]
    fn five_minutes_either_way_and_not_a_millisecond_more() {
        let limit = TimeDelta::minutes(5);
        let over = limit + TimeDelta::milliseconds(1);
        for (clock, expected) in [
            (now() + limit, Ok(())),
            (now() - limit, Ok(())),
            (now() + over, Err(SignatureError::OutsideTolerance)),
            (now() - over, Err(SignatureError::OutsideTolerance)),
        ] {
            assert_eq!(
                signed().verify(BODY, &[secret(1)], clock),
                expected,
                "{clock}"
            );
        }
    }

    #[test]
    fn what_was_changed_on_the_way_is_refused() {
        let live = [secret(1)];
        let with = |change: fn(&mut RequestSignature)| {
            let mut changed = signed();
            change(&mut changed);
            changed.verify(BODY, &live, now())
        };
        use SignatureError::*;
        assert_eq!(signed().verify(b"{}", &live, now()), Err(Mismatch));
        assert_eq!(with(|s| s.id = "order-4712".into()), Err(Mismatch));
        assert_eq!(with(|s| s.timestamp = "1795300001".into()), Err(Mismatch));
        assert_eq!(with(|s| s.id = String::new()), Err(MalformedId));
        assert_eq!(with(|s| s.id = "a.b".into()), Err(MalformedId));
        assert_eq!(with(|s| s.id = "a".repeat(65)), Err(MalformedId));
        for timestamp in ["", "+1795300000", "1795300000.0", "now", "9999999999999"] {
            let mut changed = signed();
            changed.timestamp = timestamp.into();
            assert_eq!(changed.verify(BODY, &live, now()), Err(MalformedTimestamp));
        }
        let upper = signed().signature.to_uppercase().replace("V1", "v1");
        for signature in ["", "v1=", "v2=00", "v1=00", &upper] {
            let mut changed = signed();
            changed.signature = signature.into();
            assert_eq!(changed.verify(BODY, &live, now()), Err(MalformedSignature));
        }
    }

    #[test]
    fn headers_are_read_by_name_and_all_are_needed() {
        let signed = signed();
        let headers = |missing: &'static str| {
            let signed = &signed;
            move |name: &str| match name {
                name if name == missing => None,
                ID_HEADER => Some(signed.id.as_str()),
                TIMESTAMP_HEADER => Some(signed.timestamp.as_str()),
                SIGNATURE_HEADER => Some(signed.signature.as_str()),
                _ => None,
            }
        };
        assert_eq!(
            RequestSignature::from_headers(headers("")),
            Ok(signed.clone())
        );
        for missing in [ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER] {
            assert_eq!(
                RequestSignature::from_headers(headers(missing)),
                Err(SignatureError::MissingHeader)
            );
        }
    }

    #[test]
    fn secrets_differ_by_partner_and_number_and_are_never_printed() {
        let other = DeploymentKey::from_bytes(&[7; 32])
            .partner_secret(PartnerId::from_uuid(Uuid::from_u128(2)), 1);
        assert_ne!(secret(1).reveal(), secret(2).reveal());
        assert_ne!(secret(1).reveal(), other.reveal());
        assert_eq!(format!("{other:?}"), "PartnerSecret(…)");
    }
}
