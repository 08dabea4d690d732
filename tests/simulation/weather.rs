//! What goes wrong, and how often.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rapport_tests::faults::{Call, Fault, writes};

/// Faults, and how many in a thousand calls they befall.
type Odds = [(Fault, u32)];

/// What befalls calls that change the table, and calls that do not.
#[derive(Clone, Copy)]
pub(crate) struct Weather {
    writes: &'static Odds,
    reads: &'static Odds,
}

/// The process ends around every twentieth write, and much else happens.
pub(crate) const STORMY: Weather = Weather {
    writes: STORMY_WRITES,
    reads: STORMY_READS,
};

/// The process ends around every fifth write.
pub(crate) const RELENTLESS: Weather = Weather {
    writes: &[
        (Fault::CrashBefore, 100),
        (Fault::CrashAfter, 100),
        (Fault::AnswerLost, 20),
        (Fault::Throttled, 10),
    ],
    reads: &[(Fault::CrashBefore, 10), (Fault::AnswerLost, 10)],
};

/// Reads take long and are repeated, so that others get ahead, and indexes lag; the process ends around every thirtieth write.
pub(crate) const SLUGGISH: Weather = Weather {
    writes: &[
        (Fault::CrashBefore, 15),
        (Fault::CrashAfter, 15),
        (Fault::AnswerLost, 40),
        (Fault::Conflicted, 60),
        (Fault::Slow, 50),
    ],
    reads: &[
        (Fault::Throttled, 100),
        (Fault::Slow, 100),
        (Fault::Lagging, 300),
    ],
};

const STORMY_WRITES: &Odds = &[
    (Fault::CrashBefore, 25),
    (Fault::CrashAfter, 25),
    (Fault::AnswerLost, 30),
    (Fault::Conflicted, 30),
    (Fault::Throttled, 20),
    (Fault::Failed, 10),
    (Fault::Slow, 10),
];

const STORMY_READS: &Odds = &[
    (Fault::CrashBefore, 3),
    (Fault::AnswerLost, 10),
    (Fault::Throttled, 10),
    (Fault::Failed, 5),
    (Fault::Slow, 5),
    (Fault::Lagging, 200),
];

/// What goes wrong in such weather, as the seed has it.
pub(crate) fn storm(
    weather: Weather,
    seed: u64,
) -> impl FnMut(Call<'_>) -> Option<Fault> + Send + 'static {
    let mut chance = StdRng::seed_from_u64(seed);
    move |call| {
        let odds = if writes(&call) {
            weather.writes
        } else {
            weather.reads
        };
        let mut luck = chance.random_range(0..1000);
        for (fault, share) in odds {
            if luck < *share {
                return Some(*fault);
            }
            luck -= share;
        }
        None
    }
}
