//! The columns of a shard.

use std::sync::LazyLock;

use domain::vocabulary::{
    CareLevel, Certification, Condition, Culture, Expertise, Gender, Hazard, Interest, Language,
    Service, Skill, Task, Vocabulary,
};
use domain::words::meanings;
use sha2::{Digest, Sha256};
use tantivy::schema::{FAST, NumericOptions, Schema, TextOptions};

use crate::criteria::CALIBRATION;

/// Declares the columns: one whole number for every support worker.
macro_rules! columns {
    ($($(#[$doc:meta])* $column:ident = $name:literal,)*) => {
        /// A column of whole numbers, one for every support worker. How each is packed stands in `row`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Column { $($(#[$doc])* $column),* }

        impl Column {
            /// All of them, in the order of their declaration.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$column),*];

            /// The name in the schema.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$column => $name),* }
            }
        }
    };
}

columns! {
    /// What most requests are held against first: day-parts, care levels, gender, services.
    Offer = "offer",
    /// Tasks and hazards not accepted.
    Declined = "declined",
    /// Skills, and certificates that held on some day.
    Able = "able",
    Languages = "languages",
    Cultures = "cultures",
    Interests0 = "interests_0",
    Interests1 = "interests_1",
    Interests2 = "interests_2",
    /// Conditions known at least by awareness, and by experience.
    Known = "known",
    /// Conditions trained in at least, and specialised in.
    Learnt = "learnt",
    /// The first two coordinates.
    Plane = "plane",
    /// The third, and the travel radius.
    HeightRadius = "height_radius",
    ChecksUntil = "checks_until",
    /// What is worth the same to every request: reliability, and hours wanted.
    Worth = "worth",
    /// Days worked, and since when.
    Experience = "experience",
    WorkerHigh = "worker_high",
    WorkerLow = "worker_low",
    PersonHigh = "person_high",
    PersonLow = "person_low",
    RatingSum = "rating_sum",
    RatingCount = "rating_count",
    Invitations = "invitations",
    Answered = "answered",
    AnswerMinutes = "answer_minutes",
    CompletedVisits = "completed_visits",
    Exposure = "exposure",
}

impl Column {
    /// The columns of interests, in their order.
    pub(crate) const INTERESTS: [Self; 3] = [Self::Interests0, Self::Interests1, Self::Interests2];
}

/// The column of what an hour of a service costs; 0 where it is not offered. By the service's place in its vocabulary:
/// a small shard's names take as much room as its people.
pub(crate) fn rate_column(service: Service) -> String {
    format!("rate_{}", service.bit())
}

/// Every neighbourhood that the travel disc may touch: the one term a search looks up.
pub(crate) const NEIGHBOURHOODS: &str = "neighbourhoods";
/// Hours of the usual week, any number of spans for a support worker.
pub(crate) const HOURS: &str = "hours";
/// Dated departures from the usual week.
pub(crate) const EXCEPTIONS: &str = "exceptions";
/// Certificates with their last days.
pub(crate) const CERTIFICATES: &str = "certificates";
/// Services with their rates, only of those who offer them in another order than the vocabulary's.
pub(crate) const REORDERED: &str = "reordered";
/// Stems of the introduction.
pub(crate) const WORDS: &str = "words";

/// The columns of whole numbers of which a support worker has any number.
pub(crate) const LISTS: [&str; 4] = [HOURS, EXCEPTIONS, CERTIFICATES, REORDERED];

/// The tantivy schema of every shard.
pub(crate) fn schema() -> Schema {
    let mut schema = Schema::builder();
    // The first, see `lean`. No norms: nothing is scored by how many neighbourhoods somebody reaches.
    schema.add_u64_field(NEIGHBOURHOODS, NumericOptions::default().set_indexed());
    for column in Column::ALL {
        schema.add_u64_field(column.name(), FAST);
    }
    for service in Service::ALL {
        schema.add_u64_field(&rate_column(*service), FAST);
    }
    for list in LISTS {
        schema.add_u64_field(list, FAST);
    }
    schema.add_text_field(WORDS, TextOptions::default().set_fast("raw"));
    schema.build()
}

/// Changes with anything that would make an old shard mean something else: the columns, how they are packed, the order
/// of the words, the stems, and the numbers behind what is computed when a shard is built.
pub(crate) fn fingerprint() -> [u8; 32] {
    *FINGERPRINT
}

static FINGERPRINT: LazyLock<[u8; 32]> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    hash.update(b"rapport shard 3\n");
    for column in Column::ALL {
        hash.update(column.name());
        hash.update(b"\n");
    }
    for list in LISTS.iter().chain(&[NEIGHBOURHOODS, WORDS]) {
        hash.update(list);
        hash.update(b"\n");
    }
    add_words::<Service>(&mut hash);
    add_words::<Skill>(&mut hash);
    add_words::<Condition>(&mut hash);
    add_words::<Expertise>(&mut hash);
    add_words::<Language>(&mut hash);
    add_words::<Culture>(&mut hash);
    add_words::<Interest>(&mut hash);
    add_words::<Gender>(&mut hash);
    add_words::<Certification>(&mut hash);
    add_words::<Task>(&mut hash);
    add_words::<Hazard>(&mut hash);
    add_words::<CareLevel>(&mut hash);
    for (stem, meant) in meanings() {
        hash.update(stem);
        hash.update(b" ");
        hash.update(meant);
        hash.update(b"\n");
    }
    hash.update(format!("{CALIBRATION:?}"));
    hash.finalize().into()
});

fn add_words<V: Vocabulary>(hash: &mut Sha256) {
    for word in V::ALL {
        hash.update(word.code());
        hash.update(b",");
    }
    hash.update(b"\n");
}
