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
    /// The numbers of the requests.
    pub(crate) numbers: Vec<usize>,
    /// For each of them, the best of the rounds.
    pub(crate) requests: Vec<Duration>,
}

/// Requests that a contender answers before it is another's turn.
const STRIDE: usize = 50;
/// Whoever has taken longer than this is asked no further rounds.
const LONGEST: Duration = Duration::from_secs(60);

/// Times every contender for every request, `rounds` times over; those that are slow at least once.
pub(crate) fn take(
    contenders: &[Contender<'_>],
    requests: usize,
    rounds: usize,
) -> Result<Vec<Times>, Error> {
    let mut times: Vec<Times> = contenders
        .iter()
        .map(|contender| Times {
            name: contender.name,
            numbers: (0..requests).collect(),
            requests: vec![Duration::MAX; requests],
        })
        .collect();
    let progress = Progress::new(
        "answers timed",
        (rounds * requests * contenders.len()) as u64,
    );
    let mut spent = vec![Duration::ZERO; contenders.len()];
    for round in 0..rounds {
        for first in (0..requests).step_by(STRIDE) {
            let behind = requests.min(first + STRIDE);
            let each = contenders.iter().zip(&mut times).zip(&mut spent);
            for ((contender, times), spent) in each {
                progress.add((behind - first) as u64);
                if round > 0 && *spent > LONGEST {
                    continue;
                }
                for number in first..behind {
                    let started = Instant::now();
                    black_box((contender.answer)(black_box(number))?);
                    let took = started.elapsed();
                    times.requests[number] = times.requests[number].min(took);
                    *spent += took;
                }
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

    /// The same of those requests alone that another was asked, too.
    pub(crate) fn among(&self, other: &Self) -> Self {
        let of = |number: &usize| {
            let at = self.numbers.binary_search(number).ok()?;
            self.requests.get(at).copied()
        };
        Self {
            name: self.name,
            numbers: other.numbers.clone(),
            requests: other.numbers.iter().filter_map(of).collect(),
        }
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
