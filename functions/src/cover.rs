//! Cover: finding another support worker for a visit at short notice.
//!
//! A search begins where a support worker cancels, is suspended or does not come, and where somebody asks for it. It
//! goes on in waves, each a due row: those whom the client knows are asked first, then whoever suits best of those who
//! are free then. The first who accepts is the one.

mod ask;
mod booked;
mod client;
mod comer;
mod consent;
mod leave;
mod offers;
mod search;
mod staff;
mod suspension;
mod view;
mod wave;

pub(crate) use leave::when_due as leave_when_due;
pub(crate) use suspension::when_due as suspension_when_due;
pub(crate) use wave::when_due;

use domain::cover::{BeginCoverError, Cover, CoverCause, CoverClosed};
use domain::due::{Due, DueRow};
use domain::engagement::{Engagement, Happening, Reasoned};
use domain::id::{CoverId, WorkerId};
use domain::notice::{Event, Told};
use domain::visit::Visit;
use store::{Commit, Key, StoreError, Versioned};
use utoipa_axum::router::OpenApiRouter;

use crate::consume::ConsumeError;
use crate::context::{Context, Shared};
use crate::conversation::tell;
use crate::on_call;
use crate::problem::Problem;

/// How many are remembered who were to come to one visit, one after the other.
const MOST_BEFORE: usize = 20;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .merge(ask::router())
        .merge(client::router())
        .merge(consent::router())
        .merge(offers::router())
        .merge(leave::router())
        .merge(staff::router())
}

/// Begins to look for somebody else to come to `visit`, where nobody is looked for yet. `visit` is the one that the
/// commit is about to write: it is marked with the search.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn seek(
    context: &Context,
    commit: Commit,
    visit: &mut Visit,
    cause: CoverCause,
) -> Result<Commit, StoreError> {
    match begun(context, visit, cause, None).await? {
        Ok(begun) => Ok(begun.added(context, commit, visit)),
        // Its time is over, somebody is looked for already, or nobody may go there.
        Err(_) => unless_wanted(context, commit, visit).await,
    }
}

/// Adds to a commit what follows from `visit` having been called off, which it is about to write: where its support
/// worker leaves the client alone at short notice somebody else is looked for; else nobody is any more, and whoever was
/// told that nobody had come need not do anything.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn called_off(
    context: &Context,
    commit: Commit,
    visit: &mut Visit,
) -> Result<Commit, StoreError> {
    let at = visit.cancellation.as_ref().map(|it| it.why.at);
    let late = at.is_some_and(|at| visit.is_at_short_notice(at));
    if late && visit.was_called_off_by_worker() {
        return seek(context, commit, visit, CoverCause::Cancelled).await;
    }
    let commit = unless_wanted(context, commit, visit).await?;
    on_call::has_settled(context, commit, visit.alert).await
}

/// Adds to the commit that is about to write `visit` that nobody is looked for any more, where nobody is wanted for what
/// has become of it.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn unless_wanted(
    context: &Context,
    commit: Commit,
    visit: &Visit,
) -> Result<Commit, StoreError> {
    let Some(search) = live(context, visit).await? else {
        return Ok(commit);
    };
    let key = Key::engagement(visit.engagement);
    let held = context.store.get::<Engagement>(&key).await?;
    let wanted = |held: Versioned<Engagement>| is_wanted(&search.value, visit, &held.value);
    Ok(match held.is_some_and(wanted) {
        true => commit,
        false => withdrawn(context, commit, &search),
    })
}

/// Whether somebody is still looked for: not where visits were stopped for the sake of somebody's safety.
fn is_wanted(cover: &Cover, visit: &Visit, held: &Engagement) -> bool {
    held.stopped.is_none() && cover.is_wanted_for(visit)
}

/// The search for somebody to come to `visit`, while it goes on.
async fn live(context: &Context, visit: &Visit) -> Result<Option<Versioned<Cover>>, StoreError> {
    let Some(cover) = visit.cover else {
        return Ok(None);
    };
    let cover = context.store.get::<Cover>(&Key::cover(cover)).await?;
    Ok(cover.filter(|cover| cover.value.is_live()))
}

/// Whoever began, moved or took back the visit knows; whoever was to come in its place does not.
fn withdrawn(context: &Context, commit: Commit, was: &Versioned<Cover>) -> Commit {
    match was.value.withdraw(None, context.now()) {
        Ok(next) => let_go(context, commit.replace(was, &next), &was.value),
        Err(_) => commit,
    }
}

/// Lets whoever could have come know that they are not needed, if somebody could.
fn let_go(context: &Context, commit: Commit, cover: &Cover) -> Commit {
    match cover.taken_by {
        Some(worker) => commit.notify(
            context.fresh(),
            Event::CoverNotNeeded {
                cover: cover.id,
                worker,
            },
        ),
        None => commit,
    }
}

/// A search that is about to begin.
struct Begun {
    cover: Cover,
    /// An earlier one that still goes on, for what the visit is not any more.
    stale: Option<Versioned<Cover>>,
    held: Option<Versioned<Engagement>>,
}

async fn begun(
    context: &Context,
    visit: &Visit,
    cause: CoverCause,
    asked_for: Option<Reasoned>,
) -> Result<Result<Begun, BeginCoverError>, StoreError> {
    // INVARIANT: one search at a time, since whatever begins one writes the visit.
    let key = Key::engagement(visit.engagement);
    let held = context.store.get::<Engagement>(&key).await?;
    if (held.as_ref()).is_some_and(|held| held.value.stopped.is_some()) {
        return Ok(Err(BeginCoverError::Stopped));
    }
    let stale = match live(context, visit).await? {
        Some(search) if search.value.is_wanted_for(visit) => {
            return Ok(Err(BeginCoverError::Sought));
        }
        other => other,
    };
    let policy = context.store.policy().await?;
    let (id, now) = (context.fresh(), context.now());
    let cover = Cover::begin(id, visit, cause, asked_for, &policy, now);
    let cover = match cover {
        Ok(cover) => Ok(Cover {
            before: before(context, visit).await?,
            ..cover
        }),
        Err(refused) => Err(refused),
    };
    Ok(cover.map(|cover| Begun { cover, stale, held }))
}

/// Those who were to come to what `visit` covers, the last one first.
async fn before(context: &Context, visit: &Visit) -> Result<Vec<WorkerId>, StoreError> {
    let (mut before, mut covers) = (Vec::new(), visit.covers);
    while let Some(covered) = covers.filter(|_| before.len() < MOST_BEFORE) {
        let key = Key::visit(covered);
        let Some(covered) = context.store.get::<Visit>(&key).await? else {
            break;
        };
        before.push(covered.value.worker);
        covers = covered.value.covers;
    }
    Ok(before)
}

impl Begun {
    /// Adds the search to the commit that writes `visit`, and marks the visit with it.
    fn added(&self, context: &Context, commit: Commit, visit: &mut Visit) -> Commit {
        visit.cover = Some(self.cover.id);
        let commit = match &self.stale {
            Some(stale) => withdrawn(context, commit, stale),
            None => commit,
        };
        let commit = armed(commit.insert(&self.cover), &self.cover);
        match &self.held {
            Some(held) => told(
                context,
                commit,
                &held.value,
                Happening::CoverSought,
                visit,
                Told::Client,
            ),
            None => commit,
        }
    }
}

/// A search, and what it is about.
struct Search {
    cover: Versioned<Cover>,
    /// The visit that has nobody to come.
    visit: Versioned<Visit>,
    /// The engagement in which it was booked.
    held: Versioned<Engagement>,
}

impl Search {
    async fn of(context: &Context, cover: CoverId) -> Result<Option<Self>, StoreError> {
        let store = &context.store;
        let Some(cover) = store.get::<Cover>(&Key::cover(cover)).await? else {
            return Ok(None);
        };
        let visit = store.get::<Visit>(&Key::visit(cover.value.visit)).await?;
        let held = Key::engagement(cover.value.engagement);
        let held = store.get::<Engagement>(&held).await?;
        Ok(visit
            .zip(held)
            .map(|(visit, held)| Self { cover, visit, held }))
    }

    fn is_wanted(&self) -> bool {
        is_wanted(&self.cover.value, &self.visit.value, &self.held.value)
    }

    fn told(&self, context: &Context, commit: Commit, happening: Happening, told: Told) -> Commit {
        self::told(
            context,
            commit,
            &self.held.value,
            happening,
            &self.visit.value,
            told,
        )
    }

    fn let_go(&self, context: &Context, commit: Commit) -> Commit {
        let_go(context, commit, &self.cover.value)
    }
}

/// Adds the row of the search's next deadline, if there is one.
fn armed(commit: Commit, cover: &Cover) -> Commit {
    match cover.deadline {
        Some(at) => commit.due_of(
            &Key::cover(cover.id),
            DueRow {
                due: Due::CoverWave { cover: cover.id },
                at,
                generation: cover.deadline_generation,
            },
        ),
        None => commit,
    }
}

fn told(
    context: &Context,
    commit: Commit,
    engagement: &Engagement,
    happening: Happening,
    visit: &Visit,
    told: Told,
) -> Commit {
    let about = Some(visit.id.to_string());
    tell(context, commit, engagement, happening, about, told)
}

/// A consumer has nobody to refuse: whatever is in the way is tried again later.
fn tried_again(problem: &Problem) -> ConsumeError {
    tracing::warn!(status = %problem.status(), "what a search for cover rests on cannot be read");
    ConsumeError::Busy
}

fn closed(closed: CoverClosed) -> Problem {
    let kind = match closed {
        CoverClosed::Taken => "cover-taken",
        CoverClosed::Over => "cover-closed",
    };
    Problem::wrong_state(kind, closed)
}
