//! Access tokens: RS256 JWTs from the deployment's issuer.
//!
//! A gateway checks a token in full ([`TokenVerifier`]); behind it, a function checks the
//! claims it is handed once more ([`TokenRules::check`]), because a gateway cannot tell an access
//! token from an identity token. Time is always our clock's, never the library's.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::{Deserialize, Deserializer};

use crate::ring_provider;

/// The longest token read.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;
const MAX_SUBJECT_LENGTH: usize = 128;
const MAX_KEYS: usize = 16;
/// How far the issuer's clock may run ahead of ours. A token's end is never stretched.
const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(60);

/// What a token of this deployment must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRules {
    /// Who must have issued it: `iss`, to the letter.
    pub issuer: String,
    /// Whom it must be for: one of `aud`, or, where there is no `aud`, the `client_id`.
    pub audience: String,
    /// The scope it must include.
    pub scope: String,
}

/// Who holds the token, once everything has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The issuer; with `subject`, it names a login.
    pub issuer: String,
    /// The issuer's name for the person.
    pub subject: String,
    /// When the token ends.
    pub expires_at: DateTime<Utc>,
}

/// Why a token is refused. For logs; the caller is told only that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// More than [`MAX_TOKEN_BYTES`].
    #[error("the token is too long")]
    TooLong,
    /// Not a JWT with the claims that are needed, or with an algorithm nobody has heard of.
    #[error("the token is malformed")]
    Malformed,
    /// Any algorithm but RS256, or a header that demands extensions.
    #[error("the token is not a plain RS256 one")]
    WrongAlgorithm,
    /// No `kid`, or none of the issuer's.
    #[error("the token's key is not known")]
    UnknownKey,
    /// The signature does not hold.
    #[error("the token's signature is wrong")]
    WrongSignature,
    /// Issued by somebody else.
    #[error("the token is another issuer's")]
    WrongIssuer,
    /// Issued for somebody else.
    #[error("the token is for another audience")]
    WrongAudience,
    /// An identity token, or another that is no access token.
    #[error("the token is not an access token")]
    WrongUse,
    /// The scope needed is not among the token's.
    #[error("the token lacks the scope")]
    MissingScope,
    /// The subject is empty or too long.
    #[error("the token's subject is not usable")]
    WrongSubject,
    /// Its end has come.
    #[error("the token has expired")]
    Expired,
    /// Its beginning has not come, or it was issued in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
}

/// The claims that are checked; others are ignored.
#[derive(Debug, Clone, Deserialize)]
pub struct Claims {
    iss: String,
    sub: String,
    #[serde(default)]
    aud: Audience,
    client_id: Option<String>,
    token_use: String,
    #[serde(default)]
    scope: String,
    #[serde(deserialize_with = "instant")]
    exp: DateTime<Utc>,
    #[serde(deserialize_with = "instant")]
    iat: DateTime<Utc>,
    #[serde(default, deserialize_with = "optional_instant")]
    nbf: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(untagged)]
enum Audience {
    #[default]
    Absent,
    One(String),
    Several(Vec<String>),
}

/// Whole Unix seconds: a number in a token, text where a gateway hands the claims on.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(i64),
    Text(String),
}

fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    let seconds = match Seconds::deserialize(deserializer)? {
        Seconds::Number(seconds) => Some(seconds),
        Seconds::Text(text) => text.parse().ok(),
    };
    seconds
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .ok_or_else(|| serde::de::Error::custom("not an instant in Unix seconds"))
}

fn optional_instant<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    instant(deserializer).map(Some)
}

impl TokenRules {
    /// Checks claims whose signature somebody has verified.
    ///
    /// # Errors
    /// The first check that failed.
    pub fn check(&self, claims: &Claims, now: DateTime<Utc>) -> Result<Verified, TokenError> {
        use TokenError as E;
        let starts_at = claims.nbf.map_or(claims.iat, |nbf| nbf.max(claims.iat));
        let checks = [
            (E::WrongIssuer, claims.iss == self.issuer),
            (E::WrongAudience, claims.is_for(&self.audience)),
            (E::WrongUse, claims.token_use == "access"),
            (
                E::MissingScope,
                claims.scope.split(' ').any(|scope| scope == self.scope),
            ),
            (
                E::WrongSubject,
                (1..=MAX_SUBJECT_LENGTH).contains(&claims.sub.len())
                    && !claims.sub.contains(char::is_control),
            ),
            (E::Expired, now < claims.exp),
            (E::NotYetValid, starts_at - now <= CLOCK_SKEW),
        ];
        if let Some((refused, _)) = checks.into_iter().find(|(_, holds)| !holds) {
            return Err(refused);
        }
        Ok(Verified {
            issuer: claims.iss.clone(),
            subject: claims.sub.clone(),
            expires_at: claims.exp,
        })
    }
}

impl Claims {
    fn is_for(&self, audience: &str) -> bool {
        match &self.aud {
            Audience::Absent => self.client_id.as_deref() == Some(audience),
            Audience::One(one) => one == audience,
            Audience::Several(several) => several.iter().any(|one| one == audience),
        }
    }
}

/// Checks tokens in full.
#[derive(Debug, Clone)]
pub struct TokenVerifier {
    rules: TokenRules,
    keys: BTreeMap<String, DecodingKey>,
    validation: Validation,
}

/// A key set that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// Not a JSON Web Key Set.
    #[error("not a JSON Web Key Set")]
    Malformed,
    /// None of its keys is an RSA signing key with a `kid`.
    #[error("the key set holds no RSA signing key with a kid")]
    NoKey,
    /// More than 16 keys.
    #[error("the key set holds more than 16 keys")]
    TooManyKeys,
    /// Two keys share a `kid`, so that it would not say which one signed.
    #[error("two keys of the key set share the kid {0:?}")]
    SharedKeyId(String),
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<PublicKey>,
}

#[derive(Deserialize)]
struct PublicKey {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl PublicKey {
    /// Key sets hold keys for other purposes, too; those are no fault, and never used.
    fn is_for_rs256(&self) -> bool {
        self.kty == "RSA"
            && self.usage.as_deref().is_none_or(|usage| usage == "sig")
            && self.alg.as_deref().is_none_or(|alg| alg == "RS256")
    }
}

impl TokenVerifier {
    /// Checks by `rules`, against the keys of a JSON Web Key Set.
    ///
    /// # Errors
    /// The key set cannot be used.
    pub fn new(rules: TokenRules, key_set: &str) -> Result<Self, KeySetError> {
        ring_provider::install();
        let set: KeySet = serde_json::from_str(key_set).map_err(|_| KeySetError::Malformed)?;
        if set.keys.len() > MAX_KEYS {
            return Err(KeySetError::TooManyKeys);
        }
        let mut keys = BTreeMap::new();
        for key in set.keys.into_iter().filter(PublicKey::is_for_rs256) {
            let (Some(kid), Some(n), Some(e)) = (key.kid, key.n, key.e) else {
                continue;
            };
            let key =
                DecodingKey::from_rsa_components(&n, &e).map_err(|_| KeySetError::Malformed)?;
            if keys.insert(kid.clone(), key).is_some() {
                return Err(KeySetError::SharedKeyId(kid));
            }
        }
        if keys.is_empty() {
            return Err(KeySetError::NoKey);
        }
        Ok(Self {
            rules,
            keys,
            validation: signature_only(),
        })
    }

    /// Checks everything about a token.
    ///
    /// # Errors
    /// The first check that failed.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Verified, TokenError> {
        self.rules.check(&self.claims(token)?, now)
    }

    /// The claims of a token whose signature holds, not checked yet: what a gateway hands on to the
    /// functions behind it, once [`TokenRules::check`] has passed them.
    ///
    /// # Errors
    /// The first check that failed. Claims are read only from a token whose signature holds.
    pub fn claims(&self, token: &str) -> Result<Claims, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLong);
        }
        let header = decode_header(token).map_err(|_| TokenError::Malformed)?;
        if header.alg != Algorithm::RS256 || header.crit.is_some() {
            return Err(TokenError::WrongAlgorithm);
        }
        let key = header
            .kid
            .and_then(|kid| self.keys.get(&kid))
            .ok_or(TokenError::UnknownKey)?;
        match decode::<Claims>(token, key, &self.validation) {
            Ok(token) => Ok(token.claims),
            Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => {
                Err(TokenError::WrongSignature)
            }
            Err(_) => Err(TokenError::Malformed),
        }
    }
}

/// Leaves every claim to [`TokenRules::check`]: the library would ask the system for the time.
fn signature_only() -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

#[cfg(test)]
mod tests;
