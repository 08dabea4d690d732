//! Appointing staff and letting them go.

use crate::access::StaffRole;
use crate::id::PersonId;
use crate::person::Person;

/// Why a staff role is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppointStaffError {
    /// The record is a duplicate of another one.
    #[error("this record was merged into another; use that one")]
    Merged,
    /// They would give it to themselves.
    #[error("nobody appoints themselves")]
    Own,
    /// They have it.
    #[error("this person has the role already")]
    Held,
}

/// Gives a person a staff role.
///
/// # Errors
/// See [`AppointStaffError`].
pub fn appoint(
    mut person: Person,
    role: StaffRole,
    by: PersonId,
) -> Result<Person, AppointStaffError> {
    if person.id == by {
        return Err(AppointStaffError::Own);
    }
    if person.merged_into.is_some() {
        return Err(AppointStaffError::Merged);
    }
    if !person.roles.staff.insert(role) {
        return Err(AppointStaffError::Held);
    }
    Ok(person)
}

/// Why a staff role is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DismissStaffError {
    /// They do not have it.
    #[error("this person does not have the role")]
    NotHeld,
    /// An administrator would dismiss themselves.
    #[error("another administrator has to take this role from you")]
    OwnAdministration,
}

/// Takes a staff role from a person.
///
/// INVARIANT: whoever dismisses an administrator is another administrator, so one is always left.
///
/// # Errors
/// See [`DismissStaffError`].
pub fn dismiss(
    mut person: Person,
    role: StaffRole,
    by: PersonId,
) -> Result<Person, DismissStaffError> {
    if role == StaffRole::Administrator && person.id == by {
        return Err(DismissStaffError::OwnAdministration);
    }
    if !person.roles.staff.remove(&role) {
        return Err(DismissStaffError::NotHeld);
    }
    Ok(person)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::tests::person;

    const ROLES: [StaffRole; 4] = [
        StaffRole::Administrator,
        StaffRole::Coordinator,
        StaffRole::Supervisor,
        StaffRole::Mediator,
    ];

    #[test]
    fn a_role_is_given_once_and_taken_once() {
        for role in ROLES {
            let appointed = appoint(person(1), role, person(2).id).unwrap();
            assert_eq!(
                appoint(appointed.clone(), role, person(2).id),
                Err(AppointStaffError::Held)
            );
            let by = person(2).id;
            assert_eq!(dismiss(appointed, role, by), Ok(person(1)));
            assert_eq!(
                dismiss(person(1), role, by),
                Err(DismissStaffError::NotHeld)
            );
        }
    }

    #[test]
    fn only_administration_cannot_be_given_up_alone() {
        for role in ROLES {
            let appointed = appoint(person(1), role, person(2).id).unwrap();
            let dismissed = dismiss(appointed, role, person(1).id);
            if role == StaffRole::Administrator {
                assert_eq!(dismissed, Err(DismissStaffError::OwnAdministration));
            } else {
                assert_eq!(dismissed, Ok(person(1)));
            }
        }
    }

    #[test]
    fn nobody_appoints_themselves() {
        for role in ROLES {
            let own = appoint(person(1), role, person(1).id);
            assert_eq!(own, Err(AppointStaffError::Own));
        }
    }

    #[test]
    fn a_merged_record_takes_no_role() {
        let mut merged = person(1);
        merged.merged_into = Some(person(2).id);
        assert_eq!(
            appoint(merged, StaffRole::Mediator, person(3).id),
            Err(AppointStaffError::Merged)
        );
    }
}
