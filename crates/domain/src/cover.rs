//! Cover: finding another support worker for a visit at short notice.

use crate::vocabulary::Vocabulary;

vocabulary! {
    /// Why somebody else is looked for.
    CoverCause {
        Cancelled = "cancelled", "The support worker cancelled";
        Suspended = "suspended", "The support worker may not come";
        NotArrived = "not_arrived", "The support worker has not come";
        Leave = "leave", "The support worker is away";
        Asked = "asked", "The client asked for somebody else";
    }
}
