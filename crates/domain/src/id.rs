//! Typed ids: a prefix that says what it names, and a UUIDv7.
//!
//! Written `clt_0190b2f06bd47c5a9a3e5b7f21d4c8aa`: safe in a path, a file name and a log line.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// What an id names.
pub trait Kind {
    /// The letters before the underscore.
    const PREFIX: &'static str;
}

/// The id of one `K`, e.g. [`ClientId`].
pub struct Id<K> {
    uuid: Uuid,
    kind: PhantomData<fn() -> K>,
}

impl<K> Id<K> {
    /// The id with this UUID; fresh ones come from `platform::ids`.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self {
            uuid,
            kind: PhantomData,
        }
    }

    /// The UUID behind the prefix.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }
}

/// Text that is not an id of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {prefix}_ and 32 lower-case hexadecimal digits")]
pub struct ParseIdError {
    prefix: &'static str,
}

impl<K: Kind> FromStr for Id<K> {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = ParseIdError { prefix: K::PREFIX };
        let digits = text
            .strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .ok_or(refused.clone())?;
        // One spelling per id: `Uuid` alone would accept upper case, braces and hyphens.
        let canonical = digits.len() == 32
            && digits
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if !canonical {
            return Err(refused);
        }
        Uuid::try_parse(digits)
            .map(Self::from_uuid)
            .map_err(|_| refused)
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, self.uuid.simple())
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

// Derived impls would ask `K` to be what only the UUID has to be.
impl<K> Copy for Id<K> {}
impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}

impl<K: Kind> utoipa::PartialSchema for Id<K> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some(format!("^{}_[0-9a-f]{{32}}$", K::PREFIX)))
            .into()
    }
}

impl<K: Kind> utoipa::ToSchema for Id<K> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("Id_{}", K::PREFIX).into()
    }
}

/// Declares the marker, its prefix and the id type of each thing that has an id.
macro_rules! ids {
    ($($(#[$doc:meta])* $id:ident = $marker:ident, $prefix:literal;)*) => {$(
        /// Marks the ids of this kind.
        pub enum $marker {}
        impl Kind for $marker {
            const PREFIX: &'static str = $prefix;
        }
        $(#[$doc])*
        pub type $id = Id<$marker>;
    )*};
}

ids! {
    /// A human being with a login, whatever roles they have.
    PersonId = PersonKind, "per";
    /// The person who receives support.
    ClientId = ClientKind, "clt";
    /// A self-employed support worker.
    WorkerId = WorkerKind, "wrk";
    /// An organisation whose site sends signups.
    PartnerId = PartnerKind, "ptn";
    /// A partner's form in the browser: the publishable key that stands in its page.
    FormId = FormKind, "form";
    /// One signup, as received.
    SignupId = SignupKind, "sgn";
    /// One representative's authority to act for one client.
    AuthorityId = AuthorityKind, "auth";
    /// What a client may do and what it costs.
    MembershipPlanId = MembershipPlanKind, "mpl";
    /// What a client asks for.
    MatchRequestId = MatchRequestKind, "mreq";
    /// One support worker in one match request's list, under an alias.
    CandidateId = CandidateKind, "cand";
    /// A client's request, sent to one candidate.
    InvitationId = InvitationKind, "inv";
    /// What a candidate asks before they answer an invitation.
    QuestionId = QuestionKind, "qst";
    /// The connection that an accepted invitation opens.
    EngagementId = EngagementKind, "eng";
    /// One message of a conversation.
    MessageId = MessageKind, "msg";
    /// One reading of a conversation by staff.
    ConversationReadId = ConversationReadKind, "read";
    /// One introductory meeting.
    MeetingId = MeetingKind, "meet";
    /// One offer of terms.
    OfferId = OfferKind, "off";
    /// A dated visit as offered.
    ProposalId = ProposalKind, "prop";
    /// A booked visit.
    VisitId = VisitKind, "vis";
    /// A client's wish to alter a visit.
    ChangeRequestId = ChangeRequestKind, "chg";
    /// Visits that were accepted as one.
    SeriesId = SeriesKind, "ser";
    /// A search for somebody else to come to a visit.
    CoverId = CoverKind, "cov";
    /// Something that whoever is on call has to look at now.
    AlertId = AlertKind, "alr";
    /// One safety report.
    ReportId = ReportKind, "rep";
    /// One file of people taken in.
    ImportId = ImportFileKind, "imp";
    /// Work for staff.
    TicketId = TicketKind, "tkt";
    /// One commit, and its audit item.
    CommitId = CommitKind, "cmt";
    /// One event that somebody hears of.
    NoticeId = NoticeKind, "ntc";
    /// One attached file.
    AttachmentId = AttachmentKind, "att";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_written_and_only_so() {
        let id = ClientId::from_uuid(Uuid::from_u128(0x0190_b2f0_6bd4_7c5a_9a3e_5b7f_21d4_c8aa));
        let text = id.to_string();
        assert_eq!(text, "clt_0190b2f06bd47c5a9a3e5b7f21d4c8aa");
        assert_eq!(text.parse(), Ok(id));
        for refused in [
            "",
            "clt_",
            "wrk_0190b2f06bd47c5a9a3e5b7f21d4c8aa",
            "clt_0190B2F06BD47C5A9A3E5B7F21D4C8AA",
            "clt_0190b2f0-6bd4-7c5a-9a3e-5b7f21d4c8aa",
        ] {
            assert!(refused.parse::<ClientId>().is_err(), "{refused}");
        }
    }
}
