//! The deployment key, and the keys derived from it: one for each use, so that what is made for one
//! use is worth nothing for another.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::id::PartnerId;
use ring::hmac::{HMAC_SHA256, Key, Tag, sign, verify};

use crate::blobs::BlobLinkKey;
use crate::digest::DigestKey;
use crate::form::FormKey;
use crate::hint::HintKey;
use crate::link::{LinkKey, LinkPurpose};
use crate::signature::PartnerSecret;

/// The one secret of a deployment. Everything else that must be unguessable is derived from it.
pub struct DeploymentKey {
    key: SubKey,
}

/// Text that is not a deployment key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a deployment key is 32 random bytes as 64 hexadecimal digits; make one with `openssl rand -hex 32`"
)]
pub struct ParseDeploymentKeyError;

impl DeploymentKey {
    /// The key with these bytes, which must be random.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self {
            key: SubKey(Key::new(HMAC_SHA256, bytes)),
        }
    }

    /// Reads 64 hexadecimal digits, as a deployment's configuration holds them.
    ///
    /// # Errors
    /// The text is anything else. The error does not repeat it.
    pub fn from_hex(text: &str) -> Result<Self, ParseDeploymentKeyError> {
        let bytes = hex_decode(text).ok_or(ParseDeploymentKeyError)?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| ParseDeploymentKeyError)?;
        Ok(Self::from_bytes(&bytes))
    }

    /// Makes and checks the link tokens of one purpose.
    #[must_use]
    pub fn links(&self, purpose: LinkPurpose) -> LinkKey {
        LinkKey(self.derive(&["link", purpose.name()]))
    }

    /// Makes and checks form tokens.
    #[must_use]
    pub fn forms(&self) -> FormKey {
        FormKey(self.derive(&["form"]))
    }

    /// Makes and checks the tokens of links to blobs.
    #[must_use]
    pub fn blob_links(&self) -> BlobLinkKey {
        BlobLinkKey(self.derive(&["blob links"]))
    }

    /// Turns contact details into hints.
    #[must_use]
    pub fn hints(&self) -> HintKey {
        HintKey(self.derive(&["hint"]))
    }

    /// Makes digests of what is to be recognised, and not to be read.
    #[must_use]
    pub fn digests(&self) -> DigestKey {
        DigestKey(self.derive(&["digest"]))
    }

    /// The partner's signing secret with this number.
    ///
    /// Only the numbers that are live need storing: a secret is shown to the partner once, derived
    /// again for every check, and revoked by dropping its number.
    #[must_use]
    pub fn partner_secret(&self, partner: PartnerId, number: u32) -> PartnerSecret {
        let tag = self.key.tag(&derivation(&[
            "partner",
            &partner.to_string(),
            &number.to_string(),
        ]));
        PartnerSecret::from_text(format!("rps_{}", URL_SAFE_NO_PAD.encode(tag)))
    }

    fn derive(&self, labels: &[&str]) -> SubKey {
        let tag = self.key.tag(&derivation(labels));
        SubKey(Key::new(HMAC_SHA256, tag.as_ref()))
    }
}

impl fmt::Debug for DeploymentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeploymentKey(…)")
    }
}

/// INVARIANT: labels hold no slash, so no two lists of labels read the same.
fn derivation(labels: &[&str]) -> Vec<u8> {
    format!("rapport/{}", labels.join("/")).into_bytes()
}

/// A key for one use. HMAC-SHA256, compared in constant time.
#[derive(Clone)]
pub(crate) struct SubKey(Key);

impl SubKey {
    pub(crate) fn from_secret(secret: &[u8]) -> Self {
        Self(Key::new(HMAC_SHA256, secret))
    }

    pub(crate) fn tag(&self, message: &[u8]) -> Tag {
        sign(&self.0, message)
    }

    /// The tag as URL-safe text.
    pub(crate) fn tag_text(&self, message: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(self.tag(message))
    }

    pub(crate) fn tag_hex(&self, message: &[u8]) -> String {
        hex_encode(self.tag(message).as_ref())
    }

    pub(crate) fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        verify(&self.0, message, tag).is_ok()
    }

    /// Whether `text` is exactly [`Self::tag_text`] of `message`.
    pub(crate) fn verify_text(&self, message: &[u8], text: &str) -> bool {
        // The decoder accepts one spelling per tag: no padding, no stray trailing bits.
        URL_SAFE_NO_PAD
            .decode(text)
            .is_ok_and(|tag| self.verify(message, &tag))
    }
}

impl fmt::Debug for SubKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubKey(…)")
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex_encode(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(
        String::with_capacity(bytes.len().saturating_mul(2)),
        |mut text, byte| {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        },
    )
}

/// Reads lower-case hexadecimal; `None` for anything else, so each value has one spelling.
pub(crate) fn hex_decode(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|[high, low]| Some((digit(*high)? << 4) | digit(*low)?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> DeploymentKey {
        DeploymentKey::from_bytes(&[7; 32])
    }

    #[test]
    fn a_key_reads_from_exactly_64_hexadecimal_digits() {
        let text = "07".repeat(32);
        let read = DeploymentKey::from_hex(&text).unwrap();
        assert_eq!(read.key.tag_hex(b"x"), key().key.tag_hex(b"x"));
        for refused in [
            "",
            "07",
            &"07".repeat(31),
            &"07".repeat(33),
            &"0g".repeat(32),
        ] {
            assert!(DeploymentKey::from_hex(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn every_use_has_a_key_of_its_own() {
        let key = key();
        let tags = [
            key.links(LinkPurpose::Activation).0.tag_hex(b"same"),
            key.links(LinkPurpose::Calendar).0.tag_hex(b"same"),
            key.forms().0.tag_hex(b"same"),
            key.blob_links().0.tag_hex(b"same"),
            key.hints().0.tag_hex(b"same"),
            key.digests().0.tag_hex(b"same"),
            DeploymentKey::from_bytes(&[8; 32])
                .forms()
                .0
                .tag_hex(b"same"),
        ];
        let distinct: std::collections::BTreeSet<_> = tags.iter().collect();
        assert_eq!(distinct.len(), tags.len());
    }

    #[test]
    fn nothing_secret_is_printed() {
        assert_eq!(format!("{:?}", key()), "DeploymentKey(…)");
        assert_eq!(format!("{:?}", key().forms()), "FormKey(SubKey(…))");
    }

    #[test]
    fn hexadecimal_has_one_spelling() {
        assert_eq!(hex_encode(&[0, 171, 255]), "00abff");
        assert_eq!(hex_decode("00abff"), Some(vec![0, 171, 255]));
        for refused in ["0", "0x", "AB", " 0", "é0"] {
            assert_eq!(hex_decode(refused), None, "{refused}");
        }
    }
}
