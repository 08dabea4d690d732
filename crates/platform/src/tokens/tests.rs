use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::RSA_PKCS1_SHA256;
use serde_json::{Value, json};

use super::*;

const OURS: &str = include_str!("test_key_1.pem");
const FOREIGN: &str = include_str!("test_key_2.pem");

fn key_pair(pem: &str) -> KeyPair {
    let body: String = pem
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"))
        .filter(|line| !line.starts_with("-----"))
        .collect();
    KeyPair::from_der(&STANDARD.decode(body).unwrap()).unwrap()
}

fn public_key(pem: &str, kid: &str) -> Value {
    let public = PublicKeyComponents::<Vec<u8>>::from(key_pair(pem).public());
    json!({
        "kty": "RSA",
        "kid": kid,
        "n": URL_SAFE_NO_PAD.encode(public.n),
        "e": URL_SAFE_NO_PAD.encode(public.e),
    })
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn sign(pem: &str, header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let key = key_pair(pem);
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

const NOW: i64 = 1_795_300_000;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn rules() -> TokenRules {
    TokenRules {
        issuer: "https://issuer.example".into(),
        audience: "rapport".into(),
        scope: "rapport/api".into(),
    }
}

fn verifier() -> TokenVerifier {
    let keys = json!({"keys": [public_key(OURS, "one"), public_key(FOREIGN, "two")]});
    TokenVerifier::new(rules(), &keys.to_string()).unwrap()
}

fn header() -> Value {
    json!({"alg": "RS256", "typ": "JWT", "kid": "one"})
}

fn claims() -> Value {
    json!({
        "iss": "https://issuer.example",
        "sub": "ada",
        "aud": "rapport",
        "token_use": "access",
        "scope": "openid rapport/api",
        "iat": NOW,
        "exp": NOW + 3600,
    })
}

/// The claims with one replaced, or removed by `null`.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    let map = claims.as_object_mut().unwrap();
    if value.is_null() {
        map.remove(name);
    } else {
        map.insert(name.into(), value);
    }
    claims
}

fn verify(token: &str) -> Result<Verified, TokenError> {
    verifier().verify(token, at(NOW))
}

#[test]
fn a_right_token_names_the_login() {
    let verified = Ok(Verified {
        issuer: "https://issuer.example".into(),
        subject: "ada".into(),
        expires_at: at(NOW + 3600),
    });
    assert_eq!(verify(&sign(OURS, &header(), &claims())), verified);
    let second_key = json!({"alg": "RS256", "kid": "two"});
    assert_eq!(verify(&sign(FOREIGN, &second_key, &claims())), verified);
    let several = with("aud", json!(["other", "rapport"]));
    assert_eq!(verify(&sign(OURS, &header(), &several)), verified);
    let mut no_aud = with("aud", Value::Null);
    no_aud["client_id"] = json!("rapport");
    assert_eq!(verify(&sign(OURS, &header(), &no_aud)), verified);
}

#[test]
fn every_claim_is_checked() {
    use TokenError::*;
    for (name, value, expected) in [
        ("iss", json!("https://issuer.example/"), WrongIssuer),
        ("iss", json!(["https://issuer.example"]), Malformed),
        ("iss", Value::Null, Malformed),
        ("aud", json!("other"), WrongAudience),
        ("aud", json!(["other"]), WrongAudience),
        ("aud", json!([]), WrongAudience),
        ("aud", Value::Null, WrongAudience),
        ("token_use", json!("id"), WrongUse),
        ("token_use", Value::Null, Malformed),
        ("scope", json!("openid rapport/api2"), MissingScope),
        ("scope", json!("openid"), MissingScope),
        ("scope", Value::Null, MissingScope),
        ("sub", json!(""), WrongSubject),
        ("sub", json!("a\nb"), WrongSubject),
        ("sub", json!("a".repeat(129)), WrongSubject),
        ("sub", json!(7), Malformed),
        ("exp", json!(NOW), Expired),
        ("exp", json!(NOW - 1), Expired),
        ("exp", json!(0), Expired),
        ("exp", json!(1e30), Malformed),
        ("exp", json!(i64::MAX), Malformed),
        ("exp", json!("soon"), Malformed),
        ("exp", Value::Null, Malformed),
        ("iat", json!(NOW + 61), NotYetValid),
        ("iat", Value::Null, Malformed),
        ("nbf", json!(NOW + 61), NotYetValid),
        ("nbf", json!("later"), Malformed),
    ] {
        let token = sign(OURS, &header(), &with(name, value.clone()));
        assert_eq!(verify(&token), Err(expected), "{name} = {value}");
    }
}

#[test]
fn the_end_is_exact_and_the_beginning_allows_a_minute() {
    let token = sign(OURS, &header(), &with("nbf", json!(NOW)));
    for (clock, expected) in [
        (NOW + 3599, None),
        (NOW + 3600, Some(TokenError::Expired)),
        (NOW - 60, None),
        (NOW - 61, Some(TokenError::NotYetValid)),
    ] {
        assert_eq!(
            verifier().verify(&token, at(clock)).err(),
            expected,
            "{clock}"
        );
    }
}

#[test]
fn every_header_but_ours_is_refused() {
    use TokenError::*;
    for (header, expected) in [
        (json!({"alg": "none", "kid": "one"}), Malformed),
        (json!({"alg": "HS256", "kid": "one"}), WrongAlgorithm),
        (json!({"alg": "RS384", "kid": "one"}), WrongAlgorithm),
        (json!({"alg": "PS256", "kid": "one"}), WrongAlgorithm),
        (json!({"alg": "RS256"}), UnknownKey),
        (json!({"alg": "RS256", "kid": "three"}), UnknownKey),
        (json!({"alg": "RS256", "kid": "two"}), WrongSignature),
        (
            json!({"alg": "RS256", "kid": "one", "crit": ["b64"], "b64": false}),
            WrongAlgorithm,
        ),
        (json!({"kid": "one"}), Malformed),
    ] {
        let token = sign(OURS, &header, &claims());
        assert_eq!(verify(&token), Err(expected), "{header}");
    }
}

#[test]
fn a_key_the_token_brings_along_is_not_used() {
    let header = json!({"alg": "RS256", "kid": "mine", "jwk": public_key(FOREIGN, "mine")});
    let keys = json!({"keys": [public_key(OURS, "one")]}).to_string();
    let verifier = TokenVerifier::new(rules(), &keys).unwrap();
    let forged = |header: &Value| verifier.verify(&sign(FOREIGN, header, &claims()), at(NOW));
    assert_eq!(forged(&header), Err(TokenError::UnknownKey));
    let header = json!({"alg": "RS256", "kid": "one", "jwk": public_key(FOREIGN, "one")});
    assert_eq!(forged(&header), Err(TokenError::WrongSignature));
}

#[test]
fn a_public_key_is_no_shared_secret() {
    let header = json!({"alg": "HS256", "kid": "one"});
    let message = format!("{}.{}", part(&header), part(&claims()));
    let modulus = public_key(OURS, "one")["n"].as_str().unwrap().to_owned();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, modulus.as_bytes());
    let tag = ring::hmac::sign(&key, message.as_bytes());
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
    assert_eq!(verify(&token), Err(TokenError::WrongAlgorithm));
}

#[test]
fn what_was_changed_after_signing_is_refused() {
    let token = sign(OURS, &header(), &claims());
    let [head, _, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts");
    };
    let other_claims = part(&with("sub", json!("bob")));
    for (refused, expected) in [
        (
            format!("{head}.{other_claims}.{signature}"),
            TokenError::WrongSignature,
        ),
        (
            format!("{head}.{other_claims}."),
            TokenError::WrongSignature,
        ),
        (format!("{head}.{other_claims}"), TokenError::Malformed),
        (format!("{token}.{signature}"), TokenError::Malformed),
        (format!("{token}="), TokenError::Malformed),
        (format!(" {token}"), TokenError::Malformed),
        (String::new(), TokenError::Malformed),
        ("..".into(), TokenError::Malformed),
        ("é.é.é".into(), TokenError::Malformed),
        ("a".repeat(MAX_TOKEN_BYTES + 1), TokenError::TooLong),
    ] {
        assert_eq!(verify(&refused), Err(expected), "{refused}");
    }
}

#[test]
fn claims_handed_on_by_a_gateway_are_text_and_checked_all_the_same() {
    let mut handed_on = claims();
    handed_on["exp"] = json!((NOW + 3600).to_string());
    handed_on["iat"] = json!(NOW.to_string());
    let claims: Claims = serde_json::from_value(handed_on.clone()).unwrap();
    assert_eq!(rules().check(&claims, at(NOW)).unwrap().subject, "ada");
    handed_on["token_use"] = json!("id");
    let claims: Claims = serde_json::from_value(handed_on).unwrap();
    assert_eq!(rules().check(&claims, at(NOW)), Err(TokenError::WrongUse));
}

#[test]
fn a_key_set_gives_its_rsa_signing_keys_or_says_what_is_wrong() {
    let verifier = |keys: Value| TokenVerifier::new(rules(), &json!({"keys": keys}).to_string());
    let mut for_encryption = public_key(OURS, "enc");
    for_encryption["use"] = json!("enc");
    let elliptic = json!({"kty": "EC", "kid": "ec", "crv": "P-256", "x": "", "y": ""});
    let mixed = json!([elliptic, for_encryption, public_key(OURS, "one")]);
    assert_eq!(verifier(mixed).unwrap().keys.len(), 1);

    let refused = |keys| verifier(keys).err();
    assert_eq!(refused(json!([])), Some(KeySetError::NoKey));
    assert_eq!(refused(json!([elliptic])), Some(KeySetError::NoKey));
    assert_eq!(refused(json!({})), Some(KeySetError::Malformed));
    let twice = json!([public_key(OURS, "one"), public_key(FOREIGN, "one")]);
    assert_eq!(refused(twice), Some(KeySetError::SharedKeyId("one".into())));
    let many: Vec<_> = (0..17).map(|n| public_key(OURS, &n.to_string())).collect();
    assert_eq!(refused(json!(many)), Some(KeySetError::TooManyKeys));
}
