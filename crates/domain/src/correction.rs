//! What staff put right about people: links, contact details, logins, and records that are one person's.

mod merge;

use chrono::{DateTime, Utc};

use crate::activation::next_link;
use crate::id::PersonId;
use crate::notice::Event;
use crate::person::{Contact, LoginKey, Person};

pub use merge::{
    MAX_MOVED_WRITES, Merge, MergePeopleError, Merged, UnmergePeopleError, Unmerged, merge, unmerge,
};

/// A corrected person, and what they hear of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrected {
    /// The record as it now stands.
    pub person: Person,
    /// What they are told.
    pub event: Event,
}

/// Why no activation link is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResendLinkError {
    /// The record is a duplicate of another one.
    #[error("this record was merged into another; use that one")]
    Merged,
    /// They have a login.
    #[error("this account has a login; rebind it if it is lost")]
    Activated,
    /// Mail does not arrive.
    #[error("mail to this address came back; correct the address first")]
    MailBounced,
    /// Mail arrives with somebody who represents them.
    #[error("this is a representative's mail address; find out the person's own first")]
    RepresentativesMailbox,
}

/// Whose mailbox a person's mail arrives in.
///
/// A client who was signed up by somebody else often has that person's mail address. A link sent there
/// would let the representative in as the client, past the authority that staff verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mailbox {
    /// Their own, as far as we know.
    Own,
    /// Of somebody who represents them, or did or claimed to.
    Representatives,
}

/// Sends a new activation link; every older one stops working.
///
/// # Errors
/// See [`ResendLinkError`].
pub fn resend_link(
    person: Person,
    mailbox: Mailbox,
    now: DateTime<Utc>,
) -> Result<Corrected, ResendLinkError> {
    if person.merged_into.is_some() {
        return Err(ResendLinkError::Merged);
    }
    if !person.logins.is_empty() {
        return Err(ResendLinkError::Activated);
    }
    if person.mail_bounced {
        return Err(ResendLinkError::MailBounced);
    }
    if mailbox == Mailbox::Representatives {
        return Err(ResendLinkError::RepresentativesMailbox);
    }
    Ok(with_fresh_link(person, now))
}

fn with_fresh_link(mut person: Person, now: DateTime<Utc>) -> Corrected {
    let link = next_link(person.activation.as_ref(), now);
    let generation = link.generation;
    person.activation = Some(link);
    let event = Event::ActivationLink {
        person: person.id,
        generation,
    };
    Corrected { person, event }
}

/// Why contact details are not corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CorrectContactError {
    /// The record is a duplicate of another one.
    #[error("this record was merged into another; use that one")]
    Merged,
    /// A link would go to somebody who represents them.
    #[error(
        "a link is under way to this person and would go to their representative's mail address"
    )]
    RepresentativesMailbox,
}

/// Corrects how a person is reached. Mail is tried again. A link that went to another mail address
/// stops working, and a new one is sent to the right one.
///
/// # Errors
/// See [`CorrectContactError`].
pub fn correct_contact(
    mut person: Person,
    contact: Contact,
    address: Option<String>,
    mailbox: Mailbox,
    now: DateTime<Utc>,
) -> Result<Corrected, CorrectContactError> {
    if person.merged_into.is_some() {
        return Err(CorrectContactError::Merged);
    }
    let link_went_elsewhere = person.logins.is_empty()
        && person.activation.is_some()
        && person.contact.email != contact.email;
    if link_went_elsewhere && mailbox == Mailbox::Representatives {
        return Err(CorrectContactError::RepresentativesMailbox);
    }
    person.contact = contact;
    person.address = address;
    person.mail_bounced = false;
    if link_went_elsewhere {
        return Ok(with_fresh_link(person, now));
    }
    let event = Event::AccountCorrected { person: person.id };
    Ok(Corrected { person, event })
}

/// Which fields of a person differ, by name.
#[must_use]
pub fn changed_fields(was: &Person, is: &Person) -> Vec<String> {
    let compared = [
        ("name", was.name != is.name),
        ("birth_date", was.birth_date != is.birth_date),
        ("contact.email", was.contact.email != is.contact.email),
        ("contact.phone", was.contact.phone != is.contact.phone),
        ("address", was.address != is.address),
        ("mail_bounced", was.mail_bounced != is.mail_bounced),
        ("activation", was.activation != is.activation),
        ("logins", was.logins != is.logins),
        ("roles", was.roles != is.roles),
        ("merged_into", was.merged_into != is.merged_into),
    ];
    compared
        .into_iter()
        .filter(|(_, changed)| *changed)
        .map(|(field, _)| field.to_owned())
        .collect()
}

/// A person whose logins were unbound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebinding {
    /// The person, with a fresh link in the mail, and what they hear.
    pub corrected: Corrected,
    /// The logins that no longer open the account.
    pub unbound: Vec<LoginKey>,
}

/// Why a login is not rebound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RebindLoginError {
    /// The record is a duplicate of another one.
    #[error("this record was merged into another; use that one")]
    Merged,
    /// It is the caller's own account.
    #[error("nobody checks their own identity")]
    Own,
    /// There is no login to unbind.
    #[error("this account has no login; send its activation link again")]
    NotActivated,
    /// Mail does not arrive.
    #[error("mail to this address came back; correct the address first")]
    MailBounced,
    /// Mail arrives with somebody who represents them.
    #[error("this is a representative's mail address; find out the person's own first")]
    RepresentativesMailbox,
}

/// Unbinds every login after `by` has checked the person's identity, and sends a link for a new one.
///
/// # Errors
/// See [`RebindLoginError`].
pub fn rebind_login(
    mut person: Person,
    by: PersonId,
    mailbox: Mailbox,
    now: DateTime<Utc>,
) -> Result<Rebinding, RebindLoginError> {
    if person.merged_into.is_some() {
        return Err(RebindLoginError::Merged);
    }
    if person.id == by {
        return Err(RebindLoginError::Own);
    }
    if person.logins.is_empty() {
        return Err(RebindLoginError::NotActivated);
    }
    if person.mail_bounced {
        return Err(RebindLoginError::MailBounced);
    }
    if mailbox == Mailbox::Representatives {
        return Err(RebindLoginError::RepresentativesMailbox);
    }
    let unbound = std::mem::take(&mut person.logins);
    Ok(Rebinding {
        corrected: with_fresh_link(person, now),
        unbound,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::activation::LINK_LIFETIME;
    use crate::person::Activation;
    use crate::person::tests::person;

    pub(crate) fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    pub(crate) fn login(subject: &str) -> LoginKey {
        LoginKey {
            issuer: "https://login.example.org".into(),
            subject: subject.into(),
        }
    }

    fn link(generation: u32) -> Option<Activation> {
        Some(Activation {
            generation,
            expires_at: now(),
            used_at: None,
        })
    }

    /// Everything an account can be like, as far as corrections care.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Account {
        Unlinked,
        Linked,
        Bounced,
        Activated,
        ActivatedAndBounced,
        Merged,
    }
    use Account::*;

    const ACCOUNTS: [Account; 6] = [
        Unlinked,
        Linked,
        Bounced,
        Activated,
        ActivatedAndBounced,
        Merged,
    ];

    fn in_state(account: Account) -> Person {
        let mut person = person(1);
        person.activation = (account != Unlinked).then(|| link(3)).flatten();
        person.mail_bounced = matches!(account, Bounced | ActivatedAndBounced);
        if matches!(account, Activated | ActivatedAndBounced) {
            person.logins.push(login("ana"));
        }
        if account == Merged {
            person.merged_into = Some(PersonId::from_uuid(uuid::Uuid::from_u128(2)));
        }
        person
    }

    fn new_address() -> Contact {
        Contact {
            email: "ana.lindqvist@example.org".into(),
            phone: Some("+61 2 5550 1234".into()),
        }
    }

    #[test]
    fn every_state_takes_exactly_the_corrections_it_should() {
        let linked = |generation| Event::ActivationLink {
            person: person(1).id,
            generation,
        };
        let corrected = Event::AccountCorrected {
            person: person(1).id,
        };
        for account in ACCOUNTS {
            let was = in_state(account);
            let resent =
                resend_link(was.clone(), Mailbox::Own, now()).map(|corrected| corrected.event);
            assert_eq!(
                resent,
                match account {
                    Unlinked => Ok(linked(1)),
                    Linked => Ok(linked(4)),
                    Bounced => Err(ResendLinkError::MailBounced),
                    Activated | ActivatedAndBounced => Err(ResendLinkError::Activated),
                    Merged => Err(ResendLinkError::Merged),
                },
                "resend, {account:?}"
            );
            let moved = correct_contact(was.clone(), new_address(), None, Mailbox::Own, now());
            assert_eq!(
                moved.map(|corrected| corrected.event),
                match account {
                    Linked | Bounced => Ok(linked(4)),
                    Unlinked | Activated | ActivatedAndBounced => Ok(corrected.clone()),
                    Merged => Err(CorrectContactError::Merged),
                },
                "correct, {account:?}"
            );
            let rebound = rebind_login(was, person(9).id, Mailbox::Own, now());
            assert_eq!(
                rebound.map(|rebinding| rebinding.corrected.event),
                match account {
                    Activated => Ok(linked(4)),
                    ActivatedAndBounced => Err(RebindLoginError::MailBounced),
                    Unlinked | Linked | Bounced => Err(RebindLoginError::NotActivated),
                    Merged => Err(RebindLoginError::Merged),
                },
                "rebind, {account:?}"
            );
        }
    }

    #[test]
    fn no_link_is_sent_to_a_representative() {
        let theirs = Mailbox::Representatives;
        for account in ACCOUNTS {
            let was = in_state(account);
            let resent = resend_link(was.clone(), theirs, now());
            let moved = correct_contact(was.clone(), new_address(), None, theirs, now());
            let rebound = rebind_login(was, person(9).id, theirs, now());
            assert!(resent.is_err() && rebound.is_err(), "{account:?}");
            let sends_a_link = matches!(account, Linked | Bounced);
            let refused = moved == Err(CorrectContactError::RepresentativesMailbox);
            assert_eq!(refused, sends_a_link, "{account:?}");
        }
        let refused = resend_link(in_state(Unlinked), theirs, now());
        assert_eq!(refused, Err(ResendLinkError::RepresentativesMailbox));
        let refused = rebind_login(in_state(Activated), person(9).id, theirs, now());
        assert_eq!(refused, Err(RebindLoginError::RepresentativesMailbox));
    }

    #[test]
    fn a_corrected_contact_is_tried_again_and_its_changes_are_named() {
        let was = in_state(Bounced);
        let is = correct_contact(
            was.clone(),
            new_address(),
            Some("3 Hill St".into()),
            Mailbox::Own,
            now(),
        )
        .unwrap()
        .person;
        assert!(!is.mail_bounced);
        assert_eq!(is.contact, new_address());
        assert_eq!(
            changed_fields(&was, &is),
            [
                "contact.email",
                "contact.phone",
                "address",
                "mail_bounced",
                "activation"
            ]
        );
        assert!(changed_fields(&is, &is).is_empty());
    }

    #[test]
    fn a_correction_that_keeps_the_mail_address_leaves_its_link_alone() {
        let was = in_state(Linked);
        let same =
            correct_contact(was.clone(), was.contact.clone(), None, Mailbox::Own, now()).unwrap();
        assert_eq!(same.person.activation, was.activation);
    }

    #[test]
    fn rebinding_unbinds_every_login_and_is_never_ones_own() {
        let mut was = in_state(Activated);
        was.logins.push(login("ana-2"));
        assert_eq!(
            rebind_login(was.clone(), was.id, Mailbox::Own, now()),
            Err(RebindLoginError::Own)
        );
        let rebinding = rebind_login(was.clone(), person(9).id, Mailbox::Own, now()).unwrap();
        assert_eq!(rebinding.unbound, was.logins);
        let person = rebinding.corrected.person;
        assert!(person.logins.is_empty());
        let fresh = person.activation.unwrap();
        assert_eq!((fresh.generation, fresh.used_at), (4, None));
        assert_eq!(fresh.expires_at, now() + LINK_LIFETIME);
    }
}
