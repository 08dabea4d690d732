//! A rate that does not wait for answers, and what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::Error;
use crate::story::{Came, Story};

/// What a phase came to. Times are from the instant at which a request was to be sent, so that one that waits to be
/// sent is not counted as fast.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    pub(crate) rate: u32,
    pub(crate) asked: usize,
    pub(crate) right: usize,
    /// Turned away, by status.
    pub(crate) turned: BTreeMap<u16, usize>,
    /// What was wrong, in words; at most a few.
    pub(crate) wrong: Vec<String>,
    pub(crate) wrongs: usize,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) longest: Duration,
    /// The 99th percentile of those that were turned away.
    pub(crate) turned_p99: Duration,
    pub(crate) answered_a_second: f64,
}

impl Phase {
    pub(crate) fn turned_away(&self) -> usize {
        self.turned.values().sum()
    }
}

const MOST_WORDS: usize = 5;

/// Sends `rate` requests a second for `time`, then waits for the answers.
pub(crate) async fn hold(
    story: &Arc<Story>,
    name: &'static str,
    rate: u32,
    time: Duration,
) -> Result<Phase, Error> {
    let begun = Instant::now();
    let asked = (f64::from(rate) * time.as_secs_f64()) as u32;
    let mut under_way = JoinSet::new();
    for number in 0..asked {
        let due = begun + Duration::from_secs_f64(f64::from(number) / f64::from(rate));
        sleep_until(due).await;
        let story = story.clone();
        under_way.spawn(async move {
            let came = story.next().await;
            (due.elapsed(), came)
        });
    }
    let came = under_way.join_all().await;
    let took = begun.elapsed();
    let mut phase = Phase {
        name,
        rate,
        asked: came.len(),
        right: 0,
        turned: BTreeMap::new(),
        wrong: Vec::new(),
        wrongs: 0,
        p50: Duration::ZERO,
        p99: Duration::ZERO,
        longest: Duration::ZERO,
        turned_p99: Duration::ZERO,
        answered_a_second: 0.0,
    };
    let (mut right, mut turned) = (Vec::new(), Vec::new());
    for (waited, came) in came {
        match came {
            Came::Right => right.push(waited),
            Came::TurnedAway(status) => {
                turned.push(waited);
                *phase.turned.entry(status).or_default() += 1;
            }
            Came::Wrong(words) => {
                phase.wrongs += 1;
                if phase.wrong.len() < MOST_WORDS && !phase.wrong.contains(&words) {
                    phase.wrong.push(words);
                }
            }
        }
    }
    right.sort();
    turned.sort();
    phase.right = right.len();
    (phase.p50, phase.p99) = (quantile(&right, 0.5), quantile(&right, 0.99));
    phase.longest = right.last().copied().unwrap_or_default();
    phase.turned_p99 = quantile(&turned, 0.99);
    phase.answered_a_second = right.len() as f64 / took.as_secs_f64();
    Ok(phase)
}

fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let place = (sorted.len().saturating_sub(1)) as f64 * share;
    sorted
        .get(place.round() as usize)
        .copied()
        .unwrap_or_default()
}

pub(crate) fn print(phases: &[Phase]) {
    println!(
        "{:20} {:>6} {:>7} {:>7} {:>6} {:>6} {:>6} {:>9} {:>8} {:>8} {:>8} {:>14}",
        "",
        "rate",
        "asked",
        "right",
        "429",
        "503",
        "wrong",
        "right/s",
        "p50 ms",
        "p99 ms",
        "max ms",
        "turned p99 ms"
    );
    for phase in phases {
        let turned = |status: u16| phase.turned.get(&status).copied().unwrap_or_default();
        let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
        println!(
            "{:20} {:>6} {:>7} {:>7} {:>6} {:>6} {:>6} {:>9.1} {:>8.1} {:>8.1} {:>8.1} {:>14.1}",
            phase.name,
            phase.rate,
            phase.asked,
            phase.right,
            turned(429),
            turned(503),
            phase.wrongs,
            phase.answered_a_second,
            ms(phase.p50),
            ms(phase.p99),
            ms(phase.longest),
            ms(phase.turned_p99),
        );
    }
}
