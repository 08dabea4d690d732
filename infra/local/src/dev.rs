//! What only the local host offers: moving the clock, and mail that bounces.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{DateTime, TimeDelta, Utc};
use functions::body::read_json;
use functions::context::Shared;
use functions::notification::bounced;
use functions::problem::Problem;
use platform::clock::Clock;
use serde::{Deserialize, Serialize};

use crate::clock::{DevClock, DevClockError};
use crate::community::Samples;
use crate::ticker::{AdvanceError, Ticker};

/// Ten years: nothing of interest lies further off.
const FARTHEST_SECONDS: i64 = 10 * 366 * 24 * 3600;

/// What these routes work with.
#[derive(Clone)]
pub struct Desk {
    /// What the functions work with.
    pub context: Shared,
    /// The clock to be moved.
    pub clock: Arc<DevClock>,
    /// Who deals with what falls due on the way.
    pub ticker: Arc<Ticker>,
}

/// `GET /dev/clock`, `POST /dev/clock/advance`, `GET /dev/people` and `POST /dev/mail-bounces`.
pub fn router(desk: Desk) -> Router {
    Router::new()
        .route("/dev/clock", get(show_clock))
        .route("/dev/clock/advance", post(advance_clock))
        .route("/dev/people", get(list_people))
        .route("/dev/mail-bounces", post(bounce_mail))
        .with_state(desk)
}

#[derive(Debug, Serialize)]
struct ClockView {
    now: DateTime<Utc>,
}

async fn show_clock(State(desk): State<Desk>) -> Json<ClockView> {
    Json(ClockView {
        now: desk.clock.now(),
    })
}

/// By how much, or to when: exactly one of the two.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Advance {
    Seconds(i64),
    To(DateTime<Utc>),
}

/// Steps through everything that falls due on the way, in order; answers when nothing is due any more.
async fn advance_clock(
    State(desk): State<Desk>,
    body: axum::body::Bytes,
) -> Result<Json<ClockView>, Problem> {
    let now = desk.clock.now();
    let to = match read_json(&body)? {
        Advance::Seconds(seconds) if (0..=FARTHEST_SECONDS).contains(&seconds) => {
            now + TimeDelta::seconds(seconds)
        }
        Advance::Seconds(_) => {
            return Err(Problem::invalid_field(
                "/seconds",
                format!("is not between 0 and {FARTHEST_SECONDS}"),
            ));
        }
        Advance::To(to) if to < now => {
            return Err(Problem::invalid_field(
                "/to",
                format!("has passed: it is {now}, and the clock only moves forward"),
            ));
        }
        Advance::To(to) if (to - now).num_seconds() > FARTHEST_SECONDS => {
            return Err(Problem::invalid_field("/to", "is more than ten years away"));
        }
        Advance::To(to) => to,
    };
    Ok(Json(ClockView {
        now: desk.ticker.advance_to(to).await?,
    }))
}

#[derive(Debug, Serialize)]
struct KnownView {
    /// `clt_…` or `wrk_…`.
    id: String,
    /// Whom to ask for a token of.
    subject: String,
    given_name: String,
}

/// Who is behind an id of the sample community, so that a story can be gone on with as them.
async fn list_people() -> Result<Json<Vec<KnownView>>, Problem> {
    let samples = Samples::read().map_err(|error| {
        tracing::error!(%error, "the samples cannot be read");
        Problem::internal()
    })?;
    let people = samples.known().map(|known| KnownView {
        subject: known.subject().to_owned(),
        given_name: known.given().to_owned(),
        id: known.id,
    });
    Ok(Json(people.collect()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bounce {
    /// The name of the `.eml` file, without its ending.
    message_id: String,
}

async fn bounce_mail(
    State(desk): State<Desk>,
    body: axum::body::Bytes,
) -> Result<StatusCode, Problem> {
    let Bounce { message_id } = read_json(&body)?;
    bounced(&desk.context, &message_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<AdvanceError> for Problem {
    fn from(error: AdvanceError) -> Self {
        match error {
            AdvanceError::Store(error) => error.into(),
            AdvanceError::Clock(DevClockError::Backward | DevClockError::TooFar) => {
                Self::invalid_field("/to", error)
            }
            AdvanceError::Clock(DevClockError::Io { .. } | DevClockError::NotAnOffset(_)) => {
                tracing::error!(%error, "the clock cannot be moved");
                Self::internal()
            }
        }
    }
}
