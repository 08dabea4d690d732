//! The columns of a shard.

use sha2::{Digest, Sha256};
use tantivy::schema::{FAST, INDEXED, Schema};

use domain::vocabulary::Vocabulary;

/// Declares the columns: one whole number for every support worker.
macro_rules! columns {
    ($($column:ident = $name:literal,)*) => {
        /// A column of whole numbers, one for every support worker.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Column { $($column),* }

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
    WorkerHigh = "worker_high",
    WorkerLow = "worker_low",
    PersonHigh = "person_high",
    PersonLow = "person_low",
    X = "x",
    Y = "y",
    Z = "z",
    Radius = "radius_km",
    Services = "services",
    // Three rates to a column, 20 bits each, by the service's place in its vocabulary.
    Rates0 = "rates_0",
    Rates1 = "rates_1",
    Rates2 = "rates_2",
    Rates3 = "rates_3",
    Rates4 = "rates_4",
    Rates5 = "rates_5",
    Skills = "skills",
    Aware = "conditions_aware",
    Experienced = "conditions_experienced",
    Trained = "conditions_trained",
    Specialist = "conditions_specialist",
    Languages = "languages",
    Cultures = "cultures",
    Interests0 = "interests_0",
    Interests1 = "interests_1",
    Interests2 = "interests_2",
    Gender = "gender",
    DeclinedTasks = "declined_tasks",
    DeclinedHazards = "declined_hazards",
    CareLevel = "care_level",
    Monday = "monday",
    Tuesday = "tuesday",
    Wednesday = "wednesday",
    Thursday = "thursday",
    Friday = "friday",
    Saturday = "saturday",
    Sunday = "sunday",
    DayParts = "day_parts",
    HoursWanted = "hours_wanted",
    ChecksUntil = "checks_until",
    WorkedDays = "worked_days",
    WorkingSince = "working_since",
    RatingSum = "rating_sum",
    RatingCount = "rating_count",
    Invitations = "invitations",
    Answered = "answered",
    AnswerMinutes = "answer_minutes",
    CompletedVisits = "completed_visits",
    Exposure = "exposure",
}

/// Every neighbourhood that the travel disc may touch: the one term a search looks up.
pub(crate) const NEIGHBOURHOODS: &str = "neighbourhoods";
/// Certificates with their last days, any number for a support worker.
pub(crate) const CERTIFICATES: &str = "certificates";
/// Dated departures from the usual week, any number for a support worker.
pub(crate) const EXCEPTIONS: &str = "exceptions";
/// The services in the order offered, so that a record reads back as it was written.
pub(crate) const OFFERED: &str = "offered";

/// The tantivy schema of every shard.
pub(crate) fn schema() -> Schema {
    let mut schema = Schema::builder();
    for column in Column::ALL {
        schema.add_u64_field(column.name(), FAST);
    }
    schema.add_u64_field(NEIGHBOURHOODS, INDEXED);
    for list in [CERTIFICATES, EXCEPTIONS, OFFERED] {
        schema.add_u64_field(list, FAST);
    }
    schema.build()
}

/// Changes with anything that would make an old shard mean something else: the columns and the order of the words.
pub(crate) fn fingerprint() -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"rapport shard 1\n");
    for column in Column::ALL {
        hash.update(column.name());
        hash.update(b"\n");
    }
    for list in [NEIGHBOURHOODS, CERTIFICATES, EXCEPTIONS, OFFERED] {
        hash.update(list);
        hash.update(b"\n");
    }
    add_words::<domain::vocabulary::Service>(&mut hash);
    add_words::<domain::vocabulary::Skill>(&mut hash);
    add_words::<domain::vocabulary::Condition>(&mut hash);
    add_words::<domain::vocabulary::Expertise>(&mut hash);
    add_words::<domain::vocabulary::Language>(&mut hash);
    add_words::<domain::vocabulary::Culture>(&mut hash);
    add_words::<domain::vocabulary::Interest>(&mut hash);
    add_words::<domain::vocabulary::Gender>(&mut hash);
    add_words::<domain::vocabulary::Certification>(&mut hash);
    add_words::<domain::vocabulary::Task>(&mut hash);
    add_words::<domain::vocabulary::Hazard>(&mut hash);
    add_words::<domain::vocabulary::CareLevel>(&mut hash);
    hash.finalize().into()
}

fn add_words<V: Vocabulary>(hash: &mut Sha256) {
    for word in V::ALL {
        hash.update(word.code());
        hash.update(b",");
    }
    hash.update(b"\n");
}
