//! Support workers: registering, the profile, the checks, and whether they may be matched.

mod decision;
mod own;
mod published;
mod registration;
mod view;

use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::id::WorkerId;
use domain::policy::Policy;
use domain::support_worker::{Changed, SupportWorker};
use store::{Audit, Commit, Key, Versioned};
use utoipa_axum::router::OpenApiRouter;

use crate::body::IdempotencyKey;
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::perform::{Decision, once};
use crate::problem::Problem;
use crate::standing::ForWorker;

pub(crate) use published::publish;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .merge(registration::router())
        .merge(view::router())
        .merge(own::router())
        .merge(decision::router())
}

/// What an operation decides by, beside the support worker: the time and the policy in force.
struct Circumstances {
    now: DateTime<Utc>,
    policy: Policy,
}

impl Circumstances {
    async fn of(context: &Context) -> Result<Self, Problem> {
        Ok(Self {
            now: context.now(),
            policy: context.store.policy().await?,
        })
    }
}

/// One POST that changes a support worker.
struct Act<'a> {
    caller: &'a Caller,
    standing: ForWorker,
    worker: WorkerId,
    key: &'a IdempotencyKey,
    operation: &'static str,
    /// Why, in staff's words.
    reason: Option<&'a str>,
}

impl Act<'_> {
    /// Applies an operation of the domain once, and answers with the support worker as they are then.
    async fn apply<E>(
        self,
        context: &Context,
        operation: impl Fn(&SupportWorker, &Circumstances) -> Result<Changed, E> + Sync,
    ) -> Result<Response, Problem>
    where
        Problem: From<E>,
        E: Send,
    {
        let done = once(context, self.standing.acting.by, self.key, || async {
            let was = load(context, self.worker).await?;
            let changed = operation(&was.value, &Circumstances::of(context).await?)?;
            let audit = Audit {
                reason: self.reason.map(|reason| reason.trim().to_owned()),
                ..context.audit(
                    self.standing.acting,
                    self.operation,
                    &Key::worker(self.worker),
                )
            };
            let commit = self.standing.insisted_on(Commit::new(audit));
            let commit = publish(context, commit, &was, &changed);
            Ok(Decision::new(commit, self.worker))
        })
        .await?;
        let view = view::show(context, self.caller, done.id()?).await?;
        Ok(done.answer(StatusCode::CREATED, view))
    }
}

async fn load(context: &Context, worker: WorkerId) -> Result<Versioned<SupportWorker>, Problem> {
    context
        .store
        .get(&Key::worker(worker))
        .await?
        .ok_or_else(Problem::not_found)
}
