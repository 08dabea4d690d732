//! A row that says something else than before, about somebody who has no account yet.

use chrono::{DateTime, Utc};

use crate::correction::{CorrectContactError, Corrected, Mailbox, correct_contact};
use crate::notice::Event;
use crate::person::Person;
use crate::policy::Policy;
use crate::profile::WorkerProfile;
use crate::signup::PersonDetails;
use crate::support_worker::{Changed, EditProfileError, SupportWorker, WorkerState};

/// A person as the row says now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdatedPerson {
    /// The record.
    pub person: Person,
    /// The new link, where the last one went to another mail address. Of anything else nobody hears
    /// who has no account.
    pub link: Option<Event>,
}

/// Why a row that says something else changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpdateImportedError {
    /// They have, or had, an account.
    #[error("has an account and keeps their own details now")]
    Activated,
    /// The record is a duplicate of another one.
    #[error("was joined to another record, which is the one to change now")]
    Merged,
    /// A link would go to somebody who represents them.
    #[error("is a representative's mail address; a link to the account would go there")]
    RepresentativesMailbox,
    /// Staff have dealt with the profile.
    #[error("is no draft any more")]
    NoDraft,
    /// The profile has faults.
    #[error(transparent)]
    Profile(#[from] EditProfileError),
}

/// Changes name, contact, address and birth date of somebody who came in a file. A link that went to
/// another mail address stops working, and a new one is sent to the right one.
///
/// INVARIANT: what a person with an account has is theirs: no file overwrites it.
///
/// # Errors
/// See [`UpdateImportedError`]. `activated` tells whether a login was ever bound to them.
pub fn update_person(
    was: &Person,
    details: PersonDetails,
    activated: bool,
    mailbox: Mailbox,
    now: DateTime<Utc>,
) -> Result<UpdatedPerson, UpdateImportedError> {
    if activated || !was.logins.is_empty() {
        return Err(UpdateImportedError::Activated);
    }
    let PersonDetails {
        name,
        contact,
        birth_date,
        address,
    } = details;
    let bounces = was.mail_bounced && was.contact.email == contact.email;
    let Corrected { person, event } = correct_contact(was.clone(), contact, address, mailbox, now)?;
    let person = Person {
        name,
        birth_date,
        mail_bounced: bounces,
        ..person
    };
    let link = Some(event).filter(|event| matches!(event, Event::ActivationLink { .. }));
    Ok(UpdatedPerson { person, link })
}

/// Writes the draft of somebody who came in a file anew.
///
/// # Errors
/// See [`UpdateImportedError`].
pub fn update_worker(
    was: &SupportWorker,
    profile: WorkerProfile,
    policy: &Policy,
) -> Result<Changed, UpdateImportedError> {
    if was.state != WorkerState::Draft {
        return Err(UpdateImportedError::NoDraft);
    }
    Ok(was.edit_profile(profile, policy)?)
}

impl From<CorrectContactError> for UpdateImportedError {
    fn from(error: CorrectContactError) -> Self {
        match error {
            CorrectContactError::Merged => Self::Merged,
            CorrectContactError::RepresentativesMailbox => Self::RepresentativesMailbox,
        }
    }
}
