//! How a representative's authority comes about, counts and ends.
//!
//! claimed → verified → revoked; a claim can be revoked too. Verifying again changes scopes and dates.
//! What is revoked stays so: a new claim takes its place under a new id.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::access::{Authority, AuthorityState, Scope};
use crate::id::{AuthorityId, ClientId, PersonId};
use crate::invalid::{Findings, Invalid};
use crate::person::Person;

/// The most clients that one person represents.
pub const MAX_REPRESENTED: usize = 50;
const MAX_EVIDENCE: usize = 500;

/// Somebody's statement that a person may act for a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The authority's id, fresh.
    pub id: AuthorityId,
    /// For whom.
    pub client: ClientId,
    /// Whether as a guardian.
    pub guardian: bool,
    /// What it should cover.
    pub scopes: BTreeSet<Scope>,
}

/// Why a claim is not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClaimAuthorityError {
    /// The record is a duplicate of another one.
    #[error("this record was merged into another; use that one")]
    Merged,
    /// It is the client.
    #[error("nobody represents themselves")]
    OwnClient,
    /// There is one already.
    #[error("there is a claimed or verified authority already")]
    Standing,
    /// They represent too many.
    #[error("nobody represents more than {MAX_REPRESENTED} clients")]
    TooMany,
}

/// Records a claim of `representative`, where `standing` is what is stored of this pair. It counts for
/// nothing until it is verified.
///
/// # Errors
/// See [`ClaimAuthorityError`].
pub fn claim(
    claim: Claim,
    mut representative: Person,
    standing: Option<&Authority>,
    now: DateTime<Utc>,
) -> Result<(Authority, Person), ClaimAuthorityError> {
    if representative.merged_into.is_some() {
        return Err(ClaimAuthorityError::Merged);
    }
    if representative.roles.clients.contains(&claim.client) {
        return Err(ClaimAuthorityError::OwnClient);
    }
    if standing.is_some_and(|held| held.state != AuthorityState::Revoked) {
        return Err(ClaimAuthorityError::Standing);
    }
    let represents = &mut representative.roles.represents;
    represents.insert(claim.client);
    if represents.len() > MAX_REPRESENTED {
        return Err(ClaimAuthorityError::TooMany);
    }
    let authority = Authority {
        id: claim.id,
        client: claim.client,
        representative: representative.id,
        guardian: claim.guardian,
        scopes: claim.scopes,
        from: now,
        until: None,
        state: AuthorityState::Claimed,
        evidence: None,
    };
    Ok((authority, representative))
}

/// What staff found an authority to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Whether they are a guardian.
    pub guardian: bool,
    /// What it covers.
    pub scopes: BTreeSet<Scope>,
    /// First instant it holds.
    pub from: DateTime<Utc>,
    /// First instant it no longer holds.
    pub until: Option<DateTime<Utc>>,
    /// The reference of what was seen.
    pub evidence: String,
}

/// Why an authority is not verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyAuthorityError {
    /// It has ended.
    #[error("this authority was revoked; it takes a new claim")]
    Revoked,
    /// It is the verifier's own.
    #[error("nobody verifies their own authority")]
    Own,
    /// Fields that cannot be accepted.
    #[error("some fields cannot be accepted")]
    Invalid(Vec<Invalid>),
}

/// Makes an authority count, as `by` found it.
///
/// # Errors
/// See [`VerifyAuthorityError`].
pub fn verify(
    authority: Authority,
    found: Verification,
    by: PersonId,
    now: DateTime<Utc>,
) -> Result<Authority, VerifyAuthorityError> {
    if authority.state == AuthorityState::Revoked {
        return Err(VerifyAuthorityError::Revoked);
    }
    if authority.representative == by {
        return Err(VerifyAuthorityError::Own);
    }
    let mut findings = Findings::default();
    findings.check(
        !found.scopes.is_empty(),
        "/scopes",
        "names nothing that the authority covers",
    );
    findings.text("/evidence", &found.evidence, 1, MAX_EVIDENCE);
    if let Some(until) = found.until {
        findings.check(found.from < until, "/until", "is not after `from`");
        findings.check(now < until, "/until", "has passed already");
    }
    findings
        .into_result()
        .map_err(VerifyAuthorityError::Invalid)?;
    Ok(Authority {
        guardian: found.guardian,
        scopes: found.scopes,
        from: found.from,
        until: found.until,
        state: AuthorityState::Verified,
        evidence: Some(found.evidence),
        ..authority
    })
}

/// Who wants an authority ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoker {
    /// The client themselves.
    Client,
    /// Staff.
    Staff,
}

/// Why an authority is not revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RevokeAuthorityError {
    /// It has ended.
    #[error("this authority was revoked already")]
    Revoked,
    /// A verified guardian.
    #[error("a guardian was appointed by others; staff end it once the appointment has ended")]
    Guardian,
}

/// Ends an authority, at once. A client cannot dismiss a guardian: a court or the like appointed them.
///
/// # Errors
/// See [`RevokeAuthorityError`].
pub fn revoke(authority: Authority, by: Revoker) -> Result<Authority, RevokeAuthorityError> {
    match (authority.state, by) {
        (AuthorityState::Revoked, _) => Err(RevokeAuthorityError::Revoked),
        (AuthorityState::Verified, Revoker::Client) if authority.guardian => {
            Err(RevokeAuthorityError::Guardian)
        }
        (AuthorityState::Claimed | AuthorityState::Verified, _) => Ok(Authority {
            state: AuthorityState::Revoked,
            ..authority
        }),
    }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;
    use uuid::Uuid;

    use super::*;
    use crate::person::tests::person;

    const STATES: [Option<AuthorityState>; 4] = [
        None,
        Some(AuthorityState::Claimed),
        Some(AuthorityState::Verified),
        Some(AuthorityState::Revoked),
    ];

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn client() -> ClientId {
        ClientId::from_uuid(Uuid::from_u128(1))
    }

    fn staff() -> PersonId {
        PersonId::from_uuid(Uuid::from_u128(99))
    }

    fn a_claim() -> Claim {
        Claim {
            id: AuthorityId::from_uuid(Uuid::from_u128(2)),
            client: client(),
            guardian: false,
            scopes: BTreeSet::from([Scope::Details]),
        }
    }

    fn authority(state: AuthorityState) -> Authority {
        let (authority, _) = claim(a_claim(), person(7), None, now()).unwrap();
        Authority { state, ..authority }
    }

    fn found() -> Verification {
        Verification {
            guardian: false,
            scopes: BTreeSet::from([Scope::MatchRequests]),
            from: now(),
            until: Some(now() + Duration::days(365)),
            evidence: "Order 2026/114".into(),
        }
    }

    #[test]
    fn every_state_takes_exactly_the_commands_it_should() {
        use AuthorityState::{Claimed, Revoked, Verified};
        for state in STATES {
            let standing = state.map(authority);
            let claimed = claim(a_claim(), person(7), standing.as_ref(), now());
            assert_eq!(
                claimed.map(|(authority, _)| authority.state),
                match state {
                    None | Some(Revoked) => Ok(Claimed),
                    Some(Claimed | Verified) => Err(ClaimAuthorityError::Standing),
                },
                "claim, {state:?}"
            );
            let (Some(state), Some(standing)) = (state, standing) else {
                continue;
            };
            let verified = verify(standing.clone(), found(), staff(), now());
            assert_eq!(
                verified.map(|authority| authority.state),
                match state {
                    Claimed | Verified => Ok(Verified),
                    Revoked => Err(VerifyAuthorityError::Revoked),
                },
                "verify, {state:?}"
            );
            for by in [Revoker::Client, Revoker::Staff] {
                for guardian in [false, true] {
                    let held = Authority {
                        guardian,
                        ..standing.clone()
                    };
                    let expected = match (state, by, guardian) {
                        (Revoked, ..) => Err(RevokeAuthorityError::Revoked),
                        (Verified, Revoker::Client, true) => Err(RevokeAuthorityError::Guardian),
                        (Claimed | Verified, ..) => Ok(Revoked),
                    };
                    let revoked = revoke(held, by).map(|authority| authority.state);
                    assert_eq!(revoked, expected, "revoke, {state:?} {by:?} {guardian}");
                }
            }
        }
    }

    #[test]
    fn a_claim_permits_nothing_and_a_verification_what_it_says_while_it_says() {
        let claimed = authority(AuthorityState::Claimed);
        assert!(!claimed.permits(Scope::Details, now()));
        let verified = verify(claimed, found(), staff(), now()).unwrap();
        let ends = now() + Duration::days(365);
        assert!(verified.permits(Scope::MatchRequests, now()));
        assert!(!verified.permits(Scope::MatchRequests, now() - Duration::seconds(1)));
        assert!(!verified.permits(Scope::MatchRequests, ends));
        assert!(!verified.permits(Scope::Details, now()));
        let revoked = revoke(verified, Revoker::Client).unwrap();
        assert!(!revoked.permits(Scope::MatchRequests, now()));
    }

    #[test]
    fn a_claim_is_for_a_living_record_of_somebody_else() {
        let mut merged = person(7);
        merged.merged_into = Some(staff());
        let mut own = person(7);
        own.roles.clients.insert(client());
        let mut busy = person(7);
        busy.roles.represents = (100..100 + MAX_REPRESENTED as u128)
            .map(|n| ClientId::from_uuid(Uuid::from_u128(n)))
            .collect();
        for (person, refused) in [
            (merged, ClaimAuthorityError::Merged),
            (own, ClaimAuthorityError::OwnClient),
            (busy, ClaimAuthorityError::TooMany),
        ] {
            assert_eq!(claim(a_claim(), person, None, now()), Err(refused));
        }
        let (_, representative) = claim(a_claim(), person(7), None, now()).unwrap();
        assert!(representative.roles.represents.contains(&client()));
    }

    #[test]
    fn a_verification_names_every_fault_and_is_never_ones_own() {
        let held = authority(AuthorityState::Claimed);
        let wrong = Verification {
            scopes: BTreeSet::new(),
            from: now(),
            until: Some(now() - Duration::days(1)),
            evidence: " ".into(),
            ..found()
        };
        let Err(VerifyAuthorityError::Invalid(faults)) =
            verify(held.clone(), wrong, staff(), now())
        else {
            panic!("accepted");
        };
        let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/scopes", "/evidence", "/until", "/until"]);
        assert_eq!(
            verify(held.clone(), found(), held.representative, now()),
            Err(VerifyAuthorityError::Own)
        );
    }
}
