//! Conversations: both sides write and read at the same time, and no side is left with something to read of which
//! nobody has told it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::conversation::{Content, Message};
use domain::engagement::{Happening, Side};
use domain::id::{EngagementId, MessageId, PersonId};
use domain::notice::Event;
use domain::support_worker::SupportWorker;
use rand::RngExt;
use rapport_tests::indexed::due_sometime;
use rapport_tests::people::{
    settle_client, settle_engagement, settle_representative, settle_worker,
};
use rapport_tests::seeds::{Effort, Seed, seeds};
use serde_json::json;
use store::{Actor, AuditItem, InboxItem, Key};

use crate::simulated::{Ask, Reply, Simulated};
use crate::weather::SLUGGISH;

/// How often everybody who feels like it writes, looks, or marks what they saw as read.
const ROUNDS: Effort = Effort {
    reduced: 40,
    full: 1_500,
};
/// How many of them take place in one conversation.
const IN_A_ROW: usize = 40;

#[tokio::test(start_paused = true)]
async fn no_side_has_something_to_read_of_which_nobody_told_it() {
    let mut tally = Tally::default();
    for seed in seeds(ROUNDS.now().div_ceil(IN_A_ROW)) {
        let mut talk = Talk::settle(&seed).await;
        for round in 0..IN_A_ROW {
            let storm = talk.seed * 1_000 + round as u64;
            talk.world.brew_in_time(SLUGGISH, storm);
            talk.round(round).await;
            match talk.world.chance.random_range(0..3) {
                0 => talk.come_to_rest().await,
                1 => talk.world.deliver().await,
                _ => {}
            }
        }
        talk.come_to_rest().await;
        talk.end().await;
        tally.messages += talk.answered.len();
        tally.tellings += talk.tellings;
        tally.unread += talk.unread;
        tally.crashes += talk.world.crashes;
    }
    println!("{tally:?}");
    assert!(tally.unread > 0 && tally.tellings < tally.messages);
}

#[derive(Debug, Default)]
struct Tally {
    messages: usize,
    tellings: usize,
    /// How often a side had something to read when everything was at rest.
    unread: usize,
    crashes: usize,
}

/// Somebody in the conversation.
struct Member {
    subject: &'static str,
    person: PersonId,
    side: Side,
    /// The lines that they got when they last looked, the newest first.
    view: Vec<MessageId>,
}

struct Talk {
    world: Simulated,
    seed: u64,
    id: EngagementId,
    members: Vec<Member>,
    /// Up to which line each side has read: the client's, the support worker's.
    read: [Option<MessageId>; 2],
    /// The words of every message that was answered as sent.
    answered: BTreeSet<String>,
    tellings: usize,
    unread: usize,
}

#[derive(Debug, Clone, Copy)]
enum Deed {
    Write,
    Look,
    Mark,
}

/// A message in the order in which it was sent, and what its commit says of when.
#[derive(Debug, Clone, Copy)]
struct Sent {
    id: MessageId,
    side: Side,
    at: DateTime<Utc>,
}

impl Talk {
    async fn settle(seed: &Seed) -> Self {
        let mut world = Simulated::start(seed).await;
        let context = world.context();
        let (client, person) = settle_client(context, "client").await;
        let representative = settle_representative(context, "representative", client, |_| {}).await;
        let worker = settle_worker(context, "worker").await;
        let id = settle_engagement(context, client, worker, |_| {}).await;
        world.deliver().await;
        let worker: Option<SupportWorker> = world.stored(&Key::worker(worker)).await;
        let member = |subject, person, side| Member {
            subject,
            person,
            side,
            view: Vec::new(),
        };
        Self {
            world,
            seed: seed.number(),
            id,
            members: vec![
                member("client", person, Side::Client),
                member("representative", representative, Side::Client),
                member("worker", worker.unwrap().person, Side::Worker),
            ],
            read: [None; 2],
            answered: BTreeSet::new(),
            tellings: 0,
            unread: 0,
        }
    }

    /// Each member does one thing, all at the same time, until there is an answer.
    async fn round(&mut self, round: usize) {
        let mut deeds = Vec::new();
        for _ in &self.members {
            deeds.push(match self.world.chance.random_range(0..10) {
                0..5 => Deed::Write,
                5..8 => Deed::Look,
                _ => Deed::Mark,
            });
        }
        let doing = self.members.iter().zip(&deeds);
        let asks: Vec<Ask> = doing
            .map(|(member, deed)| self.ask(member, *deed, round))
            .collect();
        let replies = self.world.insist_on_all(asks).await;
        for (number, (deed, reply)) in deeds.into_iter().zip(replies).enumerate() {
            self.learn(number, deed, reply, round);
        }
    }

    fn ask(&self, member: &Member, deed: Deed, round: usize) -> Ask {
        let base = format!("/v1/engagements/{}", self.id);
        let key = format!("{round}");
        match (deed, member.view.first()) {
            (Deed::Write, _) => {
                let text = json!({"text": words(member, round)});
                Ask::post(member.subject, format!("{base}/messages"), key, text)
            }
            (Deed::Mark, Some(newest)) => {
                let newest = json!({"message": newest});
                Ask::post(member.subject, format!("{base}/reads"), key, newest)
            }
            _ => Ask::get(member.subject, format!("{base}/messages?limit=100")),
        }
    }

    fn learn(&mut self, number: usize, deed: Deed, reply: Reply, round: usize) {
        let member = &mut self.members[number];
        match (deed, member.view.is_empty()) {
            (Deed::Write, _) => {
                reply.expect(201);
                self.answered.insert(words(member, round));
            }
            (Deed::Mark, false) => {
                reply.expect(201);
                let read = &mut self.read[place(member.side)];
                *read = (*read).max(member.view.first().copied());
            }
            _ => {
                let body = reply.expect(200).body;
                let lines = body["items"].as_array().unwrap().iter();
                let ids = lines.map(|line| line["message"].as_str().unwrap().parse().unwrap());
                member.view = ids.collect();
            }
        }
    }

    /// Everything is delivered, and then nothing is lost.
    async fn come_to_rest(&mut self) {
        self.world.calm();
        self.world.deliver().await;
        assert_eq!(due_sometime(&self.world.observer).await, []);
        let (audit, sent) = self.history().await;
        self.tellings = 0;
        for side in [Side::Client, Side::Worker] {
            let told = self.told(side).await;
            self.tellings += told.len();
            self.check(side, &audit, &sent, &told);
        }
    }

    /// What was done, and each message with the time of the commit that sent it.
    async fn history(&self) -> (Vec<AuditItem>, Vec<Sent>) {
        let key = Key::engagement(self.id);
        let mut audit: Vec<AuditItem> = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.world.observer.audit_of(&key, 100, cursor.as_deref());
            let page = page.await.unwrap();
            audit.extend(page.items.into_iter().map(|entry| entry.item));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        audit.sort_by_key(|item| item.at);
        let lines: Vec<Message> = self.world.all(&key.pk, "MSG#").await;
        let mut sent = Vec::new();
        let mut words = BTreeSet::new();
        for member in &self.members {
            // Nobody writes two at once, so that theirs and what was done come in the same order.
            let theirs = lines.iter().filter_map(|line| match &line.content {
                Content::Written { acting, text, .. } if acting.by == member.person => {
                    assert!(words.insert(text.clone()), "{text} is there twice");
                    Some((line.at, line.id))
                }
                _ => None,
            });
            let mut theirs: Vec<(DateTime<Utc>, MessageId)> = theirs.collect();
            theirs.sort_unstable();
            let sending = audit.iter().filter(|item| item.operation == "send_message");
            let sending = sending.filter(|item| is_by(item, member.person));
            let sending: Vec<DateTime<Utc>> = sending.map(|item| item.at).collect();
            assert_eq!(theirs.len(), sending.len(), "{}", member.subject);
            sent.extend(theirs.into_iter().zip(sending).map(|((_, id), at)| Sent {
                id,
                side: member.side,
                at,
            }));
        }
        assert_eq!(words, self.answered, "what was answered, and what is there");
        sent.sort_by_key(|sent| sent.at);
        (audit, sent)
    }

    /// When a side was told that there is something to read. Everybody on it was told the same.
    async fn told(&self, side: Side) -> Vec<DateTime<Utc>> {
        let mut heard: Option<BTreeMap<String, DateTime<Utc>>> = None;
        for member in self.members.iter().filter(|member| member.side == side) {
            let inbox = self.world.inbox(member.person).await;
            let tells = |item: &InboxItem| {
                let happening = Happening::MessageSent;
                matches!(item.event, Event::Engagement { happening: it, .. } if it == happening)
            };
            let theirs = inbox.iter().filter(|item| tells(item));
            let theirs = theirs
                .map(|item| (item.notice.to_string(), item.at))
                .collect();
            assert_eq!(
                *heard.get_or_insert_with(|| BTreeMap::clone(&theirs)),
                theirs
            );
        }
        let mut told: Vec<DateTime<Utc>> = heard.unwrap().into_values().collect();
        told.sort_unstable();
        told
    }

    fn check(&mut self, side: Side, audit: &[AuditItem], sent: &[Sent], told: &[DateTime<Utc>]) {
        let to_side: Vec<Sent> = sent.iter().filter(|it| it.side != side).copied().collect();
        let ours = |item: &&AuditItem| {
            let mut members = self.members.iter().filter(|member| member.side == side);
            item.operation == "mark_conversation_read" && members.any(|it| is_by(item, it.person))
        };
        let reads: Vec<DateTime<Utc>> = audit.iter().filter(ours).map(|item| item.at).collect();
        // Of which messages it was told: of the one that was sent then, or of all there were when it read some.
        let told_of: BTreeSet<MessageId> = to_side
            .iter()
            .filter(|it| {
                let later = |at: &&DateTime<Utc>| reads.contains(at) && it.at <= **at;
                told.contains(&it.at) || told.iter().any(|at| later(&at))
            })
            .map(|it| it.id)
            .collect();
        let read = self.read[place(side)];
        let unread: Vec<MessageId> = to_side
            .iter()
            .map(|it| it.id)
            .filter(|id| Some(*id) > read)
            .collect();
        assert!(
            unread.is_empty() || unread.iter().any(|id| told_of.contains(id)),
            "{side:?} was told of none of {unread:?}"
        );
        self.unread += usize::from(!unread.is_empty());
        // Told once, it is not told again before it has read something, but of a message that came out of order.
        for pair in told.windows(2) {
            let [before, after] = [pair[0], pair[1]];
            let read = reads.iter().any(|at| before <= *at && *at <= after);
            let overtaken = || {
                let late = to_side.iter().filter(|it| it.at == after);
                late.map(|it| it.id)
                    .any(|late| to_side.iter().any(|it| it.at < after && late < it.id))
            };
            assert!(
                read || overtaken(),
                "{side:?} was told at {before} and {after}"
            );
        }
    }

    /// Once both have read everything, each message is told again.
    async fn end(&mut self) {
        for deed in [Deed::Look, Deed::Mark] {
            self.all_do(deed, 1_000).await;
        }
        self.come_to_rest().await;
        let before = self.tellings;
        self.all_do(Deed::Write, 1_001).await;
        self.come_to_rest().await;
        assert_eq!(self.tellings, before + 2);
        self.world
            .one_letter_of_each(self.members.iter().map(|member| member.person))
            .await;
    }

    async fn all_do(&mut self, deed: Deed, round: usize) {
        for number in 0..self.members.len() {
            self.world.clock.advance(TimeDelta::seconds(1));
            let ask = self.ask(&self.members[number], deed, round);
            let reply = self.world.insist(ask).await;
            self.learn(number, deed, reply, round);
        }
    }
}

fn place(side: Side) -> usize {
    match side {
        Side::Client => 0,
        Side::Worker => 1,
    }
}

fn words(member: &Member, round: usize) -> String {
    format!("{} in round {round}", member.subject)
}

fn is_by(item: &AuditItem, person: PersonId) -> bool {
    matches!(item.actor, Actor::Person { by, .. } if by == person)
}
