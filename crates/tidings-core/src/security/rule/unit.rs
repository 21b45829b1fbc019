//! What a pattern of segments has in common with another one.

use smallvec::SmallVec;

use crate::destination::{character_bytes, is_wildcard, segment_matches, star_match};

/// One segment of a rule's pattern, or of what a frame asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::security) enum Unit<T> {
    /// This text and no other.
    Literal(T),
    /// `?` and `*` among other characters.
    Glob(T),
    /// One segment whatever it is: `*`, or a variable.
    Any,
    /// `**`: any number of segments.
    Rest,
}

impl<T: AsRef<str>> Unit<T> {
    /// Reads a segment of a pattern.
    pub(in crate::security) fn read(segment: T) -> Self {
        match segment.as_ref() {
            "**" => Self::Rest,
            "*" => Self::Any,
            text if text.contains(is_wildcard) => Self::Glob(segment),
            _ => Self::Literal(segment),
        }
    }

    pub(in crate::security) fn is_rest(&self) -> bool {
        matches!(self, Self::Rest)
    }

    /// Whether it surely matches whatever `inner`, one segment, matches.
    fn contains<U: AsRef<str>>(&self, inner: &Unit<U>) -> bool {
        match (self, inner) {
            (_, Unit::Rest) => false,
            (Self::Any | Self::Rest, _) => true,
            (Self::Literal(text), Unit::Literal(other)) => text.as_ref() == other.as_ref(),
            (Self::Literal(_), _) => false,
            (Self::Glob(text), Unit::Literal(other) | Unit::Glob(other)) => {
                glob_contains(text.as_ref(), other.as_ref())
            }
            (Self::Glob(text), Unit::Any) => glob_contains(text.as_ref(), "*"),
        }
    }

    /// Whether there is a segment that both match.
    fn meets<U: AsRef<str>>(&self, other: &Unit<U>) -> bool {
        match (self, other) {
            (Self::Any | Self::Rest, _) | (_, Unit::Any | Unit::Rest) => true,
            (Self::Literal(text), Unit::Literal(other)) => text.as_ref() == other.as_ref(),
            (Self::Glob(glob), Unit::Literal(text)) => {
                segment_matches(glob.as_ref(), text.as_ref())
            }
            (Self::Literal(text), Unit::Glob(glob)) => {
                segment_matches(glob.as_ref(), text.as_ref())
            }
            (Self::Glob(glob), Unit::Glob(other)) => globs_meet(glob.as_ref(), other.as_ref()),
        }
    }
}

/// Whether `outer` surely matches whatever `inner` matches.
///
/// Each unit of `inner` must be taken whole by one of `outer`, and its `**` only by a `**`. That never says yes wrongly;
/// it says no wrongly where only the order of wildcards differs, such as `*/**` and `**/*`. Costs the product of the
/// lengths at most.
pub(in crate::security) fn contains<T: AsRef<str>, U: AsRef<str>>(
    outer: &[Unit<T>],
    inner: &[Unit<U>],
) -> bool {
    if let [Unit::Rest] = outer {
        return true;
    }
    star_match(
        outer,
        inner,
        Unit::is_rest,
        |rest| rest.len().min(1),
        |unit, rest| rest.first().filter(|one| unit.contains(one)).map(|_| 1),
    )
}

/// Whether there is a list of segments that both match. Exact, but that the list may be longer than destinations may.
pub(in crate::security) fn meet<T: AsRef<str>, U: AsRef<str>>(
    one: &[Unit<T>],
    other: &[Unit<U>],
) -> bool {
    if let [Unit::Rest] = one {
        return true;
    }
    overlap(one, other, Unit::is_rest, Unit::is_rest, Unit::meets)
}

/// As [`contains`], of the characters of two segments.
fn glob_contains(outer: &str, inner: &str) -> bool {
    star_match(
        outer.as_bytes(),
        inner.as_bytes(),
        |unit| *unit == b'*',
        character_bytes,
        |unit, rest| match (unit, rest.first()?) {
            (b'?', b'*') => None,
            (b'?', _) => Some(character_bytes(rest)),
            (unit, byte) => (unit == byte).then_some(1),
        },
    )
}

/// As [`meet`], of the characters of two segments.
fn globs_meet(one: &str, other: &str) -> bool {
    let one: SmallVec<[char; 32]> = one.chars().collect();
    let other: SmallVec<[char; 32]> = other.chars().collect();
    let is_star = |unit: &char| *unit == '*';
    overlap(&one, &other, is_star, is_star, |a, b| {
        a == b || *a == '?' || *b == '?'
    })
}

/// Whether two lists with stars have an instance in common.
///
/// Where both have a star, the middle of each fits into a star of the other, so that only what stands ahead of the first
/// star and behind the last can clash. Where one has none, the other must match it. Costs the product of the lengths at
/// most.
fn overlap<A, B>(
    one: &[A],
    other: &[B],
    one_star: impl Fn(&A) -> bool,
    other_star: impl Fn(&B) -> bool,
    meets: impl Fn(&A, &B) -> bool,
) -> bool {
    let one_has = one.iter().any(&one_star);
    if !other.iter().any(&other_star) {
        return star_match(
            one,
            other,
            one_star,
            |rest| rest.len().min(1),
            |unit, rest| rest.first().filter(|b| meets(unit, b)).map(|_| 1),
        );
    }
    if !one_has {
        return star_match(
            other,
            one,
            other_star,
            |rest| rest.len().min(1),
            |unit, rest| rest.first().filter(|a| meets(a, unit)).map(|_| 1),
        );
    }
    let pair = |(a, b): (&A, &B)| (!one_star(a) && !other_star(b)).then(|| meets(a, b));
    let ahead = one.iter().zip(other).map_while(pair).all(|met| met);
    ahead
        && one
            .iter()
            .rev()
            .zip(other.iter().rev())
            .map_while(pair)
            .all(|met| met)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str) -> Vec<Unit<&str>> {
        text.split('/').map(Unit::read).collect()
    }

    #[test]
    fn what_is_contained() {
        for (outer, inner, expected) in [
            ("a/**", "a/b/c", true),
            ("a/**", "a", true),
            ("a/**", "a/*/b*", true),
            ("a/*", "a/**", false),
            ("a/**/z", "a/**/y/z", true),
            ("a/**/z", "a/**", false),
            ("a/*", "a/b*", true),
            ("a/b*", "a/*", false),
            ("a/b*", "a/bc?", true),
            ("a/b?", "a/b*", false),
            ("a/?é", "a/éé", true),
            ("a/?*", "a/*", false),
            ("a/*?", "a/*?", true),
            ("**", "**", true),
            ("*", "**", false),
            ("**/b/**", "a/**/b/c", true),
            ("a", "?", false),
        ] {
            assert_eq!(
                contains(&units(outer), &units(inner)),
                expected,
                "{outer} {inner}"
            );
        }
    }

    #[test]
    fn what_meets() {
        for (one, other, expected) in [
            ("a/**", "a/b/c", true),
            ("a/**", "b/**", false),
            ("a/**/z", "a/b/**", true),
            ("a/**/z", "a/**/y", false),
            ("a/**/m/**/z", "a/x/**", true),
            ("a/*/c", "a/b/*", true),
            ("a/*/c", "a/b/d", false),
            ("a/*", "a/**/b/c", false),
            ("x*z", "*y", false),
            ("x*z", "xy*", true),
            ("a?c", "?b?", true),
            ("a?c", "?b", false),
            ("a?*", "*é", true),
            ("é?", "?a", true),
        ] {
            assert_eq!(meet(&units(one), &units(other)), expected, "{one} {other}");
            assert_eq!(meet(&units(other), &units(one)), expected, "{other} {one}");
        }
    }
}
