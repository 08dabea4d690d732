//! A function that is stopped where it stands, as at its timeout, leaves nothing locked: whoever comes next, with the same
//! key or another act, gets through, and what was asked for happened once or not at all.

use domain::id::MatchRequestId;
use domain::match_request::{MatchRequest, MatchRequestState};
use rapport_tests::faults::Fault;
use rapport_tests::seeds::seeds;
use serde_json::json;
use store::Key;

use crate::release::Place;
use crate::simulated::{ADMINISTRATOR, Ask, Simulated};

/// More moments at which it waits than an early send has.
const MOST_WAITS: usize = 1_000;

async fn early_send(world: &mut Simulated, id: MatchRequestId) -> Ask {
    let base = format!("/v1/match-requests/{id}");
    let preview = Ask::get(ADMINISTRATOR, format!("{base}/candidate-preview"));
    let preview = world.insist(preview).await.expect(200);
    let path = format!("{base}/release");
    Ask::post(ADMINISTRATOR, path, format!("e-{id}"), json!({})).matching(&preview.etag)
}

async fn operations(world: &Simulated, id: MatchRequestId, operation: &str) -> usize {
    let done = world.operations(&Key::match_request(id)).await;
    done.iter().filter(|done| *done == operation).count()
}

/// At every moment at which it waits for the table, before a call has reached it and after.
#[tokio::test(start_paused = true)]
async fn whoever_comes_after_a_function_was_stopped_gets_through() {
    for seed in seeds(1) {
        let mut place = Place::settle(&seed, 3).await;
        let (mut before, mut after) = (0, 0);
        for waits in 0.. {
            assert!(waits < MOST_WAITS, "it never gets done");
            match stopped_at(&mut place, waits).await {
                Stopped::Before => before += 1,
                Stopped::After => after += 1,
                Stopped::Nowhere => break,
            }
        }
        println!("stopped {before} times before its commit stood, {after} times after");
        assert!(before > 0 && after > 0, "{before} {after}");
    }
}

/// Where a function was stopped.
enum Stopped {
    Before,
    After,
    Nowhere,
}

async fn stopped_at(place: &mut Place, waits: usize) -> Stopped {
    // Two of the same, stopped at the same moment: one is repeated, the other overtaken by another act.
    let repeated = place.request(waits).await;
    let overtaken = place.request(waits).await;
    let world = &mut place.world;
    let ask = early_send(world, repeated).await;
    let other = early_send(world, overtaken).await;
    world.faults.choose(|_| Some(Fault::AnswerLate));
    let answered = world.stopped_after(&ask, waits).await.is_some();
    let also = world.stopped_after(&other, waits).await.is_some();
    world.calm();
    assert_eq!(answered, also);

    let stood = operations(world, repeated, "release_candidates").await;
    let also = operations(world, overtaken, "release_candidates").await;
    assert_eq!(also, stood);
    world.once(&ask).await.expect(201);
    let releases = operations(world, repeated, "release_candidates").await;
    assert_eq!(releases, 1);

    let client = format!("client-{}", waits % place.clients.len());
    let path = format!("/v1/match-requests/{overtaken}/withdrawal");
    let withdrawal = Ask::post(&client, path, format!("w-{overtaken}"), json!({}));
    place.world.once(&withdrawal).await.expect(201);
    let request = Key::match_request(overtaken);
    let request: MatchRequest = place.world.stored(&request).await.unwrap();
    assert_eq!(request.state, MatchRequestState::Withdrawn);
    assert_eq!(request.released_at.is_some(), stood == 1);
    match (answered, stood) {
        (true, _) => Stopped::Nowhere,
        (false, 0) => Stopped::Before,
        (false, _) => Stopped::After,
    }
}
