//! The local token issuer: real RS256 tokens for sample people, signed with a key that is public.
//!
//! Only the local host is built with this; a deployment's tokens come from its own issuer.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use domain::invalid::Findings;
use functions::body::{read_bytes, read_json};
use functions::problem::Problem;
use platform::clock::SharedClock;
use platform::tokens::TokenRules;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::RSA_PKCS1_SHA256;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const SAMPLE_KEY: &str = include_str!("../../../samples/local-issuer-key.pem");
const KEY_ID: &str = "local-sample";
const TOKEN_LIFETIME: TimeDelta = TimeDelta::hours(12);
const MAX_SUBJECT_LENGTH: usize = 128;

/// Signs tokens that say what `rules` ask for.
#[derive(Debug)]
pub struct Issuer {
    key: KeyPair,
    random: SystemRandom,
    rules: TokenRules,
}

/// The sample key cannot be used, or the system has no randomness.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the local issuer cannot {0}")]
pub struct IssuerError(&'static str);

impl Issuer {
    /// An issuer with the sample key.
    ///
    /// # Errors
    /// The sample key has been damaged.
    pub fn new(rules: TokenRules) -> Result<Self, IssuerError> {
        let der = STANDARD
            .decode(pem_body(SAMPLE_KEY))
            .map_err(|_| IssuerError("read its key"))?;
        Ok(Self {
            key: KeyPair::from_der(&der).map_err(|_| IssuerError("read its key"))?,
            random: SystemRandom::new(),
            rules,
        })
    }

    /// The JSON Web Key Set that checks its tokens.
    #[must_use]
    pub fn key_set(&self) -> Value {
        let public = PublicKeyComponents::<Vec<u8>>::from(self.key.public());
        json!({"keys": [{
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": KEY_ID,
            "n": URL_SAFE_NO_PAD.encode(public.n),
            "e": URL_SAFE_NO_PAD.encode(public.e),
        }]})
    }

    /// An access token for `subject`, from `now` and for `lifetime`.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn access_token(
        &self,
        subject: &str,
        now: DateTime<Utc>,
        lifetime: TimeDelta,
    ) -> Result<String, IssuerError> {
        self.sign(&self.claims(subject, now, lifetime))
    }

    /// What [`Self::access_token`] signs: for tests that change a claim and sign the rest.
    #[must_use]
    pub fn claims(&self, subject: &str, now: DateTime<Utc>, lifetime: TimeDelta) -> Value {
        json!({
            "iss": self.rules.issuer,
            "aud": self.rules.audience,
            "sub": subject,
            "token_use": "access",
            "scope": self.rules.scope,
            "iat": now.timestamp(),
            "exp": now.timestamp().saturating_add(lifetime.num_seconds()),
        })
    }

    /// Signs any claims.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn sign(&self, claims: &Value) -> Result<String, IssuerError> {
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": KEY_ID});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&header), part(claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &self.random,
                message.as_bytes(),
                &mut signature,
            )
            .map_err(|_| IssuerError("sign a token"))?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// The base64 between the dashed lines; what stands around them is for people.
fn pem_body(pem: &str) -> String {
    pem.lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"))
        .skip(1)
        .take_while(|line| !line.starts_with("-----END"))
        .collect()
}

/// Whom a token is wanted for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRequest {
    subject: String,
}

#[derive(Debug, Serialize)]
struct TokenAnswer {
    access_token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
}

#[derive(Clone)]
struct Desk {
    issuer: Arc<Issuer>,
    clock: SharedClock,
}

/// `GET /.well-known/jwks.json` and `POST /dev/token`, which gives anybody a token for any subject.
pub fn router(issuer: Arc<Issuer>, clock: SharedClock) -> Router {
    Router::new()
        .route("/.well-known/jwks.json", get(publish_keys))
        .route("/dev/token", post(issue_token))
        .with_state(Desk { issuer, clock })
}

async fn publish_keys(State(desk): State<Desk>) -> Json<Value> {
    Json(desk.issuer.key_set())
}

async fn issue_token(
    State(desk): State<Desk>,
    request: Request,
) -> Result<Json<TokenAnswer>, Problem> {
    let TokenRequest { subject } = read_json(&read_bytes(request).await?)?;
    let mut findings = Findings::default();
    findings.text("/subject", &subject, 1, MAX_SUBJECT_LENGTH);
    findings.into_result()?;
    let access_token = desk
        .issuer
        .access_token(&subject, desk.clock.now(), TOKEN_LIFETIME)
        .map_err(|error| {
            tracing::error!(%error, "no token was issued");
            Problem::internal()
        })?;
    Ok(Json(TokenAnswer {
        access_token,
        token_type: "Bearer",
        expires_in: TOKEN_LIFETIME.num_seconds(),
    }))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::StatusCode;
    use http_body_util::BodyExt;
    use platform::clock::{Clock, ManualClock};
    use platform::tokens::{TokenError, TokenVerifier};
    use tower::ServiceExt;

    use super::*;

    fn rules() -> TokenRules {
        TokenRules {
            issuer: "http://localhost:3000".into(),
            audience: "rapport".into(),
            scope: "rapport/api".into(),
        }
    }

    fn clock() -> Arc<ManualClock> {
        let start = DateTime::from_timestamp(1_795_300_000, 0).unwrap();
        Arc::new(ManualClock::new(start))
    }

    async fn call(request: Request) -> (StatusCode, Value) {
        let issuer = Arc::new(Issuer::new(rules()).unwrap());
        let answer = router(issuer, clock()).oneshot(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    fn post_token(body: &str) -> Request {
        axum::http::Request::post("/dev/token")
            .body(Body::from(body.to_owned()))
            .unwrap()
    }

    #[tokio::test]
    async fn a_token_from_the_desk_holds_against_the_published_keys() {
        let keys = axum::http::Request::get("/.well-known/jwks.json");
        let (_, keys) = call(keys.body(Body::empty()).unwrap()).await;
        let verifier = TokenVerifier::new(rules(), &keys.to_string()).unwrap();

        let (status, answer) = call(post_token(r#"{"subject": "ada"}"#)).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(answer["token_type"], "Bearer");
        let token = answer["access_token"].as_str().unwrap();
        let clock = clock();
        assert_eq!(verifier.verify(token, clock.now()).unwrap().subject, "ada");
        clock.advance(TOKEN_LIFETIME);
        let expired = verifier.verify(token, clock.now());
        assert_eq!(expired, Err(TokenError::Expired));
    }

    #[tokio::test]
    async fn what_is_no_subject_gets_no_token() {
        let long = format!(r#"{{"subject": "{}"}}"#, "a".repeat(129));
        for (body, status) in [
            ("{", 400),
            ("{}", 422),
            (r#"{"subject": ""}"#, 422),
            (r#"{"subject": "a\u0007"}"#, 422),
            (r#"{"subject": "a", "scope": "b"}"#, 422),
            (&long, 422),
            (&" ".repeat(300_000), 413),
        ] {
            let (answered, problem) = call(post_token(body)).await;
            assert_eq!(answered, status, "{body}");
            assert_eq!(problem["status"], status);
        }
    }

    #[test]
    fn the_key_says_that_it_is_a_sample() {
        assert!(SAMPLE_KEY.starts_with("SAMPLE KEY"));
    }
}
