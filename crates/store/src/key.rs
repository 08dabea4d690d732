//! The keys of the table: one place that knows how they are written.
//!
//! | what | pk | sk |
//! |---|---|---|
//! | person | `PERSON#id` | `PROFILE` |
//! | what a person hears | `PERSON#id` | `INBOX#notice` |
//! | a person's links to calendars | `PERSON#id` | `FEEDS` |
//! | what moved from a duplicate | `PERSON#survivor` | `MERGE#duplicate` |
//! | login | `LOGIN#issuer#subject` | `META` |
//! | duplicate hint | `HINT#hash` | `PERSON#id` |
//! | client, support worker | `CLIENT#id`, `WORKER#id` | `META` |
//! | authority | `CLIENT#id` | `AUTHORITY#person` |
//! | index source | `CELL#h3` | `WORKER#id` |
//! | shard pointer | `SHARD#h3` | `POINTER` |
//! | match request, its list | `MREQ#id` | `META`, `LIST` |
//! | a client's match requests | `CLIENT#id` | `MREQ#id` |
//! | a candidate since the client's first step | `MREQ#id` | `CAND#candidate` |
//! | a support worker's invitations | `WORKER#id` | `INV#id` |
//! | what a client and a support worker are to each other | `CLIENT#id` | `PAIR#worker` |
//! | engagement | `ENG#id` | `META` |
//! | a client's, a support worker's engagements | `CLIENT#id`, `WORKER#id` | `ENG#id` |
//! | messages, how far somebody has read | `ENG#id` | `MSG#id`, `READ#person` |
//! | what a side was told of and has not read | `ENG#id` | `UNREAD#side` |
//! | files of a conversation, which of them wait | `ENG#id` | `ATT#id`, `WAITING` |
//! | readings of a conversation by staff, those that both sides know of | `ENG#id` | `STAFFREAD#id`, `DISCLOSED#id` |
//! | meetings, offers, proposals | `ENG#id` | `MEET#id`, `OFFER#version`, `PROP#id` |
//! | visits of an engagement | `ENG#id` | `VISIT#id` |
//! | visit | `VISIT#id` | `META` |
//! | change requests of a visit | `VISIT#id` | `CHANGE#id` |
//! | series of an engagement | `ENG#id` | `SERIES#id` |
//! | busy sheet | `BUSY#person` | UTC month |
//! | alert; who is on call | `ALERT#id`; `ROTA#on-call` | `META` |
//! | search for cover | `COVER#id` | `META` |
//! | a support worker's being asked to cover | `WORKER#id` | `COVER#id` |
//! | safety report | `REPORT#id` | `META` |
//! | a person's safety reports in an engagement | `ENG#id` | `REPORT#person#id` |
//! | signup | `SIGNUP#id` | `META` |
//! | partner, its quotas | `PARTNER#id` | `META`, `QUOTA#hour` |
//! | form, by its publishable key | `FORM#id` | `META` |
//! | file of people taken in | `IMPORT#id` | `META` |
//! | who came of a row | `IMPORTED#kind#reference` | `META` |
//! | membership plan | `MPLAN#id` | `META` |
//! | ticket | `TICKET#id` | `META` |
//! | funding scheme | `SCHEME#code` | `CURRENT`, `VERSION#n` |
//! | policy, weights | `SETTINGS#what` | `CURRENT`, `VERSION#n` |
//! | nightly rebuild | `NIGHT#index` | `META` |
//! | marks of the deployment | `SYSTEM#what` | `META` |
//! | due row | its aggregate's | `DUE#kind#…` |
//! | reason for a correction | its aggregate's | `REASON#commit` |
//! | audit | `AUDIT#aggregate's pk` | time and commit |
//! | idempotency | `IDEM#caller#key` | `META` |

use std::fmt;

use domain::engagement::Side;
use domain::funding::SchemeCode;
use domain::id::{
    AlertId, AttachmentId, CandidateId, ChangeRequestId, ClientId, ConversationReadId, CoverId,
    EngagementId, FormId, ImportId, InvitationId, MatchRequestId, MeetingId, MembershipPlanId,
    MessageId, NoticeId, PartnerId, PersonId, ProposalId, ReportId, SeriesId, SignupId, TicketId,
    VisitId, WorkerId,
};
use domain::import::ImportKind;
use domain::person::LoginKey;
use domain::place::Cell;
use domain::schedule::Month;
use domain::ticket::{TicketQueue, TicketState};
use domain::vocabulary::Vocabulary;

/// The full primary key of one item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.pk, self.sk)
    }
}

impl Key {
    fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }

    fn meta(pk: String) -> Self {
        Self::new(pk, "META")
    }

    /// A person.
    #[must_use]
    pub fn person(id: PersonId) -> Self {
        Self::new(format!("PERSON#{id}"), "PROFILE")
    }

    /// One notice in a person's inbox. Notice ids are time-ordered, and so is the inbox.
    #[must_use]
    pub fn inbox(person: PersonId, notice: NoticeId) -> Self {
        Self::new(format!("PERSON#{person}"), format!("INBOX#{notice}"))
    }

    /// A person's links to calendars.
    #[must_use]
    pub fn feeds(person: PersonId) -> Self {
        Self::new(format!("PERSON#{person}"), "FEEDS")
    }

    /// What moved to a person from a duplicate record of theirs.
    #[must_use]
    pub fn merge(survivor: PersonId, duplicate: PersonId) -> Self {
        Self::new(format!("PERSON#{survivor}"), format!("MERGE#{duplicate}"))
    }

    /// A login.
    #[must_use]
    pub fn login(login: &LoginKey) -> Self {
        Self::meta(format!("LOGIN#{}#{}", login.issuer, login.subject))
    }

    /// A hint that `person` has the details behind `hash`.
    #[must_use]
    pub fn hint(hash: &str, person: PersonId) -> Self {
        Self::new(format!("HINT#{hash}"), format!("PERSON#{person}"))
    }

    /// The partition of everybody who has the details behind `hash`, and what their sort keys begin with.
    pub(crate) fn hints(hash: &str) -> (String, &'static str) {
        (format!("HINT#{hash}"), "PERSON#")
    }

    /// A client.
    #[must_use]
    pub fn client(id: ClientId) -> Self {
        Self::meta(format!("CLIENT#{id}"))
    }

    /// A representative's authority over a client.
    #[must_use]
    pub fn authority(client: ClientId, representative: PersonId) -> Self {
        Self::new(
            format!("CLIENT#{client}"),
            format!("AUTHORITY#{representative}"),
        )
    }

    /// A support worker.
    #[must_use]
    pub fn worker(id: WorkerId) -> Self {
        Self::meta(format!("WORKER#{id}"))
    }

    /// A support worker's packed profile in one cell of their service area.
    #[must_use]
    pub fn cell_row(cell: Cell, worker: WorkerId) -> Self {
        Self::new(format!("CELL#{cell}"), format!("WORKER#{worker}"))
    }

    /// Where the rows of one cell lie: partition and the beginning of their sort keys.
    #[must_use]
    pub fn cell_rows(cell: Cell) -> (String, &'static str) {
        (format!("CELL#{cell}"), "WORKER#")
    }

    /// The pointer to a cell's current shard.
    #[must_use]
    pub fn shard_pointer(cell: Cell) -> Self {
        Self::new(format!("SHARD#{cell}"), "POINTER")
    }

    /// A match request.
    #[must_use]
    pub fn match_request(id: MatchRequestId) -> Self {
        Self::meta(format!("MREQ#{id}"))
    }

    /// The ranked list of a match request.
    #[must_use]
    pub fn candidate_list(id: MatchRequestId) -> Self {
        Self::new(format!("MREQ#{id}"), "LIST")
    }

    /// The mark that a client made a match request; request ids are time-ordered.
    #[must_use]
    pub fn client_match_request(client: ClientId, id: MatchRequestId) -> Self {
        Self::new(format!("CLIENT#{client}"), format!("MREQ#{id}"))
    }

    /// A candidate, from the first step that the client takes.
    #[must_use]
    pub fn candidate(request: MatchRequestId, candidate: CandidateId) -> Self {
        Self::new(format!("MREQ#{request}"), format!("CAND#{candidate}"))
    }

    /// The mark that a support worker was invited; invitation ids are time-ordered.
    #[must_use]
    pub fn worker_invitation(worker: WorkerId, invitation: InvitationId) -> Self {
        Self::new(format!("WORKER#{worker}"), format!("INV#{invitation}"))
    }

    /// What a client and a support worker are to each other.
    #[must_use]
    pub fn pair(client: ClientId, worker: WorkerId) -> Self {
        Self::new(format!("CLIENT#{client}"), format!("PAIR#{worker}"))
    }

    /// An engagement.
    #[must_use]
    pub fn engagement(id: EngagementId) -> Self {
        Self::meta(format!("ENG#{id}"))
    }

    /// The mark, with a client, of an engagement of theirs; engagement ids are time-ordered.
    #[must_use]
    pub fn client_engagement(client: ClientId, id: EngagementId) -> Self {
        Self::new(format!("CLIENT#{client}"), format!("ENG#{id}"))
    }

    /// The mark, with a support worker, of an engagement of theirs.
    #[must_use]
    pub fn worker_engagement(worker: WorkerId, id: EngagementId) -> Self {
        Self::new(format!("WORKER#{worker}"), format!("ENG#{id}"))
    }

    /// One message of a conversation. Message ids are time-ordered, and so is the conversation.
    #[must_use]
    pub fn message(engagement: EngagementId, message: MessageId) -> Self {
        Self::new(format!("ENG#{engagement}"), format!("MSG#{message}"))
    }

    /// How far a person has read a conversation.
    #[must_use]
    pub fn read_mark(engagement: EngagementId, person: PersonId) -> Self {
        Self::new(format!("ENG#{engagement}"), format!("READ#{person}"))
    }

    /// What a side of a conversation was told of and has not read.
    #[must_use]
    pub fn unread(engagement: EngagementId, side: Side) -> Self {
        Self::new(
            format!("ENG#{engagement}"),
            format!("UNREAD#{}", side.code()),
        )
    }

    /// A file of a conversation.
    #[must_use]
    pub fn attachment(engagement: EngagementId, attachment: AttachmentId) -> Self {
        Self::new(format!("ENG#{engagement}"), format!("ATT#{attachment}"))
    }

    /// Which files of a conversation wait to be sent.
    #[must_use]
    pub fn waiting_attachments(engagement: EngagementId) -> Self {
        Self::new(format!("ENG#{engagement}"), "WAITING")
    }

    /// One reading of a conversation by staff.
    #[must_use]
    pub fn conversation_read(engagement: EngagementId, read: ConversationReadId) -> Self {
        Self::new(format!("ENG#{engagement}"), format!("STAFFREAD#{read}"))
    }

    /// The mark that both sides know of a reading. Both sides list these marks alone.
    #[must_use]
    pub fn disclosed_read(engagement: EngagementId, read: ConversationReadId) -> Self {
        Self::new(format!("ENG#{engagement}"), format!("DISCLOSED#{read}"))
    }

    /// An introductory meeting.
    #[must_use]
    pub fn meeting(engagement: EngagementId, meeting: MeetingId) -> Self {
        Self::new(format!("ENG#{engagement}"), format!("MEET#{meeting}"))
    }

    /// An offer of terms, by its number within the engagement.
    #[must_use]
    pub fn offer(engagement: EngagementId, version: u32) -> Self {
        Self::new(format!("ENG#{engagement}"), format!("OFFER#{version:06}"))
    }

    /// Where the offers of an engagement lie: partition and the beginning of their sort keys.
    #[must_use]
    pub fn offers(engagement: EngagementId) -> (String, &'static str) {
        (format!("ENG#{engagement}"), "OFFER#")
    }

    /// A proposal of a visit.
    #[must_use]
    pub fn proposal(engagement: EngagementId, proposal: ProposalId) -> Self {
        Self::new(format!("ENG#{engagement}"), format!("PROP#{proposal}"))
    }

    /// The mark, with an engagement, of a visit booked in it.
    #[must_use]
    pub fn engagement_visit(engagement: EngagementId, visit: VisitId) -> Self {
        Self::new(format!("ENG#{engagement}"), format!("VISIT#{visit}"))
    }

    /// A visit.
    #[must_use]
    pub fn visit(id: VisitId) -> Self {
        Self::meta(format!("VISIT#{id}"))
    }

    /// A client's wish to alter a visit. Ids are time-ordered.
    #[must_use]
    pub fn change_request(visit: VisitId, request: ChangeRequestId) -> Self {
        Self::new(format!("VISIT#{visit}"), format!("CHANGE#{request}"))
    }

    /// A series of visits.
    #[must_use]
    pub fn series(engagement: EngagementId, series: SeriesId) -> Self {
        Self::new(format!("ENG#{engagement}"), format!("SERIES#{series}"))
    }

    /// A search for somebody to cover a visit.
    #[must_use]
    pub fn cover(id: CoverId) -> Self {
        Self::meta(format!("COVER#{id}"))
    }

    /// The mark that a support worker was asked to cover a visit; the ids of searches are time-ordered.
    #[must_use]
    pub fn worker_cover(worker: WorkerId, cover: CoverId) -> Self {
        Self::new(format!("WORKER#{worker}"), format!("COVER#{cover}"))
    }

    /// When a person is taken in a month.
    #[must_use]
    pub fn busy_sheet(person: PersonId, month: Month) -> Self {
        Self::new(format!("BUSY#{person}"), month.to_string())
    }

    /// An alert.
    #[must_use]
    pub fn alert(id: AlertId) -> Self {
        Self::meta(format!("ALERT#{id}"))
    }

    /// Who is on call.
    #[must_use]
    pub fn on_call_rota() -> Self {
        Self::meta("ROTA#on-call".to_owned())
    }

    /// A safety report.
    #[must_use]
    pub fn report(id: ReportId) -> Self {
        Self::meta(format!("REPORT#{id}"))
    }

    /// The mark that a person made a safety report in an engagement; report ids are time-ordered.
    #[must_use]
    pub fn own_report(engagement: EngagementId, person: PersonId, report: ReportId) -> Self {
        let (pk, prefix) = Self::own_reports(engagement, person);
        Self::new(pk, format!("{prefix}{report}"))
    }

    /// Where the marks of a person's safety reports in an engagement lie, and how their sort keys begin.
    pub(crate) fn own_reports(engagement: EngagementId, person: PersonId) -> (String, String) {
        (format!("ENG#{engagement}"), format!("REPORT#{person}#"))
    }

    /// A signup.
    #[must_use]
    pub fn signup(id: SignupId) -> Self {
        Self::meta(format!("SIGNUP#{id}"))
    }

    /// A partner.
    #[must_use]
    pub fn partner(id: PartnerId) -> Self {
        Self::meta(format!("PARTNER#{id}"))
    }

    /// The form of a partner, by its publishable key.
    #[must_use]
    pub fn form(id: FormId) -> Self {
        Self::meta(format!("FORM#{id}"))
    }

    /// How many signups a partner sent in one hour (`2026-11-21T09`).
    #[must_use]
    pub fn quota(partner: PartnerId, hour: &str) -> Self {
        Self::new(format!("PARTNER#{partner}"), format!("QUOTA#{hour}"))
    }

    /// A file of people that was taken in.
    #[must_use]
    pub fn import(id: ImportId) -> Self {
        Self::meta(format!("IMPORT#{id}"))
    }

    /// Who came of a row, by the organisation's own reference.
    #[must_use]
    pub fn imported(kind: ImportKind, reference: &str) -> Self {
        Self::meta(format!("IMPORTED#{}#{reference}", kind.code()))
    }

    /// A membership plan.
    #[must_use]
    pub fn membership_plan(id: MembershipPlanId) -> Self {
        Self::meta(format!("MPLAN#{id}"))
    }

    /// The version of a funding scheme now in force.
    #[must_use]
    pub fn current_funding_scheme(code: &SchemeCode) -> Self {
        Self::new(format!("SCHEME#{code}"), "CURRENT")
    }

    /// One version of a funding scheme.
    #[must_use]
    pub fn funding_scheme_version(code: &SchemeCode, version: u32) -> Self {
        Self::new(format!("SCHEME#{code}"), format!("VERSION#{version:06}"))
    }

    /// A ticket.
    #[must_use]
    pub fn ticket(id: TicketId) -> Self {
        Self::meta(format!("TICKET#{id}"))
    }

    /// The version of a setting now in force.
    #[must_use]
    pub fn current_setting(what: &str) -> Self {
        Self::new(format!("SETTINGS#{what}"), "CURRENT")
    }

    /// One version of a setting.
    #[must_use]
    pub fn setting_version(what: &str, version: u32) -> Self {
        Self::new(format!("SETTINGS#{what}"), format!("VERSION#{version:06}"))
    }

    /// The nightly rebuild; its steps are due rows beside it.
    #[must_use]
    pub fn night() -> Self {
        Self::meta("NIGHT#index".to_owned())
    }

    /// What the schedule's message names that has the nightly rebuild begun. Nothing lies there.
    #[must_use]
    pub fn night_begins() -> Self {
        Self::new(Self::night().pk, "BEGIN")
    }

    /// A mark of the deployment itself, e.g. the data's format.
    #[must_use]
    pub fn system(what: &str) -> Self {
        Self::meta(format!("SYSTEM#{what}"))
    }

    /// The audit items of an aggregate.
    pub(crate) fn audit_partition(aggregate: &Self) -> String {
        format!("AUDIT#{}", aggregate.pk)
    }

    pub(crate) fn reason(aggregate: &Self, commit: &str) -> Self {
        Self::new(aggregate.pk.clone(), format!("REASON#{commit}"))
    }

    pub(crate) fn due(aggregate: &Self, name: &str) -> Self {
        Self::new(aggregate.pk.clone(), format!("DUE#{name}"))
    }

    pub(crate) fn audit(aggregate: &Self, time_and_commit: String) -> Self {
        Self::new(Self::audit_partition(aggregate), time_and_commit)
    }

    pub(crate) fn idempotency(caller: &str, key: &str) -> Self {
        Self::meta(format!("IDEM#{caller}#{key}"))
    }
}

/// A partition of the sparse `staff` index: what staff list, newest or soonest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaffPartition {
    /// Tickets of one queue and state, by due time.
    Tickets(TicketQueue, TicketState),
    /// Signups, by time.
    Signups,
    /// Support workers in one state (its code), by registration.
    Workers(&'static str),
    /// Match requests in one state (its code), by submission.
    MatchRequests(&'static str),
    /// Membership plans, by name.
    MembershipPlans,
    /// Funding schemes, by code.
    FundingSchemes,
    /// Partners, by name.
    Partners,
    /// Files of people taken in, by time.
    Imports,
    /// Shard pointers, by cell.
    Shards,
    /// People who hold a staff role.
    Staff,
    /// Engagements in one state (its code), by opening.
    Engagements(&'static str),
    /// Visits of one UTC month, by their beginning.
    Visits(Month),
    /// Alerts in one state (its code), by time.
    Alerts(&'static str),
    /// Searches for cover in one state (its code), by the beginning of their visits.
    Covers(&'static str),
    /// Safety reports in one state (its code), by deadline.
    Reports(&'static str),
    /// Questions and answers that wait for screening, by time.
    Screenings,
    /// Due rows that were tried too often.
    Parked,
}

impl fmt::Display for StaffPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tickets(queue, state) => write!(f, "TICKETS#{}#{}", queue.code(), state.code()),
            Self::Signups => f.write_str("SIGNUPS"),
            Self::Workers(state) => write!(f, "WORKERS#{state}"),
            Self::MatchRequests(state) => write!(f, "MREQS#{state}"),
            Self::MembershipPlans => f.write_str("MPLANS"),
            Self::FundingSchemes => f.write_str("SCHEMES"),
            Self::Partners => f.write_str("PARTNERS"),
            Self::Imports => f.write_str("IMPORTS"),
            Self::Shards => f.write_str("SHARDS"),
            Self::Staff => f.write_str("STAFF"),
            Self::Engagements(state) => write!(f, "ENGS#{state}"),
            Self::Visits(month) => write!(f, "VISITS#{month}"),
            Self::Alerts(state) => write!(f, "ALERTS#{state}"),
            Self::Covers(state) => write!(f, "COVERS#{state}"),
            Self::Reports(state) => write!(f, "REPORTS#{state}"),
            Self::Screenings => f.write_str("SCREENINGS"),
            Self::Parked => f.write_str("PARKED"),
        }
    }
}
