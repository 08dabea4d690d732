//! Finds what would identify somebody in a text, to help the staff who read it before clients do.
//!
//! A help, not the decision: staff approve the exact text. It would rather point at too much than miss something.

use serde::{Deserialize, Serialize};

use crate::person::{Person, PersonName};
use crate::vocabulary::Vocabulary;

vocabulary! {
    /// What a passage may give away.
    ScreeningKind {
        Name = "name", "A name";
        Phone = "phone", "A telephone number";
        Mail = "mail", "A mail address";
        Link = "link", "A link";
        Account = "account", "An account elsewhere";
        Address = "address", "A street address";
    }
}

/// A passage for staff to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ScreeningFinding {
    /// What it may give away.
    pub kind: ScreeningKind,
    /// The passage.
    pub passage: String,
}

/// Who must not be given away, and where they live.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identities {
    /// Given and family names.
    pub names: Vec<String>,
    /// Addresses, as typed.
    pub addresses: Vec<String>,
}

impl Identities {
    /// Adds one person.
    pub fn add(&mut self, person: &Person) {
        let PersonName { given, family } = &person.name;
        self.names.extend([given.clone(), family.clone()]);
        self.addresses.extend(person.address.clone());
    }

    /// Everything in `text` that may give one of them away.
    #[must_use]
    pub fn found_in(&self, text: &str) -> Vec<ScreeningFinding> {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let mut findings = screen(text, &names);
        let spoken = words_of(text);
        for address in &self.addresses {
            // The street: what comes after it, a suburb, may be said.
            let street = address.split([',', '\n']).next().unwrap_or(address);
            let said = words_of(street);
            if said.trim().len() > FEWEST_OF_A_STREET && spoken.contains(&said) {
                findings.push(finding(ScreeningKind::Address, street));
            }
        }
        findings
    }
}

/// Fewer letters than this are no street.
const FEWEST_OF_A_STREET: usize = 4;

/// The words of a text in lower case, each with a blank on both sides.
fn words_of(text: &str) -> String {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    format!(" {} ", words.join(" "))
}

/// Services on which people have accounts, and words that go before one.
const ELSEWHERE: [&str; 12] = [
    "facebook",
    "instagram",
    "whatsapp",
    "telegram",
    "signal",
    "linkedin",
    "messenger",
    "snapchat",
    "tiktok",
    "wechat",
    "viber",
    "skype",
];

/// Endings that make a word with a dot a link.
const ENDINGS: [&str; 16] = [
    "com", "net", "org", "au", "nz", "uk", "ie", "io", "co", "me", "info", "app", "dev", "care",
    "health", "link",
];

/// Words after which people say their name.
const BEFORE_A_NAME: [&[&str]; 5] = [
    &["my", "name", "is"],
    &["i", "am", "called"],
    &["call", "me"],
    &["i'm"],
    &["known", "as"],
];

/// The fewest digits that can be called, in a row broken only by separators.
const FEWEST_DIGITS: usize = 7;

/// Everything in `text` that may give somebody away; `names` are those of the person themselves.
#[must_use]
pub fn screen(text: &str, names: &[&str]) -> Vec<ScreeningFinding> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut findings: Vec<ScreeningFinding> = words
        .iter()
        .filter_map(|word| {
            let kind = kind_of_word(word, names)?;
            Some(finding(kind, word))
        })
        .collect();
    findings.extend(spelled_out_addresses(&words));
    findings.extend(introduced_names(&words));
    findings.extend(numbers(text));
    findings.dedup();
    findings
}

fn finding(kind: ScreeningKind, passage: &str) -> ScreeningFinding {
    ScreeningFinding {
        kind,
        passage: passage.to_owned(),
    }
}

fn kind_of_word(word: &str, names: &[&str]) -> Option<ScreeningKind> {
    let bare = bare(word);
    let is_name = |name: &&str| {
        name.to_lowercase().split([' ', '-']).any(|part| {
            part.chars().count() > 1 && bare.split(['-', '\'', '’']).any(|piece| piece == part)
        })
    };
    if let Some((before, after)) = bare.split_once('@') {
        let mail = !before.is_empty() && after.contains('.');
        return Some(if mail {
            ScreeningKind::Mail
        } else {
            ScreeningKind::Account
        });
    }
    if bare.contains("://") || bare.starts_with("www.") || looks_like_a_site(&bare) {
        return Some(ScreeningKind::Link);
    }
    if ELSEWHERE.iter().any(|service| bare.contains(service)) {
        return Some(ScreeningKind::Account);
    }
    names.iter().any(is_name).then_some(ScreeningKind::Name)
}

/// Lower case, without what surrounds a word.
fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric() && c != '@')
        .to_lowercase()
}

fn looks_like_a_site(bare: &str) -> bool {
    let host = bare.split('/').next().unwrap_or(bare);
    host.rsplit_once('.')
        .is_some_and(|(name, ending)| !name.is_empty() && ENDINGS.contains(&ending))
}

/// "jo at mail dot com" and "jo (at) mail.com".
fn spelled_out_addresses(words: &[&str]) -> Vec<ScreeningFinding> {
    words
        .windows(3)
        .filter_map(|window| {
            let [before, at, after] = window else {
                return None;
            };
            let spelled = bare(at) == "at" && looks_like_a_site(&bare(after))
                || bare(at) == "dot" && ENDINGS.contains(&bare(after).as_str());
            spelled.then(|| finding(ScreeningKind::Mail, &format!("{before} {at} {after}")))
        })
        .collect()
}

/// A capital after "my name is" and its like.
fn introduced_names(words: &[&str]) -> Vec<ScreeningFinding> {
    let lower: Vec<String> = words
        .iter()
        .map(|word| word.to_lowercase().replace('’', "'"))
        .collect();
    let starts = |at: usize, phrase: &[&str]| {
        phrase
            .iter()
            .enumerate()
            .all(|(step, said)| lower.get(at + step).is_some_and(|word| word == said))
    };
    (0..words.len())
        .flat_map(|at| BEFORE_A_NAME.iter().map(move |phrase| (at, *phrase)))
        .filter(|(at, phrase)| starts(*at, phrase))
        .filter_map(|(at, phrase)| words.get(at + phrase.len()))
        .filter(|word| word.chars().next().is_some_and(char::is_uppercase))
        .map(|word| finding(ScreeningKind::Name, word))
        .collect()
}

/// Runs of digits long enough to be called, whatever separates them.
fn numbers(text: &str) -> Vec<ScreeningFinding> {
    let separator = |c: char| c.is_whitespace() || "+-().,/".contains(c);
    text.split(|c: char| !c.is_ascii_digit() && !separator(c))
        .map(|run| run.trim_matches(separator))
        .filter(|run| run.chars().filter(char::is_ascii_digit).count() >= FEWEST_DIGITS)
        .map(|run| finding(ScreeningKind::Phone, run))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gives_somebody_away_is_found() {
        use ScreeningKind::{Account, Link, Mail, Name, Phone};
        for (text, expected) in [
            ("I like long walks and a quiet house.", vec![]),
            ("I have 8 years of experience, since 2018.", vec![]),
            ("Ask for Mirela!", vec![(Name, "Mirela!")]),
            (
                "People say mirela-style cooking",
                vec![(Name, "mirela-style")],
            ),
            ("Hello, my name is Jo and I cook", vec![(Name, "Jo")]),
            ("I'm Sam.", vec![(Name, "Sam.")]),
            ("I’m patient and kind", vec![]),
            ("Call 0412 345 678 any time", vec![(Phone, "0412 345 678")]),
            ("(+61) 3-9123.4567", vec![(Phone, "61) 3-9123.4567")]),
            ("write to jo@mail.example", vec![(Mail, "jo@mail.example")]),
            (
                "jo at mail.com",
                vec![(Link, "mail.com"), (Mail, "jo at mail.com")],
            ),
            ("jo at gmail dot com", vec![(Mail, "gmail dot com")]),
            (
                "see https://jo.example/x",
                vec![(Link, "https://jo.example/x")],
            ),
            ("see jocares.com.au", vec![(Link, "jocares.com.au")]),
            (
                "I am @jocares on Instagram",
                vec![(Account, "@jocares"), (Account, "Instagram")],
            ),
        ] {
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(kind, passage)| finding(kind, passage))
                .collect();
            assert_eq!(screen(text, &["Mirela", "Kos"]), expected, "{text}");
        }
    }
    #[test]
    fn a_street_gives_away_where_somebody_lives_and_a_suburb_does_not() {
        let ana = Identities {
            names: vec!["Ana".into()],
            addresses: vec!["12 Rose Street, Carlton".into()],
        };
        let kinds = |text: &str| -> Vec<ScreeningKind> {
            let findings = ana.found_in(text);
            findings.into_iter().map(|finding| finding.kind).collect()
        };
        assert_eq!(kinds("I live in Carlton, on a quiet street."), vec![]);
        assert_eq!(
            kinds("Come to 12, rose street!"),
            vec![ScreeningKind::Address]
        );
        assert_eq!(kinds("Ana here"), vec![ScreeningKind::Name]);
    }
}
