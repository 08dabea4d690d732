//! The relationship in which a caller acts, as read now, so that a commit can insist on it.

use axum::http::StatusCode;
use domain::access::{self, Acting, Authority, Duty, Scope};
use domain::client::Client;
use domain::engagement::{Engagement, Happening, Side};
use domain::id::{ClientId, EngagementId, NoticeId, VisitId, WorkerId};
use domain::notice::Event;
use domain::person::Person;
use domain::support_worker::SupportWorker;
use store::{Commit, Key, StoreError, Versioned};

use crate::caller::{Caller, Instruction};
use crate::context::Context;
use crate::problem::Problem;

/// A caller acting for a client: themselves, as a representative, or as staff who were told to.
#[derive(Debug, Clone)]
pub struct ForClient {
    /// On whose account.
    pub acting: Acting,
    /// The client.
    pub client: Versioned<Client>,
    authority: Option<Versioned<Authority>>,
    caller: Versioned<Person>,
    told: Option<Told>,
}

/// A spoken instruction that staff carry out: whoever gave it hears of what was done.
#[derive(Debug, Clone)]
struct Told {
    how: Instruction,
    by: Instructor,
    notice: NoticeId,
}

#[derive(Debug, Clone, Copy)]
enum Instructor {
    Client(ClientId, Scope),
    Worker(WorkerId),
}

/// Staff on duty.
#[derive(Debug, Clone)]
pub struct OnDuty {
    /// On whose account.
    pub acting: Acting,
    caller: Versioned<Person>,
}

/// A caller acting on a support worker: in person, as staff who were told to, or as staff who decide on them.
#[derive(Debug, Clone)]
pub struct ForWorker {
    /// On whose account.
    pub acting: Acting,
    caller: Versioned<Person>,
    told: Option<Told>,
}

/// Staff who decide on an engagement.
#[derive(Debug, Clone)]
pub struct OverEngagement {
    /// In what duty.
    pub duty: OnDuty,
    /// The engagement.
    pub engagement: Versioned<Engagement>,
}

/// A caller in an engagement, on one of its sides.
#[derive(Debug, Clone)]
pub struct Party {
    /// On which side.
    pub side: Side,
    /// On whose account.
    pub acting: Acting,
    /// The engagement.
    pub engagement: Versioned<Engagement>,
    authority: Option<Versioned<Authority>>,
    caller: Versioned<Person>,
    told: Option<Told>,
}

/// Lets `caller` act for `client` in `scope`, or refuses.
///
/// # Errors
/// 404 to strangers, 403 to representatives whose authority covers other things.
pub async fn for_client(
    context: &Context,
    caller: &Caller,
    client: ClientId,
    scope: Scope,
) -> Result<ForClient, Problem> {
    let person = &caller.person.value;
    if let Some(how) = &caller.instruction {
        // Before the client is looked up, so that nobody but staff learns which there are.
        access::over_client(person, client, Duty::Instructions)?;
        let client = load_client(context, client).await?;
        let (id, instructor) = (client.value.id, client.value.person);
        return Ok(ForClient {
            acting: access::on_instruction(person, instructor, Some(id))?,
            client,
            authority: None,
            caller: caller.person.clone(),
            told: Some(Told::new(context, how, Instructor::Client(id, scope))),
        });
    }
    let authority = authority_over(context, person, client).await?;
    let held = authority.as_ref().map(|held| &held.value);
    let acting = access::for_client(person, client, held, scope, context.now())?;
    Ok(ForClient {
        acting,
        client: load_client(context, client).await?,
        authority,
        caller: caller.person.clone(),
        told: None,
    })
}

async fn load_client(context: &Context, client: ClientId) -> Result<Versioned<Client>, Problem> {
    let client = context.store.get(&Key::client(client)).await?;
    client.ok_or_else(Problem::not_found)
}

/// What is stored of a person's authority over a client; nothing is looked for where it is themselves.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn authority_over(
    context: &Context,
    person: &Person,
    client: ClientId,
) -> Result<Option<Versioned<Authority>>, StoreError> {
    if person.roles.clients.contains(&client) {
        return Ok(None);
    }
    let key = Key::authority(client, person.id);
    context.store.get::<Authority>(&key).await
}

/// The engagement, with the side on which `caller` stands in it, whether or not it has ended. Staff who carry
/// out an instruction stand in for the side that they name.
///
/// # Errors
/// 404 to strangers, 403 to representatives whose authority covers other things.
pub async fn in_engagement(
    context: &Context,
    caller: &Caller,
    engagement: EngagementId,
) -> Result<Party, Problem> {
    let person = &caller.person.value;
    if caller.instruction.is_some() {
        // Before the engagement is looked up, so that nobody but staff learns which there are.
        access::staff(person, Duty::Instructions)?;
    }
    let found = context.store.get(&Key::engagement(engagement)).await?;
    let engagement: Versioned<Engagement> = found.ok_or_else(Problem::not_found)?;
    if let Some(how) = &caller.instruction {
        return told_in_engagement(context, caller, engagement, how).await;
    }
    let held = authority_over(context, person, engagement.value.client).await?;
    let authority = held.as_ref().map(|held| &held.value);
    let (side, acting) =
        access::in_engagement(person, &engagement.value, authority, context.now())?;
    Ok(Party {
        side,
        acting,
        engagement,
        authority: held,
        caller: caller.person.clone(),
        told: None,
    })
}

/// Shows an engagement to those in it and to staff with `duty`: with the side on which the caller stands, none
/// for staff.
///
/// A relationship of one's own goes before a staff role. Staff who were told to do something, and nothing that
/// concerns this engagement, look at it as staff.
///
/// # Errors
/// As [`in_engagement`] to everybody in it; as [`over_engagement`] to everybody else.
pub async fn see_engagement(
    context: &Context,
    caller: &Caller,
    engagement: EngagementId,
    duty: Duty,
) -> Result<(Option<Side>, Versioned<Engagement>), Problem> {
    match in_engagement(context, caller, engagement).await {
        Ok(party) => Ok((Some(party.side), party.engagement)),
        Err(refused)
            if refused.status() == StatusCode::NOT_FOUND || caller.instruction.is_some() =>
        {
            let over = over_engagement(context, caller, engagement, duty).await?;
            Ok((None, over.engagement))
        }
        Err(refused) => Err(refused),
    }
}

/// Lets `caller` act in an engagement that has not ended, where `side` is given on that side alone, or refuses.
///
/// # Errors
/// As [`in_engagement`]; 403 `engagement-ended` once it has ended, 403 on the other side.
pub async fn act_in_engagement(
    context: &Context,
    caller: &Caller,
    engagement: EngagementId,
    side: Option<Side>,
) -> Result<Party, Problem> {
    let party = in_engagement(context, caller, engagement).await?;
    if side.is_some_and(|side| side != party.side) {
        return Err(Problem::forbidden());
    }
    if !party.engagement.value.is_live() {
        let title = "The engagement has ended; it can be read, and nothing else";
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "engagement-ended",
            title,
        ));
    }
    Ok(party)
}

async fn told_in_engagement(
    context: &Context,
    caller: &Caller,
    engagement: Versioned<Engagement>,
    how: &Instruction,
) -> Result<Party, Problem> {
    let person = &caller.person.value;
    let Engagement { client, worker, .. } = engagement.value;
    // Who is told to do something by one side cannot be the other.
    access::over_client(person, client, Duty::Instructions)?;
    if person.roles.workers.contains(&worker) {
        return Err(Problem::forbidden());
    }
    let (side, instructor, on_behalf_of, by) = if how.is_for(client) {
        let instructor = load_client(context, client).await?.value.person;
        let by = Instructor::Client(client, Scope::Engagements);
        (Side::Client, instructor, Some(client), by)
    } else if how.is_for(worker) {
        let instructor = load_worker(context, worker).await?.person;
        (Side::Worker, instructor, None, Instructor::Worker(worker))
    } else {
        return Err(Problem::malformed(
            "On-Behalf-Of: name the client or the support worker of this engagement who told you to",
        ));
    };
    Ok(Party {
        side,
        acting: access::on_instruction(person, instructor, on_behalf_of)?,
        engagement,
        authority: None,
        caller: caller.person.clone(),
        told: Some(Told::new(context, how, by)),
    })
}

async fn load_worker(context: &Context, worker: WorkerId) -> Result<SupportWorker, Problem> {
    let found = context
        .store
        .get::<SupportWorker>(&Key::worker(worker))
        .await?;
    Ok(found.ok_or_else(Problem::not_found)?.value)
}

/// Lets `caller` act as staff with `duty`, or refuses.
///
/// # Errors
/// 404 to people who are not staff, 403 to staff with other duties.
pub fn on_duty(caller: &Caller, duty: Duty) -> Result<OnDuty, Problem> {
    let acting = access::staff(&caller.person.value, duty)?;
    Ok(OnDuty {
        acting,
        caller: caller.person.clone(),
    })
}

/// Lets `caller` decide, as staff with `duty`, on what is a client's, or refuses.
///
/// # Errors
/// 404 to people who are not staff, 403 to staff with other duties and to staff who are the client or
/// represent them.
pub fn over_client(caller: &Caller, client: ClientId, duty: Duty) -> Result<OnDuty, Problem> {
    let acting = access::over_client(&caller.person.value, client, duty)?;
    Ok(OnDuty {
        acting,
        caller: caller.person.clone(),
    })
}

/// Lets `caller` decide, as staff with `duty`, on an engagement, or refuses.
///
/// # Errors
/// 404 to people who are not staff, 403 to staff with other duties and to staff who stand on a side of it.
pub async fn over_engagement(
    context: &Context,
    caller: &Caller,
    engagement: EngagementId,
    duty: Duty,
) -> Result<OverEngagement, Problem> {
    // First, so that nobody else learns which engagements there are.
    on_duty(caller, duty)?;
    let found = context.store.get(&Key::engagement(engagement)).await?;
    let engagement: Versioned<Engagement> = found.ok_or_else(Problem::not_found)?;
    let Engagement { client, worker, .. } = engagement.value;
    let duty = over_both(caller, client, worker, duty)?;
    Ok(OverEngagement { duty, engagement })
}

/// Lets `caller` decide, as staff with `duty`, on what lies between a client and a support worker, or refuses.
///
/// # Errors
/// 404 to people who are not staff, 403 to staff with other duties, to staff who are the client or
/// represent them, and to the support worker.
pub fn over_both(
    caller: &Caller,
    client: ClientId,
    worker: WorkerId,
    duty: Duty,
) -> Result<OnDuty, Problem> {
    let acting = access::over_both(&caller.person.value, client, worker, duty)?;
    Ok(OnDuty {
        acting,
        caller: caller.person.clone(),
    })
}

/// Lets `caller` act as the support worker they are, or for one who told them to, or refuses.
///
/// # Errors
/// 404 to strangers, 403 to staff who were told nothing.
pub async fn as_worker(
    context: &Context,
    caller: &Caller,
    worker: WorkerId,
) -> Result<ForWorker, Problem> {
    let person = &caller.person.value;
    let (acting, told) = match &caller.instruction {
        Some(how) => {
            access::staff(person, Duty::Instructions)?;
            // INVARIANT: an instruction comes from somebody else. The record may be of before two were merged.
            if person.roles.workers.contains(&worker) {
                return Err(Problem::forbidden());
            }
            let instructor = load_worker(context, worker).await?.person;
            let told = Told::new(context, how, Instructor::Worker(worker));
            (
                access::on_instruction(person, instructor, None)?,
                Some(told),
            )
        }
        None => (access::as_worker(person, worker)?, None),
    };
    Ok(ForWorker {
        acting,
        caller: caller.person.clone(),
        told,
    })
}

/// Lets `caller` decide, as staff, on a support worker, or refuses.
///
/// # Errors
/// 404 to strangers, 403 to the support worker in person and to staff with other duties.
pub fn over_worker(caller: &Caller, worker: WorkerId) -> Result<ForWorker, Problem> {
    let acting = access::over_worker(&caller.person.value, worker)?;
    Ok(ForWorker {
        acting,
        caller: caller.person.clone(),
        told: None,
    })
}

impl Told {
    fn new(context: &Context, how: &Instruction, by: Instructor) -> Self {
        Self {
            how: how.clone(),
            by,
            notice: context.fresh(),
        }
    }
}

/// Keeps how staff were told to do this, and lets whoever told them know that it is done.
fn as_told(commit: Commit, told: Option<&Told>) -> Commit {
    let Some(Told { how, by, notice }) = told else {
        return commit;
    };
    let operation = commit.operation().to_owned();
    let event = match *by {
        Instructor::Client(client, scope) => Event::DoneForClient {
            client,
            scope,
            operation,
        },
        Instructor::Worker(worker) => Event::DoneForWorker { worker, operation },
    };
    commit
        .because(how.words().to_owned())
        .notify(*notice, event)
}

impl ForClient {
    /// Makes the commit fail if the relationship has changed since it was read.
    pub fn insisted_on(&self, commit: Commit) -> Commit {
        let commit = as_told(commit.unchanged(&self.client), self.told.as_ref());
        match &self.authority {
            Some(authority) => commit.unchanged(authority),
            None => commit.unchanged(&self.caller),
        }
    }
}

impl Party {
    /// Makes the commit fail if the relationship, or the engagement, has changed since it was read.
    pub fn insisted_on(&self, commit: Commit) -> Commit {
        let commit = as_told(commit.unchanged(&self.engagement), self.told.as_ref());
        match &self.authority {
            Some(authority) if self.side == Side::Client => commit.unchanged(authority),
            Some(_) | None => commit.unchanged(&self.caller),
        }
    }

    /// What is told to the other side, or to both.
    #[must_use]
    pub fn event(&self, happening: Happening, told: impl Into<domain::notice::Told>) -> Event {
        engagement_event(&self.engagement.value, happening, None, told)
    }
}

/// What the people of an engagement hear of something that happened in it.
#[must_use]
pub fn engagement_event(
    engagement: &Engagement,
    happening: Happening,
    visit: Option<VisitId>,
    told: impl Into<domain::notice::Told>,
) -> Event {
    Event::Engagement {
        engagement: engagement.id,
        client: engagement.client,
        worker: engagement.worker,
        happening,
        told: told.into(),
        visit,
    }
}

impl ForWorker {
    /// Makes the commit fail if the caller's roles have changed since they were read.
    pub fn insisted_on(&self, commit: Commit) -> Commit {
        as_told(commit.unchanged(&self.caller), self.told.as_ref())
    }
}

impl OverEngagement {
    /// Makes the commit fail if the caller's roles, or the engagement, have changed since they were read.
    pub fn insisted_on(&self, commit: Commit) -> Commit {
        self.duty.insisted_on(commit.unchanged(&self.engagement))
    }
}

impl OnDuty {
    /// Makes the commit fail if the caller's roles have changed since they were read.
    pub fn insisted_on(&self, commit: Commit) -> Commit {
        commit.unchanged(&self.caller)
    }
}
