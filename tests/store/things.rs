//! Things to store.

use chrono::TimeDelta;
use domain::due::{Due, DueRow};
use domain::id::{MatchRequestId, NoticeId, PersonId};
use domain::notice::Event;
use domain::ticket::{Ticket, TicketCause};
use rapport_tests::start;
use rapport_tests::tables::Table;
use store::{AuditEntry, Hint, Key, Once, Versioned};

pub(crate) fn ticket(table: &Table) -> Ticket {
    Ticket::open(table.ids.fresh(), TicketCause::Manual, "clt_1", start())
}

/// A ticket in the table, at its first version.
pub(crate) async fn stored_ticket(table: &Table) -> Versioned<Ticket> {
    let ticket = ticket(table);
    let commit = table.commit(&Key::ticket(ticket.id)).insert(&ticket);
    table.store.commit(commit).await.unwrap();
    read(table, &ticket).await.unwrap()
}

pub(crate) async fn read(table: &Table, ticket: &Ticket) -> Option<Versioned<Ticket>> {
    table.store.get(&Key::ticket(ticket.id)).await.unwrap()
}

pub(crate) fn about(ticket: &Ticket, subject: &str) -> Ticket {
    Ticket {
        subject: subject.to_owned(),
        ..ticket.clone()
    }
}

pub(crate) fn hint(table: &Table, hash: &str) -> Hint {
    Hint {
        hash: hash.to_owned(),
        person: table.ids.fresh(),
    }
}

pub(crate) fn once(key: &str, digest: &str) -> Once {
    Once {
        caller: "per_1".to_owned(),
        key: key.to_owned(),
        digest: digest.to_owned(),
    }
}

/// A deadline some seconds after the beginning.
pub(crate) fn release(match_request: MatchRequestId, seconds: i64) -> DueRow {
    DueRow {
        due: Due::CandidateRelease { match_request },
        at: start() + TimeDelta::seconds(seconds),
        generation: 1,
    }
}

pub(crate) fn activated(person: PersonId) -> Event {
    Event::AccountActivated { person }
}

pub(crate) fn notice(table: &Table) -> NoticeId {
    table.ids.fresh()
}

pub(crate) async fn audits(table: &Table, aggregate: &Key) -> Vec<AuditEntry> {
    let page = table.store.audit_of(aggregate, 100, None);
    page.await.unwrap().items
}
