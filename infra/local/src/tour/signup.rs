//! Signup, activation, a representative's authority, membership.

use platform::signature::{
    ID_HEADER, PartnerSecret, RequestSignature, SIGNATURE_HEADER, TIMESTAMP_HEADER,
};
use serde_json::{Value, json};

use super::script::{Call, Who};
use super::stage::{Stage, TourError};

pub(super) const ADA: Who = Who::with_login("Ada, administrator,", "sample-administrator");
pub(super) const ELENA: Who = Who::with_login("Elena, Rosa's daughter,", "tour-elena");
const PARTNER_SERVER: Who = Who::stranger("Northside's server");
const BROWSER: Who = Who::stranger("Tomas, in his browser,");
const FORGER: Who = Who::stranger("Somebody without the key");

/// What later chapters need of this one.
pub(super) struct People {
    /// Rosa, the client.
    pub(super) client: String,
}

pub(super) async fn play(stage: &mut Stage) -> Result<People, TourError> {
    let client = by_a_partners_server(stage).await?;
    by_a_browser_form(stage).await?;
    let elena = activation(stage).await?;
    authority(stage, &client, &elena).await?;
    corrections(stage).await?;
    membership(stage, &client).await?;
    Ok(People { client })
}

async fn by_a_partners_server(stage: &mut Stage) -> Result<String, TourError> {
    stage.chapter("Signup, by a partner's server");
    let partners = stage.look(ADA, "/v1/partners").await?;
    let northside = partners
        .list("/items")
        .iter()
        .find(|partner| partner["settings"]["name"] == "Northside Community Health");
    let partner = northside
        .and_then(|partner| partner["id"].as_str())
        .unwrap_or_default()
        .to_owned();
    let key = stage
        .step(
            ADA,
            "gives the partner Northside a second signing key; its secret is shown this once",
            Call::post(format!("/v1/partners/{partner}/keys"), &json!({})).showing(&["/number"]),
        )
        .await?;
    // As the partner reads it from the answer and keeps it.
    let secret = PartnerSecret::from_text(key.at("/secret"));
    let path = format!("/v1/partners/{partner}/signups");
    let body = json!({
        "signup_for": "representative",
        "given_name": "Rosa", "family_name": "Marchetti", "birth_date": "1941-05-30",
        "address": "4 Elm Court, Preston",
        "representative_given_name": "Elena", "representative_family_name": "Marchetti",
        "representative_email": "elena.marchetti@example.org", "relationship": "daughter",
        "scopes": ["details", "match_requests", "engagements"], "about": "Would like company on walks."
    });
    let signed = |id: &str, secret: &PartnerSecret| signed(stage, &path, secret, id, &body);
    let (first, again, forged) = (
        signed("northside-2026-0001", &secret),
        signed("northside-2026-0001", &secret),
        signed(
            "northside-2026-0002",
            &PartnerSecret::from_text("rps_a_guess".to_owned()),
        ),
    );
    let first = stage
        .step(
            PARTNER_SERVER,
            "signs up Rosa, on behalf of her daughter Elena",
            first.showing(&["/reference"]),
        )
        .await?;
    let again = stage
        .step(
            PARTNER_SERVER,
            "sends the same again, having lost the answer",
            again.showing(&["/reference"]),
        )
        .await?;
    stage.check(first.text == again.text, || {
        "the repetition was answered otherwise".into()
    })?;
    stage
        .step(FORGER, "tries the same", forged.answered(401))
        .await?;
    let signups = stage
        .step(
            ADA,
            "looks at the signups that came in",
            Call::get("/v1/signups").showing(&["/items/0/state", "/items/0/representative"]),
        )
        .await?;
    stage.check(signups.list("/items").len() == 1, || {
        "there is not exactly one signup".into()
    })?;
    Ok(signups.at("/items/0/client"))
}

async fn by_a_browser_form(stage: &mut Stage) -> Result<(), TourError> {
    stage.chapter("Signup, by a form on a partner's site");
    let partners = stage.look(ADA, "/v1/partners").await?;
    let northside = partners
        .list("/items")
        .iter()
        .find(|partner| partner["settings"]["name"] == "Northside Community Health");
    let form = northside
        .and_then(|partner| partner["form"].as_str())
        .unwrap_or_default()
        .to_owned();
    let origin = "https://www.northside.example";
    let first_token = stage.form_token(origin, &form).await?;
    let path = format!("/v1/forms/{form}/signups");
    let post = |token: &str, email: &str| {
        let fields = [
            ("form_token", token),
            ("redirect", "thanks"),
            ("signup_for", "self"),
            ("given_name", "Tomas"),
            ("family_name", "Lind"),
            ("email", email),
        ];
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .collect();
        let call = Call::post(path.clone(), &Value::Null).with("origin", origin);
        call.sending(
            "application/x-www-form-urlencoded",
            body.join("&").into_bytes(),
        )
    };
    let page = stage
        .step(
            BROWSER,
            "sends the form with a mail address that is none",
            post(&first_token, "tomas at example").answered(422),
        )
        .await?;
    stage.check(page.text.contains("value=\"Tomas\""), || {
        "what was typed is not kept".into()
    })?;
    stage.remark("A page names the field; everything typed is still there.");
    let thanks = stage
        .step(
            BROWSER,
            "corrects it and sends it again",
            post(&first_token, "tomas.lind@example.org").answered(303),
        )
        .await?;
    let second_token = stage.form_token(origin, &form).await?;
    let known = stage
        .step(
            BROWSER,
            "signs up once more, not sure that it worked: the answer does not tell",
            post(&second_token, "tomas.lind@example.org").answered(303),
        )
        .await?;
    stage.check(
        thanks.text == known.text && thanks.location == known.location,
        || "a known address is answered otherwise than an unknown one".into(),
    )?;
    let tickets = stage
        .step(
            ADA,
            "finds a ticket instead: two records may be one person",
            Call::get("/v1/tickets?queue=people").showing(&["/items/0/cause"]),
        )
        .await?;
    let duplicate = |ticket: &Value| ticket["cause"] == "possible_duplicate";
    stage.check(tickets.list("/items").iter().any(duplicate), || {
        "no ticket for a possible duplicate".into()
    })
}

async fn activation(stage: &mut Stage) -> Result<String, TourError> {
    stage.chapter("Activation");
    let token = stage.link_token("elena.marchetti@example.org").await?;
    stage
        .step(
            ELENA,
            "asks for her account before it is hers",
            Call::get("/v1/me").answered(403),
        )
        .await?;
    let activate = |token: &str| Call::post("/v1/activations", &json!({"token": token}));
    stage
        .step(
            ELENA,
            "opens the link from her mail and signs in",
            activate(&token),
        )
        .await?;
    let somebody = Who::with_login("Somebody who found the mail", "tour-stranger");
    stage
        .step(
            somebody,
            "opens the same link",
            activate(&token).answered(409),
        )
        .await?;
    let me = stage
        .step(
            ELENA,
            "sees her account",
            Call::get("/v1/me").showing(&[
                "/name",
                "/authorities/0/state",
                "/authorities/0/in_force",
            ]),
        )
        .await?;
    Ok(me.at("/id"))
}

async fn authority(stage: &mut Stage, client: &str, elena: &str) -> Result<(), TourError> {
    stage.chapter("A representative's authority");
    let see_client = || Call::get(format!("/v1/clients/{client}"));
    stage
        .step(
            ELENA,
            "cannot see her mother's record yet: a claim counts for nothing",
            see_client().answered(404),
        )
        .await?;
    let verify = json!({
        "scopes": ["details", "match_requests", "engagements"], "guardian": false,
        "from": "2026-11-02T00:00:00Z", "until": "2027-11-01T00:00:00Z",
        "evidence": "Signed form 2026/114; both seen on video", "reason": "Rosa asked for it herself."
    });
    let path = format!("/v1/clients/{client}/authorities/{elena}/verification");
    stage
        .step(
            ADA,
            "verifies Elena's authority, after a call with both",
            Call::post(path, &verify).showing(&["/state", "/scopes", "/until"]),
        )
        .await?;
    stage
        .step(
            ELENA,
            "now sees her mother's record",
            see_client().showing(&["/id"]),
        )
        .await?;
    Ok(())
}

async fn corrections(stage: &mut Stage) -> Result<(), TourError> {
    stage.chapter("Corrections by staff, each with a reason");
    let tickets = stage.look(ADA, "/v1/tickets?queue=people").await?;
    let duplicate = tickets
        .list("/items")
        .iter()
        .find(|ticket| ticket["cause"] == "possible_duplicate")
        .cloned()
        .unwrap_or_default();
    // The new record first, then those it resembles.
    let [twin, first] = [0, 1].map(|place| {
        duplicate["related"][place]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    });
    let merge = json!({"into": first, "reason": "The same man on the phone; signed up twice."});
    stage
        .step(
            ADA,
            "merges Tomas's two records",
            Call::post(format!("/v1/people/{twin}/merges"), &merge),
        )
        .await?;
    let reason = json!({"reason": "He could not find the first mail."});
    stage
        .step(
            ADA,
            "sends him a new link; the old one stops working",
            Call::post(format!("/v1/people/{first}/activation-links"), &reason),
        )
        .await?;
    let audit = stage
        .step(
            ADA,
            "reads the audit of his record: who, what and why",
            Call::get(format!("/v1/audit/person/{first}"))
                .showing(&["/items/0/operation", "/items/0/reason"]),
        )
        .await?;
    stage.check(!audit.list("/items").is_empty(), || {
        "nothing was audited".into()
    })?;
    let mail = stage.mail_to("tomas.lind@example.org").await?;
    if !stage.bounce(&mail).await? {
        stage.skip("mail to Tomas comes back, and Ada hears of it: nobody here tells of bounces.");
        return Ok(());
    }
    let tickets = stage
        .step(
            ADA,
            "hears that mail to him came back",
            Call::get("/v1/tickets?queue=people"),
        )
        .await?;
    stage.check(
        tickets
            .list("/items")
            .iter()
            .any(|ticket| ticket["cause"] == "mail_bounced"),
        || "no ticket for the bounce".into(),
    )
}

async fn membership(stage: &mut Stage, client: &str) -> Result<(), TourError> {
    stage.chapter("Membership");
    let request = super::matching::request_of(stage)?;
    let path = format!("/v1/clients/{client}/match-requests");
    let refused = stage
        .step(
            ELENA,
            "asks for support workers, without a plan that allows it",
            Call::post(path, &request).answered(403),
        )
        .await?;
    stage.check(!refused.list("/plans").is_empty(), || {
        "the refusal names no plan".into()
    })?;
    let plan = refused.at("/plans/0/id");
    assign(
        stage,
        client,
        &plan,
        "assigns the plan that the refusal named",
    )
    .await
}

/// Ada gives the client another membership plan.
pub(super) async fn assign(
    stage: &mut Stage,
    client: &str,
    plan: &str,
    does: &str,
) -> Result<(), TourError> {
    let record = stage.look(ADA, &format!("/v1/clients/{client}")).await?;
    let assign = json!({"plan": plan, "reason": "Chosen by Elena on the phone."});
    let path = format!("/v1/clients/{client}/membership");
    let call = Call::put(path, &record.tag, &assign).showing(&["/membership"]);
    stage.step(ADA, does, call).await.map(drop)
}

fn signed(stage: &Stage, path: &str, secret: &PartnerSecret, id: &str, body: &Value) -> Call {
    let signature = RequestSignature::sign(secret, id, stage.now(), body.to_string().as_bytes());
    Call::post(path, body)
        .with(ID_HEADER, signature.id)
        .with(TIMESTAMP_HEADER, signature.timestamp)
        .with(SIGNATURE_HEADER, signature.signature)
        .answered(202)
}

/// Percent-encodes what a form may not hold as it is.
fn escaped(value: &str) -> String {
    value
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
