//! Taking times, each contender in turn, so that whatever else the machine does hits all of them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::Error;
use crate::progress::Progress;

/// Somebody who answers requests.
pub(crate) struct Contender<'a> {
    pub(crate) name: &'static str,
    /// Answers the request of this number; how many were found.
    pub(crate) answer: Box<dyn Fn(usize) -> Result<usize, Error> + 'a>,
}

/// What a contender took.
#[derive(Debug, Clone)]
pub(crate) struct Times {
    pub(crate) name: &'static str,
    /// For every request, the best of the rounds.
    pub(crate) requests: Vec<Duration>,
}

/// Rounds, and requests that a contender answers before it is another's turn.
const STRIDE: usize = 50;

/// Times every contender for every request, `rounds` times over.
pub(crate) fn take(
    contenders: &[Contender<'_>],
    requests: usize,
    rounds: usize,
) -> Result<Vec<Times>, Error> {
    let mut times: Vec<Times> = contenders
        .iter()
        .map(|contender| Times {
            name: contender.name,
            requests: vec![Duration::MAX; requests],
        })
        .collect();
    let progress = Progress::new(
        "answers timed",
        (rounds * requests * contenders.len()) as u64,
    );
    for _ in 0..rounds {
        for first in (0..requests).step_by(STRIDE) {
            let behind = requests.min(first + STRIDE);
            for (contender, times) in contenders.iter().zip(&mut times) {
                for number in first..behind {
                    let started = Instant::now();
                    black_box((contender.answer)(black_box(number))?);
                    let took = started.elapsed();
                    times.requests[number] = times.requests[number].min(took);
                }
                progress.add((behind - first) as u64);
            }
        }
    }
    progress.finish();
    Ok(times)
}

impl Times {
    pub(crate) fn mean(&self) -> f64 {
        let sum: f64 = self.requests.iter().map(Duration::as_secs_f64).sum();
        sum / self.requests.len().max(1) as f64
    }

    /// What so many of a hundred stay within.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.requests.clone();
        sorted.sort_unstable();
        of_sorted(&sorted, percent)
    }
}

/// The duration that so many of a hundred stay within; they are in order.
pub(crate) fn of_sorted(sorted: &[Duration], percent: usize) -> f64 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(0.0, Duration::as_secs_f64)
}
