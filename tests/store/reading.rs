//! Reading: many at once, a page at a time, through the index, and what a newer program wrote.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::ticket::{Ticket, TicketQueue, TicketState};
use rapport_tests::tables::{Table, on_every_table};
use store::{Key, Page, StaffPartition, StoreError, Versioned};

use crate::things::{hint, stored_ticket, ticket};

async fn stored_hints(table: &Table, hash: &str, how_many: usize) -> Vec<store::Hint> {
    let mut hints: Vec<_> = (0..how_many).map(|_| hint(table, hash)).collect();
    for some in hints.chunks(50) {
        let aggregate = Key::system("test");
        let commit = some
            .iter()
            .fold(table.commit(&aggregate), |commit, hint| commit.insert(hint));
        table.store.commit(commit).await.unwrap();
    }
    hints.sort_by_key(|hint| hint.person);
    hints
}

#[tokio::test]
async fn many_items_are_read_in_the_order_asked_for() {
    on_every_table(async |table| {
        let hints = stored_hints(&table, "h", 230).await;
        let mut keys: Vec<Key> = hints
            .iter()
            .map(|hint| Key::hint("h", hint.person))
            .collect();
        keys.reverse();
        keys.insert(7, Key::system("absent"));
        let found = table.store.get_many::<store::Hint>(&keys).await.unwrap();
        let found: Vec<_> = found.into_iter().map(|hint| hint.value).collect();
        assert_eq!(found, hints.into_iter().rev().collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn pages_of_a_partition_hold_everything_once_in_order() {
    on_every_table(async |table| {
        let hints = stored_hints(&table, "h", 23).await;
        stored_hints(&table, "another", 3).await;
        for newest_first in [false, true] {
            let mut cursor: Option<String> = None;
            let mut found = Vec::new();
            loop {
                let page: Page<Versioned<store::Hint>> = table
                    .store
                    .list("HINT#h", "PERSON#", newest_first, 5, cursor.as_deref())
                    .await
                    .unwrap();
                assert!(page.items.len() <= 5);
                found.extend(page.items.into_iter().map(|hint| hint.value));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            if newest_first {
                found.reverse();
            }
            assert_eq!(found, hints);
        }
        let most = table
            .store
            .list_all::<store::Hint>("HINT#h", "PERSON#", 11)
            .await
            .unwrap();
        assert_eq!(most.len(), 11);
    })
    .await;
}

#[tokio::test]
async fn a_cursor_from_elsewhere_is_refused_or_stays_inside_the_list() {
    on_every_table(async |table| {
        stored_hints(&table, "h", 6).await;
        let page = async |prefix, cursor| {
            table
                .store
                .list::<store::Hint>("HINT#h", prefix, false, 3, cursor)
                .await
        };
        let cursor = page("PERSON#", None).await.unwrap().next.unwrap();
        page("PERSON#", Some(&cursor)).await.unwrap();
        for forged in [
            "",
            "!",
            "SGVsbG8",
            "Cg",
            "UEVSU09OIw",
            "TUVUQQ",
            &cursor[1..],
        ] {
            let refused = page("PERSON#per_", Some(forged)).await;
            let refused = matches!(refused, Err(StoreError::BadCursor));
            assert!(refused, "{forged}");
        }
        let refused = page("INBOX#", Some(&cursor)).await;
        assert!(matches!(refused, Err(StoreError::BadCursor)));
        let staff = StaffPartition::Tickets(TicketQueue::General, TicketState::Open);
        let refused = table
            .store
            .staff_list::<Ticket>(staff, false, 3, Some(&cursor))
            .await;
        assert!(matches!(refused, Err(StoreError::BadCursor)));
    })
    .await;
}

const OPEN: StaffPartition = StaffPartition::Tickets(TicketQueue::General, TicketState::Open);

#[tokio::test]
async fn the_staff_index_lists_in_order_and_every_page_goes_on_where_the_last_ended() {
    on_every_table(async |table| {
        let mut tickets = Vec::new();
        for minutes in [50, 10, 30, 30, 20, 40] {
            let mut ticket = ticket(&table);
            ticket.due_at = rapport_tests::start() + chrono::TimeDelta::minutes(minutes);
            let commit = table.commit(&Key::ticket(ticket.id)).insert(&ticket);
            table.store.commit(commit).await.unwrap();
            tickets.push(ticket);
        }
        tickets.sort_by_key(|ticket| (ticket.due_at, ticket.id));
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = table
                .store
                .staff_list::<Ticket>(OPEN, false, 2, cursor.as_deref());
            let page = page.await.unwrap();
            found.extend(page.items.into_iter().map(|ticket| ticket.value));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(found, tickets);
    })
    .await;
}

/// The index is a hint. An entry that lags behind its item is looked up and left out.
#[tokio::test]
async fn the_staff_index_never_decides() {
    on_every_table(async |table| {
        let was = stored_ticket(&table).await;
        let list = async |partition| {
            let page = table.store.staff_list::<Ticket>(partition, false, 10, None);
            page.await.unwrap().items.len()
        };
        assert_eq!(list(OPEN).await, 1);
        let note = domain::ticket::TicketNote {
            by: table.ids.fresh(),
            at: rapport_tests::start(),
            text: "done".to_owned(),
        };
        let closed = was.value.clone().close(note).unwrap();
        let commit = table.commit(&Key::ticket(closed.id)).replace(&was, &closed);
        table.store.commit(commit).await.unwrap();
        assert_eq!(list(OPEN).await, 0);
        let closed = StaffPartition::Tickets(TicketQueue::General, TicketState::Closed);
        assert_eq!(list(closed).await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_a_newer_program_wrote_is_refused_and_left_alone() {
    on_every_table(async |table| {
        let was = stored_ticket(&table).await;
        let key = Key::ticket(was.value.id);
        let newer = table.dynamodb.update_item().table_name(&table.name);
        newer
            .key("pk", AttributeValue::S(key.pk.clone()))
            .key("sk", AttributeValue::S(key.sk.clone()))
            .update_expression("SET #schema = :schema")
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", AttributeValue::N("99".to_owned()))
            .send()
            .await
            .unwrap();
        let refused = table.store.get::<Ticket>(&key).await;
        assert!(matches!(refused, Err(StoreError::Newer { found: 99, known: 1, key: named }) if named == key));
        let refused = table.store.get_many::<Ticket>(std::slice::from_ref(&key)).await;
        assert!(matches!(refused, Err(StoreError::Newer { .. })));
        let refused = table.store.staff_list::<Ticket>(OPEN, false, 10, None).await;
        assert!(matches!(refused, Err(StoreError::Newer { .. })));
    })
    .await;
}
