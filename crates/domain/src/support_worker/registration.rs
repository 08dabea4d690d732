//! Becoming a support worker: one more role of a person.

use super::SupportWorker;
use crate::id::WorkerId;
use crate::person::Person;

/// A person who has just become a support worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Registered {
    /// The person, with the role.
    pub person: Person,
    /// The support worker, who has yet to say anything.
    pub worker: SupportWorker,
}

/// Why a person does not become a support worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegisterWorkerError {
    /// They are one already.
    #[error("you are registered as a support worker already")]
    AlreadyRegistered(WorkerId),
}

impl SupportWorker {
    /// Gives a person, who may well be a client too, the role of a support worker.
    ///
    /// # Errors
    /// When they have it: nobody is two support workers.
    pub fn register(mut person: Person, id: WorkerId) -> Result<Registered, RegisterWorkerError> {
        if let Some(registered) = person.roles.workers.first() {
            return Err(RegisterWorkerError::AlreadyRegistered(*registered));
        }
        person.roles.workers.insert(id);
        let worker = Self::new(id, person.id);
        Ok(Registered { person, worker })
    }
}
