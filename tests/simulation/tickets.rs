//! Tickets in a storm: nothing that was answered is lost, and nothing happens twice.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::access::StaffRole;
use domain::id::PersonId;
use domain::notice::Event;
use domain::ticket::Ticket;
use rand::RngExt;
use rapport_tests::people::settle_staff;
use rapport_tests::seeds::{Effort, Seed, seeds};
use serde_json::json;
use store::{InboxItem, Key};

use crate::simulated::{ADMINISTRATOR, Ask, Simulated};

const SEEDS: Effort = Effort {
    reduced: 6,
    full: 300,
};
const STAFF: [&str; 3] = ["cora", "sam", "mei"];
const TICKETS: usize = 8;

#[tokio::test(start_paused = true)]
async fn tickets_are_opened_assigned_and_closed_once_whatever_happens() {
    let mut crashes = 0;
    for seed in seeds(SEEDS.now()) {
        crashes += tickets_in_a_storm(&seed).await;
    }
    println!("{crashes} crashes");
}

async fn tickets_in_a_storm(seed: &Seed) -> usize {
    let mut world = Simulated::start(seed).await;
    let mut staff: Vec<PersonId> = Vec::new();
    for subject in STAFF {
        staff.push(settle_staff(world.context(), subject, StaffRole::Coordinator).await);
    }
    world.brew();
    // Each of them asked for twice, as by a nervous finger.
    let opening = |number: usize| {
        let work = json!({"subject": format!("clt_{number}"), "note": format!("Number {number}.")});
        Ask::post(ADMINISTRATOR, "/v1/tickets", format!("open-{number}"), work)
    };
    let asks = (0..TICKETS * 2).map(|ask| opening(ask % TICKETS)).collect();
    let opened = world.insist_on_all(asks).await;
    let tickets: Vec<String> = (0..TICKETS)
        .map(|number| {
            let [one, other] = [&opened[number], &opened[number + TICKETS]];
            assert_eq!(one.body["id"], other.body["id"], "one key, two tickets");
            one.clone().expect(201).text("id")
        })
        .collect();

    let mut assigned: BTreeMap<String, PersonId> = BTreeMap::new();
    for ticket in &tickets {
        let path = format!("/v1/tickets/{ticket}");
        let assignee = staff[world.chance.random_range(0..staff.len())];
        let change = json!({"assignee": assignee.to_string(), "due_at": "2026-03-04T00:00:00Z"});
        loop {
            let seen = world
                .insist(Ask::get(ADMINISTRATOR, &path))
                .await
                .expect(200);
            // Not heard of, but done: whoever looks again sees it.
            if seen.body["assignee"] == assignee.to_string() {
                break;
            }
            let edit = Ask::put(ADMINISTRATOR, &path, &seen.etag, change.clone());
            let edited = world.insist(edit).await;
            assert!([200, 412].contains(&edited.status), "{}", edited.body);
        }
        assigned.insert(ticket.clone(), assignee);
        if world.chance.random_bool(0.5) {
            world.deliver().await;
        }
        // Clocks jump.
        let jump = TimeDelta::seconds(world.chance.random_range(-20..120));
        world.clock.advance(jump);
    }
    let remarks = tickets.iter().flat_map(|ticket| {
        (0..3).map(move |number| {
            let path = format!("/v1/tickets/{ticket}/notes");
            let text = json!({"text": format!("Remark {number}.")});
            Ask::post("cora", path, format!("note-{ticket}-{number}"), text)
        })
    });
    for reply in world.insist_on_all(remarks.collect()).await {
        reply.expect(201);
    }
    world.pass(TimeDelta::hours(2)).await;
    world.calm();
    world.pass(TimeDelta::hours(2)).await;
    check(&world, &tickets, &assigned).await;
    world.crashes
}

async fn check(world: &Simulated, tickets: &[String], assigned: &BTreeMap<String, PersonId>) {
    for id in tickets {
        let key = Key::ticket(id.parse().unwrap());
        let ticket = world.observer.get::<Ticket>(&key).await.unwrap();
        let ticket = ticket.expect("an answered ticket is missing").value;
        assert_eq!(ticket.assignee, assigned.get(id).copied());
        let mut notes: Vec<&str> = ticket.notes.iter().map(|note| note.text.as_str()).collect();
        notes.sort_unstable();
        assert_eq!(&notes[1..], ["Remark 0.", "Remark 1.", "Remark 2."]);
        let done = world.operations(&key).await;
        let expected = [
            "edit_ticket",
            "note_ticket",
            "note_ticket",
            "note_ticket",
            "open_ticket",
        ];
        assert_eq!(done, expected);
    }
    for (ticket, assignee) in assigned {
        let pk = Key::person(*assignee).pk;
        let inbox = world
            .observer
            .list_all::<InboxItem>(&pk, "INBOX#", 100)
            .await
            .unwrap();
        let told = inbox.iter().filter(|item| {
            matches!(&item.value.event, Event::TicketAssigned { ticket: about, .. } if about.to_string() == *ticket)
        });
        assert_eq!(told.count(), 1, "about {ticket}");
        let letters = world.mail.letters();
        let mailed = letters.iter().filter(|letter| letter.text.contains(ticket));
        assert_eq!(mailed.count(), 1, "about {ticket}");
    }
    assert_eq!(world.mail.letters().len(), tickets.len());
    assert_eq!(
        world.observer.next_due().await.unwrap(),
        None,
        "something is left over"
    );
}
