//! Link tokens: what makes a mailed activation link or a calendar feed unguessable.
//!
//! A token is `<id>.<generation>.<mac>`, e.g. `per_0190….3.Yk2…`. It is derived again whenever the
//! link is sent and stored nowhere; raising the generation kept with the thing it names revokes it.
//! The expiry, too, is kept there, and the caller checks both after [`LinkKey::verify`].

use domain::id::{Id, Kind};

use crate::keys::SubKey;

/// What a link lets its bearer do. A token of one purpose is refused for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkPurpose {
    /// Bind a login to the person, once.
    Activation,
    /// Read a calendar feed.
    Calendar,
}

impl LinkPurpose {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            Self::Calendar => "calendar",
        }
    }
}

/// No id, generation and mac together are longer; what is longer is refused unread.
const MAX_LENGTH: usize = 128;

/// Makes and checks the link tokens of one purpose; from [`crate::keys::DeploymentKey::links`].
#[derive(Debug, Clone)]
pub struct LinkKey(pub(crate) SubKey);

/// Text that is no token of this key: malformed, forged, or made for another purpose. The bearer is
/// told no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a link token of this deployment and purpose")]
pub struct LinkError;

impl LinkKey {
    /// The token for `id` at `generation`; the same every time.
    #[must_use]
    pub fn token<K: Kind>(&self, id: Id<K>, generation: u32) -> String {
        let named = format!("{id}.{generation}");
        let mac = self.0.tag_text(named.as_bytes());
        format!("{named}.{mac}")
    }

    /// Reads a token that this key made: what it names, and the generation it was made under. Whether
    /// that generation is still the live one is the caller's check.
    ///
    /// # Errors
    /// It made no such token.
    pub fn verify<K: Kind>(&self, token: &str) -> Result<(Id<K>, u32), LinkError> {
        if token.len() > MAX_LENGTH {
            return Err(LinkError);
        }
        let (named, mac) = token.rsplit_once('.').ok_or(LinkError)?;
        // The mac covers the text as it came, so another spelling of the same id or number fails.
        if !self.0.verify_text(named.as_bytes(), mac) {
            return Err(LinkError);
        }
        let (id, generation) = named.split_once('.').ok_or(LinkError)?;
        Ok((
            id.parse().map_err(|_| LinkError)?,
            generation.parse().map_err(|_| LinkError)?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use domain::id::{ClientKind, PersonId, PersonKind};
    use uuid::Uuid;

    use super::*;
    use crate::keys::DeploymentKey;

    fn key() -> LinkKey {
        DeploymentKey::from_bytes(&[7; 32]).links(LinkPurpose::Activation)
    }

    fn person() -> PersonId {
        PersonId::from_uuid(Uuid::from_u128(0x0190_b2f0_6bd4_7c5a_9a3e_5b7f_21d4_c8aa))
    }

    #[test]
    fn a_token_is_the_same_every_time_and_reads_back() {
        let token = key().token(person(), 3);
        assert_eq!(token, key().token(person(), 3));
        assert!(token.starts_with("per_0190b2f06bd47c5a9a3e5b7f21d4c8aa.3."));
        assert!(token.len() <= MAX_LENGTH);
        assert!(
            token
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        );
        assert_eq!(key().verify::<PersonKind>(&token), Ok((person(), 3)));
    }

    #[test]
    fn any_changed_character_is_refused() {
        let token = key().token(person(), 3);
        for position in 0..token.len() {
            for other in ['0', 'A', '_', '.'] {
                let mut changed: Vec<char> = token.chars().collect();
                if changed[position] == other {
                    continue;
                }
                changed[position] = other;
                let changed: String = changed.into_iter().collect();
                assert_eq!(
                    key().verify::<PersonKind>(&changed),
                    Err(LinkError),
                    "{changed}"
                );
            }
        }
    }

    #[test]
    fn tokens_of_other_keys_purposes_kinds_and_generations_are_refused() {
        let deployment = DeploymentKey::from_bytes(&[7; 32]);
        let foreign = DeploymentKey::from_bytes(&[8; 32]).links(LinkPurpose::Activation);
        let token = key().token(person(), 3);
        let mac = token.rsplit_once('.').unwrap().1;
        for refused in [
            foreign.token(person(), 3),
            deployment.links(LinkPurpose::Calendar).token(person(), 3),
            format!("{}.4.{mac}", person()),
            format!("{}.03.{mac}", person()),
            format!("{token}="),
            format!("{token}."),
            String::new(),
            ".".into(),
            "é".repeat(200),
        ] {
            assert_eq!(
                key().verify::<PersonKind>(&refused),
                Err(LinkError),
                "{refused}"
            );
        }
        assert_eq!(key().verify::<ClientKind>(&token), Err(LinkError));
    }
}
