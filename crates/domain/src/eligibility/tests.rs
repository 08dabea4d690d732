use super::*;
use crate::check::{CheckKind, CheckState};
use crate::support_worker::{HeldCertification, active_sample};

const NEEDED: &[Certification] = &[Certification::FirstAid];

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn visited() -> Visited<'static> {
    Visited {
        today: date("2026-11-25"),
        on: date("2026-12-01"),
        service: Service::SocialSupport,
        certifications: NEEDED,
        blocked: false,
        themselves: false,
    }
}

/// Somebody whose screening expires, and who holds the certificate for as long.
fn worker(until: &str) -> SupportWorker {
    let mut worker = active_sample();
    for check in &mut worker.checks {
        check.expires_on = (check.kind == CheckKind::Screening).then(|| date(until));
    }
    worker.proven.certifications = vec![HeldCertification {
        certification: Certification::FirstAid,
        expires_on: Some(date(until)),
    }];
    worker
}

fn broken_of(visited: &Visited<'_>, worker: &SupportWorker) -> Vec<Rule> {
    bookable(visited, worker).rules().collect()
}

#[test]
fn every_rule_of_a_booking_is_broken_on_its_own() {
    let good = worker("2026-12-01");
    assert_eq!(broken_of(&visited(), &good), []);
    let blocked = Visited {
        blocked: true,
        ..visited()
    };
    assert_eq!(broken_of(&blocked, &good), [Rule::NotBlocked]);
    let themselves = Visited {
        themselves: true,
        ..visited()
    };
    assert_eq!(broken_of(&themselves, &good), [Rule::NotThemselves]);
    let another_service = Visited {
        service: Service::PersonalCare,
        ..visited()
    };
    assert_eq!(broken_of(&another_service, &good), [Rule::Services]);
    let mut uncertified = good.clone();
    uncertified.proven.certifications.clear();
    assert_eq!(broken_of(&visited(), &uncertified), [Rule::Certifications]);
    let unneeded = Visited {
        certifications: &[],
        ..visited()
    };
    assert_eq!(broken_of(&unneeded, &uncertified), []);
    let the_day_after = Visited {
        on: date("2026-12-02"),
        ..visited()
    };
    assert_eq!(
        broken_of(&the_day_after, &good),
        [Rule::ChecksThroughPeriod, Rule::Certifications]
    );
    let mut unapproved = good;
    unapproved.introduction_approved = None;
    assert_eq!(broken_of(&visited(), &unapproved), [Rule::Active]);
}

#[test]
fn only_the_active_are_booked_and_who_pauses_keeps_what_is_booked() {
    use WorkerState::{Active, Draft, Paused, Submitted, Suspended};
    for (state, booked, started) in [
        (Draft, false, false),
        (Submitted, false, false),
        (Active, true, true),
        (Paused, false, true),
        (Suspended, false, false),
    ] {
        let worker = SupportWorker {
            state,
            ..worker("2026-12-01")
        };
        assert_eq!(
            bookable(&visited(), &worker).is_eligible(),
            booked,
            "{state:?}"
        );
        assert_eq!(
            startable(&visited(), &worker).is_eligible(),
            started,
            "{state:?}"
        );
    }
    let lapsed = worker("2026-11-24");
    assert!(!startable(&visited(), &lapsed).is_eligible());
    let mut nowhere = worker("2026-12-01");
    nowhere.profile.service_area = None;
    assert_eq!(broken_of(&visited(), &nowhere), [Rule::Active]);
    let mut revoked = worker("2026-12-01");
    for check in &mut revoked.checks {
        check.state = CheckState::Revoked;
    }
    // Revoking a check takes somebody out of service; the rules read that state.
    revoked.state = Submitted;
    assert!(!bookable(&visited(), &revoked).is_eligible());
}
