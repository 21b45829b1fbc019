//! Percentiles of many durations in little, fixed memory.

use std::time::Duration;

use serde::Serialize;

/// Low bits kept of a value: 2^7 steps in each power of two, so that a percentile is at most 0.8 % too high.
const STEP_BITS: u32 = 7;
const STEPS: usize = 1 << STEP_BITS;
const BUCKETS: usize = STEPS * (64 - STEP_BITS as usize + 1);

/// Counts durations in buckets whose width grows with the value. Recording allocates nothing.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    max: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self {
            buckets: vec![0; BUCKETS],
            count: 0,
            max: 0,
        }
    }

    pub(crate) fn record(&mut self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket_of(nanoseconds)] += 1;
        self.count += 1;
        self.max = self.max.max(nanoseconds);
    }

    pub(crate) fn clear(&mut self) {
        self.buckets.fill(0);
        self.count = 0;
        self.max = 0;
    }

    /// The percentiles that reports show; `None` when nothing was recorded.
    pub(crate) fn latency(&self) -> Option<Latency> {
        (self.count > 0).then(|| Latency {
            p50_us: microseconds(self.quantile(0.50)),
            p95_us: microseconds(self.quantile(0.95)),
            p99_us: microseconds(self.quantile(0.99)),
            max_us: microseconds(self.max),
        })
    }

    /// The upper edge of the bucket that holds the value of rank `ceil(quantile * count)`, in nanoseconds.
    fn quantile(&self, quantile: f64) -> u64 {
        let rank = ((quantile * self.count as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return upper_edge(bucket).min(self.max);
            }
        }
        self.max
    }
}

/// Percentiles in microseconds. The maximum is exact, the others are at most 0.8 % too high.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Latency {
    /// Half of the deliveries took no longer.
    pub p50_us: f64,
    /// 95 of 100 took no longer.
    pub p95_us: f64,
    /// 99 of 100 took no longer.
    pub p99_us: f64,
    /// The slowest one.
    pub max_us: f64,
}

fn bucket_of(value: u64) -> usize {
    if value < STEPS as u64 {
        return value as usize;
    }
    let shift = 63 - value.leading_zeros() - STEP_BITS;
    let step = (value >> shift) as usize - STEPS;
    STEPS * (shift as usize + 1) + step
}

fn upper_edge(bucket: usize) -> u64 {
    if bucket < STEPS {
        return bucket as u64;
    }
    let shift = bucket / STEPS - 1;
    let lower = ((STEPS + bucket % STEPS) as u64) << shift;
    lower + ((1 << shift) - 1)
}

fn microseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_a_thousand_milliseconds() {
        let mut histogram = Histogram::new();
        for milliseconds in (1..=1_000).rev() {
            histogram.record(Duration::from_millis(milliseconds));
        }
        let latency = histogram.latency().expect("values");
        for (found, exact) in [
            (latency.p50_us, 500_000.0),
            (latency.p95_us, 950_000.0),
            (latency.p99_us, 990_000.0),
        ] {
            assert!(
                found >= exact && found < exact * 1.008,
                "{found} for {exact}"
            );
        }
        assert_eq!(latency.max_us, 1_000_000.0);
    }

    #[test]
    fn one_value_is_every_percentile() {
        let mut histogram = Histogram::new();
        histogram.record(Duration::from_nanos(123_456_789));
        let exact = 123_456.789;
        let expected = Latency {
            p50_us: exact,
            p95_us: exact,
            p99_us: exact,
            max_us: exact,
        };
        assert_eq!(histogram.latency(), Some(expected));
        histogram.clear();
        assert_eq!(histogram.latency(), None);
    }

    #[test]
    fn every_value_lies_in_its_bucket() {
        let edges = (0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, (1 << bit) + 1]);
        for value in edges.chain([u64::MAX]) {
            let bucket = bucket_of(value);
            assert!(upper_edge(bucket) >= value, "{value}");
            assert!(bucket == 0 || upper_edge(bucket - 1) < value, "{value}");
        }
    }
}
