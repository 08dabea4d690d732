//! Who comes in the end.

use super::*;

#[tokio::test]
async fn whoever_accepts_is_confirmed_by_the_client_and_comes_instead() {
    let covered = Covered::settle(&["kim"], &[]).await;
    covered.ask("wanda").await.expect(201);
    let accepted = covered.accept("kim").await.expect(201);
    assert_eq!(accepted["state"], "accepted");
    let shown = covered.shown("ana").await;
    assert_eq!(shown["state"], "accepted");
    assert_eq!(shown["comes"]["name"]["family"], "kim");
    assert_eq!(shown["comes"]["known"], true);
    assert_eq!(covered.shown("wanda").await["comes"], Value::Null);
    // What is booked stands until then.
    assert_eq!(covered.scheduled("wanda").await.len(), 1);
    let nobody = json!({"worker": covered.engaged.worker});
    let other = covered.decide("confirmation", &nobody).await;
    other.expect_problem(409, "cover-somebody-else");
    let confirmed = covered.confirm("kim").await.expect(201);
    assert_eq!(confirmed["state"], "covered");
    let booked = confirmed.string("booked");
    for of in ["ana", "kim"] {
        let scheduled = covered.scheduled(of).await;
        assert_eq!(scheduled.len(), 1, "{of}");
        assert_eq!(scheduled[0]["visit"], booked);
        assert_eq!(scheduled[0]["state"], "booked");
        assert_eq!(scheduled[0]["from"], "2026-03-09T09:00:00+11:00");
    }
    assert!(covered.scheduled("wanda").await.is_empty());
    let was = covered.stored().await;
    assert_eq!(was.state.to_string(), "cancelled");
    assert_eq!(was.covered_by.unwrap().to_string(), booked);
    let path = format!("/v1/visits/{booked}");
    let theirs = covered.world().as_("kim").get(&path).await.expect(200);
    assert_eq!(theirs["price"], serde_json::to_value(&was.price).unwrap());
    assert_eq!(theirs["home_address"], crate::engaged::ADDRESS);
    covered.world().as_("wanda").get(&path).await.expect(404);
    let comes = "Somebody else comes to a visit".to_owned();
    for subject in ["ana", "kim", "wanda"] {
        let told = covered.engaged.told(subject).await;
        assert!(told.contains(&comes), "{subject}: {told:?}");
    }
}
