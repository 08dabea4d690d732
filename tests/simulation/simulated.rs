//! A simulated service: processes that come and go over one table, callers who insist, events that are
//! delivered late, often and in any order.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::PersonId;
use dynoxide::Database;
use functions::context::Context;
use index_builder::IndexBuilder;
use platform::clock::{Clock, ManualClock};
use platform::ids::IdSource;
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rapport::embedded::in_process;
use rapport_tests::faults::Faults;
use rapport_tests::seeds::{Seed, Task, interleave};
use rapport_tests::start;
use store::{DueKey, Entity, InboxItem, Key, Store};

pub(crate) use crate::ask::{Ask, Reply};
use crate::ports::{Letterbox, Shelf};
use crate::process::Process;
pub(crate) use crate::process::{Act, Came};
use crate::weather::{STORMY, Weather, storm};

pub(crate) const ADMINISTRATOR: &str = "ada";
pub(crate) const TABLE: &str = "simulated";
/// How often somebody asks again before the simulation counts as stuck.
const PATIENCE: usize = 200;

pub(crate) struct Simulated {
    seed: u64,
    pub(crate) chance: StdRng,
    pub(crate) faults: Faults,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) mail: Arc<Letterbox>,
    /// The table without faults, to look at.
    pub(crate) observer: Store,
    pub(crate) crashes: usize,
    pub(crate) database: Database,
    ids: Arc<IdSource>,
    pub(crate) blobs: Arc<Shelf>,
    process: Process,
}

impl Simulated {
    pub(crate) async fn start(seed: &Seed) -> Self {
        let seed_number = seed.number();
        let database = Database::memory().unwrap();
        let observer = Store::new(in_process(database.clone()), TABLE);
        observer.create_table_if_absent().await.unwrap();
        let clock = Arc::new(ManualClock::new(start()));
        let ids = Arc::new(IdSource::seeded(clock.clone(), seed_number));
        let (mail, blobs) = (Arc::new(Letterbox::seeded(seed_number)), Arc::default());
        let faults = Faults::default();
        let process = Process::begin(&database, &faults, &clock, &ids, &mail, &blobs);
        Self {
            seed: seed_number,
            chance: seed.chance(),
            faults,
            clock,
            mail,
            observer,
            crashes: 0,
            database,
            ids,
            blobs,
            process,
        }
    }

    /// What the functions work with now.
    pub(crate) fn context(&self) -> &Context {
        &self.process.context
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Who builds shards now.
    pub(crate) const fn index(&self) -> &IndexBuilder {
        &self.process.index
    }

    /// Something as stored.
    pub(crate) async fn stored<T: Entity>(&self, key: &Key) -> Option<T> {
        let found = self.observer.get::<T>(key).await.unwrap();
        found.map(|found| found.value)
    }

    /// Everything stored under `pk` whose name begins so.
    pub(crate) async fn all<T: Entity>(&self, pk: &str, prefix: &str) -> Vec<T> {
        let found = self
            .observer
            .list_all::<T>(pk, prefix, 20_000)
            .await
            .unwrap();
        found.into_iter().map(|found| found.value).collect()
    }

    /// What somebody was told.
    pub(crate) async fn inbox(&self, person: PersonId) -> Vec<InboxItem> {
        self.all(&Key::person(person).pk, "INBOX#").await
    }

    /// Each of `people` got one letter of everything that they were told, and nobody got any other.
    pub(crate) async fn one_letter_of_each(&self, people: impl IntoIterator<Item = PersonId>) {
        let mut told = BTreeSet::new();
        for person in people {
            let inbox = self.inbox(person).await;
            told.extend(inbox.iter().map(|item| format!("{}_{person}", item.notice)));
        }
        let letters = self.mail.letters();
        let mailed: BTreeSet<String> = letters.into_iter().map(|it| it.message_id).collect();
        assert_eq!(mailed, told);
    }

    /// What was done to something, by name and in alphabetical order.
    pub(crate) async fn operations(&self, aggregate: &Key) -> Vec<String> {
        let audit = self.observer.audit_of(aggregate, 100, None).await.unwrap();
        let mut done: Vec<String> = audit
            .items
            .into_iter()
            .map(|entry| entry.item.operation)
            .collect();
        done.sort();
        done
    }

    /// From now on things go wrong.
    pub(crate) fn brew(&self) {
        self.faults.choose(storm(STORMY, self.seed));
    }

    /// The same in other weather, and each call to the table takes a moment: what is decided later has a later time.
    pub(crate) fn brew_in_time(&self, weather: Weather, seed: u64) {
        let clock = self.clock.clone();
        let mut storm = storm(weather, seed);
        self.faults.choose(move |call| {
            clock.advance(TimeDelta::milliseconds(1));
            storm(call)
        });
    }

    /// From now on they do not.
    pub(crate) fn calm(&self) {
        self.faults.stop();
    }

    /// Lets `acts` happen at the same time, in one process. If it ends, what was under way is lost, and
    /// another one takes over.
    pub(crate) async fn together(&mut self, acts: &[Act]) -> Vec<Option<Came>> {
        let process = &self.process;
        let tasks = acts
            .iter()
            .map(|act| -> Task<'_, Came> { Box::pin(process.let_happen(act)) });
        let came = interleave(&mut self.chance, &self.faults, tasks.collect()).await;
        self.recover();
        came
    }

    fn recover(&mut self) {
        if !self.faults.crashed() {
            return;
        }
        self.crashes += 1;
        self.faults.restart();
        self.process = Process::begin(
            &self.database,
            &self.faults,
            &self.clock,
            &self.ids,
            &self.mail,
            &self.blobs,
        );
    }

    /// Asks once, in a process that nothing befalls.
    pub(crate) async fn once(&self, ask: &Ask) -> Reply {
        self.process.answer(ask).await
    }

    /// Lets the process deal with a request until it has waited so many times, and no further. None if there was no
    /// answer by then. The process goes on, as that of a function does whose time for one request was up.
    pub(crate) async fn stopped_after(&self, ask: &Ask, waits: usize) -> Option<Reply> {
        let mut answering = pin!(self.process.answer(ask));
        let mut left = waits;
        std::future::poll_fn(|context| match answering.as_mut().poll(context) {
            Poll::Ready(reply) => Poll::Ready(Some(reply)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => {
                left -= 1;
                Poll::Pending
            }
        })
        .await
    }

    /// Asks until there is an answer: with the same key, as a patient caller does.
    pub(crate) async fn insist(&mut self, ask: Ask) -> Reply {
        self.insist_on_all(vec![ask]).await.remove(0)
    }

    /// Asks several things, some of them at the same time, each until there is an answer.
    pub(crate) async fn insist_on_all(&mut self, asks: Vec<Ask>) -> Vec<Reply> {
        let acts = asks.into_iter().map(Act::Ask).collect();
        let came = self.insist_on(acts).await;
        came.into_iter()
            .map(|came| match came {
                Came::Answered(reply) => reply,
                other => panic!("nothing but an answer was to come: {other:?}"),
            })
            .collect()
    }

    /// Lets everything in `acts` happen, in any order and some of it at the same time, each again and
    /// again until it has come to something.
    pub(crate) async fn insist_on(&mut self, acts: Vec<Act>) -> Vec<Came> {
        let mut came: Vec<Option<Came>> = acts.iter().map(|_| None).collect();
        for _ in 0..acts.len() * PATIENCE {
            let mut open: Vec<usize> = (0..acts.len()).filter(|&act| came[act].is_none()).collect();
            if open.is_empty() {
                return came.into_iter().flatten().collect();
            }
            open.shuffle(&mut self.chance);
            open.truncate(self.chance.random_range(1..=4));
            let group: Vec<Act> = open.iter().map(|&act| acts[act].clone()).collect();
            for (act, result) in open.into_iter().zip(self.together(&group).await) {
                came[act] = result.filter(|came| match came {
                    Came::Answered(reply) => reply.is_final(),
                    Came::Delivered(done) => *done,
                    Came::Swept(_) => true,
                });
            }
        }
        panic!("there was no end to it: {came:?}");
    }

    /// Delivers what is due now, each row one to five times in any order, until nothing is due.
    pub(crate) async fn deliver(&mut self) {
        for _ in 0..PATIENCE {
            let due = self.observer.due_by(self.now(), 1_000).await.unwrap();
            if due.is_empty() {
                return;
            }
            self.deliver_often(due).await;
        }
        panic!("rows are due again and again");
    }

    /// Delivers each row one to five times. What the end of a process caught is not delivered again here.
    pub(crate) async fn deliver_often(&mut self, rows: Vec<DueKey>) {
        let mut deliveries: Vec<Act> = Vec::new();
        for row in rows {
            let times = self.chance.random_range(1..=5);
            deliveries.extend((0..times).map(|_| Act::Deliver(row.clone())));
        }
        deliveries.shuffle(&mut self.chance);
        while !deliveries.is_empty() {
            let some = self.chance.random_range(1..=4).min(deliveries.len());
            let group = deliveries.split_off(deliveries.len() - some);
            self.together(&group).await;
        }
    }

    /// What the sweeper does: takes a few rows that are late, and delivers each once.
    pub(crate) async fn sweep(&mut self) {
        let late = self.now() - TimeDelta::minutes(2);
        for row in self.observer.due_by(late, 25).await.unwrap() {
            self.together(&[Act::Deliver(row)]).await;
        }
    }

    /// Lets time pass, dealing with what falls due on the way, each instant a little late.
    pub(crate) async fn pass(&mut self, time: TimeDelta) {
        let end = self.now() + time;
        self.deliver().await;
        while let Some(next) = self.observer.next_due().await.unwrap() {
            if next > end {
                break;
            }
            let late = TimeDelta::milliseconds(self.chance.random_range(0..5_000));
            self.clock.set((next + late).max(self.now()).min(end));
            self.deliver().await;
        }
        self.clock.set(end);
        self.deliver().await;
    }
}
