//! Hints that two records may be the same person: keyed hashes of contact details, so that the rows
//! which find them hold nothing that can be read or tried out without the key.
//!
//! They are hints only: couples share an address, and strangers a name and a birth date.

use chrono::NaiveDate;

use crate::keys::SubKey;

/// Turns contact details into hints; from [`crate::keys::DeploymentKey::hints`].
#[derive(Debug, Clone)]
pub struct HintKey(pub(crate) SubKey);

impl HintKey {
    /// The hint for a mail address; case and surrounding space do not matter.
    #[must_use]
    pub fn mail_address(&self, address: &str) -> String {
        self.hint("mail", &folded(address))
    }

    /// The hint for a name with a birth date; case and the amount of space do not matter.
    #[must_use]
    pub fn name_and_birth_date(&self, name: &str, born: NaiveDate) -> String {
        self.hint("name", &format!("{}\n{born}", folded(name)))
    }

    /// INVARIANT: `details` start after a line break that the kind does not hold, so no two kinds meet.
    fn hint(&self, kind: &str, details: &str) -> String {
        self.0.tag_hex(format!("{kind}\n{details}").as_bytes())
    }
}

fn folded(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::DeploymentKey;

    fn key() -> HintKey {
        DeploymentKey::from_bytes(&[7; 32]).hints()
    }

    fn born(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(1961, 4, day).unwrap()
    }

    #[test]
    fn the_same_details_in_another_spelling_meet() {
        assert_eq!(
            key().mail_address(" Ada@Example.ORG "),
            key().mail_address("ada@example.org")
        );
        assert_eq!(
            key().name_and_birth_date("Ada  Öst", born(2)),
            key().name_and_birth_date(" ada öst ", born(2))
        );
    }

    #[test]
    fn different_details_kinds_and_keys_do_not_meet() {
        let other = DeploymentKey::from_bytes(&[8; 32]).hints();
        let hints = [
            key().mail_address("ada@example.org"),
            key().mail_address("ada2@example.org"),
            key().mail_address("ada 1961-04-02"),
            key().name_and_birth_date("ada", born(2)),
            key().name_and_birth_date("ada", born(3)),
            other.mail_address("ada@example.org"),
        ];
        let distinct: std::collections::BTreeSet<_> = hints.iter().collect();
        assert_eq!(distinct.len(), hints.len());
        assert!(
            hints
                .iter()
                .all(|hint| hint.len() == 64 && !hint.contains("ada@"))
        );
    }
}
