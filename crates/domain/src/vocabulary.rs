//! The words profiles and match requests are written in.
//!
//! Each is an enumeration with a stable code (what crosses HTTP and is stored) and a label (what a person reads).
//! Small enough that a set of them is a mask in one machine word, which is what makes matching a few compares.

use crate::invalid::Findings;

/// A closed list of words that a set of can be held as bits.
pub trait Vocabulary: Copy + Eq + 'static {
    /// Every word, in the order of their bits.
    const ALL: &'static [Self];

    /// The stable code, as in JSON.
    fn code(self) -> &'static str;

    /// What a person reads.
    fn label(self) -> &'static str;

    /// The word's bit.
    fn bit(self) -> u32;
}

/// Declares enumerations from tables of `Variant = "code", "label"`.
///
/// A code is taken as a `tt`: derives read it in their attributes, and see through no other fragment.
macro_rules! vocabulary {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $code:tt, $label:literal;)* })*) => {$(
        $(#[$doc])*
        // INVARIANT: words are only ever appended. Stored masks name a word by its place in this table.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, utoipa::ToSchema,
        )]
        pub enum $name {
            $(
                #[doc = $label]
                #[serde(rename = $code)]
                $variant,
            )*
        }

        impl Vocabulary for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),*];

            fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),* }
            }

            fn bit(self) -> u32 {
                self as u32
            }
        }
    )*};
}

mod care;
mod language;
mod life;

pub use care::{
    CareLevel, Certification, Condition, Expertise, Hazard, Mobility, Service, Skill, Task,
};
pub use language::{Culture, Language};
pub use life::{Gender, Interest};

/// The set of these words as bits of one machine word.
///
/// INVARIANT: only for vocabularies of at most 64 words; a test holds every one of them to its width.
#[must_use]
pub fn mask<V: Vocabulary>(words: impl IntoIterator<Item = V>) -> u64 {
    words.into_iter().fold(0, |bits, word| {
        bits | 1_u64.checked_shl(word.bit()).unwrap_or(0)
    })
}

/// The set of these words as bits of three machine words.
#[must_use]
pub fn wide_mask<V: Vocabulary>(words: impl IntoIterator<Item = V>) -> [u64; 3] {
    let mut bits = [0; 3];
    for word in words {
        if let Some(part) = bits.get_mut((word.bit() / 64) as usize) {
            *part |= 1_u64 << (word.bit() % 64);
        }
    }
    bits
}

/// The words of a mask, in the order of their bits.
pub fn words_in<V: Vocabulary>(mask: u64) -> impl Iterator<Item = V> {
    V::ALL
        .iter()
        .copied()
        .filter(move |word| mask & 1_u64.checked_shl(word.bit()).unwrap_or(0) != 0)
}

/// Adds a fault for a list that is too long or says a word twice.
pub(crate) fn distinct<V: PartialEq>(
    findings: &mut Findings,
    pointer: &str,
    words: &[V],
    most: usize,
) {
    findings.at_most(pointer, words, most);
    for (place, word) in words.iter().enumerate().take(most) {
        let said_before = words.iter().take(place).any(|earlier| earlier == word);
        findings.check(!said_before, format!("{pointer}/{place}"), "is there twice");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn holds<V: Vocabulary + serde::Serialize + serde::de::DeserializeOwned + std::fmt::Debug>(
        most: usize,
    ) {
        let mut codes = BTreeSet::new();
        assert!(V::ALL.len() <= most, "{} words", V::ALL.len());
        for (place, word) in V::ALL.iter().enumerate() {
            assert_eq!(word.bit() as usize, place);
            assert!(codes.insert(word.code()), "{word:?}");
            assert!(!word.label().is_empty());
            let json = serde_json::to_string(word).unwrap();
            assert_eq!(json, format!("\"{}\"", word.code()));
            assert_eq!(serde_json::from_str::<V>(&json).unwrap(), *word);
        }
    }

    #[test]
    fn every_word_has_its_own_bit_and_code_and_fits_its_mask() {
        holds::<Service>(16);
        holds::<Condition>(64);
        holds::<Certification>(64);
        holds::<Skill>(64);
        holds::<Language>(64);
        holds::<Culture>(64);
        holds::<Interest>(192);
        holds::<Task>(64);
        holds::<Hazard>(64);
        holds::<Gender>(8);
        holds::<Mobility>(8);
        holds::<CareLevel>(8);
        holds::<Expertise>(8);
    }

    #[test]
    fn masks_read_back_as_the_words_they_were_made_of() {
        let bits = mask([Skill::Driving, Skill::Cooking]);
        let words: Vec<Skill> = words_in(bits).collect();
        assert_eq!(mask(words.iter().copied()), bits);
        assert_eq!(words.len(), 2);
        let last = *Interest::ALL.last().unwrap();
        assert_ne!(wide_mask([last]), [0; 3]);
    }
}
