//! Who is calling: a login, and the person behind it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::access::StaffRole;
use domain::id::PersonId;
use domain::person::{Contact, LoginKey, Person, Roles};
use platform::tokens::{Claims, Verified};
use serde::{Deserialize, Serialize};
use store::{Actor, Commit, CommitError, Entity, Key, Login, StoreError, Versioned};

use crate::context::{Context, Shared};
use crate::problem::Problem;

/// What the mark that the first administrator has been appointed is called.
const MARK: &str = "first-administrator";

/// The mark that the first administrator has been appointed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Appointed {
    /// Who.
    pub person: PersonId,
}

impl Entity for Appointed {
    fn key(&self) -> Key {
        Key::system(MARK)
    }
}

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
    /// How they, as staff, were told by somebody to do this for them; none where they act for themselves.
    pub instruction: Option<Instruction>,
}

/// How staff were told to do something, e.g. `by telephone on 25 November, 10:20`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    words: String,
    on_behalf_of: Option<String>,
}

/// The header in which staff say that they carry out a spoken instruction.
pub const INSTRUCTION_HEADER: &str = "on-instruction";
/// The header in which they say for whom, where it is done in an engagement: `clt_…` or `wrk_…`.
pub const BEHALF_HEADER: &str = "on-behalf-of";
const MAX_INSTRUCTION: usize = 300;

impl Instruction {
    /// Nobody is told to look something up: what staff may read, they read as staff.
    fn read(parts: &Parts) -> Result<Option<Self>, Problem> {
        let headers = &parts.headers;
        let acts = !parts.method.is_safe();
        let Some(value) = headers.get(INSTRUCTION_HEADER).filter(|_| acts) else {
            return Ok(None);
        };
        let told = value.to_str().ok().map(str::trim);
        told.filter(|told| (1..=MAX_INSTRUCTION).contains(&told.len()))
            .map(|told| {
                let named = headers.get(BEHALF_HEADER);
                let named = named.and_then(|named| named.to_str().ok());
                Some(Self {
                    words: told.to_owned(),
                    on_behalf_of: named.map(str::to_owned),
                })
            })
            .ok_or_else(|| {
                Problem::malformed(
                    "On-Instruction: say in 1 to 300 visible ASCII characters how and when you were told",
                )
            })
    }

    /// How they were told, in their words.
    #[must_use]
    pub fn words(&self) -> &str {
        &self.words
    }

    /// Whether it says that it is for whoever has this id.
    #[must_use]
    pub fn is_for(&self, id: impl ToString) -> bool {
        self.on_behalf_of.as_deref() == Some(&*id.to_string())
    }
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
        let instruction = Instruction::read(parts)?;
        let caller = Self::of(context, &login).await?.map(|caller| Self {
            instruction,
            ..caller
        });
        caller.ok_or_else(|| {
            Problem::new(
                axum::http::StatusCode::FORBIDDEN,
                "login-not-bound",
                "This login belongs to nobody here; use the link that was mailed to you",
            )
        })
    }
}

impl Caller {
    /// The person whom a login belongs to, if to anybody.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn of(context: &Context, login: &LoginKey) -> Result<Option<Self>, StoreError> {
        let person = match context.person_of(login).await? {
            Some(person) => Some(person),
            None => context.first_administrator(login).await?,
        };
        Ok(person.map(|person| Self {
            person,
            instruction: None,
        }))
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
        id: PersonId,
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

    /// The record of the first administrator, made at their first call. Several at once make one.
    ///
    /// INVARIANT: a deployment appoints one first administrator, ever. Were only the login looked at, one
    /// that was unbound, because it was lost or stolen, would make itself an administrator again.
    async fn first_administrator(
        &self,
        login: &LoginKey,
    ) -> Result<Option<Versioned<Person>>, StoreError> {
        let Some(first) = self.deployment.first_administrator.as_ref() else {
            return Ok(None);
        };
        if first.login != *login {
            return Ok(None);
        }
        let mark = Key::system(MARK);
        if self.store.get::<Appointed>(&mark).await?.is_some() {
            // Perhaps this very moment, by another call of theirs.
            return self.person_of(login).await;
        }
        let person = Person {
            id: self.fresh(),
            name: first.name.clone(),
            contact: Contact {
                email: first.email.clone(),
                phone: None,
            },
            birth_date: None,
            address: None,
            activation: None,
            logins: vec![login.clone()],
            roles: Roles {
                staff: [StaffRole::Administrator].into(),
                ..Roles::default()
            },
            merged_into: None,
            mail_bounced: false,
            created_at: self.now(),
        };
        let audit = self.audit(
            Actor::Service,
            "appoint_first_administrator",
            &Key::person(person.id),
        );
        let bound = Login {
            login: login.clone(),
            person: person.id,
        };
        let appointed = Appointed { person: person.id };
        let commit = Commit::new(audit)
            .insert(&person)
            .insert(&bound)
            .insert(&appointed);
        match self.commit(commit).await {
            Ok(())
            | Err(
                CommitError::Conflict(_)
                | CommitError::LimitReached(_)
                | CommitError::Replayed
                | CommitError::AlreadyDone,
            ) => self.person_of(login).await,
            Err(CommitError::Store(error)) => Err(error),
        }
    }
}
