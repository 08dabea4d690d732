//! Lists, a page at a time.

use rapport_tests::world::World;

use crate::some_work;

#[tokio::test]
async fn following_the_links_finds_everything_once() {
    let world = World::start().await;
    let ada = world.administrator();
    let mut opened = Vec::new();
    for number in 0..7 {
        let work = some_work(&format!("Number {number}."));
        opened.push(
            ada.post("/v1/tickets", &work)
                .await
                .expect(201)
                .string("id"),
        );
        world.advance(1).await;
    }
    let mut found = Vec::new();
    let mut next = Some("/v1/tickets?queue=general&limit=3".to_owned());
    let mut pages = 0;
    while let Some(path) = next {
        let page = ada.get(&path).await.expect(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 3);
        found.extend(
            items
                .iter()
                .map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        assert_eq!(page.next_page().is_some(), page["next"].is_string());
        next = page.next_page();
        pages += 1;
        assert!(pages < 10, "the pages never end");
    }
    assert_eq!(found, opened, "the soonest due first");
}

#[tokio::test]
async fn limits_are_kept_within_bounds() {
    let world = World::start().await;
    let ada = world.administrator();
    for number in 0..3 {
        ada.post("/v1/tickets", &some_work(&number.to_string()))
            .await
            .expect(201);
    }
    for (limit, how_many) in [("0", 1), ("1", 1), ("65535", 3)] {
        let page = ada
            .get(&format!("/v1/tickets?queue=general&limit={limit}"))
            .await
            .expect(200);
        assert_eq!(
            page["items"].as_array().unwrap().len(),
            how_many,
            "limit={limit}"
        );
    }
    for limit in ["-1", "x", "65536", ""] {
        let refused = ada
            .get(&format!("/v1/tickets?queue=general&limit={limit}"))
            .await;
        refused.expect_problem(422, "invalid-fields");
    }
}

#[tokio::test]
async fn a_cursor_that_was_not_given_out_is_refused() {
    let world = World::start().await;
    let ada = world.administrator();
    for number in 0..3 {
        ada.post("/v1/tickets", &some_work(&number.to_string()))
            .await
            .expect(201);
    }
    let page = ada
        .get("/v1/tickets?queue=general&limit=1")
        .await
        .expect(200);
    let cursor = page.string("next");
    // Made up; cut; of empty keys; of keys of another table's shape.
    for forged in [
        "x",
        "%00",
        &cursor[2..],
        &cursor[..cursor.len() / 2],
        "Cgo",
        "YQpiCmM",
    ] {
        let answer = ada
            .get(&format!("/v1/tickets?queue=general&cursor={forged}"))
            .await;
        assert!(
            answer.status() < 500,
            "{forged}: {} {}",
            answer.status(),
            answer.text()
        );
    }
    ada.get("/v1/tickets?queue=general&cursor=x")
        .await
        .expect(400);
}
