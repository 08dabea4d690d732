//! Searching everything that somebody gets for what must not be in it.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use domain::id::{PersonId, WorkerId};
use rapport_tests::answer::Answer;
use rapport_tests::world::Caller;
use serde_json::Value;

/// What must not be in anything that somebody gets.
pub(super) struct Watch {
    /// In small letters.
    words: &'static [&'static str],
    /// The digits of every id of the other side's.
    ids: HashSet<String>,
}

/// What profiles of support workers are full of.
const CANARIES: [&str; 5] = ["canary", "491 573", "+61491573", "0491573", "491-573"];

impl Watch {
    pub(super) fn over(workers: &[(WorkerId, PersonId)]) -> Self {
        let digits = |id: String| id.split_once('_').unwrap().1.to_owned();
        let both = |(worker, person): &(WorkerId, PersonId)| {
            [digits(worker.to_string()), digits(person.to_string())]
        };
        Self {
            words: &CANARIES,
            ids: workers.iter().flat_map(both).collect(),
        }
    }

    /// Over these words, and the digits of these ids.
    pub(super) fn over_words(
        words: &'static [&'static str],
        ids: impl IntoIterator<Item = String>,
    ) -> Self {
        let digits = |id: String| id.rsplit_once('_').unwrap().1.to_owned();
        Self {
            words,
            ids: ids.into_iter().map(digits).collect(),
        }
    }

    /// Fails if there is a canary in `text`, plainly, percent-encoded or in base64.
    #[track_caller]
    pub(super) fn search(&self, what: &str, text: &str) {
        self.search_plain(what, text);
        if text.contains('%') {
            self.search_plain(what, &percent_decoded(text));
        }
        let in_base64 = |c: char| c.is_ascii_alphanumeric() || "+/-_".contains(c);
        for word in text.split(|c: char| !in_base64(c)) {
            // A word of a sentence can be base64 too: then it decodes to noise, which is no canary.
            if word.len() < 12 {
                continue;
            }
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                if let Ok(bytes) = engine.decode(word) {
                    self.search_plain(what, &String::from_utf8_lossy(&bytes));
                    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                    self.search_ids(what, &hex);
                }
            }
        }
    }

    #[track_caller]
    fn search_plain(&self, what: &str, text: &str) {
        let lower = text.to_lowercase();
        for canary in self.words {
            assert!(!lower.contains(canary), "{canary} in {what}:\n{text}");
        }
        self.search_ids(what, &lower.replace('-', ""));
    }

    #[track_caller]
    fn search_ids(&self, what: &str, text: &str) {
        for run in text.split(|c: char| !c.is_ascii_hexdigit()) {
            for start in 0..(run.len() + 1).saturating_sub(32) {
                let id = &run[start..start + 32];
                assert!(!self.ids.contains(id), "{id} in {what}:\n{text}");
            }
        }
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let decoded = (*first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() {
            &after[2..]
        } else {
            after
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Somebody, everything said to whom is searched.
pub(super) struct Watched<'w> {
    pub(super) caller: Caller<'w>,
    pub(super) watch: &'w Watch,
}

impl Watched<'_> {
    pub(super) fn searched(&self, path: &str, answer: Answer) -> Answer {
        self.watch.search(path, &answer.whole());
        answer
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.searched(path, self.caller.get(path).await)
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.searched(path, self.caller.post(path, body).await)
    }

    /// Every page of a list, following its links.
    pub(super) async fn pages(&self, path: &str) -> Vec<Value> {
        let mut entries = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let page = self.get(&path).await.expect(200);
            entries.extend(page["items"].as_array().unwrap().clone());
            next = page.next_page();
        }
        entries
    }
}
