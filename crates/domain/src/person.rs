//! People: one record per human being, whatever roles they have.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::access::StaffRole;
use crate::id::{ClientId, PersonId, WorkerId};
use crate::invalid::Findings;

/// A human being: owns the login, the contact details, the inbox and the busy sheets.
/// Client, support worker, representative and staff are roles that point here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// What they are called.
    pub name: PersonName,
    /// How to reach them.
    pub contact: Contact,
    /// Helps to tell apart people who share a name and an address.
    pub birth_date: Option<NaiveDate>,
    /// Where they live, as typed.
    pub address: Option<String>,
    /// The current activation link, if one was ever made.
    pub activation: Option<Activation>,
    /// Every login that opens this person's account.
    pub logins: Vec<LoginKey>,
    /// What this person is to the service.
    pub roles: Roles,
    /// Set while this record is a duplicate of another one.
    pub merged_into: Option<PersonId>,
    /// Mail to this address bounced; it is not tried again until staff correct it.
    pub mail_bounced: bool,
    /// When the record was made.
    pub created_at: DateTime<Utc>,
}

/// What a person is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonName {
    /// Given name or names.
    pub given: String,
    /// Family name.
    pub family: String,
}

impl PersonName {
    /// Given and family name, for people who may know who this is.
    #[must_use]
    pub fn full(&self) -> String {
        format!("{} {}", self.given, self.family)
    }
}

/// How to reach a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Mail address.
    pub email: String,
    /// Telephone number, in international or local writing.
    #[serde(default)]
    pub phone: Option<String>,
}

impl Contact {
    /// Adds what is wrong with these details to `findings`, under `pointer`.
    pub fn check(&self, findings: &mut Findings, pointer: &str) {
        findings.text(format!("{pointer}/email"), &self.email, 3, 254);
        findings.check(
            is_mail_address(&self.email),
            format!("{pointer}/email"),
            "is not a mail address; one looks like name@example.org",
        );
        if let Some(phone) = &self.phone {
            findings.check(
                is_phone_number(phone),
                format!("{pointer}/phone"),
                "is not a telephone number; use digits, spaces and a leading +",
            );
        }
    }
}

/// Whether text has the shape of a mail address: one `@`, a dotted domain, nothing that could break a header.
#[must_use]
pub fn is_mail_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let plain = |c: char| c.is_ascii_graphic() && !"@<>()[],;:\\\"".contains(c);
    !local.is_empty()
        && local.chars().all(plain)
        && domain.contains('.')
        && domain.split('.').all(|label| {
            !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        })
}

fn is_phone_number(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    (6..=15).contains(&digits)
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || " +-()".contains(c))
}

/// One login at one issuer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LoginKey {
    /// The token issuer's URL.
    pub issuer: String,
    /// The subject there.
    pub subject: String,
}

/// A link token's generation and lifetime. The token itself is stored nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// Raised with each new link; older links stop working.
    pub generation: u32,
    /// After this instant the link is refused.
    pub expires_at: DateTime<Utc>,
    /// When it was used: a link works once.
    pub used_at: Option<DateTime<Utc>>,
}

/// What a person is to the service. Merged duplicates can leave a person with two clients.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Roles {
    /// The clients this person is.
    #[serde(default)]
    pub clients: BTreeSet<ClientId>,
    /// The support workers this person is.
    #[serde(default)]
    pub workers: BTreeSet<WorkerId>,
    /// Staff roles held.
    #[serde(default)]
    pub staff: BTreeSet<StaffRole>,
    /// Clients this person acts for; the authority itself lies with the client.
    #[serde(default)]
    pub represents: BTreeSet<ClientId>,
}

#[cfg(test)]
pub(crate) mod tests {
    use uuid::Uuid;

    use super::*;

    /// A person without logins or roles; `number` tells them apart.
    pub(crate) fn person(number: u128) -> Person {
        Person {
            id: PersonId::from_uuid(Uuid::from_u128(number)),
            name: PersonName {
                given: "Ana".into(),
                family: "Lindqvist".into(),
            },
            contact: Contact {
                email: "ana@example.org".into(),
                phone: None,
            },
            birth_date: None,
            address: None,
            activation: None,
            logins: Vec::new(),
            roles: Roles::default(),
            merged_into: None,
            mail_bounced: false,
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn mail_addresses_are_told_from_other_text() {
        for right in ["ana@example.org", "a.b+c@mail.example.org"] {
            assert!(is_mail_address(right), "{right}");
        }
        for wrong in [
            "",
            "ana",
            "@example.org",
            "ana@",
            "ana@example",
            "a b@example.org",
            "ana@ex..org",
            "ana@example.org\r\nBcc: x@example.org",
            "a@b@example.org",
        ] {
            assert!(!is_mail_address(wrong), "{wrong}");
        }
    }
}
