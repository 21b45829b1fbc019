//! Ant-style patterns: `?` one character, `*` any characters of one segment, `**` any number of whole segments.

use super::{MAX_SEGMENTS, Separator};
use crate::disconnect::Reason;

/// What a subscription asks for: one exact destination, or all that match.
///
/// Equal when their texts and separators are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    text: Box<str>,
    separator: Separator,
    exact: bool,
}

impl Pattern {
    /// Most wildcards (`?`, `*`, `**`) of one pattern.
    ///
    /// Matching takes at most pattern length x destination length steps, whatever the wildcards; the limit keeps what
    /// many patterns cost together small.
    pub const MAX_WILDCARDS: usize = 8;

    /// Reads a pattern. Whether its prefix is known is for [`Destinations`](super::Destinations) to say.
    ///
    /// # Errors
    /// Too many wildcards or segments, or `**` that is only a part of a segment.
    pub fn parse(text: &str, separator: Separator) -> Result<Self, PatternError> {
        let mut wildcards = 0;
        let mut segments = 0;
        for segment in separator.segments(text) {
            segments += 1;
            if segment == "**" {
                wildcards += 1;
            } else if segment.contains("**") {
                return Err(PatternError::PartialDoubleStar);
            } else {
                wildcards += segment.chars().filter(|c| is_wildcard(*c)).count();
            }
        }
        if segments > MAX_SEGMENTS {
            return Err(PatternError::TooDeep);
        }
        if wildcards > Self::MAX_WILDCARDS {
            return Err(PatternError::TooManyWildcards);
        }
        Ok(Self {
            text: text.into(),
            separator,
            exact: wildcards == 0,
        })
    }

    /// Whether it has no wildcard, so that it matches its own text only.
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// The text it was read from.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it matches all of `destination`.
    pub fn matches(&self, destination: &str) -> bool {
        if self.exact {
            return *self.text == *destination;
        }
        let pattern: Vec<&str> = self.segments().collect();
        let segments: Vec<&str> = self.separator.segments(destination).collect();
        star_match(
            &pattern,
            &segments,
            |unit| *unit == "**",
            |segments| segments.len().min(1),
            |unit, segments| {
                segments
                    .first()
                    .filter(|s| segment_matches(unit, s))
                    .map(|_| 1)
            },
        )
    }

    pub(crate) fn segments(&self) -> impl Iterator<Item = &str> {
        self.separator.segments(&self.text)
    }
}

pub(crate) fn is_wildcard(c: char) -> bool {
    matches!(c, '*' | '?')
}

/// Whether a segment with `?` and `*` matches all of `segment`.
pub(crate) fn segment_matches(pattern: &str, segment: &str) -> bool {
    star_match(
        pattern.as_bytes(),
        segment.as_bytes(),
        |unit| *unit == b'*',
        character_bytes,
        |unit, rest| match (unit, rest.first()?) {
            (b'?', _) => Some(character_bytes(rest)),
            (unit, byte) => (unit == byte).then_some(1),
        },
    )
}

/// Bytes of the first character of `text`, which is UTF-8; 0 at the end.
pub(crate) fn character_bytes(text: &[u8]) -> usize {
    let continuation = text.iter().skip(1).take_while(|byte| **byte & 0xC0 == 0x80);
    text.len().min(1) + continuation.count()
}

/// Matches `text` against units of which stars stand for anything: segments of a destination, or bytes of a segment.
///
/// Only the last star seen is ever tried again, which is enough: whatever an earlier one left to it, it can take.
/// So the cost is the product of the lengths at most, not exponential.
pub(crate) fn star_match<U, T>(
    pattern: &[U],
    text: &[T],
    is_star: impl Fn(&U) -> bool,
    step: impl Fn(&[T]) -> usize,
    takes: impl Fn(&U, &[T]) -> Option<usize>,
) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        match pattern.get(p) {
            None if t == text.len() => return true,
            Some(unit) if is_star(unit) => {
                p += 1;
                star = Some((p, t));
                continue;
            }
            Some(unit) => {
                if let Some(taken) = takes(unit, &text[t..]) {
                    p += 1;
                    t += taken;
                    continue;
                }
            }
            None => {}
        }
        match star {
            Some((after, from)) if from < text.len() => {
                let from = from + step(&text[from..]);
                star = Some((after, from));
                (p, t) = (after, from);
            }
            _ => return false,
        }
    }
}

/// Why a pattern can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// [`Pattern::MAX_WILDCARDS`].
    #[error(
        "the pattern has more than {} wildcards: use fewer",
        Pattern::MAX_WILDCARDS
    )]
    TooManyWildcards,
    /// [`MAX_SEGMENTS`].
    #[error("the pattern has more than {MAX_SEGMENTS} segments: use fewer")]
    TooDeep,
    /// Such as `a**`.
    #[error("** stands beside other characters: give it a segment of its own, or write *")]
    PartialDoubleStar,
}

impl PatternError {
    /// The code of this error.
    pub fn reason(&self) -> Reason {
        Reason::InvalidDestination
    }
}
