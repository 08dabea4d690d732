use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::cancellation::{CancellationRules, Notice};
use crate::engagement::Side;
use crate::invalid::Invalid;
use crate::proposal::tests::{details, engagement, id, now, open, under};
use crate::visit::tests::booked;

fn wish(acknowledged: Option<ChangeWarning>) -> Wish {
    Wish {
        id: id(40),
        acting: Acting::by(id(9)),
        text: " An hour later? ".to_owned(),
        times: None,
        acknowledged,
    }
}

fn asked() -> (Visit, ChangeRequest) {
    let visit = booked();
    let asked = visit.ask_for_change(wish(None), &Policy::default(), now());
    asked.unwrap()
}

fn reasoned(at: DateTime<Utc>) -> Reasoned {
    Reasoned {
        side: Some(Side::Worker),
        acting: Acting::by(id(9)),
        at,
        reason: "I am with somebody else then.".to_owned(),
    }
}

/// What the support worker would change the visit to.
fn proposed(visit: &Visit) -> Proposal {
    let policy = Policy::default();
    let mut wanted = details();
    wanted.starts += TimeDelta::hours(1);
    let acting = Acting::by(id(9));
    let held = engagement();
    Proposal::propose_change(id(50), visit, &held, wanted, acting, under(&policy), now()).unwrap()
}

#[test]
fn the_visit_stands_and_carries_the_mark_of_one_wish() {
    let (marked, request) = asked();
    assert_eq!(marked.change_request, Some(request.id));
    let unmarked = marked.without_change_request(request.id);
    assert_eq!(unmarked, booked());
    assert_eq!(marked.without_change_request(id(41)), marked);
    assert_eq!(request.wish, "An hour later?");
    assert_eq!(request.warning, None);
    let twice = marked.ask_for_change(wish(None), &Policy::default(), now());
    assert_eq!(twice, Err(AskForChangeError::AlreadyAsked(request.id)));
}

#[test]
fn a_change_can_be_asked_for_until_the_visit_begins() {
    let (visit, policy) = (booked(), Policy::default());
    let at = |at| {
        let warning = visit.change_warning(at);
        visit.ask_for_change(wish(warning), &policy, at)
    };
    assert!(at(visit.from - TimeDelta::seconds(1)).is_ok());
    for late in [visit.from, visit.until] {
        assert_eq!(at(late), Err(AskForChangeError::TimeHasCome));
    }
    for state in VisitState::ALL {
        let visit = Visit {
            state: *state,
            ..booked()
        };
        let asked = visit.ask_for_change(wish(None), &policy, now());
        let expected = *state == VisitState::Booked;
        assert_eq!(asked.is_ok(), expected, "{state:?}");
        if !expected {
            assert_eq!(asked, Err(AskForChangeError::NotBooked));
        }
    }
}

/// The policy of the booking, in hours, and the notice of the scheme: whichever asks for more is warned about.
#[test]
fn a_warning_says_exactly_what_is_late_and_what_may_be_charged() {
    let hour = TimeDelta::hours(1);
    let charged = |notice, charge_basis_points| CancellationRules {
        notice,
        charge_basis_points,
    };
    let second = TimeDelta::seconds(1);
    for (rules, before, late, share) in [
        (charged(Notice::Hours(24), 10_000), hour * 24, None, 0),
        (
            charged(Notice::Hours(24), 10_000),
            hour * 24 + second,
            None,
            0,
        ),
        (
            charged(Notice::Hours(24), 10_000),
            hour * 24 - second,
            Some(true),
            10_000,
        ),
        // A scheme that asks for two days: not late, but it may be charged for.
        (charged(Notice::Hours(48), 5_000), hour * 48, None, 0),
        (
            charged(Notice::Hours(48), 5_000),
            hour * 48 - second,
            Some(false),
            5_000,
        ),
        (
            charged(Notice::Hours(48), 5_000),
            hour * 24 - second,
            Some(true),
            5_000,
        ),
        // A scheme that never charges: late all the same.
        (charged(Notice::Hours(48), 0), hour * 25, None, 0),
        (
            charged(Notice::Hours(48), 0),
            hour * 24 - second,
            Some(true),
            0,
        ),
        // Late, and still free of charge.
        (charged(Notice::Hours(2), 10_000), hour * 3, Some(true), 0),
    ] {
        let visit = booked();
        let terms = rules.terms(visit.from, visit.details.zone(), &[]);
        let visit = Visit {
            cancellation_terms: terms,
            late_change_hours: 24,
            ..visit
        };
        let expected = late.map(|late| ChangeWarning {
            sequence: 0,
            late,
            may_cost: visit.price.total.share(share),
        });
        assert_eq!(
            visit.change_warning(visit.from - before),
            expected,
            "{rules:?} {before}"
        );
    }
}

#[test]
fn only_the_warning_that_holds_lets_it_through() {
    let (visit, policy) = (booked(), Policy::default());
    let late = visit.from - TimeDelta::hours(1);
    let warning = visit.change_warning(late).unwrap();
    let refused = |acknowledged| {
        visit
            .ask_for_change(wish(acknowledged), &policy, late)
            .err()
    };
    assert_eq!(refused(Some(warning)), None);
    let mut cheaper = warning;
    cheaper.may_cost.client_pays.0 -= 1;
    for other in [
        None,
        Some(ChangeWarning {
            sequence: 1,
            ..warning
        }),
        Some(ChangeWarning {
            late: false,
            ..warning
        }),
        Some(cheaper),
    ] {
        assert_eq!(refused(other), Some(AskForChangeError::Warning(warning)));
    }
    let (_, request) = visit
        .ask_for_change(wish(Some(warning)), &policy, late)
        .unwrap();
    assert_eq!(request.warning, Some(warning));
}

#[test]
fn wished_times_are_looked_at_like_a_visit() {
    let policy = Policy::default();
    let faults = |starts: &str, minutes| {
        let wish = Wish {
            times: Some(WishedTimes {
                starts: starts.parse().unwrap(),
                minutes,
            }),
            ..wish(None)
        };
        match booked().ask_for_change(wish, &policy, now()) {
            Err(AskForChangeError::Invalid(faults)) => faults,
            Err(refused) => panic!("{refused}"),
            Ok(_) => Vec::new(),
        }
    };
    let pointers = |faults: Vec<Invalid>| -> Vec<String> {
        faults.into_iter().map(|fault| fault.pointer).collect()
    };
    assert_eq!(faults("2026-12-02T09:00:00", 60), []);
    let past = pointers(faults("2026-11-24T09:00:00", 29));
    assert_eq!(past, ["/times/minutes", "/times/starts"]);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Refuse,
    Withdraw,
    Propose,
    Accept,
    Decline,
    WithdrawProposal,
    Lapse,
}

const COMMANDS: [Command; 7] = [
    Command::Refuse,
    Command::Withdraw,
    Command::Propose,
    Command::Accept,
    Command::Decline,
    Command::WithdrawProposal,
    Command::Lapse,
];

/// What comes of a request, or nothing.
fn carry_out(request: &ChangeRequest, visit: &Visit, command: Command) -> Option<ChangeRequest> {
    let proposal = proposed(&Visit {
        change_request: Some(request.id),
        ..booked()
    });
    let closed = |state| Proposal {
        state,
        closed_at: Some(now()),
        ..proposal.clone()
    };
    match command {
        Command::Refuse => request.refuse(visit, reasoned(now())).ok(),
        Command::Withdraw => request.withdraw(visit, now()).ok(),
        Command::Propose => request.answered_by(&proposal),
        Command::Accept => request.follow(&closed(ProposalState::Accepted)),
        Command::Decline => request.follow(&closed(ProposalState::Declined)),
        Command::WithdrawProposal => request.follow(&closed(ProposalState::Withdrawn)),
        Command::Lapse => request.follow(&closed(ProposalState::Lapsed)),
    }
}

#[test]
fn every_state_and_command() {
    use ChangeRequestState::{Pending, Proposed, Refused, Resolved, Withdrawn};
    let (visit, request) = asked();
    let answered = ChangeRequest {
        state: Proposed,
        proposal: Some(id(50)),
        ..request.clone()
    };
    let came = |request: &ChangeRequest| {
        COMMANDS.map(|command| carry_out(request, &visit, command).map(|next| next.state))
    };
    // What a pending one comes to: proposals that do not answer it do nothing but an acceptance, which settles it.
    let pending = [
        Some(Refused),
        Some(Withdrawn),
        Some(Proposed),
        Some(Resolved),
        None,
        None,
        None,
    ];
    assert_eq!(came(&request), pending);
    let open = [
        None,
        Some(Withdrawn),
        Some(Proposed),
        Some(Resolved),
        Some(Refused),
        Some(Pending),
        Some(Refused),
    ];
    assert_eq!(came(&answered), open);
    for state in [Resolved, Refused, Withdrawn] {
        let closed = ChangeRequest {
            state,
            ..answered.clone()
        };
        assert_eq!(came(&closed), [None; 7], "{state:?}");
    }
    // Another proposal than the one that answers it leaves it alone.
    let elsewhere = ChangeRequest {
        proposal: Some(id(51)),
        ..answered
    };
    let left = [
        None,
        Some(Withdrawn),
        Some(Proposed),
        Some(Resolved),
        None,
        None,
        None,
    ];
    assert_eq!(came(&elsewhere), left);
}

#[test]
fn a_proposal_that_stays_open_answers_nothing_anew() {
    let (visit, request) = asked();
    let first = proposed(&visit);
    let answered = request.answered_by(&first).unwrap();
    assert_eq!(answered.state, ChangeRequestState::Proposed);
    assert_eq!(answered.proposal, Some(first.id));
    let second = Proposal {
        id: id(51),
        ..first.clone()
    };
    let answered = answered.answered_by(&second).unwrap();
    assert_eq!(answered.proposal, Some(second.id));
    // The client asks for another time on the first, say.
    assert_eq!(answered.follow(&first), None);
    assert_eq!(answered.follow(&second), None);
}

#[test]
fn what_is_no_longer_to_come_has_overtaken_what_was_open() {
    let (visit, request) = asked();
    let cancelled = Visit {
        state: VisitState::Cancelled,
        ..visit.clone()
    };
    assert_eq!(request.state_of(&visit, now()), ChangeRequestState::Pending);
    assert_eq!(
        request.state_of(&visit, visit.from),
        ChangeRequestState::Overtaken
    );
    assert_eq!(
        request.state_of(&cancelled, now()),
        ChangeRequestState::Overtaken
    );
    let refused = request.refuse(&cancelled, reasoned(now()));
    assert_eq!(refused, Err(ChangeRequestNotOpen::Overtaken.into()));
    let resolved = ChangeRequest {
        state: ChangeRequestState::Resolved,
        ..request
    };
    assert_eq!(
        resolved.state_of(&cancelled, now()),
        ChangeRequestState::Resolved
    );
}

#[test]
fn a_change_of_something_else_than_was_proposed_about_is_refused() {
    let (visit, _) = asked();
    let proposal = proposed(&visit);
    assert!(proposal.lapses_at <= visit.from);
    let change = proposal.changes.unwrap();
    assert!(change.applies_to(&visit));
    let moved = Visit {
        sequence: 1,
        ..visit.clone()
    };
    assert!(!change.applies_to(&moved));
    for state in VisitState::ALL {
        let visit = Visit {
            state: *state,
            ..visit.clone()
        };
        assert_eq!(change.applies_to(&visit), *state == VisitState::Booked);
    }
    let other = Visit {
        id: id(99),
        ..visit
    };
    assert!(!change.applies_to(&other));
    assert_eq!(open().changes, None);
}

proptest! {
    /// Whatever happens, a request closes once, and names a proposal while one answers it.
    #[test]
    fn a_request_closes_once(steps in prop::collection::vec(0_usize..7, 1..30)) {
        let (visit, mut request) = asked();
        let mut closings = 0;
        for step in steps {
            let Some(next) = carry_out(&request, &visit, COMMANDS[step]) else {
                continue;
            };
            prop_assert!(request.closed_at.is_none(), "something came of a closed one");
            prop_assert_eq!(
                next.closed_at.is_none(),
                matches!(next.state, ChangeRequestState::Pending | ChangeRequestState::Proposed)
            );
            if next.state == ChangeRequestState::Proposed {
                prop_assert!(next.proposal.is_some());
            }
            if next.state == ChangeRequestState::Pending {
                prop_assert!(next.proposal.is_none());
            }
            closings += u32::from(next.closed_at.is_some());
            request = next;
        }
        prop_assert!(closings <= 1);
    }
}
