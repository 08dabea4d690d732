//! A support worker: profile, checks, standing.

use serde_json::{Value, json};

use super::script::{Call, Who};
use super::signup::ADA;
use super::stage::{Stage, TourError};

pub(super) const MIRA: Who = Who::with_login("Mira, support worker,", "tour-mira");

/// The checks that staff verify, and the evidence they saw.
const CHECKS: [(&str, &str); 6] = [
    ("identity", "Passport seen on video"),
    ("right_to_work", "Visa grant notice"),
    ("screening", "Clearance 4471-B"),
    ("insurance", "Policy LB-20931"),
    ("references", "Two called on 28 October"),
    ("qualifications", "Certificates seen"),
];

const INTRODUCTION: &str = "I have supported people with dementia in their homes for six years. What matters to me \
is an unhurried morning, a good cup of tea and knowing what makes somebody laugh.";

/// Plays the chapter; gives Mira's id.
pub(super) async fn play(stage: &mut Stage) -> Result<String, TourError> {
    stage.chapter("A support worker");
    let contact = json!({"name": {"given": "Mira", "family": "Okafor"}, "contact": {"email": "mira.okafor@example.org"}});
    let registered = stage
        .step(
            MIRA,
            "registers",
            Call::post("/v1/support-workers", &contact).showing(&["/state"]),
        )
        .await?;
    let mira = registered.at("/id");
    let path = format!("/v1/support-workers/{mira}");
    build_profile(stage, &path, &registered.tag).await?;
    let submission =
        Call::post(format!("{path}/submission"), &json!({})).showing(&["/state", "/missing"]);
    stage.step(MIRA, "submits her profile", submission).await?;
    checked_by_staff(stage, &path).await?;
    let profile = stage
        .step(
            MIRA,
            "is active, and can be matched",
            Call::get(path).showing(&["/state", "/missing"]),
        )
        .await?;
    stage.check(profile.at("/state") == "active", || {
        format!("she is {}", profile.at("/state"))
    })?;
    Ok(mira)
}

async fn build_profile(stage: &mut Stage, path: &str, tag: &str) -> Result<(), TourError> {
    let mut profile = json!({
        "gender": "woman",
        "work_history": [{"role": "Support worker", "organisation": "Harbour Care", "from": "2020-03-01", "until": null, "support_work": true}],
        "services": [{"service": "social_support", "hourly_rate": 5600}, {"service": "personal_care", "hourly_rate": 6200}],
        "conditions": [{"condition": "dementia", "expertise": "trained"}],
        "languages": ["en"], "interests": ["walking", "reading"],
        "service_area": {"radius_km": 20, "base": {
            "suburb": "West End", "postcode": "4101", "latitude": -27.4818, "longitude": 153.0101, "time_zone": "Australia/Brisbane"}},
        "availability": {"weekly": [{"weekday": "monday", "from": "08:00", "until": "12:15"}], "exceptions": []},
        "introduction": INTRODUCTION, "hours_wanted": 24
    });
    let save = |profile: &Value| Call::put(format!("{path}/profile"), tag, profile);
    stage
        .step(
            MIRA,
            "saves a profile that ends at a quarter past",
            save(&profile).answered(422),
        )
        .await?;
    let weekdays = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let windows: Vec<_> = weekdays
        .iter()
        .map(|day| json!({"weekday": day, "from": "07:00", "until": "20:00"}))
        .collect();
    profile["availability"]["weekly"] = windows.into();
    stage
        .step(
            MIRA,
            "corrects the field that was named",
            save(&profile).showing(&["/state"]),
        )
        .await?;
    stage
        .step(
            MIRA,
            "sees how complete it is, and what would help most",
            Call::get(format!("{path}/completeness")).showing(&["/score", "/improvements"]),
        )
        .await?;
    Ok(())
}

async fn checked_by_staff(stage: &mut Stage, path: &str) -> Result<(), TourError> {
    for (kind, evidence) in CHECKS {
        let mut verification = json!({"evidence": evidence, "expires_on": "2028-06-30"});
        if kind == "qualifications" {
            verification["proven"] = json!({
                "certifications": [{"certification": "first_aid", "expires_on": "2028-02-14"}],
                "conditions": [{"condition": "dementia", "expertise": "trained"}]
            });
        }
        let call = Call::post(format!("{path}/checks/{kind}/verification"), &verification)
            .showing(&["/missing"]);
        stage
            .step(ADA, &format!("verifies the check {kind}: {evidence}"), call)
            .await?;
    }
    let screening = Call::get(format!("{path}/introduction-screening")).showing(&["/findings"]);
    stage
        .step(
            ADA,
            "has the introduction screened for names and contact details",
            screening,
        )
        .await?;
    let approval = json!({"introduction": INTRODUCTION});
    let call = Call::post(format!("{path}/introduction-approval"), &approval)
        .showing(&["/state", "/missing"]);
    stage.step(ADA, "approves exactly this text", call).await?;
    Ok(())
}
