//! A list is settled by live records whenever it is looked at: who leaves, who comes, who is put forward.

use rapport_tests::people::settle_worker;
use serde_json::json;

use super::{Carlton, WORKERS, ids};

/// A pin puts somebody forward, and over no rule.
#[tokio::test]
async fn a_pin_never_overrides_a_hard_rule() {
    let carlton = Carlton::settle().await;
    let request = carlton.submitted().await;
    let before = carlton.preview(&request).await;
    let pinned = before["listed"][7]["worker"].clone();
    carlton.decide(&request, "pins", &pinned).await.expect(201);
    let pinned = pinned.as_str().unwrap();
    let with = carlton.preview(&request).await;
    let candidate = ids(&before["listed"])[7].clone();
    assert!(ids(&with["shown"]).contains(&candidate));

    carlton.suspend(pinned).await;
    let without = carlton.preview(&request).await;
    assert!(!ids(&without["shown"]).contains(&candidate));
    assert_eq!(without["shown"].as_array().unwrap().len(), 5);
    let stale = carlton.release(&request, &with.etag()).await;
    stale.expect_problem(412, "stale-etag");
    carlton.world.advance(24).await;
    let seen = carlton.candidates(&request).await.expect(200);
    assert_eq!(ids(&seen["candidates"]), ids(&without["shown"]));
    // Nobody is pinned who was never found.
    let stranger = settle_worker(carlton.world.context(), "stranger").await;
    let next = carlton.submitted().await;
    let stranger = json!(stranger.to_string());
    let refused = carlton.decide(&next, "pins", &stranger).await;
    assert_eq!(refused.expect(422).pointers(), ["/worker"]);
}

/// A check that expires takes its support worker out by itself, at that instant and not before.
#[tokio::test]
async fn whoever_has_an_expired_check_is_neither_listed_nor_released() {
    let carlton = Carlton::settle().await;
    let request = carlton.submitted().await;
    let before = carlton.preview(&request).await;
    let first = before["listed"][0]["worker"].as_str().unwrap();
    let candidate = ids(&before["listed"])[0].clone();
    // Valid through today, where the support worker lives: the list falls due later than that.
    let today = carlton.world.now().date_naive().to_string();
    let path = format!("/v1/support-workers/{first}");
    let verified = json!({"evidence": "Policy 8", "expires_on": today});
    let verify = format!("{path}/checks/insurance/verification");
    let ada = carlton.world.administrator();
    ada.post(&verify, &verified).await.expect(201);
    assert_eq!(ada.get(&path).await["state"], "active");
    carlton.world.advance(24).await;
    assert_eq!(ada.get(&path).await["state"], "submitted");
    let seen = ids(&carlton.candidates(&request).await.expect(200)["candidates"]);
    assert_eq!(seen.len(), 5);
    assert!(!seen.contains(&candidate));
    let kept = carlton.preview(&request).await;
    let differences = kept["differences"].as_array().unwrap();
    let left = differences.iter().find(|one| one["worker"] == first);
    let rules = &left.unwrap()["change"]["ineligible"];
    assert!(rules.as_array().unwrap().contains(&json!("active")));
    let next = carlton.submitted().await;
    let next = carlton.preview(&next).await;
    let listed = next["listed"].as_array().unwrap();
    assert!(listed.iter().all(|one| one["worker"] != first));
    assert_eq!(listed.len(), WORKERS - 1);
}

/// When the reserve is used up, the shard is asked again: whoever came meanwhile takes the place.
#[tokio::test]
async fn a_list_is_filled_again_from_whoever_has_come_since() {
    let carlton = Carlton::settle().await;
    let request = carlton.submitted().await;
    let newcomer = settle_worker(carlton.world.context(), "newcomer").await;
    carlton.world.settle().await;
    for worker in &carlton.workers[..4] {
        carlton.suspend(&worker.to_string()).await;
    }
    carlton.world.advance(24).await;
    let seen = carlton.candidates(&request).await.expect(200);
    assert_eq!(ids(&seen["candidates"]).len(), 5);
    let kept = carlton.preview(&request).await;
    let listed = kept["listed"].as_array().unwrap();
    let appended = listed.last().unwrap();
    assert_eq!(appended["worker"], newcomer.to_string());
    assert!(ids(&seen["candidates"]).contains(&ids(&kept["listed"])[listed.len() - 1]));
    assert!(!seen.text().contains(&newcomer.to_string()));
}

/// Everybody leaves: the list is released empty, and staff have a ticket.
#[tokio::test]
async fn a_list_that_has_become_empty_is_ticketed_again() {
    let carlton = Carlton::settle().await;
    let request = carlton.submitted().await;
    for worker in &carlton.workers {
        carlton.suspend(&worker.to_string()).await;
    }
    carlton.world.advance(24).await;
    let seen = carlton.candidates(&request).await.expect(200);
    assert_eq!(seen["candidates"], json!([]));
    let tickets = carlton
        .world
        .as_("cora")
        .get("/v1/tickets?queue=match_requests")
        .await
        .expect(200);
    let causes = tickets["items"].as_array().unwrap().iter();
    let empty = causes.filter(|ticket| ticket["cause"] == "no_candidates");
    assert_eq!(empty.count(), 1);
}
