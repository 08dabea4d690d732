//! Joining two records of one person, and parting them again.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::access::{Authority, Duty};
use domain::client::Client;
use domain::correction::{self, Merge, MergePeopleError, UnmergePeopleError};
use domain::id::PersonId;
use domain::person::{LoginKey, Person, Roles};
use domain::schedule::{BookingsOverlap, must_not_overlap};
use domain::support_worker::SupportWorker;
use serde::{Deserialize, Serialize};
use store::{Commit, Key};
use utoipa::ToSchema;

use super::{MOST_LISTED, Reason, created, load_logins};
use crate::body::Command;
use crate::booking;
use crate::caller::Caller;
use crate::context::{Context, Shared};
use crate::page::Listed;
use crate::path::Path;
use crate::perform::{Decision, once};
use crate::person::load;
use crate::problem::Problem;
use crate::reason::need_reason;
use crate::standing::on_duty;

/// Which record survives.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MergeInto {
    /// The record that goes on; the one in the path becomes a pointer to it.
    into: PersonId,
    /// Why; kept with the record.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Merge a duplicate
///
/// The record in the path becomes a pointer to `into`, which takes over its logins, roles and
/// authorities and acts as both. At most 10 logins together, and at most 10 items to move: a login, a
/// client and a support worker count one each, an authority two. Refused while visits booked for the two
/// overlap. Links to calendars that were opened under the record in the path open nothing while it is merged.
#[utoipa::path(post, path = "/v1/people/{person}/merges", tag = "people", params(("person" = PersonId, Path)),
    request_body(content = MergeInto, example = json!({
        "into": "per_0190b2f06bd47c5a9a3e5b7f21d4c8ab", "reason": "Signed up twice through two partners."
    })),
    responses((status = 201, body = crate::person::PersonView))
)]
pub(super) async fn merge_person(
    State(context): State<Shared>,
    caller: Caller,
    Path(person): Path<PersonId>,
    command: Command<MergeInto>,
) -> Result<Response, Problem> {
    let duty = on_duty(&caller, Duty::People)?;
    let MergeInto { into, reason } = &command.body;
    need_reason(reason)?;
    let done = once(&context, duty.acting.by, &command.key, || async {
        let duplicate = load(&context, person).await?;
        let survivor = context.store.get::<Person>(&Key::person(*into)).await?;
        let survivor =
            survivor.ok_or_else(|| Problem::invalid_field("/into", "names nobody known"))?;
        // INVARIANT: a merge raises the survivor's version, so this read is as fresh as the two records.
        let took_others_in = !context.store.merged_into(person, 1).await?.is_empty();
        let merged = correction::merge(
            duplicate.value.clone(),
            survivor.value.clone(),
            took_others_in,
            context.now(),
        )?;
        // INVARIANT: a booking insists on the two people's records, which this commit writes: whatever is booked
        // after these sheets were read, here or on new sheets, makes one of the two decide again.
        let theirs = booking::sheets_ahead(&context, &[person]).await?;
        let records = booking::records_of(&context, *into).await?;
        let others = booking::sheets_ahead(&context, &records).await?;
        let bookings = |sheets| booking::bookings(sheets, context.now());
        must_not_overlap(&bookings(&theirs), &bookings(&others))?;
        let fields = correction::changed_fields(&duplicate.value, &merged.duplicate);
        let key = Key::person(person);
        let audit = context.correction(duty.acting, "merge_person", &key, fields, reason);
        let commit = Commit::new(audit)
            .replace(&duplicate, &merged.duplicate)
            .replace(&survivor, &merged.survivor)
            .insert(&merged.merge)
            .notify(context.fresh(), merged.event);
        let sheets = theirs.iter().chain(&others);
        let commit = sheets.fold(commit, |commit, sheet| commit.unchanged(sheet));
        let Merge { logins, roles, .. } = &merged.merge;
        let commit = move_all(&context, commit, logins, roles, person, *into).await?;
        Ok(Decision::new(duty.insisted_on(commit), person))
    })
    .await?;
    created(&context, &caller, &done).await
}

/// Unmerge a record
///
/// The record in the path stands for itself again. The logins, roles and authorities that moved go
/// back, as far as the other record still has them; what that one gained meanwhile it keeps.
#[utoipa::path(post, path = "/v1/people/{person}/unmerges", tag = "people", params(("person" = PersonId, Path)),
    request_body(content = Reason, example = json!({"reason": "Twins: two people after all."})),
    responses((status = 201, body = crate::person::PersonView))
)]
pub(super) async fn unmerge_person(
    State(context): State<Shared>,
    caller: Caller,
    Path(person): Path<PersonId>,
    command: Command<Reason>,
) -> Result<Response, Problem> {
    let duty = on_duty(&caller, Duty::People)?;
    let reason = &command.body.reason;
    need_reason(reason)?;
    let done = once(&context, duty.acting.by, &command.key, || async {
        let duplicate = load(&context, person).await?;
        let into = duplicate.value.merged_into;
        let into = into.ok_or(UnmergePeopleError::NotMerged)?;
        let survivor = load(&context, into).await?;
        let merge = context.store.get(&Key::merge(into, person)).await?;
        let merge = merge.ok_or(UnmergePeopleError::NotMerged)?;
        let parted = correction::unmerge(
            duplicate.value.clone(),
            survivor.value.clone(),
            &merge.value,
        )?;
        let fields = correction::changed_fields(&duplicate.value, &parted.duplicate);
        let key = Key::person(person);
        let audit = context.correction(duty.acting, "unmerge_person", &key, fields, reason);
        let commit = Commit::new(audit)
            .replace(&duplicate, &parted.duplicate)
            .replace(&survivor, &parted.survivor)
            .remove(&merge);
        let commit = parted.events.into_iter().fold(commit, |commit, event| {
            commit.notify(context.fresh(), event)
        });
        let mut records = booking::records_of(&context, into).await?;
        records.retain(|record| *record != person);
        let (one, other) = (&parted.duplicate.roles, &parted.survivor.roles);
        let commit = booking::part(&context, commit, &[person], one).await?;
        let commit = booking::part(&context, commit, &records, other).await?;
        let Person { logins, roles, .. } = &parted.duplicate;
        let commit = move_all(&context, commit, logins, roles, into, person).await?;
        Ok(Decision::new(duty.insisted_on(commit), person))
    })
    .await?;
    created(&context, &caller, &done).await
}

/// Makes everything that moved point to `to`: logins, the roles themselves, and authorities.
///
/// A support worker's rows in the index keep the old record until the worker's next change; nobody is
/// matched with themselves all the same, because lists are settled by live records.
async fn move_all(
    context: &Context,
    mut commit: Commit,
    logins: &[LoginKey],
    roles: &Roles,
    from: PersonId,
    to: PersonId,
) -> Result<Commit, Problem> {
    let store = &context.store;
    for was in load_logins(context, logins).await? {
        let mut next = was.value.clone();
        next.person = to;
        commit = commit.replace(&was, &next);
    }
    let clients: Vec<Key> = roles.clients.iter().copied().map(Key::client).collect();
    for was in store.get_many::<Client>(&clients).await? {
        let mut next = was.value.clone();
        next.person = to;
        commit = commit.replace(&was, &next);
    }
    let workers: Vec<Key> = roles.workers.iter().copied().map(Key::worker).collect();
    for was in store.get_many::<SupportWorker>(&workers).await? {
        let mut next = was.value.clone();
        next.person = to;
        commit = commit.replace(&was, &next);
    }
    let represented = roles.represents.iter();
    let authorities: Vec<Key> = represented.map(|of| Key::authority(*of, from)).collect();
    for was in store.get_many::<Authority>(&authorities).await? {
        let mut next = was.value.clone();
        next.representative = to;
        commit = commit.remove(&was).insert(&next);
    }
    Ok(commit)
}

/// A record that was merged, and what moved.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MergeView {
    /// The record that became a pointer.
    duplicate: PersonId,
    /// How many logins moved.
    logins: usize,
    /// The roles that moved.
    roles: Roles,
    at: DateTime<Utc>,
}

/// List merges
///
/// The records that were merged into the one in the path, and what moved with each.
#[utoipa::path(get, path = "/v1/people/{person}/merges", tag = "people", params(("person" = PersonId, Path)),
    responses((status = 200, body = Listed<MergeView>, example = json!({"items": [{
        "duplicate": "per_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "logins": 1,
        "roles": {"clients": [], "workers": [], "staff": [], "represents": []}, "at": "2026-03-02T00:00:00Z"
    }]})))
)]
pub(super) async fn list_merges(
    State(context): State<Shared>,
    caller: Caller,
    Path(person): Path<PersonId>,
) -> Result<axum::Json<Listed<MergeView>>, Problem> {
    on_duty(&caller, Duty::People)?;
    load(&context, person).await?;
    let merges = context.store.merged_into(person, MOST_LISTED).await?;
    let items = merges.into_iter().map(|merge| MergeView {
        duplicate: merge.value.duplicate,
        logins: merge.value.logins.len(),
        roles: merge.value.roles,
        at: merge.value.at,
    });
    Ok(axum::Json(Listed {
        items: items.collect(),
        next: None,
    }))
}

impl From<BookingsOverlap> for Problem {
    fn from(error: BookingsOverlap) -> Self {
        Self::wrong_state("bookings-overlap", error)
    }
}

impl From<MergePeopleError> for Problem {
    fn from(error: MergePeopleError) -> Self {
        let kind = match error {
            MergePeopleError::Same => return Self::invalid_field("/into", error),
            MergePeopleError::DuplicateMerged => "person-merged",
            MergePeopleError::SurvivorMerged => "survivor-merged",
            MergePeopleError::TookOthersIn => "person-took-others-in",
            MergePeopleError::Staff => "person-is-staff",
            MergePeopleError::RepresentsOther => "person-represents-other",
            MergePeopleError::BothRepresent => "both-represent",
            MergePeopleError::TooManyLogins => "too-many-logins",
            MergePeopleError::TooMuchToMove => "too-much-to-move",
        };
        Self::wrong_state(kind, error)
    }
}

impl From<UnmergePeopleError> for Problem {
    fn from(error: UnmergePeopleError) -> Self {
        match error {
            UnmergePeopleError::NotMerged => Self::wrong_state("person-not-merged", error),
        }
    }
}
