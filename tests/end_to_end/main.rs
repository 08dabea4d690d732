//! The service as its callers find it: over HTTP, against the local host, a file per subject.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

mod activation;
mod blind_canaries;
mod blob_links;
mod calendars;
mod cancellations;
mod changes;
mod conversations;
mod cover;
mod data_file;
mod engaged;
mod engagements;
mod forms;
mod freshness;
mod idempotency;
mod imports;
mod instructions;
mod invitations;
mod limits;
mod match_requests;
mod meetings;
mod membership_limits;
mod on_call;
mod paging;
mod parked_rows;
mod partner_signatures;
mod people;
mod proposals;
mod safety;
mod schedules;
mod series;
mod statements;
mod support_workers;
mod terms;
mod the_day;
mod tickets;
mod tokens;
mod visits;

use serde_json::{Value, json};

/// A ticket to be opened by hand.
fn some_work(note: &str) -> Value {
    json!({"subject": "clt_0190b2f06bd47c5a9a3e5b7f21d4c8aa", "note": note})
}

/// Does all of these at the same time, and gives what they came to, in their order.
async fn all_at_once<T>(all: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = all.into_iter().map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(|context| {
        for (one, result) in &mut waiting {
            if result.is_none()
                && let std::task::Poll::Ready(ready) = one.as_mut().poll(context)
            {
                *result = Some(ready);
            }
        }
        match waiting.iter().all(|(_, result)| result.is_some()) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    waiting
        .into_iter()
        .filter_map(|(_, result)| result)
        .collect()
}
