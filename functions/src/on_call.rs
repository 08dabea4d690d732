//! Alerts and who is on call: the first on call is told, then the next, until somebody says that they look after it.

mod about;

use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::{self, Duty};
use domain::alert::{
    AcknowledgeAlertError, Alert, AlertCause, AlertState, EscalateError, Next, ToldOnCall,
};
use domain::due::{Due, DueRow};
use domain::id::{AlertId, PersonId, VisitId};
use domain::notice::Event;
use domain::person::Person;
use domain::rota::OnCallRota;
use domain::visit::{Visit, VisitState};
use domain::vocabulary::Vocabulary;
use serde::{Deserialize, Serialize};
use store::{Actor, Commit, Entity, Key, PendingDue, StaffPartition, StoreError, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::about::AlertedVisit;
use crate::body::{Command, Edit, Nothing, must_match};
use crate::caller::Caller;
use crate::consume::{ConsumeError, Effect};
use crate::context::{Context, Shared};
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Decision, Tagged, edit, once};
use crate::problem::Problem;
use crate::standing::on_duty;

pub(crate) use about::duty_to_see;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(show_on_call_rota, edit_on_call_rota))
        .routes(routes!(list_alerts))
        .routes(routes!(show_alert))
        .routes(routes!(acknowledge_alert))
}

/// Adds an alert to a commit: staff who look after alerts hear of it, and whoever is on call is told one by one.
pub(crate) fn raise(
    context: &Context,
    commit: Commit,
    cause: AlertCause,
    about: impl ToString,
) -> (Commit, AlertId) {
    let alert = Alert::raise(context.fresh(), cause, about, context.now());
    let raised = Event::AlertRaised { alert: alert.id };
    let commit = armed(commit.insert(&alert), &alert).notify(context.fresh(), raised);
    (commit, alert.id)
}

/// Adds to a commit that what `alert` was about has come right: nobody else is told of it.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn has_settled(
    context: &Context,
    commit: Commit,
    alert: Option<AlertId>,
) -> Result<Commit, StoreError> {
    let Some(alert) = alert else {
        return Ok(commit);
    };
    let was = context.store.get::<Alert>(&Key::alert(alert)).await?;
    let settled = was.and_then(|was| Some((was.value.settle()?, was)));
    Ok(match settled {
        Some((settled, was)) => commit.replace(&was, &settled),
        None => commit,
    })
}

/// Whether somebody looks after `alert`, or is still looked for to do so.
///
/// # Errors
/// When the table does not answer.
pub(crate) async fn is_live(context: &Context, alert: Option<AlertId>) -> Result<bool, StoreError> {
    let Some(alert) = alert else {
        return Ok(false);
    };
    let alert = context.store.get::<Alert>(&Key::alert(alert)).await?;
    Ok(alert.is_some_and(|alert| alert.value.state != AlertState::Settled))
}

fn armed(commit: Commit, alert: &Alert) -> Commit {
    match alert.next_at {
        Some(at) => commit.due_of(
            &alert.key(),
            DueRow {
                due: Due::AlertEscalation { alert: alert.id },
                at,
                generation: alert.generation,
            },
        ),
        None => commit,
    }
}

/// Tells the next of those on call, unless somebody has answered or it has come right meanwhile.
pub(crate) async fn escalate(
    context: &Context,
    pending: &PendingDue,
    alert: AlertId,
) -> Result<Effect, ConsumeError> {
    let key = Key::alert(alert);
    let Some(was) = context.store.get::<Alert>(&key).await? else {
        return Ok(Effect::Superseded);
    };
    let now = context.now();
    match was.value.must_go_on(pending.row.generation, now) {
        Ok(()) => {}
        Err(EscalateError::Superseded) => return Ok(Effect::Superseded),
        Err(EscalateError::Early(at)) => return Ok(Effect::Early(at)),
    }
    let commit = |operation| {
        let audit = context.audit(Actor::Service, operation, &key);
        Commit::new(audit).finish(pending)
    };
    if has_come_right(context, &was.value).await?
        && let Some(settled) = was.value.settle()
    {
        return Ok(commit("settle_alert").replace(&was, &settled).into());
    }
    let order = order(context, now).await?;
    let policy = context.store.policy().await?;
    let (next, whom) = was.value.escalate(&order, &policy, now);
    let event = match whom {
        Next::Person(person) => Event::OnCall { alert, person },
        Next::Everybody => Event::AlertUnanswered { alert },
    };
    let commit = commit("escalate_alert").replace(&was, &next);
    Ok(armed(commit, &next).notify(context.fresh(), event).into())
}

/// Those on call who can be told: whoever has left the staff since the rota was made is passed over.
async fn order(context: &Context, now: DateTime<Utc>) -> Result<Vec<PersonId>, StoreError> {
    let rota = context
        .store
        .get::<OnCallRota>(&Key::on_call_rota())
        .await?;
    let planned = rota.map_or_else(Vec::new, |rota| rota.value.order(now));
    let mut order = Vec::with_capacity(planned.len());
    for person in planned {
        let person = context.living_person(person).await?;
        let staff = person.filter(|it| access::staff(&it.value, Duty::Alerts).is_ok());
        order.extend(staff.map(|it| it.value.id));
    }
    Ok(order)
}

/// Whether a visit that had nobody has somebody by now, or is not to take place any more.
async fn has_come_right(context: &Context, alert: &Alert) -> Result<bool, StoreError> {
    let Ok(visit) = alert.about.parse::<VisitId>() else {
        return Ok(false);
    };
    let visit = context.store.get::<Visit>(&Key::visit(visit)).await?;
    let Some(Versioned { value: visit, .. }) = visit else {
        return Ok(false);
    };
    Ok(match visit.state {
        _ if visit.covered_by.is_some() => true,
        VisitState::Booked | VisitState::Missed => false,
        VisitState::Cancelled => !visit.was_called_off_by_worker(),
        VisitState::Started
        | VisitState::Completed
        | VisitState::Confirmed
        | VisitState::Disputed => true,
    })
}

/// Show who is on call
///
/// By staff who look after alerts. Before there is a rota its ETag is `"0"`.
#[utoipa::path(get, path = "/v1/on-call-rota", tag = "on call", responses(
    (status = 200, body = OnCallRota, example = json!({
        "shifts": [{
            "from": "2026-12-01T08:00:00+10:00", "until": "2026-12-01T20:00:00+10:00",
            "people": ["per_0190b2f06bd47c5a9a3e5b7f21d4c8aa"]
        }],
        "fallback": ["per_0190b2f06bd47c5a9a3e5b7f21d4c8ab"]
    }))
))]
async fn show_on_call_rota(
    State(context): State<Shared>,
    caller: Caller,
) -> Result<Response, Problem> {
    on_duty(&caller, Duty::Alerts)?;
    Ok(rota(&context).await?.into_response())
}

async fn rota(context: &Context) -> Result<Tagged<OnCallRota>, Problem> {
    let rota = context
        .store
        .get::<OnCallRota>(&Key::on_call_rota())
        .await?;
    Ok(match rota {
        Some(Versioned { version, value }) => Tagged {
            version,
            view: value,
        },
        None => Tagged {
            version: 0,
            view: OnCallRota::default(),
        },
    })
}

/// Say who is on call
///
/// By administrators; the first rota goes against the ETag `"0"`. Everybody on it looks after alerts. It counts for
/// alerts that wait, too.
#[utoipa::path(put, path = "/v1/on-call-rota", tag = "on call",
    request_body(content = OnCallRota, example = json!({
        "shifts": [{
            "from": "2026-12-01T08:00:00+10:00", "until": "2026-12-01T20:00:00+10:00",
            "people": ["per_0190b2f06bd47c5a9a3e5b7f21d4c8aa"]
        }],
        "fallback": ["per_0190b2f06bd47c5a9a3e5b7f21d4c8ab"]
    })),
    responses((status = 200, body = OnCallRota))
)]
async fn edit_on_call_rota(
    State(context): State<Shared>,
    caller: Caller,
    change: Edit<OnCallRota>,
) -> Result<Response, Problem> {
    let duty = on_duty(&caller, Duty::Administration)?;
    let next = &change.body;
    next.check()?;
    must_all_look_after_alerts(&context, next).await?;
    edit(&context, || async {
        let key = Key::on_call_rota();
        let was = context.store.get::<OnCallRota>(&key).await?;
        must_match(change.version, was.as_ref().map_or(0, |was| was.version))?;
        let audit = context.audit(duty.acting, "edit_on_call_rota", &key);
        let commit = match &was {
            Some(was) => Commit::new(audit).replace(was, next),
            None => Commit::new(audit).insert(next),
        };
        Ok(duty.insisted_on(commit))
    })
    .await?;
    Ok(rota(&context).await?.into_response())
}

/// Whoever leaves the staff afterwards is passed over when an alert goes out.
async fn must_all_look_after_alerts(context: &Context, rota: &OnCallRota) -> Result<(), Problem> {
    let named = rota.named();
    let keys: Vec<Key> = named
        .iter()
        .map(|(_, person)| Key::person(*person))
        .collect();
    let people = context.store.get_many::<Person>(&keys).await?;
    let looks_after = |person: PersonId| {
        let mut people = people.iter().map(|found| &found.value);
        people.any(|it| it.id == person && access::staff(it, Duty::Alerts).is_ok())
    };
    let mut unknown = named.iter().filter(|(_, person)| !looks_after(*person));
    match unknown.next() {
        Some((field, _)) => {
            let detail = "is no member of staff who looks after alerts";
            Err(Problem::invalid_field(field, detail))
        }
        None => Ok(()),
    }
}

/// An alert as staff see it.
#[derive(Debug, Serialize, ToSchema)]
struct AlertView {
    id: AlertId,
    cause: AlertCause,
    /// The id of what it is about.
    #[schema(example = "vis_0190b2f06bd47c5a9a3e5b7f21d4c8aa")]
    about: String,
    state: AlertState,
    raised_at: DateTime<Utc>,
    /// Who was told, one after the other.
    told: Vec<ToldOnCall>,
    /// When everybody who looks after alerts was told, because nobody on call had answered.
    everybody_at: Option<DateTime<Utc>>,
    /// Who looks after it.
    acknowledged: Option<ToldOnCall>,
    /// When the next on call is told.
    next_at: Option<DateTime<Utc>>,
}

impl From<Alert> for AlertView {
    fn from(alert: Alert) -> Self {
        let Alert {
            id,
            cause,
            about,
            state,
            raised_at,
            told,
            everybody_at,
            acknowledged,
            next_at,
            generation: _,
        } = alert;
        Self {
            id,
            cause,
            about,
            state,
            raised_at,
            told,
            everybody_at,
            acknowledged,
            next_at,
        }
    }
}

/// Which alerts are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct AlertFilter {
    /// Open ones unless told.
    state: Option<AlertState>,
}

/// List alerts
///
/// Those in one state, the oldest first. By staff who look after them.
#[utoipa::path(get, path = "/v1/alerts", tag = "on call", params(AlertFilter, PageQuery), responses(
    (status = 200, body = Listed<AlertView>, example = json!({"items": [{
        "id": "alr_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "cause": "visit_not_started",
        "about": "vis_0190b2f06bd47c5a9a3e5b7f21d4c8ab", "state": "open", "raised_at": "2026-12-01T00:15:00Z",
        "told": [{"person": "per_0190b2f06bd47c5a9a3e5b7f21d4c8ac", "at": "2026-12-01T00:15:00Z"}],
        "everybody_at": null, "acknowledged": null, "next_at": "2026-12-01T00:25:00Z"
    }]}))
))]
async fn list_alerts(
    State(context): State<Shared>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(filter): Query<AlertFilter>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    on_duty(&caller, Duty::Alerts)?;
    let state = filter.state.unwrap_or(AlertState::Open);
    let found = context
        .store
        .staff_list::<Alert>(
            StaffPartition::Alerts(state.code()),
            false,
            page.limit(),
            page.cursor(),
        )
        .await?;
    Ok(Listed::of(found, |alert| AlertView::from(alert.value)).at(&uri))
}

/// An alert as whoever was called for it opens it.
#[derive(Debug, Serialize, ToSchema)]
struct OpenedAlert {
    #[serde(flatten)]
    alert: AlertView,
    /// The visit that it is about, and whom to ring.
    visit: Option<AlertedVisit>,
}

/// Show an alert
///
/// By staff who look after them, with what whoever was woken needs at once: the visit, and how to reach the two. The
/// visit itself, and the search for somebody else to come to it, can be read by them, too.
#[utoipa::path(get, path = "/v1/alerts/{alert}", tag = "on call", params(("alert" = AlertId, Path)), responses(
    (status = 200, body = OpenedAlert, example = json!({
        "id": "alr_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "cause": "visit_not_started",
        "about": "vis_0190b2f06bd47c5a9a3e5b7f21d4c8ab", "state": "acknowledged",
        "raised_at": "2026-12-01T00:15:00Z",
        "told": [{"person": "per_0190b2f06bd47c5a9a3e5b7f21d4c8ac", "at": "2026-12-01T00:15:00Z"}],
        "everybody_at": null,
        "acknowledged": {"person": "per_0190b2f06bd47c5a9a3e5b7f21d4c8ac", "at": "2026-12-01T00:18:00Z"},
        "next_at": null,
        "visit": {
            "visit": "vis_0190b2f06bd47c5a9a3e5b7f21d4c8ab", "engagement": "eng_0190b2f06bd47c5a9a3e5b7f21d4c8ad",
            "client": "clt_0190b2f06bd47c5a9a3e5b7f21d4c8ae", "worker": "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8af",
            "series": null, "state": "booked", "service": "social_support",
            "from": "2026-12-01T10:00:00+10:00", "until": "2026-12-01T12:00:00+10:00",
            "time_zone": "Australia/Brisbane", "suburb": "West End", "essential": true,
            "people": [
                {"side": "client", "name": {"given": "Ana", "family": "Lindqvist"},
                 "contact": {"email": "ana@example.org", "phone": "+61 400 000 002"}},
                {"side": "worker", "name": {"given": "Mira", "family": "Haddad"},
                 "contact": {"email": "mira@example.org", "phone": "+61 400 000 001"}}
            ]
        }
    }))
))]
async fn show_alert(
    State(context): State<Shared>,
    caller: Caller,
    Path(alert): Path<AlertId>,
) -> Result<Response, Problem> {
    Ok(show(&context, &caller, alert).await?.into_response())
}

async fn show(
    context: &Context,
    caller: &Caller,
    alert: AlertId,
) -> Result<Tagged<OpenedAlert>, Problem> {
    on_duty(caller, Duty::Alerts)?;
    let Versioned { version, value } = load(context, alert).await?;
    let visit = AlertedVisit::of(context, caller, &value).await?;
    let alert = value.into();
    Ok(Tagged {
        version,
        view: OpenedAlert { alert, visit },
    })
}

async fn load(context: &Context, alert: AlertId) -> Result<Versioned<Alert>, Problem> {
    let found = context.store.get(&Key::alert(alert)).await?;
    found.ok_or_else(Problem::not_found)
}

/// Say that you look after an alert
///
/// By staff who look after alerts, whether or not it was their turn. Nobody else is told of it from then on.
#[utoipa::path(post, path = "/v1/alerts/{alert}/acknowledgement", tag = "on call",
    params(("alert" = AlertId, Path)), request_body(content = Nothing, example = json!({})),
    responses((status = 201, body = OpenedAlert))
)]
async fn acknowledge_alert(
    State(context): State<Shared>,
    caller: Caller,
    Path(alert): Path<AlertId>,
    command: Command<Nothing>,
) -> Result<Response, Problem> {
    let duty = on_duty(&caller, Duty::Alerts)?;
    let by = duty.acting.by;
    let done = once(&context, by, &command.key, || async {
        let was = load(&context, alert).await?;
        let next = was.value.acknowledge(by, context.now())?;
        let audit = context.audit(duty.acting, "acknowledge_alert", &Key::alert(alert));
        let commit = Commit::new(audit).replace(&was, &next);
        Ok(Decision::new(duty.insisted_on(commit), alert))
    })
    .await?;
    let view = show(&context, &caller, done.id()?).await?;
    Ok(done.answer(StatusCode::CREATED, view))
}

impl From<AcknowledgeAlertError> for Problem {
    fn from(error: AcknowledgeAlertError) -> Self {
        let kind = match error {
            AcknowledgeAlertError::Acknowledged => "alert-acknowledged",
            AcknowledgeAlertError::Settled => "alert-settled",
        };
        Self::wrong_state(kind, error)
    }
}
