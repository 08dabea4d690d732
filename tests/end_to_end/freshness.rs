//! How soon matching sees what support workers change, and that it sees nothing of what they left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use domain::id::WorkerId;
use domain::place::{Cell, Place, cover};
use functions::context::Context;
use index_builder::{IndexBuilder, LAG, verify};
use rapport_tests::answer::Answer;
use rapport_tests::indexed::{listed, listed_for, melbourne, sydney, workers_on};
use rapport_tests::people::{complete_profile, modest_request, settle_workers};
use rapport_tests::world::World;
use serde_json::{Value, json};
use store::{Key, ShardPointer};

const CHANGES: usize = 100;
const WORKERS: usize = 8;
/// A change that is not seen by then never will be.
const GIVE_UP: Duration = Duration::from_secs(60);

/// What a support worker changes. Each is seen in whether they are on a list.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// Another service in place of the one that is asked for, or that one again.
    Services,
    /// A rate beyond what is asked for, or within it again.
    Rate,
    /// Mornings rather than afternoons, or the other way round.
    Hours,
    /// To the other city.
    Move,
}

const KINDS: [Change; 4] = [Change::Services, Change::Rate, Change::Hours, Change::Move];

/// How one support worker stands.
#[derive(Debug, Clone, Copy, Default)]
struct Standing {
    other_service: bool,
    dear: bool,
    afternoons: bool,
    moved: bool,
}

impl Standing {
    fn after(self, change: Change) -> Self {
        match change {
            Change::Services => Self {
                other_service: !self.other_service,
                ..self
            },
            Change::Rate => Self {
                dear: !self.dear,
                ..self
            },
            Change::Hours => Self {
                afternoons: !self.afternoons,
                ..self
            },
            Change::Move => Self {
                moved: !self.moved,
                ..self
            },
        }
    }

    fn place(self) -> Place {
        match self.moved {
            true => sydney(),
            false => melbourne(),
        }
    }

    fn profile(self) -> Value {
        let mut profile = complete_profile();
        let service = ["social_support", "transport"][usize::from(self.other_service)];
        let rate = [5_400, 9_500][usize::from(self.dear)];
        profile["services"] = json!([{"service": service, "hourly_rate": rate}]);
        let (from, until) = [("08:00", "12:00"), ("13:00", "17:00")][usize::from(self.afternoons)];
        profile["availability"] =
            json!({"weekly": [{"weekday": "monday", "from": from, "until": until}]});
        profile["service_area"]["base"] = json!(self.place());
        profile
    }

    /// Whether they suit [`asked`] at a place.
    fn suits(self, place: &Place) -> bool {
        !self.other_service && !self.dear && !self.afternoons && self.place() == *place
    }
}

/// Company on Monday mornings.
fn asked(place: &Place) -> Value {
    let mut asked = modest_request();
    asked["place"] = json!(place);
    asked["days"] = json!([{"weekday": "monday", "day_part": "morning", "strength": "must"}]);
    asked
}

async fn is_listed(context: &Context, place: &Place, worker: WorkerId) -> bool {
    let list = listed_for(context, asked(place)).await.unwrap();
    workers_on(&list).contains(&worker)
}

/// The versions of the shards of both cities.
async fn versions(builder: &IndexBuilder) -> BTreeMap<Cell, String> {
    let cells = area(&melbourne()).into_iter().chain(area(&sydney()));
    let keys: Vec<Key> = cells.map(Key::shard_pointer).collect();
    let pointers = builder.store.get_many::<ShardPointer>(&keys).await.unwrap();
    let pointers = pointers.into_iter().map(|pointer| pointer.value);
    pointers
        .map(|pointer| (pointer.cell, pointer.version))
        .collect()
}

fn area(place: &Place) -> BTreeSet<Cell> {
    let cells = cover(place.latitude, place.longitude, 10);
    cells.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_changes_are_seen_while_others_ask_and_leave_no_ghost() {
    let world = World::start().await;
    let subjects = (0..WORKERS).map(|number| format!("worker-{number}"));
    let settled = settle_workers(world.context(), subjects, |_, _, worker| {
        worker.profile = serde_json::from_value(Standing::default().profile()).unwrap();
    })
    .await;
    world.settle().await;
    let builder = world.index_builder();

    // Others ask all the while, and are always answered.
    let over = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let asking = tokio::spawn({
        let (context, over, answered) = (world.context().clone(), over.clone(), answered.clone());
        async move {
            while !over.load(Ordering::Relaxed) {
                for place in [melbourne(), sydney()] {
                    listed(&context, &place).await.unwrap();
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    });

    let mut standing = [Standing::default(); WORKERS];
    let mut etags: Vec<Option<String>> = vec![None; WORKERS];
    let mut delays = Vec::with_capacity(CHANGES);
    for number in 0..CHANGES {
        let who = number % WORKERS;
        let (worker, subject) = (settled[who].0, format!("worker-{who}"));
        let path = format!("/v1/support-workers/{worker}");
        let caller = world.as_(&subject);
        let before = standing[who];
        // Back after each change, so that the next one is seen, too.
        let kind = KINDS[(number / WORKERS / 2 + who) % KINDS.len()];
        let next = before.after(kind);
        let etag = match etags[who].take() {
            Some(etag) => etag,
            None => caller.get(&path).await.expect(200).etag(),
        };
        let versions_before = versions(&builder).await;
        let begun = Instant::now();
        let put: Answer = caller
            .put(&format!("{path}/profile"), &etag, &next.profile())
            .await
            .expect(200);
        let places = [melbourne(), sydney()];
        let mut unseen: Vec<&Place> = places.iter().collect();
        while let Some(place) = unseen.last() {
            if is_listed(world.context(), place, worker).await == next.suits(place) {
                unseen.pop();
                continue;
            }
            assert!(
                begun.elapsed() < GIVE_UP,
                "{kind:?} of {worker} is not seen"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        delays.push(begun.elapsed());
        etags[who] = Some(put.etag());
        standing[who] = next;

        // Of the other cells none was rewritten.
        let touched: BTreeSet<Cell> = area(&before.place())
            .union(&area(&next.place()))
            .copied()
            .collect();
        let versions_after = versions(&builder).await;
        for (cell, version) in &versions_before {
            if !touched.contains(cell) {
                assert_eq!(versions_after.get(cell), Some(version), "{kind:?}, {cell}");
            }
        }
    }
    over.store(true, Ordering::Relaxed);
    asking.await.unwrap();

    // Whoever moved is in no shard of where they were, and everything else is as the records say.
    world.settle().await;
    let reports = verify(&builder, LAG).await.unwrap();
    assert!(reports.len() > area(&melbourne()).len());
    for report in &reports {
        assert!(report.is_faithful(), "{report:?}");
    }
    let here: usize = standing.iter().filter(|standing| !standing.moved).count();
    let of = |place: &Place| {
        let cell = place.cell();
        reports.iter().find(|report| report.cell == cell).unwrap()
    };
    assert_eq!(of(&melbourne()).workers, here);
    assert_eq!(of(&sydney()).workers, WORKERS - here);
    assert_eq!(world.context().matcher.alarms(), 0);

    delays.sort_unstable();
    let at = |share: usize| delays[(CHANGES - 1) * share / 100];
    println!(
        "{CHANGES} changes seen after {:?} in the median, {:?} at 90 %, {:?} at 99 %, {:?} at most; {} questions \
         answered meanwhile",
        at(50),
        at(90),
        at(99),
        at(100),
        answered.load(Ordering::Relaxed)
    );
}
