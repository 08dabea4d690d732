//! What free text is about: the stems of its telling words.
//!
//! English, by the Snowball stemmer. Words that everybody in support work writes say nothing of anybody, and are passed
//! over; words that mean the same, to the people who write them here, share one stem.

mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use frostem::{Algorithm, Stemmer};

use crate::packed::IndexRecord;
use crate::vocabulary::{Interest, Vocabulary, wide_mask};
use tables::{ORDINARY, SYNONYMS};

/// The most words of a request's own text that are looked for.
pub const MOST_ASKED: usize = 24;

/// Words shorter than this are not told apart well enough to mean anything.
const SHORTEST: usize = 3;

/// A telling word of a client's own text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedWord {
    /// What is looked for among the stems of an introduction.
    pub stem: String,
    /// How the client wrote it, in small letters.
    pub said: String,
    /// The interests that are about the same.
    pub interests: [u64; 3],
}

impl AskedWord {
    /// The telling words of a text, each once, in order; the first [`MOST_ASKED`].
    #[must_use]
    pub fn all_in(text: &str) -> Vec<Self> {
        let mut seen = BTreeSet::new();
        telling(text)
            .filter(|(stem, _)| seen.insert(stem.clone()))
            .take(MOST_ASKED)
            .map(|(stem, said)| Self {
                interests: INTERESTS.get(&stem).copied().unwrap_or_default(),
                stem,
                said,
            })
            .collect()
    }

    /// Whether these interests are about it.
    #[must_use]
    pub fn is_among(&self, interests: &[u64; 3]) -> bool {
        let mut parts = self.interests.iter().zip(interests);
        parts.any(|(about, has)| about & has != 0)
    }
}

/// Which of these words a support worker's introduction or interests are about too.
pub fn shared<'a>(
    asked: &'a [AskedWord],
    record: &'a IndexRecord,
) -> impl Iterator<Item = &'a AskedWord> {
    asked.iter().filter(|word| {
        word.is_among(&record.interests) || record.words.binary_search(&word.stem).is_ok()
    })
}

/// The stems of a text's telling words, each once, in alphabetical order.
#[must_use]
pub fn stems(text: &str) -> Vec<String> {
    let stems: BTreeSet<String> = telling(text).map(|(stem, _)| stem).collect();
    stems.into_iter().collect()
}

/// Everything that decides which stems a text has: ordinary stems, and from which stem to which synonyms lead.
///
/// Whoever keeps stems keeps a digest of this with them, and takes them no longer for the same once it differs.
pub fn meanings() -> impl Iterator<Item = (&'static str, &'static str)> {
    let ordinary = ORDINARY_STEMS.iter().map(|stem| (stem.as_str(), ""));
    let meant = MEANT.iter();
    ordinary.chain(meant.map(|(stem, meant)| (stem.as_str(), meant.as_str())))
}

/// Telling words with their stems, as often as they are said.
fn telling(text: &str) -> impl Iterator<Item = (String, String)> {
    words_of(text).into_iter().filter_map(|said| {
        let stem = stem(&said);
        let telling = said.chars().count() >= SHORTEST && !ORDINARY_STEMS.contains(&stem);
        telling.then(|| {
            let meant = MEANT.get(&stem).cloned();
            (meant.unwrap_or(stem), said)
        })
    })
}

/// Runs of letters, in small ones; what follows an apostrophe belongs to grammar.
fn words_of(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    text.split(|c: char| !c.is_alphabetic() && !matches!(c, '\'' | '’'))
        .filter_map(|run| run.split(['\'', '’']).find(|part| !part.is_empty()))
        .map(str::to_owned)
        .collect()
}

fn stem(word: &str) -> String {
    STEMMER.stem(word).into_owned()
}

static STEMMER: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::new(Algorithm::English));

static ORDINARY_STEMS: LazyLock<BTreeSet<String>> =
    LazyLock::new(|| ORDINARY.split_whitespace().map(stem).collect());

/// From the stem of a synonym to the stem that stands for it.
static MEANT: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let groups = SYNONYMS.iter().flat_map(|(meant, synonyms)| {
        let others = synonyms.split_whitespace();
        others.map(|synonym| (stem(synonym), stem(meant)))
    });
    groups.filter(|(synonym, meant)| synonym != meant).collect()
});

/// From a stem to the interests whose labels say it.
static INTERESTS: LazyLock<BTreeMap<String, [u64; 3]>> = LazyLock::new(|| {
    let mut interests: BTreeMap<String, [u64; 3]> = BTreeMap::new();
    for interest in Interest::ALL {
        for (stem, _) in telling(interest.label()) {
            let about = interests.entry(stem).or_default();
            for (all, bits) in about.iter_mut().zip(wide_mask([*interest])) {
                *all |= bits;
            }
        }
    }
    interests
});

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Vec<String> {
        let words = AskedWord::all_in(text).into_iter();
        words.map(|word| word.said).collect()
    }

    #[test]
    fn only_telling_words_are_kept_and_each_once() {
        assert_eq!(
            asked("I love my garden, and I'd like to help in the gardens of others. Gardening!"),
            ["garden"]
        );
        assert_eq!(asked("Grandma’s maps; 40 MAPS"), ["grandma", "maps"]);
        assert_eq!(asked("I am a good support worker and I care"), [""; 0]);
    }

    #[test]
    fn what_means_the_same_is_the_same() {
        for (one, other) in [
            ("footy", "football"),
            ("films", "movies"),
            ("puppy", "dogs"),
            ("church", "faith"),
            ("gardening", "gardens"),
        ] {
            assert_eq!(stems(one), stems(other), "{one} {other}");
            assert_eq!(stems(one).len(), 1, "{one}");
        }
    }

    #[test]
    fn a_word_finds_the_interests_that_are_about_it() {
        let words = AskedWord::all_in("We kept a puppy and a vegetable patch");
        let about = |said: &str, interest| {
            let word = words.iter().find(|word| word.said == said).unwrap();
            word.is_among(&wide_mask([interest]))
        };
        assert!(about("puppy", Interest::Dogs));
        assert!(about("vegetable", Interest::Gardening));
        assert!(!about("puppy", Interest::Cats));
    }

    #[test]
    fn the_tables_say_nothing_twice_and_lead_nowhere_else() {
        let mut said = BTreeSet::new();
        let groups = SYNONYMS.iter();
        let words =
            groups.flat_map(|(meant, synonyms)| synonyms.split_whitespace().chain([*meant]));
        let faulty: Vec<&str> = words
            .filter(|word| !said.insert(stem(word)) || ORDINARY_STEMS.contains(&stem(word)))
            .collect();
        assert_eq!(faulty, [""; 0], "there twice, or ordinary");
    }

    #[test]
    fn a_long_text_is_looked_at_up_to_a_bound() {
        let long: Vec<String> = (0..200)
            .map(|number: u32| {
                let letters = number.to_string().into_bytes();
                letters
                    .iter()
                    .map(|digit| char::from(digit + 49))
                    .collect::<String>()
                    + "zebra"
            })
            .collect();
        assert_eq!(AskedWord::all_in(&long.join(" ")).len(), MOST_ASKED);
    }
}
