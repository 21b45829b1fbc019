//! Durations and sizes as people write them: `10s`, `500ms`, `1MiB`.

use std::time::Duration;

/// Units of time with their length in milliseconds, longest first.
const TIME_UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Units of size with their length in bytes, longest first. Units of a thousand (`MB`) are left out: half of their
/// writers mean 1 048 576.
const SIZE_UNITS: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Reads `10s`: digits and one of `ms`, `s`, `m`, `h`, `d`. Zero needs no unit.
pub fn parse_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    parse(text, &TIME_UNITS).map(Duration::from_millis)
}

/// Reads `64KiB`, or a plain number of bytes.
pub(super) fn parse_size(text: &str) -> Option<u64> {
    parse_digits(text).or_else(|| parse(text, &SIZE_UNITS))
}

/// Writes what [`parse_duration`] reads, in the longest unit that is exact.
pub(super) fn format_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return "0s".to_owned();
    }
    format(millis, &TIME_UNITS)
}

/// Writes what [`parse_size`] reads, in the longest unit that is exact.
pub(super) fn format_size(bytes: u64) -> String {
    format(bytes, &SIZE_UNITS)
}

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, suffix) = text.split_at(digits);
    let (_, length) = units.iter().find(|(unit, _)| *unit == suffix)?;
    parse_digits(number)?.checked_mul(*length)
}

/// Digits alone: `u64::from_str` would also take `+5`.
pub(super) fn parse_digits(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

fn format(amount: u64, units: &[(&str, u64)]) -> String {
    let exact = |(_, length): &&(&str, u64)| amount >= *length && amount.is_multiple_of(*length);
    match units.iter().find(exact) {
        Some((unit, length)) => format!("{}{unit}", amount / length),
        None => format!("{amount}{}", units[units.len() - 1].0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn durations_have_one_number_and_one_unit() {
        assert_eq!(parse_duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration("10s"), Some(Duration::from_secs(10)));
        assert_eq!(parse_duration("5m"), Some(Duration::from_secs(300)));
        assert_eq!(parse_duration("1h"), Some(Duration::from_secs(3_600)));
        assert_eq!(parse_duration("2d"), Some(Duration::from_secs(172_800)));
        assert_eq!(parse_duration("0"), Some(Duration::ZERO));
        for wrong in [
            "",
            "10",
            "s",
            "-1s",
            "+1s",
            "1.5s",
            "10 s",
            "1h30m",
            "10S",
            "99999999999999999999s",
        ] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
        assert_eq!(
            parse_duration("18446744073709551615d"),
            None,
            "too long for milliseconds"
        );
    }

    #[test]
    fn sizes_are_bytes_or_have_a_binary_unit() {
        assert_eq!(parse_size("1048576"), Some(1_048_576));
        assert_eq!(parse_size("64KiB"), Some(65_536));
        assert_eq!(parse_size("1MiB"), Some(1_048_576));
        assert_eq!(parse_size("2GiB"), Some(2_147_483_648));
        assert_eq!(parse_size("12B"), Some(12));
        for wrong in [
            "", "MiB", "1MB", "1M", "1 MiB", "-1", "+1", "1.5MiB", "1mib",
        ] {
            assert_eq!(parse_size(wrong), None, "{wrong}");
        }
        assert_eq!(
            parse_size("18446744073709551615GiB"),
            None,
            "too large for 64 bits"
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        for millis in [
            0, 1, 999, 1_000, 1_500, 60_000, 90_000, 3_600_000, 86_400_000, 90_000_000,
        ] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse_duration(&format_duration(duration)), Some(duration));
        }
        for bytes in [0, 1, 1_023, 1_024, 1_500, 1_114_112, 1 << 20, 1 << 30] {
            assert_eq!(parse_size(&format_size(bytes)), Some(bytes));
        }
        assert_eq!(format_duration(Duration::from_secs(90)), "90s");
        assert_eq!(format_size(1_114_112), "1088KiB");
    }
}
