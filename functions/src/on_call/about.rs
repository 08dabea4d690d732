//! What an alert is about, for whoever was called: the visit, and how to reach its two.

use domain::access::{self, Duty};
use domain::alert::Alert;
use domain::engagement::Side;
use domain::id::VisitId;
use domain::visit::Visit;
use serde::Serialize;
use store::{Key, StoreError};
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::context::Context;
use crate::engagement::{MemberView, Members};
use crate::schedule::ScheduledVisit;
use crate::standing::over_both;

/// A visit that somebody was called for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlertedVisit {
    #[serde(flatten)]
    scheduled: ScheduledVisit,
    /// Whether staff call the client where it does not begin.
    essential: bool,
    /// The two, and how to reach them; none for whoever is one of them or represents the client.
    people: Option<Vec<MemberView>>,
}

impl AlertedVisit {
    /// The visit that `alert` is about; none where there is no such visit any more.
    pub(super) async fn of(
        context: &Context,
        caller: &Caller,
        alert: &Alert,
    ) -> Result<Option<Self>, StoreError> {
        let Ok(visit) = alert.about.parse::<VisitId>() else {
            return Ok(None);
        };
        let visit = context.store.get::<Visit>(&Key::visit(visit)).await?;
        let Some(visit) = visit.map(|visit| visit.value) else {
            return Ok(None);
        };
        let people = people(context, caller, &visit).await?;
        Ok(Some(Self {
            essential: visit.details.essential,
            scheduled: ScheduledVisit::of(visit),
            people,
        }))
    }
}

/// INVARIANT: an alert tells nobody on one of the sides how to reach the other: what they may know of them stands in
/// the engagement.
async fn people(
    context: &Context,
    caller: &Caller,
    visit: &Visit,
) -> Result<Option<Vec<MemberView>>, StoreError> {
    let both = (visit.client, visit.worker);
    if over_both(caller, visit.client, visit.worker, Duty::Alerts).is_err() {
        return Ok(None);
    }
    let members = Members::of(context, &[both]).await?;
    let sides = [Side::Client, Side::Worker];
    let people = sides.map(|side| members.member(both, side, true));
    Ok(Some(people.into_iter().flatten().collect()))
}

/// The duty in which `caller` sees a visit as staff: those who answer alerts see what they are called for.
pub(crate) fn duty_to_see(caller: &Caller, visit: &Visit) -> Duty {
    let has = |duty| access::staff(&caller.person.value, duty).is_ok();
    match !has(Duty::Schedules) && has(Duty::Alerts) && visit.alert.is_some() {
        true => Duty::Alerts,
        false => Duty::Schedules,
    }
}
