//! Tokens that must not be accepted. None is, and every refusal looks the same.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use rapport::host::FIRST_ADMINISTRATOR;
use rapport_tests::world::World;
use serde_json::{Value, json};
use sha2::Sha256;

const DAY: i64 = 24 * 3600;

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn hs256(key: &[u8], header: &Value, claims: &Value) -> String {
    let message = format!(
        "{}.{}",
        base64(header.to_string()),
        base64(claims.to_string())
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message.as_bytes());
    format!("{message}.{}", base64(mac.finalize().into_bytes()))
}

/// Every way a token can be wrong that we could think of, by name.
fn bad_tokens(world: &World) -> Vec<(String, String)> {
    let issuer = world.issuer();
    let now = world.now().timestamp();
    let claims = issuer.claims(FIRST_ADMINISTRATOR, world.now(), TimeDelta::hours(1));
    let good = issuer.sign(&claims).unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("a token has three parts");
    };
    let mut bad: Vec<(String, String)> = Vec::new();

    // Signed by the right key, but saying the wrong thing.
    let changes: Vec<(&str, Value)> = vec![
        ("exp", json!(now)),
        ("exp", json!(now - 1)),
        ("exp", json!(now - DAY)),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", json!("soon")),
        ("exp", json!(null)),
        ("exp", json!(1e300)),
        ("iat", json!(now + 61)),
        ("iat", json!(now + DAY)),
        ("iat", json!(null)),
        ("nbf", json!(now + 61)),
        ("nbf", json!(now + DAY)),
        ("iss", json!("https://issuer.example")),
        ("iss", json!("HTTPS://ISSUER.LOCAL.INVALID")),
        ("iss", json!("https://issuer.local.invalid/")),
        ("iss", json!("")),
        ("iss", json!(["https://issuer.local.invalid"])),
        ("aud", json!("another")),
        ("aud", json!("rapport2")),
        ("aud", json!("")),
        ("aud", json!([])),
        ("aud", json!(["another", "third"])),
        ("token_use", json!("id")),
        ("token_use", json!("refresh")),
        ("token_use", json!("")),
        ("token_use", json!(null)),
        ("scope", json!("")),
        ("scope", json!("rapport2")),
        ("scope", json!("rapport:other, openid")),
        ("scope", json!("RAPPORT")),
        ("sub", json!("")),
        ("sub", json!("a\u{0}b")),
        ("sub", json!("s".repeat(129))),
        ("sub", json!(7)),
    ];
    for (claim, value) in changes {
        let mut claims = claims.clone();
        claims[claim] = value.clone();
        let name = format!(
            "{claim} = {}",
            value.to_string().chars().take(40).collect::<String>()
        );
        bad.push((name, issuer.sign(&claims).unwrap()));
    }
    for missing in ["exp", "iat", "iss", "sub", "aud", "token_use", "scope"] {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(missing);
        bad.push((format!("no {missing}"), issuer.sign(&claims).unwrap()));
    }

    // Saying the right thing, but not signed by the right key.
    let keys = issuer.key_set();
    let modulus = URL_SAFE_NO_PAD
        .decode(keys["keys"][0]["n"].as_str().unwrap())
        .unwrap();
    let kid = keys["keys"][0]["kid"].clone();
    let hs_header = json!({"alg": "HS256", "typ": "JWT", "kid": kid});
    let with_header =
        |header: &Value| format!("{}.{payload}.{signature}", base64(header.to_string()));
    let mut raised = claims.clone();
    raised["sub"] = json!("somebody-else");
    bad.extend(
        [
            ("no token", String::new()),
            ("garbage", "garbage".to_owned()),
            ("three parts of garbage", "a.b.c".to_owned()),
            ("dots", "..".to_owned()),
            ("no signature", format!("{header}.{payload}.")),
            ("two parts", format!("{header}.{payload}")),
            ("four parts", format!("{good}.{signature}")),
            ("another payload", format!("{header}.{}.{signature}", base64(raised.to_string()))),
            ("a cut signature", good[..good.len() - 8].to_owned()),
            ("a signature of nulls", format!("{header}.{payload}.{}", base64([0_u8; 256]))),
            ("the payload as its signature", format!("{header}.{payload}.{payload}")),
            ("another base64", good.replace('-', "+").replace('_', "/") + "=="),
            ("oversized", format!("{header}.{payload}.{}", "A".repeat(9_000))),
            ("alg none", with_header(&json!({"alg": "none", "typ": "JWT"}))),
            (
                "alg none, unsigned",
                format!("{}.{payload}.", base64(json!({"alg": "none", "kid": kid}).to_string())),
            ),
            ("alg RS384", with_header(&json!({"alg": "RS384", "kid": kid}))),
            ("alg PS256", with_header(&json!({"alg": "PS256", "kid": kid}))),
            ("alg ES256", with_header(&json!({"alg": "ES256", "kid": kid}))),
            ("no alg", with_header(&json!({"kid": kid}))),
            ("no kid", with_header(&json!({"alg": "RS256"}))),
            ("another kid", with_header(&json!({"alg": "RS256", "kid": "another"}))),
            ("a kid that is a path", with_header(&json!({"alg": "RS256", "kid": "../../dev/null"}))),
            ("a demand", with_header(&json!({"alg": "RS256", "kid": kid, "crit": ["exp"]}))),
            (
                "a key it brings itself",
                with_header(&json!({"alg": "RS256", "jwk": keys["keys"][0], "jku": "https://issuer.example"})),
            ),
            ("HS256 with the public modulus", hs256(&modulus, &hs_header, &claims)),
            ("HS256 with the key set", hs256(keys.to_string().as_bytes(), &hs_header, &claims)),
            ("HS256 with nothing", hs256(b"", &hs_header, &claims)),
        ]
        .map(|(name, token)| (name.to_owned(), token)),
    );
    bad
}

#[tokio::test]
async fn no_bad_token_is_accepted_and_every_refusal_is_the_same() {
    let world = World::start().await;
    let good = world
        .issuer()
        .access_token(FIRST_ADMINISTRATOR, world.now(), TimeDelta::hours(1));
    world
        .bearing(&good.unwrap())
        .get("/v1/tickets?queue=general")
        .await
        .expect(200);

    let tokens = bad_tokens(&world);
    assert!(tokens.len() >= 50, "{}", tokens.len());
    let without = world.nobody().get("/v1/tickets?queue=general").await;
    let without = without.expect_problem(401, "not-signed-in");
    assert_eq!(without.header("www-authenticate"), Some("Bearer"));
    for (name, token) in tokens {
        let refused = world.bearing(&token).get("/v1/tickets?queue=general").await;
        assert_eq!(refused.status(), 401, "{name}: {}", refused.text());
        assert_eq!(refused.text(), without.text(), "{name}");
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"), "{name}");
        // A token that is refused is refused everywhere, even where none is needed.
        let written = world
            .bearing(&token)
            .post("/v1/tickets", &crate::some_work("x"))
            .await;
        assert_eq!(written.text(), without.text(), "{name}");
    }
}

#[tokio::test]
async fn a_token_ends_when_it_says() {
    let world = World::start().await;
    let issuer = world.issuer();
    let token = issuer
        .access_token(FIRST_ADMINISTRATOR, world.now(), TimeDelta::hours(1))
        .unwrap();
    let ada = world.bearing(&token);
    world.advance_by(TimeDelta::seconds(3599)).await;
    ada.get("/v1/tickets?queue=general").await.expect(200);
    world.advance_by(TimeDelta::seconds(1)).await;
    ada.get("/v1/tickets?queue=general")
        .await
        .expect_problem(401, "not-signed-in");
}

#[tokio::test]
async fn other_ways_to_present_a_token_are_no_ways() {
    let world = World::start().await;
    let token = world
        .issuer()
        .access_token(FIRST_ADMINISTRATOR, world.now(), TimeDelta::hours(1))
        .unwrap();
    let nobody = world.nobody();
    for value in [
        format!("Basic {token}"),
        token.clone(),
        format!("Bearer  {token}"),
        format!("Bearer {token} {token}"),
        format!("Bearer {token}, Bearer {token}"),
    ] {
        let ask = nobody.ask(
            reqwest::Method::GET,
            "/v1/tickets?queue=general",
            |request| request.header("authorization", &value),
        );
        ask.await.expect_problem(401, "not-signed-in");
    }
    let in_query = nobody
        .get(&format!("/v1/tickets?queue=general&access_token={token}"))
        .await;
    in_query.expect_problem(401, "not-signed-in");
    let twice = nobody.ask(
        reqwest::Method::GET,
        "/v1/tickets?queue=general",
        |request| {
            request
                .header("authorization", "Bearer x")
                .bearer_auth(&token)
        },
    );
    twice.await.expect_problem(401, "not-signed-in");
}

#[tokio::test]
async fn a_login_that_nobody_has_bound_is_told_so() {
    let world = World::start().await;
    let refused = world.as_("stranger").get("/v1/tickets?queue=general").await;
    refused.expect_problem(403, "login-not-bound");
}
