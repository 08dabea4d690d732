//! Partner signatures that must not be accepted. None is, and every refusal is the same to the byte.

use chrono::TimeDelta;
use platform::signature::{
    ID_HEADER, PartnerSecret, RequestSignature, SIGNATURE_HEADER, TIMESTAMP_HEADER,
};
use rapport_tests::answer::Answer;
use rapport_tests::signups::{
    Partner, add_key, add_partner, all, headers_of, send, settings, sign_up, signups_stored,
    somebody,
};
use rapport_tests::world::World;
use serde_json::json;

use crate::all_at_once;

/// One request that pretends to come from a partner.
struct Forgery {
    what: String,
    partner: String,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
}

/// A request as the partner's server made it: every forgery begins with one.
struct Genuine {
    partner: Partner,
    signature: RequestSignature,
    body: Vec<u8>,
}

impl Genuine {
    fn sign(world: &World, partner: &Partner, id: &str, name: &str) -> Self {
        let body = somebody(name).to_string().into_bytes();
        Self {
            partner: partner.clone(),
            signature: RequestSignature::sign(&partner.secret, id, world.now(), &body),
            body,
        }
    }

    fn as_it_is(&self, what: impl Into<String>) -> Forgery {
        Forgery {
            what: what.into(),
            partner: self.partner.id.clone(),
            headers: headers_of(&self.signature),
            body: self.body.clone(),
        }
    }

    fn with_body(&self, what: impl Into<String>, body: Vec<u8>) -> Forgery {
        Forgery {
            body,
            ..self.as_it_is(what)
        }
    }

    fn with(&self, what: impl Into<String>, change: impl FnOnce(&mut RequestSignature)) -> Forgery {
        let mut signature = self.signature.clone();
        change(&mut signature);
        Forgery {
            headers: headers_of(&signature),
            ..self.as_it_is(what)
        }
    }

    fn with_headers(
        &self,
        what: impl Into<String>,
        change: impl FnOnce(&mut Vec<(&'static str, Vec<u8>)>),
    ) -> Forgery {
        let mut forged = self.as_it_is(what);
        change(&mut forged.headers);
        forged
    }

    fn to(&self, what: impl Into<String>, partner: &str) -> Forgery {
        Forgery {
            partner: partner.to_owned(),
            ..self.as_it_is(what)
        }
    }

    fn signed_by(&self, what: impl Into<String>, secret: &PartnerSecret) -> Forgery {
        let at = self.signature.timestamp.parse().unwrap();
        let at = chrono::DateTime::from_timestamp(at, 0).unwrap();
        let signature = RequestSignature::sign(secret, &self.signature.id, at, &self.body);
        Forgery {
            headers: headers_of(&signature),
            ..self.as_it_is(what)
        }
    }
}

/// Every character of the signature, of the id, of the timestamp and of the body, changed alone.
fn one_character_changed(genuine: &Genuine) -> Vec<Forgery> {
    let other = |byte: u8, among: &[u8]| {
        let place = among.iter().position(|known| *known == byte).unwrap_or(0);
        among[(place + 1) % among.len()]
    };
    let changed = |text: &str, place: usize, among: &[u8]| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[place] = other(bytes[place], among);
        String::from_utf8(bytes).unwrap()
    };
    let RequestSignature {
        id,
        timestamp,
        signature,
    } = &genuine.signature;
    let signatures = (3..signature.len()).map(|place| {
        let forged = changed(signature, place, b"0123456789abcdef");
        genuine.with(format!("digit {place} of the signature"), |s| {
            s.signature = forged;
        })
    });
    let ids = (0..id.len()).map(|place| {
        let forged = changed(id, place, b"abcdefghijklmnopqrstuvwxyz0123456789-_");
        genuine.with(format!("character {place} of the id"), |s| s.id = forged)
    });
    let timestamps = (0..timestamp.len()).map(|place| {
        let forged = changed(timestamp, place, b"0123456789");
        genuine.with(format!("digit {place} of the timestamp"), |s| {
            s.timestamp = forged;
        })
    });
    let bodies = (0..genuine.body.len()).map(|place| {
        let mut body = genuine.body.clone();
        body[place] ^= 1;
        genuine.with_body(format!("byte {place} of the body"), body)
    });
    signatures
        .chain(ids)
        .chain(timestamps)
        .chain(bodies)
        .collect()
}

fn cut_and_grown(genuine: &Genuine) -> Vec<Forgery> {
    let RequestSignature {
        id,
        timestamp,
        signature,
    } = &genuine.signature;
    let signatures = (0..signature.len()).map(|length| {
        genuine.with(format!("the first {length} of the signature"), |s| {
            s.signature = signature[..length].to_owned();
        })
    });
    let bodies = (0..genuine.body.len()).map(|length| {
        genuine.with_body(
            format!("the first {length} bytes of the body"),
            genuine.body[..length].to_vec(),
        )
    });
    let ids = (0..id.len()).map(|length| {
        genuine.with(format!("the first {length} of the id"), |s| {
            s.id = id[..length].to_owned();
        })
    });
    let timestamps = (0..timestamp.len()).map(|length| {
        genuine.with(format!("the first {length} of the timestamp"), |s| {
            s.timestamp = timestamp[..length].to_owned();
        })
    });
    let grown = [" ", "\n", "0", "{}", "\u{0}", "&x=1"]
        .into_iter()
        .map(|more| {
            let body = [genuine.body.as_slice(), more.as_bytes()].concat();
            genuine.with_body(format!("a body with {more:?} behind it"), body)
        });
    let all = signatures.chain(bodies).chain(ids);
    all.chain(timestamps).chain(grown).collect()
}

/// Rightly signed, at another time.
fn at_other_times(world: &World, genuine: &Genuine) -> Vec<Forgery> {
    let off =
        (1..=60)
            .map(|step| 300 + step * step)
            .chain([3_600, 86_400, 31_536_000, 1_000_000_000]);
    off.flat_map(|seconds| [seconds, -seconds])
        .map(|seconds| {
            let at = world.now() + TimeDelta::seconds(seconds);
            let RequestSignature { id, .. } = &genuine.signature;
            let signature = RequestSignature::sign(&genuine.partner.secret, id, at, &genuine.body);
            genuine.with(format!("signed {seconds} seconds off"), |s| *s = signature)
        })
        .collect()
}

/// Rightly signed over what no signature can be over.
fn of_odd_parts(world: &World, genuine: &Genuine) -> Vec<Forgery> {
    let now = world.now().timestamp();
    let ids = [
        "",
        " ",
        "a.b",
        "a b",
        "a/b",
        "../a",
        "a,b",
        "a=b",
        "a\tb",
        "ä",
        "\u{202e}a",
        "a;b",
        "a\"b",
        "a+b",
        "a%20b",
        "id:1",
    ];
    let ids = ids.map(str::to_owned).into_iter();
    let ids = ids.chain([65, 100, 1_000].map(|length| "a".repeat(length)));
    let odd_ids = ids.map(|id| (id, now.to_string()));
    let timestamps = [
        format!("+{now}"),
        format!("-{now}"),
        format!("{now}.0"),
        format!("{now}000"),
        format!("0x{now:x}"),
        format!("{now}e0"),
        format!("1{now:013}"),
        world.now().to_rfc3339(),
        "now".to_owned(),
        "0".to_owned(),
        "999999999999".to_owned(),
        "9".repeat(40),
    ];
    let odd_timestamps = timestamps
        .into_iter()
        .map(|timestamp| (genuine.signature.id.clone(), timestamp));
    odd_ids
        .chain(odd_timestamps)
        .map(|(id, timestamp)| {
            let signature = hand_signed(
                genuine.partner.secret.reveal(),
                &[
                    id.as_bytes(),
                    b".",
                    timestamp.as_bytes(),
                    b".",
                    &genuine.body,
                ]
                .concat(),
            );
            genuine.with(format!("id {id:?} at {timestamp:?}"), |s| {
                *s = RequestSignature {
                    id,
                    timestamp,
                    signature,
                };
            })
        })
        .collect()
}

/// Made with the right secret over the wrong message, or with something that is no secret.
fn by_hand(genuine: &Genuine) -> Vec<Forgery> {
    let Genuine {
        partner,
        signature: RequestSignature { id, timestamp, .. },
        body,
    } = genuine;
    let message = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
    let (id, timestamp) = (id.as_bytes(), timestamp.as_bytes());
    let messages: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("the body", body.clone()),
        ("timestamp and body", [timestamp, b".", body].concat()),
        ("id and body", [id, b".", body].concat()),
        ("id and timestamp", [id, b".", timestamp].concat()),
        ("another order", [timestamp, b".", id, b".", body].concat()),
        ("no separators", [id, timestamp, body.as_slice()].concat()),
        (
            "other separators",
            [id, b":", timestamp, b":", body].concat(),
        ),
        ("lines", [id, b"\n", timestamp, b"\n", body].concat()),
        (
            "the path too",
            [b"/v1/partners/", message.as_slice()].concat(),
        ),
        ("a line end behind", [message.as_slice(), b"\n"].concat()),
        (
            "the message twice",
            [message.as_slice(), message.as_slice()].concat(),
        ),
    ];
    let wrong_messages = messages.into_iter().map(|(what, message)| {
        let signature = hand_signed(partner.secret.reveal(), &message);
        genuine.with(format!("signed over {what}"), |s| s.signature = signature)
    });
    let revealed = partner.secret.reveal();
    let secrets = [
        String::new(),
        " ".to_owned(),
        "rps_".to_owned(),
        "null".to_owned(),
        partner.id.clone(),
        partner.form.clone(),
        revealed[..revealed.len() - 1].to_owned(),
        format!("{revealed} "),
        format!("{revealed}\n"),
        revealed.to_uppercase(),
        revealed.trim_start_matches("rps_").to_owned(),
        revealed.chars().rev().collect(),
    ];
    let guesses = (0..100).map(|guess| format!("rps_guess-{guess}"));
    let wrong_secrets = secrets.into_iter().chain(guesses).map(|secret| {
        let signature = hand_signed(&secret, &message);
        genuine.with(format!("signed with {} characters", secret.len()), |s| {
            s.signature = signature;
        })
    });
    wrong_messages.chain(wrong_secrets).collect()
}

fn hand_signed(secret: &str, message: &[u8]) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message);
    let digits = mac.finalize().into_bytes();
    let digits: Vec<String> = digits.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v1={}", digits.concat())
}

/// The right signature, written in a way that is none.
fn written_otherwise(genuine: &Genuine) -> Vec<Forgery> {
    let whole = &genuine.signature.signature;
    let digits = whole.trim_start_matches("v1=");
    let nothing = "0".repeat(64);
    let writings = [
        digits.to_owned(),
        format!("V1={digits}"),
        format!("v2={digits}"),
        format!("v0={digits}"),
        format!("v1:{digits}"),
        format!("v1= {digits}"),
        format!("v1 ={digits}"),
        format!("v1={}", digits.to_uppercase()),
        format!("v1=0x{digits}"),
        format!("v1=\"{digits}\""),
        format!("v1={digits};"),
        format!("v1={digits}."),
        format!("v1={digits}00"),
        format!("{whole},"),
        format!(",{whole}"),
        format!("{whole} {whole}"),
        format!("{whole};{whole}"),
        format!("{whole},{whole},{whole}"),
        format!("v1={nothing},v1={nothing},{whole}"),
        format!("v2={nothing},{whole}"),
        format!("{whole},v2={nothing}"),
        format!("v1={nothing}"),
        format!("v1={}", "f".repeat(64)),
        "v1=".to_owned(),
        "none".to_owned(),
        "true".to_owned(),
    ];
    let written = writings
        .into_iter()
        .map(|text| genuine.with(format!("written {text:?}"), |s| s.signature = text));
    let names = [ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER];
    let missing = (1_u8..8).map(|which| {
        genuine.with_headers(format!("without headers {which:03b}"), |headers| {
            let mut place = 0;
            headers.retain(|_| {
                place += 1;
                which & 1 << (place - 1) == 0
            });
        })
    });
    // Which of two would count is for nobody to choose.
    let twice = names.into_iter().flat_map(|name| {
        let values = [b"x".to_vec(), b"1".to_vec(), nothing.clone().into_bytes()];
        let values = values.into_iter().enumerate();
        values.flat_map(move |(which, value)| {
            let before = genuine.with_headers(format!("{name} {which} before"), |headers| {
                headers.insert(0, (name, value.clone()));
            });
            let behind = genuine.with_headers(format!("{name} {which} behind"), |headers| {
                headers.push((name, value));
            });
            [before, behind]
        })
    });
    let repeated = names.into_iter().map(|name| {
        genuine.with_headers(format!("{name} repeated"), |headers| {
            let again = headers.iter().find(|(known, _)| *known == name).cloned();
            headers.extend(again);
        })
    });
    let unreadable = names.into_iter().flat_map(|name| {
        [&b"\xff\xfe"[..], b"\xc3\xa4", b"\xe2\x80\xae"].map(|bytes| {
            genuine.with_headers(format!("{name} as {bytes:?}"), |headers| {
                for (known, value) in headers.iter_mut() {
                    if *known == name {
                        value.extend_from_slice(bytes);
                    }
                }
            })
        })
    });
    let all = written.chain(missing).chain(twice);
    all.chain(repeated).chain(unreadable).collect()
}

/// Sent to a partner for whom it was not signed, or to none.
fn to_another(genuine: &Genuine, others: &[&Partner]) -> Vec<Forgery> {
    let own = &genuine.partner;
    let digits = own.id.trim_start_matches("ptn_");
    let mut addresses: Vec<String> = [
        own.form.clone(),
        own.id.to_uppercase(),
        format!("ptn_{}", digits.to_uppercase()),
        format!("PTN_{digits}"),
        format!("{}0", own.id),
        own.id[..own.id.len() - 1].to_owned(),
        digits.to_owned(),
        format!("%20{}", own.id),
        format!("{}%00", own.id),
        format!("{}%20", own.id),
        "ptn_00000000000000000000000000000000".to_owned(),
        "*".to_owned(),
        "-".to_owned(),
        "null".to_owned(),
    ]
    .into();
    addresses.extend(others.iter().map(|other| other.id.clone()));
    // Ids that differ in a digit.
    addresses.extend((4..own.id.len()).map(|place| {
        let mut id = own.id.clone().into_bytes();
        id[place] = if id[place] == b'7' { b'8' } else { b'7' };
        String::from_utf8(id).unwrap()
    }));
    addresses
        .into_iter()
        .filter(|address| *address != own.id)
        .map(|address| genuine.to(format!("sent to {address}"), &address))
        .collect()
}

#[tokio::test]
async fn a_thousand_forged_or_replayed_signatures_come_to_nothing() {
    let world = World::start().await;
    let ours = add_partner(&world, &settings()).await;
    let revoked = ours.secret.clone();
    let (_, second) = add_key(&world, &ours.id).await;
    let revoke = format!("/v1/partners/{}/keys/1/revocation", ours.id);
    let ada = world.administrator();
    ada.post(&revoke, &json!({})).await.expect(201);
    let ours = Partner {
        secret: second,
        ..ours
    };
    let theirs = add_partner(&world, &settings()).await;
    let paused = add_partner(&world, &settings()).await;
    let path = format!("/v1/partners/{}", paused.id);
    let mut stopped = settings();
    stopped["state"] = json!("paused");
    let tag = ada.get(&path).await.etag();
    ada.put(&path, &tag, &stopped).await.expect(200);

    // Two that hold: what follows is replayed from the first, and forged from what was never sent.
    let first = Genuine::sign(&world, &ours, "order-1", "rosa");
    let unsent = Genuine::sign(&world, &ours, "order-2", "tomas");
    let deliver = async |forgery: &Forgery| {
        let Forgery {
            partner,
            headers,
            body,
            ..
        } = forgery;
        send(&world, partner, headers, body.clone()).await
    };
    deliver(&first.as_it_is("genuine")).await.expect(202);
    world.settle().await;

    let mut forgeries = one_character_changed(&unsent);
    forgeries.extend(cut_and_grown(&unsent));
    forgeries.extend(at_other_times(&world, &unsent));
    forgeries.extend(of_odd_parts(&world, &unsent));
    forgeries.extend(by_hand(&unsent));
    forgeries.extend(written_otherwise(&unsent));
    forgeries.extend(to_another(&unsent, &[&theirs, &paused]));
    // What was accepted once, about others than it was about.
    forgeries.extend(one_character_changed(&first));
    forgeries.extend(cut_and_grown(&first));
    forgeries.extend(to_another(&first, &[&theirs, &paused]));
    forgeries.push(unsent.signed_by("with a revoked key", &revoked));
    forgeries.push(unsent.signed_by("with another partner's key", &theirs.secret));
    let paused = Genuine::sign(&world, &paused, "order-3", "tomas");
    forgeries.push(paused.as_it_is("of a paused partner"));
    let id = ours.id.parse().unwrap();
    forgeries.extend((3..40).map(|number| {
        let never_given = world.context().key.partner_secret(id, number);
        unsent.signed_by(format!("with key {number}, never given out"), &never_given)
    }));
    // The partner's own id for another signup: signed rightly, and taken for a replay all the same.
    forgeries.extend((0..30).map(|number| {
        let again = Genuine::sign(&world, &ours, "order-1", &format!("other{number}"));
        again.as_it_is(format!("the id used before, for another body ({number})"))
    }));
    assert!(forgeries.len() >= 1_000, "{}", forgeries.len());

    let mails = world.mails();
    let without = send(&world, &ours.id, &[], Vec::new()).await;
    let without = without.expect_problem(401, "signature-refused");
    for some in forgeries.chunks(50) {
        let answers = all_at_once(some.iter().map(&deliver)).await;
        for (forgery, answer) in some.iter().zip(answers) {
            assert_eq!(answer.whole(), without.whole(), "{}", forgery.what);
        }
    }
    // What held five minutes ago does not any more, whether it was sent then or not.
    world.advance_by(TimeDelta::seconds(300)).await;
    let still = deliver(&first.as_it_is("five minutes old")).await;
    still.expect(202);
    world.advance_by(TimeDelta::seconds(1)).await;
    for late in [first.as_it_is("sent then"), unsent.as_it_is("kept back")] {
        let answer = deliver(&late).await;
        assert_eq!(answer.whole(), without.whole(), "{}", late.what);
    }
    println!("{} forgeries and replays refused", forgeries.len() + 3);

    world.settle().await;
    assert_eq!(signups_stored(&world).await, 1);
    assert_eq!(world.mails(), mails);
    for queue in ["people", "general", "workers", "match_requests"] {
        let path = format!("/v1/tickets?queue={queue}");
        assert_eq!(all(&world, &path).await, [] as [serde_json::Value; 0]);
    }
}

#[tokio::test]
async fn a_genuine_repetition_is_answered_the_same_and_taken_in_once() {
    let world = World::start().await;
    let partner = add_partner(&world, &settings()).await;
    let send = async || sign_up(&world, &partner, "order-1", &somebody("rosa")).await;
    let first = send().await.expect(202);
    assert_eq!(first.json(), &json!({"reference": "order-1"}));
    // Signed anew, as a server does that tries again a little later, or much later.
    for wait in [0, 1, 299, 13 * 86_400] {
        world.advance_by(TimeDelta::seconds(wait)).await;
        let again = send().await.expect(202);
        assert_eq!(again.text(), first.text(), "after {wait} seconds");
        assert!(again.replayed());
    }
    // Many at once are one, too.
    let at_once = (0..32).map(|_| {
        let signup = somebody("tomas");
        let (world, partner) = (&world, &partner);
        async move {
            sign_up(world, partner, "order-2", &signup)
                .await
                .expect(202)
        }
    });
    let answers: Vec<Answer> = all_at_once(at_once).await;
    assert!(answers.iter().all(|a| a.text() == answers[0].text()));
    assert_eq!(answers.iter().filter(|a| !a.replayed()).count(), 1);
    assert_eq!(signups_stored(&world).await, 2);
}

#[tokio::test]
async fn a_partner_changes_its_keys_without_losing_a_signup() {
    let world = World::start().await;
    let old = add_partner(&world, &settings()).await;
    let ada = world.administrator();
    let (number, secret) = add_key(&world, &old.id).await;
    let new = Partner {
        secret,
        ..old.clone()
    };
    let keys = format!("/v1/partners/{}/keys", old.id);
    let third = ada.post(&keys, &json!({})).await;
    third.expect_problem(409, "partner-keys-full");
    let with = async |partner, id: &str| {
        let sent = sign_up(&world, partner, id, &somebody(id)).await;
        sent.status()
    };
    assert_eq!(with(&old, "a").await, 202);
    assert_eq!(with(&new, "b").await, 202);
    // Both signatures at once, as long as the partner does not know which one we know.
    let body = somebody("c").to_string().into_bytes();
    let sign = |secret| RequestSignature::sign(secret, "c", world.now(), &body);
    let both = format!(
        "{}, {}",
        sign(&old.secret).signature,
        sign(&new.secret).signature
    );
    let both = RequestSignature {
        signature: both,
        ..sign(&old.secret)
    };
    let both = send(&world, &old.id, &headers_of(&both), body.clone()).await;
    both.expect(202);

    let revoke = format!("{keys}/1/revocation");
    ada.post(&revoke, &json!({})).await.expect(201);
    assert_eq!(with(&old, "d").await, 401);
    assert_eq!(with(&old, "a").await, 401, "not even what it sent before");
    assert_eq!(with(&new, "d").await, 202);
    let again = ada.post(&revoke, &json!({})).await;
    again.expect_problem(409, "partner-key-not-live");
    let (third, _) = add_key(&world, &old.id).await;
    assert_eq!(third, number + 1, "a number never comes back");
    assert_eq!(signups_stored(&world).await, 4);
}

#[tokio::test]
async fn the_hourly_quota_counts_what_was_taken_in() {
    let world = World::start().await;
    let mut few = settings();
    few["hourly_quota"] = json!(3);
    let partner = add_partner(&world, &few).await;
    let other = add_partner(&world, &few).await;
    let with = async |id: &str| sign_up(&world, &partner, id, &somebody(id)).await;
    for id in ["a", "b", "c"] {
        with(id).await.expect(202);
        with(id).await.expect(202);
        let faulty = sign_up(&world, &partner, &format!("{id}-faulty"), &json!({})).await;
        faulty.expect(422);
    }
    let refused = with("d").await.expect_problem(429, "too-many-requests");
    assert_eq!(refused.header("retry-after"), Some("3600"));
    with("a").await.expect(202);
    let others = sign_up(&world, &other, "d", &somebody("d")).await;
    others.expect(202);
    world.advance(1).await;
    with("d").await.expect(202);
    assert_eq!(signups_stored(&world).await, 5);
}
