//! One file sent several times at once, or cut short and sent again: everybody comes once.

use rapport_tests::answer::Answer;
use rapport_tests::signups::all;
use rapport_tests::world::World;

use super::{CLIENTS, clients, counts, people, the_person};
use crate::all_at_once;

#[tokio::test]
async fn sent_several_times_at_once_everybody_comes_once() {
    let world = World::start().await;
    let ada = world.administrator();
    ada.get("/v1/me").await.expect(200);
    let row = |number: usize| {
        format!("C-{number},Given{number},Family,person{number}@people.example,,,,")
    };
    let rows: Vec<String> = (0..12).map(row).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let file = clients(&rows);
    // Two of them are one sending that was not answered in time.
    let keys = ["one", "one", "two", "three"];
    let sent = keys
        .iter()
        .map(|key| ada.post_csv_with_key(CLIENTS, key, &file));
    let answers: Vec<Answer> = all_at_once(sent)
        .await
        .into_iter()
        .map(|sent| sent.expect(201))
        .collect();
    assert_eq!(answers[0]["id"], answers[1]["id"]);
    let mut created = 0;
    for answer in &answers[1..] {
        let [rows, made, updated, unchanged, failed] = counts(answer);
        assert_eq!((rows, updated, failed, made + unchanged), (12, 0, 0, 12));
        created += made;
    }
    assert_eq!(created, 12, "somebody came twice, or nobody counted them");
    for number in 0..12 {
        the_person(&world, &format!("person{number}@people.example")).await;
    }
    assert_eq!(all(&world, "/v1/imports").await.len(), 3);
    world.settle().await;
    assert_eq!(world.mails().len(), 12);
}

#[tokio::test]
async fn a_file_goes_on_where_a_sending_was_cut_short() {
    let world = World::start().await;
    let ada = world.administrator();
    ada.get("/v1/me").await.expect(200);
    let row = |number: usize| {
        format!("C-{number},Given{number},Family,person{number}@people.example,,,,")
    };
    let rows: Vec<String> = (0..40).map(row).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let file = clients(&rows);
    // The caller hangs up as soon as somebody has come.
    let sending = ada.post_csv_with_key(CLIENTS, "one", &file);
    let somebody = async { while people(&world, "person3@people.example").await.is_empty() {} };
    let cut_short = tokio::select! {
        _ = sending => false,
        () = somebody => true,
    };
    assert!(cut_short, "it was answered before anybody came");
    let again = ada
        .post_csv_with_key(CLIENTS, "one", &file)
        .await
        .expect(201);
    assert_eq!(
        counts(&again),
        [40, 40, 0, 0, 0],
        "what the sending did counts as its own"
    );
    for number in 0..40 {
        the_person(&world, &format!("person{number}@people.example")).await;
    }
    assert_eq!(all(&world, "/v1/imports").await.len(), 1);
}
