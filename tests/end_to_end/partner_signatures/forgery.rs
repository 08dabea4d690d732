//! Every way we could think of to make a signature that is none, or to use one again.

use chrono::TimeDelta;
use platform::signature::{
    ID_HEADER, PartnerSecret, RequestSignature, SIGNATURE_HEADER, TIMESTAMP_HEADER,
};
use rapport_tests::signups::{Partner, headers_of, somebody};
use rapport_tests::world::World;

/// One request that pretends to come from a partner.
pub(super) struct Forgery {
    pub(super) what: String,
    pub(super) partner: String,
    pub(super) headers: Vec<(&'static str, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

/// A request as the partner's server made it: every forgery begins with one.
pub(super) struct Genuine {
    partner: Partner,
    signature: RequestSignature,
    body: Vec<u8>,
}

impl Genuine {
    pub(super) fn sign(world: &World, partner: &Partner, id: &str, name: &str) -> Self {
        let body = somebody(name).to_string().into_bytes();
        Self {
            partner: partner.clone(),
            signature: RequestSignature::sign(&partner.secret, id, world.now(), &body),
            body,
        }
    }

    pub(super) fn as_it_is(&self, what: impl Into<String>) -> Forgery {
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

    pub(super) fn signed_by(&self, what: impl Into<String>, secret: &PartnerSecret) -> Forgery {
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
pub(super) fn one_character_changed(genuine: &Genuine) -> Vec<Forgery> {
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

pub(super) fn cut_and_grown(genuine: &Genuine) -> Vec<Forgery> {
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
pub(super) fn at_other_times(world: &World, genuine: &Genuine) -> Vec<Forgery> {
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
pub(super) fn of_odd_parts(world: &World, genuine: &Genuine) -> Vec<Forgery> {
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
pub(super) fn by_hand(genuine: &Genuine) -> Vec<Forgery> {
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
pub(super) fn written_otherwise(genuine: &Genuine) -> Vec<Forgery> {
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
pub(super) fn to_another(genuine: &Genuine, others: &[&Partner]) -> Vec<Forgery> {
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
