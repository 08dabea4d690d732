//! Reading columns block by block, keeping the rows that pass.

use tantivy::DocId;

use crate::codes;
use crate::columns::Column;
use crate::plan::{Mask, Plan, REACH};
use crate::segment::Segment;

/// As many rows as are looked at together: two blocks of the library's postings.
pub(crate) const BLOCK: usize = 256;
const WITHIN: usize = BLOCK - 1;

/// Some rows, and what a column holds of each.
///
/// INVARIANT: at most [`BLOCK`]; only the first `len` of each array mean anything.
pub(crate) struct Rows {
    docs: [DocId; BLOCK],
    /// The most that each can score.
    bounds: [u32; BLOCK],
    values: [u64; BLOCK],
    others: [u64; BLOCK],
    len: usize,
}

impl Rows {
    pub(crate) const fn new() -> Self {
        Self {
            docs: [0; BLOCK],
            bounds: [0; BLOCK],
            values: [0; BLOCK],
            others: [0; BLOCK],
            len: 0,
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Lets go of all.
    pub(crate) const fn clear(&mut self) {
        self.len = 0;
    }

    pub(crate) fn docs(&self) -> &[DocId] {
        self.docs.get(..self.len).unwrap_or(&[])
    }

    /// Puts those first who can score most.
    pub(crate) fn sort(&mut self) {
        let mut order = [0_u64; BLOCK];
        let places = order.iter_mut().zip(self.docs.iter().zip(&self.bounds));
        for (place, (doc, bound)) in places.take(self.len) {
            *place = u64::from(*bound) << 32 | u64::from(*doc);
        }
        if let Some(order) = order.get_mut(..self.len) {
            order.sort_unstable_by(|one, other| other.cmp(one));
        }
        let places = order.iter().zip(self.docs.iter_mut().zip(&mut self.bounds));
        for (place, (doc, bound)) in places.take(self.len) {
            *doc = u32::try_from(place & u64::from(u32::MAX)).unwrap_or(0);
            *bound = u32::try_from(place >> 32).unwrap_or(0);
        }
    }

    /// The rows with the most that each can score.
    pub(crate) fn bounded(&self) -> impl Iterator<Item = (DocId, u32)> {
        let docs = self.docs.iter().copied();
        docs.zip(self.bounds.iter().copied()).take(self.len)
    }

    /// Adds rows, as many as there is room for.
    pub(crate) fn extend(&mut self, docs: &[DocId]) {
        let room = self.docs.get_mut(self.len..).unwrap_or(&mut []);
        let added = room.len().min(docs.len());
        if let (Some(to), Some(from)) = (room.get_mut(..added), docs.get(..added)) {
            to.copy_from_slice(from);
        }
        self.len += added;
    }

    /// Says of all that they can score so much.
    pub(crate) fn bound(&mut self, most: u32) {
        self.bounds.fill(most);
    }

    /// Reads a column of these rows.
    fn read(&mut self, segment: &Segment, column: Column) {
        if let (Some(docs), Some(values)) =
            (self.docs.get(..self.len), self.values.get_mut(..self.len))
        {
            segment.gather(column, docs, values);
        }
    }

    /// Reads another column of these rows.
    fn read_other(&mut self, segment: &Segment, column: Column) {
        if let (Some(docs), Some(others)) =
            (self.docs.get(..self.len), self.others.get_mut(..self.len))
        {
            segment.gather(column, docs, others);
        }
    }

    /// Keeps the rows whose value passes. Without a branch: what passes is as good as random.
    fn keep(&mut self, passes: impl Fn(u64) -> bool) {
        let mut kept = 0_usize;
        for at in 0..self.len.min(BLOCK) {
            if let (Some(&doc), Some(&value)) = (self.docs.get(at), self.values.get(at))
                && let Some(slot) = self.docs.get_mut(kept & WITHIN)
            {
                *slot = doc;
                kept = kept.wrapping_add(usize::from(passes(value)));
            }
        }
        self.len = kept;
    }

    /// Keeps the rows whose two values pass.
    fn keep_both(&mut self, passes: impl Fn(u64, u64) -> bool) {
        let mut kept = 0_usize;
        for at in 0..self.len.min(BLOCK) {
            if let (Some(&doc), Some(&value), Some(&other)) =
                (self.docs.get(at), self.values.get(at), self.others.get(at))
                && let Some(slot) = self.docs.get_mut(kept & WITHIN)
            {
                *slot = doc;
                kept = kept.wrapping_add(usize::from(passes(value, other)));
            }
        }
        self.len = kept;
    }

    /// Takes from what each can score, and keeps those who can still score enough.
    pub(crate) fn lose(&mut self, enough: u32, lost: impl Fn(u64, u64) -> u32) {
        let mut kept = 0_usize;
        for at in 0..self.len.min(BLOCK) {
            if let (Some(&doc), Some(&bound), Some(&value), Some(&other)) = (
                self.docs.get(at),
                self.bounds.get(at),
                self.values.get(at),
                self.others.get(at),
            ) && let (Some(slot), Some(left)) = (
                self.docs.get_mut(kept & WITHIN),
                self.bounds.get_mut(kept & WITHIN),
            ) {
                let bound = bound.saturating_sub(lost(value, other));
                *slot = doc;
                *left = bound;
                kept = kept.wrapping_add(usize::from(bound >= enough));
            }
        }
        self.len = kept;
    }

    /// Reads one column and takes away by it.
    pub(crate) fn lose_by(
        &mut self,
        segment: &Segment,
        column: Column,
        enough: u32,
        lost: impl Fn(u64) -> u32,
    ) {
        self.read(segment, column);
        self.lose(enough, |value, _| lost(value));
    }

    /// Reads two columns and takes away by both: the first one's value, then the second one's.
    pub(crate) fn lose_by_both(
        &mut self,
        segment: &Segment,
        columns: [Column; 2],
        enough: u32,
        lost: impl Fn(u64, u64) -> u32,
    ) {
        let [first, second] = columns;
        self.read(segment, first);
        self.read_other(segment, second);
        self.lose(enough, lost);
    }

    /// How many bits are set of those wanted in some columns, for each row, taken away by.
    pub(crate) fn lose_by_count(
        &mut self,
        segment: &Segment,
        wanted: &[(Column, u64)],
        lost: &[u32],
        enough: u32,
    ) {
        if let Some(met) = self.others.get_mut(..self.len) {
            met.fill(0);
        }
        for (column, bits) in wanted {
            self.read(segment, *column);
            for (sum, value) in self.others.iter_mut().zip(&self.values).take(self.len) {
                *sum = sum.wrapping_add(u64::from((value & bits).count_ones()));
            }
        }
        self.lose(enough, |_, met| {
            let met = usize::try_from(met).unwrap_or(usize::MAX);
            lost.get(met).copied().unwrap_or(0)
        });
    }

    /// Keeps the rows that these masks admit.
    pub(crate) fn keep_masked(&mut self, segment: &Segment, masks: &[Mask]) {
        for &Mask { column, bits, set } in masks {
            self.read(segment, column);
            self.keep(|value| value & bits == set);
        }
    }

    /// Keeps the rows whose rates are within the budget, and who reach the client.
    pub(crate) fn keep_affordable_and_near(&mut self, segment: &Segment, plan: &Plan<'_>) {
        let (least, most) = (*plan.rates.start(), *plan.rates.end());
        for service in &plan.services {
            if let (Some(docs), Some(values)) =
                (self.docs.get(..self.len), self.values.get_mut(..self.len))
            {
                segment.gather_rates(*service, docs, values);
            }
            self.keep(|rate| least <= rate && rate <= most);
        }
        self.read(segment, Column::Plane);
        self.read_other(segment, Column::HeightRadius);
        let (place, reach) = (plan.place(), REACH.as_slice());
        self.keep_both(|plane, height| {
            let radius = usize::from(codes::radius(height));
            let within = reach.get(radius).copied().unwrap_or(0);
            codes::position(plane, height).chord_squared(place) <= within
        });
    }
}
