//! What goes wrong, and how often.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rapport_tests::faults::{Call, Fault, writes};

/// Faults of one kind, and of how many in a thousand calls they befall.
type Odds = [(Fault, u32)];

const ON_WRITES: &Odds = &[
    (Fault::CrashBefore, 25),
    (Fault::CrashAfter, 25),
    (Fault::AnswerLost, 30),
    (Fault::Conflicted, 30),
    (Fault::Throttled, 20),
    (Fault::Failed, 10),
    (Fault::Slow, 10),
];

const ON_READS: &Odds = &[
    (Fault::CrashBefore, 3),
    (Fault::AnswerLost, 10),
    (Fault::Throttled, 10),
    (Fault::Failed, 5),
    (Fault::Slow, 5),
];

/// A storm: the process ends around every twentieth write, and much else happens.
pub(crate) fn storm(seed: u64) -> impl FnMut(Call<'_>) -> Option<Fault> + Send + 'static {
    let mut chance = StdRng::seed_from_u64(seed);
    move |call| {
        let odds = if writes(&call) { ON_WRITES } else { ON_READS };
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
