//! What one subscriber received of one publisher: each sequence number once, in order?

use std::ops::Range;

/// Gaps remembered per subscriber and publisher; what was skipped in later ones counts as lost even if it comes.
const MAX_GAPS: usize = 64;

/// How a message fits what came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The next one, or one after a gap.
    InOrder,
    /// One that was skipped and comes now.
    OutOfOrder,
    /// It was here before.
    Duplicate,
}

/// The sequence numbers of one publisher as one subscriber saw them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// The lowest number above all that came.
    next: u64,
    /// Skipped and still missing, ascending.
    gaps: Vec<Range<u64>>,
    /// Skipped when `gaps` was full.
    forgotten: u64,
}

impl Tally {
    /// Counts the arrival of message `sequence`.
    pub(crate) fn record(&mut self, sequence: u64) -> Arrival {
        if sequence >= self.next {
            if sequence > self.next {
                self.open_gap(self.next..sequence);
            }
            self.next = sequence + 1;
            return Arrival::InOrder;
        }
        if self.fill(sequence) {
            Arrival::OutOfOrder
        } else {
            Arrival::Duplicate
        }
    }

    /// How many of the `sent` messages 0, 1, 2, ... never came.
    pub(crate) fn lost(&self, sent: u64) -> u64 {
        let skipped: u64 = self.gaps.iter().map(|gap| gap.end - gap.start).sum();
        skipped + self.forgotten + sent.saturating_sub(self.next)
    }

    fn open_gap(&mut self, gap: Range<u64>) {
        if self.gaps.len() < MAX_GAPS {
            self.gaps.push(gap);
        } else {
            self.forgotten += gap.end - gap.start;
        }
    }

    /// Takes `sequence` out of the gap it lies in.
    fn fill(&mut self, sequence: u64) -> bool {
        let Some(at) = self.gaps.iter().position(|gap| gap.contains(&sequence)) else {
            return false;
        };
        let gap = self.gaps.remove(at);
        for part in [sequence + 1..gap.end, gap.start..sequence] {
            if !part.is_empty() {
                self.gaps.insert(at, part);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(sequence: &[u64]) -> (Tally, Vec<Arrival>) {
        let mut tally = Tally::default();
        let arrivals = sequence
            .iter()
            .map(|&number| tally.record(number))
            .collect();
        (tally, arrivals)
    }

    #[test]
    fn each_once_and_in_order() {
        let (tally, arrivals) = arrivals(&[0, 1, 2, 3]);
        assert_eq!(arrivals, [Arrival::InOrder; 4]);
        assert_eq!(tally.lost(4), 0);
        assert_eq!(tally.lost(6), 2, "the last two never came");
    }

    #[test]
    fn a_gap_is_lost() {
        let (tally, arrivals) = arrivals(&[1, 2, 5]);
        assert_eq!(arrivals, [Arrival::InOrder; 3]);
        assert_eq!(tally.lost(6), 3);
    }

    #[test]
    fn a_late_one_is_out_of_order_and_not_lost() {
        let (tally, arrivals) = arrivals(&[0, 4, 2, 1, 3]);
        assert_eq!(
            arrivals,
            [
                Arrival::InOrder,
                Arrival::InOrder,
                Arrival::OutOfOrder,
                Arrival::OutOfOrder,
                Arrival::OutOfOrder
            ]
        );
        assert_eq!(tally.lost(5), 0);
    }

    #[test]
    fn a_second_one_is_a_duplicate() {
        let (tally, arrivals) = arrivals(&[0, 0, 2, 1, 1, 2]);
        assert_eq!(
            arrivals,
            [
                Arrival::InOrder,
                Arrival::Duplicate,
                Arrival::InOrder,
                Arrival::OutOfOrder,
                Arrival::Duplicate,
                Arrival::Duplicate
            ]
        );
        assert_eq!(tally.lost(3), 0);
    }

    #[test]
    fn more_gaps_than_remembered_are_still_lost() {
        let every_second: Vec<u64> = (0..1_000).map(|number| number * 2).collect();
        let (tally, _) = arrivals(&every_second);
        assert_eq!(tally.lost(1_999), 999);
        assert_eq!(tally.gaps.len(), MAX_GAPS);
    }
}
