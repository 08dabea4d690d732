//! Tickets: work for staff. Searched, assigned, dated, remarked on and closed here; opened by
//! whatever needs staff, and by hand.

use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::Duty;
use domain::id::{PersonId, TicketId};
use domain::invalid::Findings;
use domain::notice::Event;
use domain::person::Person;
use domain::ticket::{
    ChangeTicketError, Ticket, TicketCause, TicketNote, TicketQueue, TicketState,
};
use serde::{Deserialize, Serialize};
use store::{Commit, Key, StaffPartition, Versioned};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::{Command, Edit, must_match};
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::page::{Listed, PageQuery};
use crate::path::{Path, Query};
use crate::perform::{Decision, Tagged, edit, once};
use crate::problem::Problem;
use crate::standing::on_duty;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_tickets, open_ticket))
        .routes(routes!(show_ticket, edit_ticket))
        .routes(routes!(note_ticket))
        .routes(routes!(close_ticket))
}

/// A ticket as staff see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TicketView {
    id: TicketId,
    queue: TicketQueue,
    cause: TicketCause,
    /// The id of what it is about.
    #[schema(example = "mreq_0190b2f06bd47c5a9a3e5b7f21d4c8aa")]
    subject: String,
    /// Ids of what else it is about.
    related: Vec<String>,
    state: TicketState,
    assignee: Option<PersonId>,
    due_at: DateTime<Utc>,
    /// Whether it should have been dealt with by now.
    overdue: bool,
    opened_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
    notes: Vec<TicketNote>,
}

impl TicketView {
    fn of(ticket: Ticket, now: DateTime<Utc>) -> Self {
        let overdue = ticket.state == TicketState::Open && ticket.due_at < now;
        let Ticket {
            id,
            queue,
            cause,
            subject,
            related,
            state,
            assignee,
            due_at,
            opened_at,
            closed_at,
            notes,
        } = ticket;
        Self {
            id,
            queue,
            cause,
            subject,
            related,
            state,
            assignee,
            due_at,
            overdue,
            opened_at,
            closed_at,
            notes,
        }
    }
}

/// Which tickets are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct TicketFilter {
    /// The queue.
    queue: TicketQueue,
    /// Open ones unless told.
    state: Option<TicketState>,
    /// Only those given to this person.
    assignee: Option<PersonId>,
    /// Only those about this id.
    subject: Option<String>,
}

/// List tickets
///
/// The tickets of one queue, soonest due first. With a filter a page can hold fewer than asked, and
/// even none, while more follow: go on while there is a `next`.
#[utoipa::path(get, path = "/v1/tickets", tag = "tickets", params(TicketFilter, PageQuery), responses(
    (status = 200, body = Listed<TicketView>, example = json!({"items": [], "next": "VElDS0VUUw"}))
))]
async fn list_tickets(
    State(context): State<Shared>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Query(filter): Query<TicketFilter>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    on_duty(&caller, Duty::Tickets)?;
    let partition =
        StaffPartition::Tickets(filter.queue, filter.state.unwrap_or(TicketState::Open));
    let mut found = context
        .store
        .staff_list::<Ticket>(partition, false, page.limit(), page.cursor())
        .await?;
    found.items.retain(|ticket| {
        filter
            .assignee
            .is_none_or(|assignee| ticket.value.assignee == Some(assignee))
            && filter
                .subject
                .as_ref()
                .is_none_or(|subject| ticket.value.subject == *subject)
    });
    let now = context.now();
    Ok(Listed::of(found, |ticket| TicketView::of(ticket.value, now)).at(&uri))
}

/// Show a ticket
#[utoipa::path(get, path = "/v1/tickets/{ticket}", tag = "tickets", params(("ticket" = TicketId, Path)), responses(
    (status = 200, body = TicketView, example = json!({
        "id": "tkt_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "queue": "match_requests", "cause": "no_candidates",
        "subject": "mreq_0190b2f06bd47c5a9a3e5b7f21d4c8ab", "related": [], "state": "open", "assignee": null,
        "due_at": "2026-03-02T04:00:00Z", "overdue": false, "opened_at": "2026-03-02T00:00:00Z",
        "closed_at": null, "notes": []
    }))
))]
async fn show_ticket(
    State(context): State<Shared>,
    caller: Caller,
    Path(ticket): Path<TicketId>,
) -> Result<Response, Problem> {
    Ok(show(&context, &caller, ticket).await?.into_response())
}

async fn show(
    context: &Context,
    caller: &Caller,
    ticket: TicketId,
) -> Result<Tagged<TicketView>, Problem> {
    on_duty(caller, Duty::Tickets)?;
    let Versioned { version, value } = load(context, ticket).await?;
    Ok(Tagged {
        version,
        view: TicketView::of(value, context.now()),
    })
}

async fn load(context: &Context, ticket: TicketId) -> Result<Versioned<Ticket>, Problem> {
    context
        .store
        .get(&Key::ticket(ticket))
        .await?
        .ok_or_else(Problem::not_found)
}

/// Work that somebody noticed.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OpenTicket {
    /// The id of what it is about.
    #[schema(max_length = 80, example = "clt_0190b2f06bd47c5a9a3e5b7f21d4c8aa")]
    subject: String,
    /// What is to be done.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "Asked for a call back about her plan."
    )]
    note: String,
    /// By when; in 72 hours unless told.
    due_at: Option<DateTime<Utc>>,
}

/// Open a ticket by hand
#[utoipa::path(post, path = "/v1/tickets", tag = "tickets", request_body = OpenTicket, responses(
    (status = 201, body = TicketView)
))]
async fn open_ticket(
    State(context): State<Shared>,
    caller: Caller,
    command: Command<OpenTicket>,
) -> Result<Response, Problem> {
    let duty = on_duty(&caller, Duty::Tickets)?;
    let wanted = &command.body;
    let mut findings = Findings::default();
    findings.text("/subject", &wanted.subject, 1, 80);
    findings.text("/note", &wanted.note, 1, 2000);
    findings.into_result()?;
    let done = once(&context, duty.acting.by, &command.key, || async {
        let now = context.now();
        let mut ticket = Ticket::open(context.fresh(), TicketCause::Manual, &wanted.subject, now);
        ticket.due_at = wanted.due_at.unwrap_or(ticket.due_at);
        ticket.notes.push(TicketNote {
            by: duty.acting.by,
            at: now,
            text: wanted.note.clone(),
        });
        let audit = context.audit(duty.acting, "open_ticket", &Key::ticket(ticket.id));
        let commit = duty.insisted_on(Commit::new(audit).insert(&ticket));
        Ok(Decision::new(commit, ticket.id))
    })
    .await?;
    Ok(done.answer(
        StatusCode::CREATED,
        show(&context, &caller, done.id()?).await?,
    ))
}

/// Who deals with a ticket, and by when.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EditTicket {
    /// Who deals with it; nobody if null.
    assignee: Option<PersonId>,
    /// By when.
    due_at: DateTime<Utc>,
}

/// Assign and date a ticket
///
/// A new assignee is told.
#[utoipa::path(put, path = "/v1/tickets/{ticket}", tag = "tickets", params(("ticket" = TicketId, Path)),
    request_body(content = EditTicket, example = json!({
        "assignee": "per_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "due_at": "2026-03-04T02:00:00Z"
    })),
    responses((status = 200, body = TicketView))
)]
async fn edit_ticket(
    State(context): State<Shared>,
    caller: Caller,
    Path(ticket): Path<TicketId>,
    change: Edit<EditTicket>,
) -> Result<Response, Problem> {
    let duty = on_duty(&caller, Duty::Tickets)?;
    edit(&context, || async {
        let was = load(&context, ticket).await?;
        must_match(change.version, was.version)?;
        let EditTicket { assignee, due_at } = change.body.clone();
        let mut commit =
            Commit::new(context.audit(duty.acting, "edit_ticket", &Key::ticket(ticket)));
        let newly_assigned = assignee.filter(|assignee| was.value.assignee != Some(*assignee));
        if let Some(assignee) = newly_assigned {
            let person = staff_member(&context, assignee).await?;
            let event = Event::TicketAssigned { ticket, assignee };
            commit = commit.unchanged(&person).notify(context.fresh(), event);
        }
        let next = was.value.clone().assign(assignee)?.date(due_at)?;
        Ok(duty.insisted_on(commit.replace(&was, &next)))
    })
    .await?;
    Ok(show(&context, &caller, ticket).await?.into_response())
}

async fn staff_member(context: &Context, person: PersonId) -> Result<Versioned<Person>, Problem> {
    let found = context.store.get::<Person>(&Key::person(person)).await?;
    found
        .filter(|found| !found.value.roles.staff.is_empty())
        .ok_or_else(|| Problem::invalid_field("/assignee", "is not a member of staff"))
}

/// A remark on a ticket.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Remark {
    /// The remark.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "Called; will send the papers on Monday."
    )]
    text: String,
}

/// Add a note to a ticket
#[utoipa::path(post, path = "/v1/tickets/{ticket}/notes", tag = "tickets", params(("ticket" = TicketId, Path)),
    request_body = Remark, responses((status = 201, body = TicketView))
)]
async fn note_ticket(
    State(context): State<Shared>,
    caller: Caller,
    Path(ticket): Path<TicketId>,
    command: Command<Remark>,
) -> Result<Response, Problem> {
    remark(
        &context,
        &caller,
        ticket,
        &command,
        "note_ticket",
        Ticket::note,
    )
    .await
}

/// Close a ticket
#[utoipa::path(post, path = "/v1/tickets/{ticket}/closure", tag = "tickets", params(("ticket" = TicketId, Path)),
    request_body = Remark, responses((status = 201, body = TicketView))
)]
async fn close_ticket(
    State(context): State<Shared>,
    caller: Caller,
    Path(ticket): Path<TicketId>,
    command: Command<Remark>,
) -> Result<Response, Problem> {
    remark(
        &context,
        &caller,
        ticket,
        &command,
        "close_ticket",
        Ticket::close,
    )
    .await
}

async fn remark(
    context: &Context,
    caller: &Caller,
    ticket: TicketId,
    command: &Command<Remark>,
    operation: &'static str,
    apply: impl Fn(Ticket, TicketNote) -> Result<Ticket, ChangeTicketError> + Sync,
) -> Result<Response, Problem> {
    let duty = on_duty(caller, Duty::Tickets)?;
    let mut findings = Findings::default();
    findings.text("/text", &command.body.text, 1, 2000);
    findings.into_result()?;
    let done = once(context, duty.acting.by, &command.key, || async {
        let was = load(context, ticket).await?;
        let text = command.body.text.clone();
        let note = TicketNote {
            by: duty.acting.by,
            at: context.now(),
            text,
        };
        let next = apply(was.value.clone(), note)?;
        let audit = context.audit(duty.acting, operation, &Key::ticket(ticket));
        let commit = duty.insisted_on(Commit::new(audit).replace(&was, &next));
        Ok(Decision::new(commit, ticket))
    })
    .await?;
    Ok(done.answer(
        StatusCode::CREATED,
        show(context, caller, done.id()?).await?,
    ))
}

impl From<ChangeTicketError> for Problem {
    fn from(error: ChangeTicketError) -> Self {
        match error {
            ChangeTicketError::Closed => Self::wrong_state("ticket-closed", error),
            ChangeTicketError::TooManyNotes => Self::wrong_state("ticket-full", error),
        }
    }
}
