//! Numbers, sizes and lengths of time.

use std::time::Duration;

use super::super::raw::Raw;
use super::super::units::{format_duration, format_size, parse_duration, parse_size};
use super::{Form, quoted};

/// A whole number.
pub(in super::super) struct Count<T> {
    pub(in super::super) min: T,
    pub(in super::super) max: T,
}

impl<T: Copy + PartialOrd + std::fmt::Display + TryFrom<u64>> Form for Count<T> {
    type Value = T;

    fn kind(&self) -> &'static str {
        "whole number"
    }

    fn range(&self) -> String {
        format!("{} to {}", self.min, self.max)
    }

    fn allowed(&self) -> String {
        format!("a {} from {}", self.kind(), self.range())
    }

    fn read(&self, raw: &Raw) -> Option<T> {
        let value = T::try_from(raw.integer()?).ok()?;
        (self.min <= value && value <= self.max).then_some(value)
    }

    fn show(&self, value: &T) -> Option<String> {
        Some(value.to_string())
    }
}

/// A number of bytes.
pub(in super::super) struct Size {
    pub(in super::super) min: u64,
    pub(in super::super) max: u64,
}

impl Form for Size {
    type Value = usize;

    fn kind(&self) -> &'static str {
        "size"
    }

    fn range(&self) -> String {
        let [min, max] = [self.min, self.max].map(format_size);
        format!("{min} to {max}")
    }

    fn allowed(&self) -> String {
        format!("a size from {}, such as 65536 or \"64KiB\"", self.range())
    }

    fn read(&self, raw: &Raw) -> Option<usize> {
        let bytes = raw.integer().or_else(|| parse_size(raw.text()?))?;
        (self.min..=self.max)
            .contains(&bytes)
            .then(|| usize::try_from(bytes).ok())?
    }

    fn show(&self, value: &usize) -> Option<String> {
        Some(quoted(&format_size(*value as u64)))
    }
}

/// A length of time.
pub(in super::super) struct Time {
    pub(in super::super) min: Duration,
    pub(in super::super) max: Duration,
    /// Zero is accepted too, though it is less than `min`.
    pub(in super::super) or_zero: bool,
}

impl Form for Time {
    type Value = Duration;

    fn kind(&self) -> &'static str {
        "duration"
    }

    fn range(&self) -> String {
        let zero = if self.or_zero { "0s, or " } else { "" };
        format!(
            "{zero}{} to {}",
            format_duration(self.min),
            format_duration(self.max)
        )
    }

    fn allowed(&self) -> String {
        format!("a duration, {}, such as \"10s\"", self.range())
    }

    fn read(&self, raw: &Raw) -> Option<Duration> {
        let duration = match raw.integer() {
            Some(0) => Duration::ZERO,
            _ => parse_duration(raw.text()?)?,
        };
        let accepted =
            (self.min..=self.max).contains(&duration) || (self.or_zero && duration.is_zero());
        accepted.then_some(duration)
    }

    fn show(&self, value: &Duration) -> Option<String> {
        Some(quoted(&format_duration(*value)))
    }
}
