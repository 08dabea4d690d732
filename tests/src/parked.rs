//! A due row that was tried too often.

use chrono::TimeDelta;
use domain::due::{Due, DueRow};
use functions::context::Context;
use store::{Actor, Commit, DueKey, Key, Postponed};

/// The release of a match request that there is none of, due in an hour and parked nevertheless. Redriven, it comes to
/// nothing then.
pub async fn parked_row(context: &Context) -> DueKey {
    let match_request = context.fresh();
    let aggregate = Key::match_request(match_request);
    // Nobody here looks for it before it is parked.
    let at = context.now() + TimeDelta::hours(1);
    let row = DueRow {
        due: Due::CandidateRelease { match_request },
        at,
        generation: 0,
    };
    let audit = context.audit(Actor::Service, "settle", &aggregate);
    context
        .store
        .commit(Commit::new(audit).due(row))
        .await
        .unwrap();
    let key = Key {
        pk: aggregate.pk,
        sk: "DUE#candidate-release#0".to_owned(),
    };
    loop {
        let pending = context.store.pending_due(&key).await.unwrap().unwrap();
        let postponed = context.store.postpone(&pending, at, Some("busy")).await;
        if postponed.unwrap() == Postponed::Parked {
            return key;
        }
    }
}
