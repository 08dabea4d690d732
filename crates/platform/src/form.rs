//! Form tokens: what a partner's browser form carries, so that only a form we handed out, and lately, is
//! accepted, and sent twice counts once.
//!
//! A token is `<issued, Unix milliseconds>.<nonce>.<mac>`, and the mac covers the partner too.

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::PartnerId;

use crate::keys::{SubKey, hex_decode, hex_encode};

/// How long somebody may take to fill a form in.
pub const MAX_AGE: TimeDelta = TimeDelta::hours(24);
/// Two of our processes may disagree about the time by this much.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);
const MAX_LENGTH: usize = 128;

/// Makes and checks form tokens; from [`crate::keys::DeploymentKey::forms`].
#[derive(Debug, Clone)]
pub struct FormKey(pub(crate) SubKey);

/// A genuine, fresh token's contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormToken {
    /// 32 hexadecimal digits, one value per form handed out: the idempotency key of what it sends.
    pub nonce: String,
    /// When the form was handed out.
    pub issued_at: DateTime<Utc>,
}

/// Why a form token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormTokenError {
    /// Malformed, forged, or handed out for another partner.
    #[error("not a form token of this deployment and partner")]
    Forged,
    /// Genuine, and older than [`MAX_AGE`]: the form can be opened anew.
    #[error("the form was opened too long ago")]
    Expired,
    /// Genuine, and issued in the future.
    #[error("the form token was issued in the future")]
    Early,
}

impl FormKey {
    /// A token for a form of `partner`; `nonce` is fresh random bytes.
    #[must_use]
    pub fn issue(&self, partner: PartnerId, now: DateTime<Utc>, nonce: &[u8; 16]) -> String {
        let named = format!("{}.{}", now.timestamp_millis(), hex_encode(nonce));
        let mac = self.0.tag_text(&message(partner, &named));
        format!("{named}.{mac}")
    }

    /// Reads a token issued for `partner` within [`MAX_AGE`].
    ///
    /// # Errors
    /// Why it is refused.
    pub fn verify(
        &self,
        token: &str,
        partner: PartnerId,
        now: DateTime<Utc>,
    ) -> Result<FormToken, FormTokenError> {
        let read = self.read(token, partner).ok_or(FormTokenError::Forged)?;
        if now - read.issued_at > MAX_AGE {
            return Err(FormTokenError::Expired);
        }
        if read.issued_at - now > CLOCK_SKEW {
            return Err(FormTokenError::Early);
        }
        Ok(read)
    }

    fn read(&self, token: &str, partner: PartnerId) -> Option<FormToken> {
        if token.len() > MAX_LENGTH {
            return None;
        }
        let (named, mac) = token.rsplit_once('.')?;
        if !self.0.verify_text(&message(partner, named), mac) {
            return None;
        }
        let (issued, nonce) = named.split_once('.')?;
        hex_decode(nonce)?;
        Some(FormToken {
            nonce: nonce.to_owned(),
            issued_at: DateTime::from_timestamp_millis(issued.parse().ok()?)?,
        })
    }
}

fn message(partner: PartnerId, named: &str) -> Vec<u8> {
    format!("{partner}.{named}").into_bytes()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::keys::DeploymentKey;

    const NONCE: [u8; 16] = [0xab; 16];

    fn key() -> FormKey {
        DeploymentKey::from_bytes(&[7; 32]).forms()
    }

    fn partner(number: u128) -> PartnerId {
        PartnerId::from_uuid(Uuid::from_u128(number))
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_795_300_000_123).unwrap()
    }

    #[test]
    fn a_token_gives_its_nonce_back_for_a_day() {
        let token = key().issue(partner(1), now(), &NONCE);
        let read = FormToken {
            nonce: "ab".repeat(16),
            issued_at: now(),
        };
        let late = now() + MAX_AGE + TimeDelta::milliseconds(1);
        for (clock, expected) in [
            (now(), Ok(read.clone())),
            (now() + MAX_AGE, Ok(read.clone())),
            (late, Err(FormTokenError::Expired)),
            (now() - CLOCK_SKEW, Ok(read)),
            (now() - TimeDelta::minutes(2), Err(FormTokenError::Early)),
        ] {
            assert_eq!(key().verify(&token, partner(1), clock), expected, "{clock}");
        }
    }

    #[test]
    fn another_partners_or_deployments_or_a_changed_token_is_forged() {
        let token = key().issue(partner(1), now(), &NONCE);
        let foreign = DeploymentKey::from_bytes(&[8; 32])
            .forms()
            .issue(partner(1), now(), &NONCE);
        let later = token.replacen("1795300000123", "1795300000124", 1);
        for refused in [foreign.as_str(), later.as_str(), "", "..", &"a".repeat(200)] {
            let verified = key().verify(refused, partner(1), now());
            assert_eq!(verified, Err(FormTokenError::Forged), "{refused}");
        }
        let verified = key().verify(&token, partner(2), now());
        assert_eq!(verified, Err(FormTokenError::Forged));
    }
}
