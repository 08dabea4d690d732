//! A visit as both sides and staff see it.

use chrono::{DateTime, FixedOffset, Utc};
use domain::access::Acting;
use domain::cancellation::CancellationTerms;
use domain::engagement::Side;
use domain::id::{
    ChangeRequestId, ClientId, CoverId, EngagementId, ProposalId, SeriesId, VisitId, WorkerId,
};
use domain::money::Price;
use domain::terms::VisitPrice;
use domain::visit::{
    Cancellation, Confirmation, Dispute, Settlement, Visit, VisitPlace, VisitState, Waiver,
    WaiverGrounds, Worked,
};
use domain::vocabulary::Service;
use serde::Serialize;
use utoipa::ToSchema;

/// A visit as both sides and staff see it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VisitView {
    id: VisitId,
    engagement: EngagementId,
    client: ClientId,
    worker: WorkerId,
    /// The proposal that was accepted; none where it covers another, which was proposed in another engagement.
    proposal: Option<ProposalId>,
    /// Exactly the revision that was accepted, of that proposal or of the covered visit's.
    revision: u32,
    /// The series that it belongs to, if it does.
    series: Option<SeriesId>,
    state: VisitState,
    service: Service,
    /// When it begins, with the offset of its place.
    from: DateTime<FixedOffset>,
    /// When it ends.
    until: DateTime<FixedOffset>,
    /// IANA name of the place's time zone.
    time_zone: String,
    minutes: u32,
    place: VisitPlace,
    /// Suburb in which it takes place.
    suburb: String,
    /// Where the client lives: for the support worker alone, while a visit there is booked or under way.
    home_address: Option<String>,
    notes: String,
    /// Whether staff call the client where it does not begin.
    essential: bool,
    booked_by: Acting,
    booked_at: DateTime<Utc>,
    /// Raised whenever when or where it takes place changes, and when it is cancelled.
    sequence: u32,
    /// The wish of the client's to change it that is open.
    change_request: Option<ChangeRequestId>,
    /// The search for somebody else to come to it, if there was one.
    cover: Option<CoverId>,
    /// The visit in whose place it was booked, where it covers one.
    covers: Option<VisitId>,
    /// The visit that was booked in its place, once somebody else comes; for the client's side and for staff.
    covered_by: Option<VisitId>,
    /// When the support worker really began.
    started_at: Option<DateTime<Utc>>,
    /// When the support worker really finished.
    completed_at: Option<DateTime<Utc>>,
    /// What the support worker wrote down of it.
    worked: Option<Worked>,
    /// What the client owes for it, and on what that rests. It does not count while the visit is disputed.
    confirmation: Option<Confirmation>,
    /// What the client does not agree with.
    dispute: Option<DisputeView>,
    /// Which side cancelled it, and why.
    cancellation: Option<CancellationView>,
    /// The terms on which the client can cancel it.
    cancellation_terms: CancellationTerms,
    /// The version of the terms under which it was booked.
    terms_version: u32,
    /// What it costs, as the client saw it before it was booked.
    price: VisitPrice,
    /// What is charged for it as things stand.
    charge: Price,
}

/// How a visit came to be cancelled. Who it was on their side, or among the staff, is not said: an engagement that
/// was ended, or whose other side was blocked, does not say so either.
#[derive(Debug, Serialize, ToSchema)]
struct CancellationView {
    /// On which side; none for staff.
    side: Option<Side>,
    at: DateTime<Utc>,
    reason: String,
    /// What the client agreed to pay for it.
    charge: Price,
    /// Why staff let that go.
    waiver: Option<WaiverView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct WaiverView {
    grounds: WaiverGrounds,
    at: DateTime<Utc>,
    reason: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct DisputeView {
    at: DateTime<Utc>,
    reason: String,
    /// What staff decided.
    settlement: Option<SettlementView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct SettlementView {
    at: DateTime<Utc>,
    reason: String,
    /// As many of the minutes that were written down are paid.
    payable_minutes: u32,
}

impl From<Cancellation> for CancellationView {
    fn from(cancellation: Cancellation) -> Self {
        let Cancellation {
            why,
            charge,
            waiver,
        } = cancellation;
        Self {
            side: why.side,
            at: why.at,
            reason: why.reason,
            charge,
            waiver: waiver.map(|Waiver { grounds, why }| WaiverView {
                grounds,
                at: why.at,
                reason: why.reason,
            }),
        }
    }
}

impl From<Dispute> for DisputeView {
    fn from(Dispute { why, settlement }: Dispute) -> Self {
        let settled = |settlement: Settlement| SettlementView {
            at: settlement.why.at,
            reason: settlement.why.reason,
            payable_minutes: settlement.payable_minutes,
        };
        Self {
            at: why.at,
            reason: why.reason,
            settlement: settlement.map(settled),
        }
    }
}

impl VisitView {
    /// As whoever stands on `side` sees it; none for staff.
    pub(super) fn of(visit: Visit, side: Option<Side>, home_address: Option<String>) -> Self {
        let local = |at| visit.details.local(at);
        Self {
            from: local(visit.from),
            until: local(visit.until),
            charge: visit.charge(),
            id: visit.id,
            engagement: visit.engagement,
            client: visit.client,
            worker: visit.worker,
            proposal: visit.proposal,
            revision: visit.revision,
            series: visit.series,
            state: visit.state,
            service: visit.details.service,
            time_zone: visit.details.time_zone,
            minutes: visit.details.minutes,
            place: visit.details.place,
            suburb: visit.suburb,
            home_address,
            notes: visit.details.notes,
            essential: visit.details.essential,
            booked_by: visit.booked_by,
            booked_at: visit.booked_at,
            sequence: visit.sequence,
            change_request: visit.change_request,
            cover: visit.cover,
            covers: visit.covers,
            covered_by: visit.covered_by.filter(|_| side != Some(Side::Worker)),
            started_at: visit.started_at,
            completed_at: visit.completed_at,
            worked: visit.worked,
            confirmation: visit.confirmation,
            dispute: visit.dispute.map(DisputeView::from),
            cancellation: visit.cancellation.map(CancellationView::from),
            cancellation_terms: visit.cancellation_terms,
            terms_version: visit.terms_version,
            price: visit.price,
        }
    }
}
