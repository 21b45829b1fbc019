//! Patterns of routes: segments that are text, `*`, `{variable}`, both within a text, or at the end `**`.

use std::ops::Range;

use tidings_core::destination::Separator;

use super::segment::{Partial, Segment};

/// What one route takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoutePattern {
    text: Box<str>,
    separator: char,
    segments: Vec<Segment>,
    variables: Vec<Box<str>>,
}

impl RoutePattern {
    /// Reads a pattern; one leading `/` counts for nothing.
    pub(crate) fn parse(text: &str, separator: Separator) -> Result<Self, RoutePatternError> {
        let text = text.strip_prefix('/').unwrap_or(text);
        let separator = separator.as_char();
        let mut variables = Vec::new();
        let mut segments = Vec::new();
        if !text.is_empty() {
            for segment in text.split(separator) {
                if segments.last() == Some(&Segment::Rest) {
                    return Err(RoutePatternError::RestNotLast);
                }
                segments.push(Segment::parse(segment, &mut variables)?);
            }
        }
        Ok(Self {
            text: text.into(),
            separator,
            segments,
            variables,
        })
    }

    /// The pattern without a leading `/`.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The names of the variables, in order.
    pub(crate) fn variables(&self) -> &[Box<str>] {
        &self.variables
    }

    pub(crate) fn is_exact(&self) -> bool {
        let mut segments = self.segments.iter();
        segments.all(|segment| matches!(segment, Segment::Literal(_)))
    }

    /// Where in `path`, which this pattern matches, the values of the variables lie.
    pub(crate) fn capture(&self, path: &str) -> Vec<Range<usize>> {
        let mut values = Vec::with_capacity(self.variables.len());
        if self.variables.is_empty() {
            return values;
        }
        let mut start = 0;
        for (segment, text) in self.segments.iter().zip(path.split(self.separator)) {
            match segment {
                Segment::Any { variable: true } => values.push(start..start + text.len()),
                Segment::Partial(partial) => partial.capture(text, start, &mut values),
                Segment::Any { variable: false } | Segment::Literal(_) | Segment::Rest => {}
            }
            start += text.len() + self.separator.len_utf8();
        }
        values
    }

    /// Whether some path fits both as well, so that none could say which one it is for.
    pub(crate) fn ties_with(&self, other: &Self) -> bool {
        self.segments.len() == other.segments.len()
            && self
                .segments
                .iter()
                .zip(&other.segments)
                .all(|(one, another)| one.ties_with(another))
    }

    /// Whether this one goes first where both match: at the first segment that differs, text goes before a part, a
    /// part with more text before one with less, `*` and `{variable}` after them, and `**` last.
    pub(crate) fn goes_before(&self, other: &Self) -> bool {
        let order = self.segments.iter().map(Segment::order);
        order.lt(other.segments.iter().map(Segment::order))
    }
}

impl Segment {
    fn parse(text: &str, variables: &mut Vec<Box<str>>) -> Result<Self, RoutePatternError> {
        match text {
            "" => return Err(RoutePatternError::EmptySegment),
            "**" => return Ok(Self::Rest),
            "*" => return Ok(Self::Any { variable: false }),
            _ => {}
        }
        if text.contains('?') {
            return Err(RoutePatternError::QuestionMark);
        }
        let partial = Partial::parse(text, variables)?;
        Ok(match &partial.wildcards[..] {
            [] => Self::Literal(text.into()),
            [variable] if partial.text_bytes() == 0 => Self::Any {
                variable: *variable,
            },
            _ => Self::Partial(partial),
        })
    }
}

impl Partial {
    fn parse(text: &str, variables: &mut Vec<Box<str>>) -> Result<Self, RoutePatternError> {
        let mut partial = Self::default();
        let mut rest = text;
        while let Some(at) = rest.find(['*', '{', '}']) {
            let literal = &rest[..at];
            if literal.is_empty() && !partial.wildcards.is_empty() {
                return Err(RoutePatternError::AdjacentWildcards);
            }
            partial.literals.push(literal.into());
            let wildcard = &rest[at..];
            rest = if let Some(behind) = wildcard.strip_prefix('*') {
                partial.wildcards.push(false);
                behind
            } else {
                let name = wildcard
                    .strip_prefix('{')
                    .and_then(|rest| rest.split_once('}'));
                let (name, behind) = name.ok_or(RoutePatternError::Brace)?;
                if name.is_empty() || name.contains(['*', '{']) {
                    return Err(RoutePatternError::Brace);
                }
                if variables.iter().any(|known| **known == *name) {
                    return Err(RoutePatternError::RepeatedVariable { name: name.into() });
                }
                variables.push(name.into());
                partial.wildcards.push(true);
                behind
            };
        }
        partial.literals.push(rest.into());
        Ok(partial)
    }
}

/// Why a pattern of a route is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RoutePatternError {
    #[error("it has an empty segment: write one separator between two names and none at the end")]
    EmptySegment,
    #[error("`**` stands before other segments: it stands for all the rest, so write it last")]
    RestNotLast,
    #[error("`?` is no wildcard of routes: use `*` or a variable")]
    QuestionMark,
    #[error("a brace is not closed, not opened, or has no name in it: write {{name}}")]
    Brace,
    #[error("two wildcards stand side by side, so that none ends: write text between them")]
    AdjacentWildcards,
    #[error("the variable {name} stands in it twice: give each a name of its own")]
    RepeatedVariable { name: Box<str> },
}
