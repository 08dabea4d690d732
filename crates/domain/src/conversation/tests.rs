use chrono::TimeDelta;
use uuid::Uuid;

use super::*;
use crate::attachment::MediaType;
use crate::id::{Id, PersonId};

fn now() -> DateTime<Utc> {
    "2026-11-25T02:00:00Z".parse().unwrap()
}

fn id<K>(number: u128) -> Id<K> {
    Id::from_uuid(Uuid::from_u128(number))
}

fn draft(text: &str, attachments: impl IntoIterator<Item = u128>) -> Draft {
    Draft {
        text: text.to_owned(),
        attachments: attachments.into_iter().map(id).collect(),
    }
}

fn file(number: u128) -> ConversationAttachment {
    ConversationAttachment {
        engagement: id(1),
        file: Attachment {
            id: id(number),
            name: format!("{number}.txt"),
            media_type: MediaType::Text,
            bytes: 5,
        },
        by: id(7),
        at: now(),
        message: None,
    }
}

fn send(
    draft: &Draft,
    files: &[Option<ConversationAttachment>],
    at: DateTime<Utc>,
) -> Result<Sent, SendMessageError> {
    let sender = (Side::Client, Acting::by(id(7)));
    draft.send(id(9), id(1), sender, files, at)
}

fn faults(draft: &Draft) -> Vec<String> {
    match draft.validate() {
        Err(SendMessageError::Invalid(faults)) => {
            faults.into_iter().map(|fault| fault.pointer).collect()
        }
        Err(other) => panic!("{other}"),
        Ok(()) => Vec::new(),
    }
}

#[test]
fn a_message_says_something_and_not_too_much() {
    let longest = "ü".repeat(MAX_MESSAGE_LENGTH);
    for right in ["x", " x ", "two\nlines", &longest] {
        assert!(faults(&draft(right, [])).is_empty(), "{right}");
    }
    let too_long = format!("{longest}x");
    for wrong in ["", " \n ", "\0", &too_long] {
        assert_eq!(faults(&draft(wrong, [])), ["/text"], "{wrong:?}");
    }
    assert!(faults(&draft("x", 1..=5)).is_empty());
    assert_eq!(faults(&draft("x", 1..=6)), ["/attachments"]);
    assert_eq!(
        faults(&draft("", [1, 2, 1])),
        ["/text", "/attachments/2"],
        "every fault at once"
    );
}

#[test]
fn what_is_sent_is_what_was_written_with_its_files() {
    let files = [Some(file(2)), Some(file(3))];
    let sent = send(&draft(" Hello \n", [2, 3]), &files, now()).unwrap();
    let Content::Written {
        text, attachments, ..
    } = &sent.message.content
    else {
        panic!("{sent:?}");
    };
    assert_eq!(text, "Hello");
    let named: Vec<_> = attachments.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(named, ["2.txt", "3.txt"]);
    let belongs = |file: &ConversationAttachment| file.message == Some(sent.message.id);
    assert!(sent.attachments.iter().all(belongs));
}

#[test]
fn every_state_of_a_file_and_whether_it_can_be_sent() {
    use AttachmentFault::{AlreadySent, Lapsed, Unknown};
    let sent = ConversationAttachment {
        message: Some(id(8)),
        ..file(2)
    };
    let strange = |was: &ConversationAttachment| ConversationAttachment {
        by: id(6),
        ..was.clone()
    };
    let last = now() + SENT_WITHIN - TimeDelta::seconds(1);
    let over = now() + SENT_WITHIN;
    for (was, at, fault) in [
        (Some(file(2)), last, None),
        (Some(file(2)), over, Some(Lapsed)),
        (Some(sent.clone()), now(), Some(AlreadySent)),
        (Some(sent.clone()), over, Some(AlreadySent)),
        (Some(strange(&file(2))), now(), Some(Unknown)),
        (Some(strange(&sent)), now(), Some(Unknown)),
        (None, now(), Some(Unknown)),
    ] {
        let result = send(
            &draft("x", [3, 2]),
            &[Some(file_sent_last(at)), was.clone()],
            at,
        );
        let expected = fault.map(|fault| SendMessageError::Attachment { place: 1, fault });
        assert_eq!(result.err(), expected, "{was:?} at {at}");
    }
    assert!(sent.is_visible_to(id(5)) && file(2).is_visible_to(id(7)));
    assert!(!file(2).is_visible_to(id(5)));
}

/// A file that can certainly be sent at `at`.
fn file_sent_last(at: DateTime<Utc>) -> ConversationAttachment {
    ConversationAttachment { at, ..file(3) }
}

#[test]
fn what_is_kept_is_held_against_what_was_announced() {
    use AttachmentFault::{NotUploaded, OtherKind, OtherSize};
    for (kept, expected) in [
        (None, Err(NotUploaded)),
        (Some(b"hell".as_slice()), Err(OtherSize)),
        (Some(b"hello!"), Err(OtherSize)),
        (Some(b"h\0llo"), Err(OtherKind)),
        (Some(b"hello"), Ok(())),
    ] {
        assert_eq!(file(2).compare(kept), expected, "{kept:?}");
    }
}

#[test]
fn only_so_many_files_wait_and_those_sent_or_lapsed_do_not_count() {
    let mut known: Vec<_> = (0..MAX_WAITING as u128).map(|n| file(100 + n)).collect();
    let with = |known: &[ConversationAttachment], at| Waiting::with(id(1), known, id(2), at);
    assert_eq!(with(&known, now()), Err(TooManyWaiting));
    let lapsed = with(&known, now() + SENT_WITHIN).unwrap();
    assert_eq!(lapsed.attachments, [id(2)]);
    known[0].message = Some(id(9));
    let waiting = with(&known, now()).unwrap().attachments;
    assert_eq!(waiting.len(), MAX_WAITING);
    assert!(!waiting.contains(&id(100)) && waiting.contains(&id(2)));
}

fn mark(side: Side, message: u128, minute: i64) -> ReadMark {
    ReadMark {
        engagement: id(1),
        person: id(7),
        side,
        message: id(message),
        at: now() + TimeDelta::minutes(minute),
    }
}

#[test]
fn a_read_mark_only_moves_forward() {
    use Side::{Client, Worker};
    for (was, read, expected) in [
        (None, mark(Client, 3, 0), mark(Client, 3, 0)),
        (
            Some(mark(Client, 3, 0)),
            mark(Client, 4, 1),
            mark(Client, 4, 1),
        ),
        (
            Some(mark(Client, 3, 0)),
            mark(Client, 3, 1),
            mark(Client, 3, 0),
        ),
        (
            Some(mark(Client, 3, 0)),
            mark(Client, 2, 1),
            mark(Client, 3, 0),
        ),
        // What was read on the other side says nothing of this one.
        (
            Some(mark(Worker, 3, 0)),
            mark(Client, 2, 1),
            mark(Client, 2, 1),
        ),
    ] {
        assert_eq!(ReadMark::after(was, read), expected, "{was:?} {read:?}");
    }
}

#[test]
fn a_side_is_told_once_of_what_it_has_not_read() {
    // Ids as they are drawn in these milliseconds.
    let at = |millisecond: u128| id(millisecond << 80);
    let with = |was, millisecond| Unread::with(was, id(1), Side::Worker, at(millisecond));
    let (first, told) = with(None, 3);
    assert!(told);
    assert_eq!((first.told, first.newest), (at(3), at(3)));
    let (second, told) = with(Some(first), 5);
    assert!(!told);
    assert_eq!((second.told, second.newest), (at(3), at(5)));
    // One that comes in behind another is told by itself.
    let (third, told) = with(Some(second), 4);
    assert!(told);
    assert_eq!(third, second);

    // Ids of one millisecond are in no order: nobody is told again for that.
    let newest = Unread {
        newest: id((5 << 80) + 9),
        ..second
    };
    assert_eq!(with(Some(newest), 5), (newest, false));

    let more = Unread {
        told: at(5),
        ..second
    };
    for (was, read, expected) in [
        (second, 2, AfterReading::AsBefore),
        (second, 3, AfterReading::More(more)),
        (second, 4, AfterReading::More(more)),
        (second, 5, AfterReading::Nothing),
        (second, 6, AfterReading::Nothing),
        // Told once of what came meanwhile, and not again.
        (more, 4, AfterReading::AsBefore),
        (more, 5, AfterReading::Nothing),
    ] {
        assert_eq!(was.after_reading(at(read)), expected, "{was:?} {read}");
    }
}

fn asked(reason: &str, delay: Option<(TimeDelta, &str)>) -> ReadRequest {
    ReadRequest {
        reason: reason.to_owned(),
        disclose_at: delay.map(|(after, _)| now() + after),
        delay_reason: delay.map(|(_, reason)| reason.to_owned()),
    }
}

fn open(asked: ReadRequest) -> Result<ConversationRead, OpenReadError> {
    ConversationRead::open(id(2), id(1), id(7), asked, now())
}

#[test]
fn a_reading_has_a_reason_and_a_delay_has_a_date_and_one_of_its_own() {
    let day = TimeDelta::days(1);
    let dated = ReadRequest {
        disclose_at: Some(now() + day),
        ..asked("x", None)
    };
    let reasoned = ReadRequest {
        delay_reason: Some("y".to_owned()),
        ..asked("x", None)
    };
    let second = TimeDelta::seconds(1);
    let long = "x".repeat(501);
    for (asked, pointers) in [
        (asked("x", None), vec![]),
        (asked(" ", None), vec!["/reason"]),
        (asked(&long, None), vec!["/reason"]),
        (dated, vec!["/delay_reason"]),
        (reasoned, vec!["/disclose_at"]),
        (asked("x", Some((second, "y"))), vec![]),
        (asked("x", Some((LONGEST_DELAY, "y"))), vec![]),
        (
            asked("x", Some((TimeDelta::zero(), "y"))),
            vec!["/disclose_at"],
        ),
        (asked("x", Some((-day, "y"))), vec!["/disclose_at"]),
        (
            asked("x", Some((LONGEST_DELAY + second, "y"))),
            vec!["/disclose_at"],
        ),
        (asked("", Some((day, ""))), vec!["/reason", "/delay_reason"]),
    ] {
        let found = match open(asked.clone()) {
            Ok(_) => vec![],
            Err(OpenReadError::Invalid(faults)) => {
                faults.into_iter().map(|fault| fault.pointer).collect()
            }
        };
        assert_eq!(found, pointers, "{asked:?}");
    }
}

#[test]
fn every_state_of_a_reading_and_every_command() {
    use DiscloseReadError::{AlreadyDisclosed, Early};
    use DisclosureCause::{Due, Staff};
    let day = TimeDelta::days(1);
    let at_once = open(asked("x", None)).unwrap();
    let delayed = open(asked("x", Some((day, "y")))).unwrap();
    let forward = delayed.disclose(Staff, now()).unwrap();
    assert_eq!(at_once.disclosed_at, Some(now()));
    assert_eq!(delayed.disclosed_at, None);
    let before = now() + day - TimeDelta::seconds(1);
    for (read, cause, at, expected) in [
        (&at_once, Due, now(), Err(AlreadyDisclosed)),
        (&at_once, Staff, now(), Err(AlreadyDisclosed)),
        (&delayed, Due, before, Err(Early(now() + day))),
        (&delayed, Due, now() + day, Ok(Some(now() + day))),
        (&delayed, Staff, before, Ok(Some(before))),
        (&delayed, Staff, now() + day, Ok(Some(now() + day))),
        (&forward, Due, now() + day, Err(AlreadyDisclosed)),
        (&forward, Staff, before, Err(AlreadyDisclosed)),
    ] {
        let disclosed = read.disclose(cause, at).map(|read| read.disclosed_at);
        assert_eq!(disclosed, expected, "{read:?} {cause:?} {at}");
    }
    let (reader, other): (PersonId, PersonId) = (id(7), id(8));
    let last = now() + READ_LASTS - TimeDelta::seconds(1);
    for read in [&at_once, &delayed, &forward] {
        for (person, at, expected) in [
            (reader, now(), Ok(())),
            (reader, last, Ok(())),
            (reader, now() + READ_LASTS, Err(UseReadError::Expired)),
            (other, now(), Err(UseReadError::NotTheirs)),
            (other, now() + READ_LASTS, Err(UseReadError::NotTheirs)),
        ] {
            let shown = read.shows_messages_to(person, at);
            assert_eq!(shown, expected, "{read:?} {person} {at}");
        }
    }
}
