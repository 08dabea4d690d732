//! Of an introduction the client reads what staff have approved, to the letter, and nothing before.

use domain::money::Cents;
use rapport_tests::people::{complete_profile, settle_workers};
use rapport_tests::world::World;
use serde_json::{Value, json};

use super::{Clients, preview, rate, request_for, send_early};

/// What a text may give away, and what the screening calls it.
const REVEALING: [(&str, &str); 20] = [
    ("My name is Canaryname and I like gardens.", "name"),
    ("Everybody calls me Canarygiven.", "name"),
    ("The Canaryfamily way of making tea.", "name"),
    ("I'm Canaryname, pleased to meet you.", "name"),
    ("Call me Canaryname.", "name"),
    ("I am known as Canaryname.", "name"),
    ("Ring 0491 573 156 at any time.", "phone"),
    ("Ring +61 491 573 156 at any time.", "phone"),
    ("Ring (04) 9157-3156 at any time.", "phone"),
    ("Ring 04.91.57.31.56 at any time.", "phone"),
    ("Write to me@canary-mail.example.", "mail"),
    ("Write to me at canary.com today.", "mail"),
    ("Write to canary at gmail dot com.", "mail"),
    ("See https://canary.example/me.", "link"),
    ("See www.canary.example for more.", "link"),
    ("See canary-care.com.au for more.", "link"),
    ("See canary.care/about for more.", "link"),
    ("I am @canary there.", "account"),
    ("Find canary on Instagram.", "account"),
    ("On WhatsApp I answer at once.", "account"),
];
#[tokio::test]
async fn an_introduction_that_gives_away_reaches_a_client_only_by_the_exact_approval() {
    let world = World::start().await;
    let workers = settle_workers(
        world.context(),
        ["canary-0".to_owned()],
        |_, person, worker| {
            person.name.given = "Canarygiven".to_owned();
            person.name.family = "Canaryfamily".to_owned();
            worker.profile.services[0].hourly_rate = Cents(rate(0));
        },
    )
    .await;
    world.settle().await;
    let clients = Clients::settle(&world).await;
    let path = format!("/v1/support-workers/{}", workers[0].0);
    let (worker, ada) = (world.as_("canary-0"), world.administrator());
    let ana = world.as_("ana");
    let submit = async || {
        let details = request_for(0, 0);
        let submitted = ana.post(&Clients::requests_of(clients.ana), &details).await;
        format!("/v1/match-requests/{}", submitted.expect(201).string("id"))
    };
    let introduced = async |request: &str| {
        let list = ana.get(&format!("{request}/candidates")).await.expect(200);
        list["candidates"][0]["introduction"].clone()
    };
    let approved = ada.get(&path).await["introduction_approved"].clone();
    let released = submit().await;
    send_early(&world, &released).await;
    let waiting = submit().await;

    let edit = format!("{path}/profile");
    let approve = format!("{path}/introduction-approval");
    let mut last = String::new();
    for (sentence, kind) in REVEALING {
        let mut profile = complete_profile();
        profile["services"][0]["hourly_rate"] = json!(rate(0));
        last = format!("{} {sentence}", profile["introduction"].as_str().unwrap());
        profile["introduction"] = json!(last);
        let tag = worker.get(&path).await.etag();
        worker.put(&edit, &tag, &profile).await.expect(200);
        let screened = ada.get(&format!("{path}/introduction-screening")).await;
        let screened = screened.expect(200);
        assert_eq!(screened["introduction"], last);
        let findings = screened["findings"].as_array().unwrap().iter();
        let kinds: Vec<&Value> = findings.map(|finding| &finding["kind"]).collect();
        assert!(kinds.contains(&&json!(kind)), "{sentence}: {kinds:?}");
        for almost in [
            approved.clone(),
            json!(format!("{last} ")),
            json!(last.to_lowercase()),
        ] {
            let other = ada.post(&approve, &json!({"introduction": almost})).await;
            other.expect_problem(409, "introduction-changed");
        }
        let shown = preview(&world, &waiting).await["shown"][0]["introduction"].clone();
        assert_eq!(shown, approved, "{sentence}");
        assert_eq!(introduced(&released).await, approved, "{sentence}");
    }
    // Nobody but staff may approve it, the support worker least of all.
    let exact = json!({"introduction": last});
    worker.post(&approve, &exact).await.expect(403);
    ana.post(&approve, &exact).await.expect(404);
    send_early(&world, &waiting).await;
    assert_eq!(introduced(&waiting).await, approved);
    ada.post(&approve, &exact).await.expect(201);
    // What was released stays as it was; what is released from now on says what was approved.
    assert_eq!(introduced(&waiting).await, approved);
    let next = submit().await;
    send_early(&world, &next).await;
    assert_eq!(introduced(&next).await, last);
}
