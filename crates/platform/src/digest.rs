//! Digests of what is to be recognised when it comes again: keyed, so that what they were made of can
//! be neither read nor tried out without the key.

use crate::keys::SubKey;

/// Makes digests; from [`crate::keys::DeploymentKey::digests`].
#[derive(Debug, Clone)]
pub struct DigestKey(pub(crate) SubKey);

impl DigestKey {
    /// The digest of these texts, in their order.
    #[must_use]
    pub fn of<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> String {
        let mut message = Vec::new();
        for text in texts {
            // With its length: no two lists of texts read the same.
            message.extend_from_slice(&text.len().to_be_bytes());
            message.extend_from_slice(text.as_bytes());
        }
        self.0.tag_text(&message)
    }
}

#[cfg(test)]
mod tests {
    use crate::keys::DeploymentKey;

    #[test]
    fn a_digest_tells_apart_texts_their_order_and_where_they_end() {
        let key = DeploymentKey::from_bytes(&[7; 32]).digests();
        let other = DeploymentKey::from_bytes(&[8; 32]).digests();
        assert_eq!(key.of(["a", "b"]), key.of(["a", "b"]));
        let different = [
            key.of(["a", "b"]),
            key.of(["b", "a"]),
            key.of(["ab", ""]),
            key.of(["ab"]),
            other.of(["a", "b"]),
        ];
        let distinct: std::collections::BTreeSet<_> = different.iter().collect();
        assert_eq!(distinct.len(), different.len());
    }
}
