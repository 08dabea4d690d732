//! Carrying a decision out: decide, commit, and when something changed meanwhile, read and decide again.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::id::{Id, Kind};
use serde::Serialize;
use store::{Commit, CommitError, Once};

use crate::body::IdempotencyKey;
use crate::context::Context;
use crate::problem::Problem;

/// How often a decision is made again before the caller is asked to come back.
const MOST_ROUNDS: usize = 8;
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A commit, and the id that its answer is made from.
pub struct Decision {
    /// The state change.
    pub commit: Commit,
    /// The id of what it makes or changes.
    pub target: String,
}

impl Decision {
    /// A commit that comes to `target`.
    pub fn new(commit: Commit, target: impl ToString) -> Self {
        Self {
            commit,
            target: target.to_string(),
        }
    }
}

/// An act that stands in the table.
#[derive(Debug, Clone)]
pub struct Done {
    target: String,
    replayed: bool,
}

impl Done {
    /// The id of what the act made or changed.
    ///
    /// # Errors
    /// 500 if it is of another kind: a defect.
    pub fn id<K: Kind>(&self) -> Result<Id<K>, Problem> {
        self.target.parse().map_err(|_| {
            tracing::error!(expected = K::PREFIX, "an act came to an id of another kind");
            Problem::internal()
        })
    }

    /// What the act made or changed, where it has no id of its own.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Whether this was a repetition that changed nothing.
    #[must_use]
    pub const fn replayed(&self) -> bool {
        self.replayed
    }

    /// The answer, marked if it is a repetition.
    pub fn answer(&self, status: StatusCode, view: impl IntoResponse) -> Response {
        let mut response = (status, view).into_response();
        if self.replayed {
            response
                .headers_mut()
                .insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// Does an act once, however often it is asked for with the same key.
///
/// `decide` reads what it needs and decides; it is called again when something it rested on changed
/// before the commit. It must not do anything but read.
///
/// # Errors
/// What `decide` refuses; 422 for a key used for another act; 429 at a limit; 503 when the table is too busy.
pub async fn once<F>(
    context: &Context,
    caller: impl ToString,
    key: &IdempotencyKey,
    decide: impl Fn() -> F,
) -> Result<Done, Problem>
where
    F: Future<Output = Result<Decision, Problem>> + Send,
{
    let once = asked_once(caller, key);
    for _ in 0..MOST_ROUNDS {
        if let Some(done) = remembered(context, &once).await? {
            return Ok(done);
        }
        let Decision { commit, target } = decide().await?;
        match context.commit_once(commit, &once, target.clone()).await {
            Ok(()) => {
                return Ok(Done {
                    target,
                    replayed: false,
                });
            }
            Err(CommitError::Replayed | CommitError::AlreadyDone | CommitError::Conflict(_)) => {}
            Err(CommitError::LimitReached(_)) => return Err(Problem::too_many(context.now())),
            Err(CommitError::Store(error)) => return Err(error.into()),
        }
    }
    Err(Problem::unavailable())
}

/// What an act came to that was done before with the same key; none if it was not.
///
/// For an act of many commits, the last of which is made by [`once`].
///
/// # Errors
/// 422 for a key used for another act; 503 when the table is too busy.
pub async fn done_before(
    context: &Context,
    caller: impl ToString,
    key: &IdempotencyKey,
) -> Result<Option<Done>, Problem> {
    remembered(context, &asked_once(caller, key)).await
}

fn asked_once(caller: impl ToString, key: &IdempotencyKey) -> Once {
    Once {
        caller: caller.to_string(),
        key: key.key.clone(),
        digest: key.digest.clone(),
    }
}

async fn remembered(context: &Context, once: &Once) -> Result<Option<Done>, Problem> {
    let Some(remembered) = context.store.remembered(once, context.now()).await? else {
        return Ok(None);
    };
    if remembered.digest != once.digest {
        let title = "This Idempotency-Key was used for another request";
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Err(Problem::new(status, "key-reused", title));
    }
    Ok(Some(Done {
        target: remembered.target,
        replayed: true,
    }))
}

/// Carries out an edit, which `If-Match` keeps from happening twice.
///
/// # Errors
/// What `decide` refuses; 429 at a limit; 503 when the table is too busy.
pub async fn edit<F>(context: &Context, decide: impl Fn() -> F) -> Result<(), Problem>
where
    F: Future<Output = Result<Commit, Problem>> + Send,
{
    settle(context, || {
        let decided = decide();
        async { Ok((Some(decided.await?), ())) }
    })
    .await
}

/// Carries out an act whose own state keeps it from happening twice, and gives what it came to. It may
/// turn out that there is nothing to do.
///
/// # Errors
/// As [`edit`].
pub async fn settle<T, F>(context: &Context, decide: impl Fn() -> F) -> Result<T, Problem>
where
    F: Future<Output = Result<(Option<Commit>, T), Problem>> + Send,
{
    for _ in 0..MOST_ROUNDS {
        let (commit, came_to) = decide().await?;
        let Some(commit) = commit else {
            return Ok(came_to);
        };
        match context.commit(commit).await {
            Ok(()) => return Ok(came_to),
            Err(CommitError::Replayed | CommitError::AlreadyDone | CommitError::Conflict(_)) => {}
            Err(CommitError::LimitReached(_)) => return Err(Problem::too_many(context.now())),
            Err(CommitError::Store(error)) => return Err(error.into()),
        }
    }
    Err(Problem::unavailable())
}

/// A view with the ETag of the version it shows.
#[derive(Debug)]
pub struct Tagged<T> {
    /// The stored version.
    pub version: u64,
    /// What is shown.
    pub view: T,
}

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let tag = HeaderValue::from_str(&format!("\"{}\"", self.version));
        let mut response = Json(self.view).into_response();
        if let Ok(tag) = tag {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}
