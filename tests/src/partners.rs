//! Partners' sites, which send signups.

use domain::id::PartnerId;
use platform::signature::{
    ID_HEADER, PartnerSecret, RequestSignature, SIGNATURE_HEADER, TIMESTAMP_HEADER,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::world::World;

/// A partner's server and the secret it signs with.
pub struct Site {
    partner: PartnerId,
    secret: PartnerSecret,
}

impl Site {
    /// The server of a partner that has a signing key of this number.
    #[must_use]
    pub fn of(world: &World, partner: PartnerId, key: u32) -> Self {
        let secret = world.context().key.partner_secret(partner, key);
        Self { partner, secret }
    }

    /// Adds a partner with a signing key and field names like ours.
    pub async fn open(world: &World) -> Self {
        let ada = world.administrator();
        let settings = json!({
            "name": "Northside", "state": "active", "fields": {}, "origins": [], "redirects": {},
            "ticket_per_signup": false, "hourly_quota": 200
        });
        let partner = ada
            .post("/v1/partners", &settings)
            .await
            .expect(201)
            .string("id");
        let keys = format!("/v1/partners/{partner}/keys");
        ada.post(&keys, &json!({})).await.expect(201);
        Self::of(world, partner.parse().unwrap(), 1)
    }

    /// Sends a signup, signed now, under `id`.
    pub async fn send(&self, world: &World, id: &str, signup: &Value) -> Answer {
        let body = signup.to_string();
        let signed = RequestSignature::sign(&self.secret, id, world.now(), body.as_bytes());
        let path = format!("/v1/partners/{}/signups", self.partner);
        world
            .nobody()
            .ask(Method::POST, &path, |request| {
                request
                    .header(ID_HEADER, signed.id)
                    .header(TIMESTAMP_HEADER, signed.timestamp)
                    .header(SIGNATURE_HEADER, signed.signature)
                    .header("content-type", "application/json")
                    .body(body)
            })
            .await
    }
}
