//! The statement of an engagement for one month, as JSON and as a file of comma-separated values.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use domain::access::Duty;
use domain::id::EngagementId;
use domain::money::Cents;
use domain::schedule::Month;
use domain::statement::{Statement, StatementLine};
use domain::visit::Visit;
use domain::vocabulary::Vocabulary;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::of_engagement;
use crate::caller::Caller;
use crate::context::Shared;
use crate::path::Path;
use crate::problem::Problem;
use crate::standing::see_engagement;

const CSV: &str = "text/csv";
const COLUMNS: &str = "visit,date,from,until,booked_minutes,worked_minutes,basis,client_pays,worker_gets,service_keeps";

pub(super) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(show_statement))
}

/// Show the statement of a month
///
/// For both sides and for staff: each visit that began in the month by the date at its place, what is charged for it
/// as things stand, and on what that rests. The total is the sum of the lines, to the cent. With `Accept: text/csv` it
/// comes as a file (RFC 4180) whose amounts are in whole units and whose last line is the total. Nothing in it is
/// free text, so that no spreadsheet can take any of it for a formula.
#[utoipa::path(get, path = "/v1/engagements/{engagement}/statements/{month}", tag = "visits",
    params(
        ("engagement" = EngagementId, Path),
        ("month" = String, Path, description = "The month, e.g. `2026-12`", example = "2026-12")
    ),
    responses((status = 200, content(
        (Statement = "application/json", example = json!({
            "engagement": "eng_0190b2f06bd47c5a9a3e5b7f21d4c8ab", "month": "2026-12",
            "lines": [{
                "visit": "vis_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "date": "2026-12-01",
                "from": "2026-12-01T09:00:00+10:00", "until": "2026-12-01T11:00:00+10:00",
                "booked_minutes": 120, "worked_minutes": 120, "basis": "confirmed",
                "client_pays": 12300, "worker_gets": 12000, "service_keeps": 300
            }],
            "total": {"client_pays": 12300, "worker_gets": 12000, "service_keeps": 300}
        })),
        (String = "text/csv")
    )))
)]
async fn show_statement(
    State(context): State<Shared>,
    caller: Caller,
    Path((engagement, month)): Path<(EngagementId, Month)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    see_engagement(&context, &caller, engagement, Duty::Schedules).await?;
    let visits = of_engagement(&context, engagement).await?;
    let visits: Vec<Visit> = visits.into_iter().map(|visit| visit.value).collect();
    let statement = Statement::of(engagement, month, &visits);
    let mut response = match wants_csv(&headers) {
        true => as_file(&statement),
        false => Json(statement).into_response(),
    };
    let accept = HeaderValue::from_static("accept");
    response.headers_mut().insert(header::VARY, accept);
    Ok(response)
}

/// Whether the caller asks for a file, and for nothing else before it.
fn wants_csv(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT);
    let accept = accept.and_then(|value| value.to_str().ok()).unwrap_or("");
    let first = accept.split([',', ';']).next().unwrap_or_default();
    first.trim().eq_ignore_ascii_case(CSV)
}

fn as_file(statement: &Statement) -> Response {
    let name = format!("statement-{}.csv", statement.month);
    let mut response = csv(statement).into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
    headers.insert(header::CONTENT_TYPE, kind);
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

/// INVARIANT: ids, dates, numbers and fixed words alone, so that nothing needs to be quoted.
fn csv(statement: &Statement) -> String {
    let total = statement.total;
    let all = [total.client_pays, total.worker_gets, total.service_keeps];
    let all = all.map(|cents| format!("{}.{:02}", cents / 100, cents % 100));
    let lines = statement.lines.iter().map(row);
    [COLUMNS.to_owned()]
        .into_iter()
        .chain(lines)
        .chain([format!("total,,,,,,,{}", all.join(","))])
        .map(|line| line + "\r\n")
        .collect()
}

fn row(line: &StatementLine) -> String {
    let worked = line.worked_minutes.map(|minutes| minutes.to_string());
    let charge = line.charge;
    let amounts = [charge.client_pays, charge.worker_gets, charge.service_keeps];
    [
        line.visit.to_string(),
        line.date.to_string(),
        line.from.to_rfc3339(),
        line.until.to_rfc3339(),
        line.booked_minutes.to_string(),
        worked.unwrap_or_default(),
        line.basis.code().to_owned(),
    ]
    .into_iter()
    .chain(amounts.map(|cents: Cents| cents.to_string()))
    .collect::<Vec<_>>()
    .join(",")
}
