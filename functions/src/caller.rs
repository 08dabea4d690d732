//! Who is calling: a login, and the person behind it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::access::StaffRole;
use domain::person::{LoginKey, Person};
use platform::tokens::{Claims, Verified};
use store::{Key, Login, StoreError, Versioned};

use crate::context::{Context, Shared};
use crate::problem::Problem;

/// A verified access token, whether or not its login belongs to anybody yet.
///
/// The gateway has verified the token's signature and put its claims into the request's extensions.
#[derive(Debug, Clone)]
pub struct SignedIn(pub LoginKey);

/// A person who is signed in.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Their record, read in this request.
    pub person: Versioned<Person>,
}

impl FromRequestParts<Shared> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, context: &Shared) -> Result<Self, Problem> {
        let claims = parts
            .extensions
            .get::<Claims>()
            .ok_or_else(Problem::unauthenticated)?;
        match context.token_rules.check(claims, context.now()) {
            Ok(Verified {
                issuer, subject, ..
            }) => Ok(Self(LoginKey { issuer, subject })),
            Err(error) => {
                tracing::info!(%error, "access token refused");
                Err(Problem::unauthenticated())
            }
        }
    }
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, context: &Shared) -> Result<Self, Problem> {
        let SignedIn(login) = SignedIn::from_request_parts(parts, context).await?;
        let Some(mut person) = context.person_of(&login).await? else {
            return Err(Problem::new(
                axum::http::StatusCode::FORBIDDEN,
                "login-not-bound",
                "This login belongs to nobody here; use the link that was mailed to you",
            ));
        };
        if context.deployment.first_administrator.as_ref() == Some(&login) {
            person.value.roles.staff.insert(StaffRole::Administrator);
        }
        Ok(Self { person })
    }
}

impl Context {
    /// The person whose account a login opens. The one place where a merged record is followed.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn person_of(
        &self,
        login: &LoginKey,
    ) -> Result<Option<Versioned<Person>>, StoreError> {
        let Some(bound) = self.store.get::<Login>(&Key::login(login)).await? else {
            return Ok(None);
        };
        self.living_person(bound.value.person).await
    }

    /// A person, or the one their record was merged into.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn living_person(
        &self,
        id: domain::id::PersonId,
    ) -> Result<Option<Versioned<Person>>, StoreError> {
        let Some(person) = self.store.get::<Person>(&Key::person(id)).await? else {
            return Ok(None);
        };
        match person.value.merged_into {
            // INVARIANT: a merged record never takes another in, so one step is enough.
            Some(other) => self.store.get(&Key::person(other)).await,
            None => Ok(Some(person)),
        }
    }
}
