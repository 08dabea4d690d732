//! Who pays for a client's support, and how much of it at most.

use rapport_tests::answer::Answer;
use serde_json::{Value, json};
use store::{Key, StoredScheme};

use super::{Pair, hourly};

const SCHEME: &str = "/v1/funding-schemes/home-support";

fn paying(most: u32) -> Value {
    json!({
        "name": "Home support",
        "caps": [{"service": "social_support", "band": "weekday_daytime", "most": most}],
        "holidays": ["2026-12-25"]
    })
}

impl Pair {
    async fn fund(&self, scheme: &Value) -> Answer {
        let ada = self.world.administrator();
        let path = format!("/v1/clients/{}", self.client);
        let etag = ada.get(&path).await.expect(200).etag();
        let funding = json!({"scheme": scheme, "reason": "The scheme's letter of 2 March."});
        ada.put(&format!("{path}/funding"), &etag, &funding).await
    }
}

#[tokio::test]
async fn a_rate_is_capped_with_the_services_part_in_it_whenever_it_is_agreed() {
    let pair = Pair::settle().await;
    let ada = pair.world.administrator();
    let first = ada.put(SCHEME, "\"0\"", &paying(6150)).await.expect(200);
    let unknown = pair.fund(&json!("no-such-scheme")).await;
    assert_eq!(unknown.expect(422).pointers(), ["/scheme"]);
    let client = pair.fund(&json!("home-support")).await.expect(200);
    assert_eq!(client["funding"], "home-support");

    let above = pair
        .offer("wim", 6001)
        .await
        .expect_problem(422, "invalid-fields");
    assert_eq!(above.pointers(), ["/terms/services/0/rates/0/hourly"]);
    assert_eq!(
        above["errors"][0]["detail"],
        "comes to 61.51 with the service's part, and Home support pays at most 61.50; the highest possible is 60.00"
    );
    let offer = pair.offer("wim", 6000).await.expect(201);
    assert_eq!(
        offer["scheme"],
        json!({"scheme": "home-support", "version": 1})
    );
    let above = pair
        .counter("ana", 1, 6001)
        .await
        .expect_problem(422, "invalid-fields");
    assert_eq!(above.pointers(), ["/terms/services/0/rates/0/hourly"]);

    // The scheme pays less by now, then the plan takes more: what was offered can no longer be agreed to.
    let lower = ada
        .put(SCHEME, &first.etag(), &paying(6149))
        .await
        .expect(200);
    let above = pair
        .accept("ana", 1)
        .await
        .expect_problem(422, "invalid-fields");
    assert_eq!(above.pointers(), ["/terms/services/0/rates/0/hourly"]);
    ada.put(SCHEME, &lower.etag(), &paying(6150))
        .await
        .expect(200);
    pair.on_plan(300).await;
    pair.accept("ana", 1)
        .await
        .expect_problem(422, "invalid-fields");
    pair.on_plan(250).await;
    let agreed = pair.accept("ana", 1).await.expect(201);
    assert_eq!(hourly(agreed.json())["client_pays"], 6150);
    let offer = pair.get("ana", "offers/1").await.expect(200);
    assert_eq!(offer["scheme"]["version"], 3);

    // Who pays themselves has no caps.
    pair.fund(&Value::Null).await.expect(200);
    pair.offer("wim", 9000).await.expect(201);
    pair.accept("ana", 2).await.expect(201);
}

#[tokio::test]
async fn schemes_are_kept_in_versions_and_seen_by_everybody() {
    let pair = Pair::settle().await;
    let ada = pair.world.administrator();
    let first = ada.put(SCHEME, "\"0\"", &paying(6150)).await.expect(200);
    assert_eq!(
        (&first["code"], &first["version"]),
        (&json!("home-support"), &json!(1))
    );
    for etag in ["\"0\"", "\"2\""] {
        let stale = ada.put(SCHEME, etag, &paying(1)).await;
        stale.expect_problem(412, "stale-etag");
    }
    let second = ada
        .put(SCHEME, &first.etag(), &paying(7000))
        .await
        .expect(200);
    assert_eq!(second["version"], 2);
    let other = "/v1/funding-schemes/a-fund";
    ada.put(other, "\"0\"", &paying(5000)).await.expect(200);
    let mut wrong = paying(0);
    wrong["holidays"] = json!(["2026-12-25", "2026-12-25"]);
    let wrong = ada.put(other, "\"1\"", &wrong).await.expect(422);
    assert_eq!(wrong.pointers(), ["/caps/0/most", "/holidays/1"]);
    ada.put("/v1/funding-schemes/Upper", "\"0\"", &paying(5000))
        .await
        .expect(404);

    let wim = pair.world.as_("wim");
    assert_eq!(wim.get(SCHEME).await.expect(200).json(), second.json());
    wim.get("/v1/funding-schemes/none").await.expect(404);
    let listed = wim.get("/v1/funding-schemes").await.expect(200);
    let listed = listed["items"].as_array().unwrap().iter();
    let codes: Vec<&str> = listed
        .map(|scheme| scheme["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["a-fund", "home-support"]);

    let code = "home-support".parse().unwrap();
    for (version, most) in [(1, 6150), (2, 7000)] {
        let key = Key::funding_scheme_version(&code, version);
        let kept = pair
            .world
            .context()
            .store
            .get::<StoredScheme>(&key)
            .await
            .unwrap();
        assert_eq!(kept.unwrap().value.scheme.rules.caps[0].most.0, most);
    }
    let audited = ada
        .get("/v1/audit/funding_scheme/home-support")
        .await
        .expect(200);
    assert_eq!(audited["items"].as_array().unwrap().len(), 2);
}
