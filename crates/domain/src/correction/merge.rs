//! Joining two records of one person, and parting them again.
//!
//! The duplicate becomes a pointer; its logins, roles and authorities move to the survivor, who then
//! acts as both. What moved is written down beside the survivor, so that it can go back.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::activation::{MAX_LOGINS, next_link};
use crate::id::PersonId;
use crate::notice::Event;
use crate::person::{Activation, LoginKey, Person, Roles};

/// The most writes that what moves takes: one for each login, client and support worker, two for each
/// authority. With the rest of the commit that makes at most 20.
pub const MAX_MOVED_WRITES: usize = 10;

/// What moved from a duplicate to the survivor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merge {
    /// The record that became a pointer.
    pub duplicate: PersonId,
    /// The record it points to.
    pub into: PersonId,
    /// Logins that moved.
    pub logins: Vec<LoginKey>,
    /// Roles that moved.
    pub roles: Roles,
    /// When.
    pub at: DateTime<Utc>,
}

/// Two records joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The pointer.
    pub duplicate: Person,
    /// The person.
    pub survivor: Person,
    /// What moved.
    pub merge: Merge,
    /// What the person hears.
    pub event: Event,
}

/// Why two records are not joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MergePeopleError {
    /// They are one record.
    #[error("a record cannot be merged into itself")]
    Same,
    /// The duplicate is a pointer already.
    #[error("this record was merged already; unmerge it first")]
    DuplicateMerged,
    /// The survivor is itself a pointer.
    #[error("the other record was merged into a third; use that one")]
    SurvivorMerged,
    /// The duplicate has taken another record in.
    #[error("other records were merged into this one; unmerge them first")]
    TookOthersIn,
    /// One of them is staff.
    #[error("records of staff are not merged; dismiss them first")]
    Staff,
    /// One represents the other.
    #[error("one of them represents the other, so they are two people")]
    RepresentsOther,
    /// Both represent the same client.
    #[error(
        "both have had an authority for the same client, and only one authority can stand for a pair"
    )]
    BothRepresent,
    /// Together they have too many logins.
    #[error("together they would have more than {MAX_LOGINS} logins; rebind one of them first")]
    TooManyLogins,
    /// Too much would move.
    #[error("the duplicate has too many logins, roles and authorities to move at once")]
    TooMuchToMove,
}

/// Joins `duplicate` to `survivor`. `took_others_in` says whether records point to the duplicate.
///
/// INVARIANT: a merged record never takes another in, so following one pointer is enough.
///
/// # Errors
/// See [`MergePeopleError`].
pub fn merge(
    mut duplicate: Person,
    mut survivor: Person,
    took_others_in: bool,
    now: DateTime<Utc>,
) -> Result<Merged, MergePeopleError> {
    check(&duplicate, &survivor, took_others_in)?;
    let logins = std::mem::take(&mut duplicate.logins);
    let roles = std::mem::take(&mut duplicate.roles);
    survivor.logins.extend(logins.iter().cloned());
    survivor.roles.clients.extend(&roles.clients);
    survivor.roles.workers.extend(&roles.workers);
    survivor.roles.represents.extend(&roles.represents);
    duplicate.merged_into = Some(survivor.id);
    // A link still in the mail would bind a login to the pointer: no generation above it is ever sent.
    duplicate.activation = duplicate.activation.map(|link| Activation {
        expires_at: link.expires_at.min(now),
        ..next_link(Some(&link), now)
    });
    let merge = Merge {
        duplicate: duplicate.id,
        into: survivor.id,
        logins,
        roles,
        at: now,
    };
    let event = Event::AccountCorrected {
        person: survivor.id,
    };
    Ok(Merged {
        duplicate,
        survivor,
        merge,
        event,
    })
}

fn check(
    duplicate: &Person,
    survivor: &Person,
    took_others_in: bool,
) -> Result<(), MergePeopleError> {
    let (theirs, others) = (&duplicate.roles, &survivor.roles);
    let represents_other = |one: &Roles, other: &Roles| !one.represents.is_disjoint(&other.clients);
    let moved = duplicate.logins.len()
        + theirs.clients.len()
        + theirs.workers.len()
        + 2 * theirs.represents.len();
    let refusals = [
        (duplicate.id == survivor.id, MergePeopleError::Same),
        (
            duplicate.merged_into.is_some(),
            MergePeopleError::DuplicateMerged,
        ),
        (
            survivor.merged_into.is_some(),
            MergePeopleError::SurvivorMerged,
        ),
        (took_others_in, MergePeopleError::TookOthersIn),
        (
            !theirs.staff.is_empty() || !others.staff.is_empty(),
            MergePeopleError::Staff,
        ),
        (
            represents_other(theirs, others) || represents_other(others, theirs),
            MergePeopleError::RepresentsOther,
        ),
        (
            !theirs.represents.is_disjoint(&others.represents),
            MergePeopleError::BothRepresent,
        ),
        (
            duplicate.logins.len() + survivor.logins.len() > MAX_LOGINS,
            MergePeopleError::TooManyLogins,
        ),
        (moved > MAX_MOVED_WRITES, MergePeopleError::TooMuchToMove),
    ];
    match refusals.into_iter().find(|(refused, _)| *refused) {
        Some((_, error)) => Err(error),
        None => Ok(()),
    }
}

/// Two records parted. All that the duplicate now has came back from the survivor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmerged {
    /// The record that stands for itself again.
    pub duplicate: Person,
    /// The record it pointed to.
    pub survivor: Person,
    /// What both hear.
    pub events: [Event; 2],
}

/// Why two records are not parted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnmergePeopleError {
    /// The record stands for itself.
    #[error("this record is not merged into that one")]
    NotMerged,
}

/// Parts two records: what moved with `merge` goes back, as far as the survivor still has it.
///
/// # Errors
/// See [`UnmergePeopleError`].
pub fn unmerge(
    mut duplicate: Person,
    mut survivor: Person,
    merge: &Merge,
) -> Result<Unmerged, UnmergePeopleError> {
    let of_these = merge.duplicate == duplicate.id && merge.into == survivor.id;
    if duplicate.merged_into != Some(survivor.id) || !of_these {
        return Err(UnmergePeopleError::NotMerged);
    }
    let goes_back = |login: &LoginKey| merge.logins.contains(login);
    let (logins, kept) = survivor.logins.into_iter().partition(goes_back);
    survivor.logins = kept;
    duplicate.logins = logins;
    duplicate.roles.clients = take(&mut survivor.roles.clients, &merge.roles.clients);
    duplicate.roles.workers = take(&mut survivor.roles.workers, &merge.roles.workers);
    duplicate.roles.represents = take(&mut survivor.roles.represents, &merge.roles.represents);
    duplicate.merged_into = None;
    let events = [duplicate.id, survivor.id].map(|person| Event::AccountCorrected { person });
    Ok(Unmerged {
        duplicate,
        survivor,
        events,
    })
}

fn take<T: Ord + Copy>(from: &mut BTreeSet<T>, moved: &BTreeSet<T>) -> BTreeSet<T> {
    let back = from.intersection(moved).copied().collect();
    from.retain(|held| !moved.contains(held));
    back
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::tests::{login, now};
    use super::*;
    use crate::access::StaffRole;
    use crate::id::ClientId;
    use crate::person::tests::person;

    fn client(number: u128) -> ClientId {
        ClientId::from_uuid(Uuid::from_u128(number))
    }

    /// A client with a login who represents another client.
    fn somebody(number: u128) -> Person {
        let mut somebody = person(number);
        somebody.logins.push(login(&number.to_string()));
        somebody.roles.clients.insert(client(number));
        somebody.roles.represents.insert(client(number + 100));
        somebody.activation = Some(Activation {
            generation: 1,
            expires_at: now() + chrono::Duration::days(3),
            used_at: None,
        });
        somebody
    }

    type Change = fn(&mut Person, &mut Person) -> bool;

    #[test]
    fn every_reason_against_merging_refuses_on_its_own() {
        let refusals: [(Change, MergePeopleError); 11] = [
            (
                |one, other| {
                    other.id = one.id;
                    false
                },
                MergePeopleError::Same,
            ),
            (
                |one, _| {
                    one.merged_into = Some(person(9).id);
                    false
                },
                MergePeopleError::DuplicateMerged,
            ),
            (
                |_, other| {
                    other.merged_into = Some(person(9).id);
                    false
                },
                MergePeopleError::SurvivorMerged,
            ),
            (|_, _| true, MergePeopleError::TookOthersIn),
            (
                |one, _| !one.roles.staff.insert(StaffRole::Mediator),
                MergePeopleError::Staff,
            ),
            (
                |_, other| !other.roles.staff.insert(StaffRole::Mediator),
                MergePeopleError::Staff,
            ),
            (
                |one, _| !one.roles.represents.insert(client(2)),
                MergePeopleError::RepresentsOther,
            ),
            (
                |_, other| !other.roles.represents.insert(client(1)),
                MergePeopleError::RepresentsOther,
            ),
            (
                |one, _| !one.roles.represents.insert(client(102)),
                MergePeopleError::BothRepresent,
            ),
            (
                |_, other| {
                    other.logins = (0..MAX_LOGINS).map(|n| login(&n.to_string())).collect();
                    false
                },
                MergePeopleError::TooManyLogins,
            ),
            (
                |one, _| {
                    one.roles.represents.extend((200..205).map(client));
                    false
                },
                MergePeopleError::TooMuchToMove,
            ),
        ];
        for (change, refused) in refusals {
            let (mut duplicate, mut survivor) = (somebody(1), somebody(2));
            let took_others_in = change(&mut duplicate, &mut survivor);
            let outcome = merge(duplicate, survivor, took_others_in, now());
            assert_eq!(outcome, Err(refused));
        }
    }

    #[test]
    fn the_survivor_of_a_merge_acts_as_both_and_unmerging_restores_them() {
        let merged = merge(somebody(1), somebody(2), false, now()).unwrap();
        assert_eq!(merged.duplicate.merged_into, Some(person(2).id));
        assert_eq!(merged.duplicate.roles, Roles::default());
        assert!(merged.duplicate.logins.is_empty());
        let link = merged.duplicate.activation.as_ref().unwrap();
        assert_eq!((link.generation, link.expires_at), (2, now()));
        assert_eq!(merged.survivor.logins, [login("2"), login("1")]);
        assert_eq!(
            merged.survivor.roles.clients,
            BTreeSet::from([client(1), client(2)])
        );
        let Unmerged {
            duplicate,
            survivor,
            ..
        } = unmerge(merged.duplicate, merged.survivor, &merged.merge).unwrap();
        assert_eq!(survivor, somebody(2));
        assert_eq!(
            Person {
                activation: somebody(1).activation,
                ..duplicate
            },
            somebody(1)
        );
    }

    #[test]
    fn what_the_survivor_gained_or_lost_meanwhile_stays_as_it_is() {
        let mut merged = merge(somebody(1), somebody(2), false, now()).unwrap();
        merged.survivor.logins = vec![login("new")];
        merged.survivor.roles.clients.insert(client(7));
        let unmerged = unmerge(merged.duplicate, merged.survivor, &merged.merge).unwrap();
        assert!(unmerged.duplicate.logins.is_empty());
        assert_eq!(unmerged.survivor.logins, [login("new")]);
        assert!(unmerged.survivor.roles.clients.contains(&client(7)));
        assert!(!unmerged.duplicate.roles.clients.contains(&client(7)));
    }

    #[test]
    fn only_what_was_merged_into_that_record_is_unmerged_from_it() {
        let merged = merge(somebody(1), somebody(2), false, now()).unwrap();
        for (duplicate, survivor) in [
            (somebody(1), somebody(2)),
            (merged.duplicate.clone(), somebody(3)),
            (somebody(3), merged.survivor.clone()),
        ] {
            assert_eq!(
                unmerge(duplicate, survivor, &merged.merge),
                Err(UnmergePeopleError::NotMerged)
            );
        }
    }
}
