//! One segment of a pattern.

use std::cmp::Reverse;
use std::ops::Range;

/// What one segment takes; `Rest` takes any number of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(Box<str>),
    Partial(Partial),
    /// Any text but none.
    Any {
        variable: bool,
    },
    Rest,
}

/// Text with wildcards in it: `literal wildcard literal ... wildcard literal`, of which the outer literals may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Partial {
    pub(crate) literals: Vec<Box<str>>,
    /// Whether each is a variable, which takes one character at least, or a star, which may take none.
    pub(crate) wildcards: Vec<bool>,
}

/// What goes first is less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order<'a> {
    Literal(&'a str),
    Partial(Reverse<usize>),
    Any,
    Rest,
}

impl Segment {
    pub(crate) fn order(&self) -> Order<'_> {
        match self {
            Self::Literal(text) => Order::Literal(text),
            Self::Partial(partial) => Order::Partial(Reverse(partial.text_bytes())),
            Self::Any { .. } => Order::Any,
            Self::Rest => Order::Rest,
        }
    }

    pub(crate) fn ties_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Partial(one), Self::Partial(another)) => {
                one.text_bytes() == another.text_bytes() && one.overlaps(another)
            }
            (one, another) => one.order() == another.order(),
        }
    }
}

impl Partial {
    /// Bytes of its literals.
    pub(crate) fn text_bytes(&self) -> usize {
        self.literals.iter().map(|literal| literal.len()).sum()
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        self.walk(text, |_, _| ())
    }

    /// Adds where the values of the variables lie, counted from `start` at the beginning of `text`.
    pub(crate) fn capture(&self, text: &str, start: usize, values: &mut Vec<Range<usize>>) {
        self.walk(text, |variable, value| {
            if variable {
                values.push(start + value.start..start + value.end);
            }
        });
    }

    /// Each wildcard takes as little as it can, from left to right, the last one what is left. What one leaves, the
    /// next can take, so nothing is ever tried twice.
    fn walk(&self, text: &str, mut take: impl FnMut(bool, Range<usize>)) -> bool {
        let [first, middle @ .., last] = &self.literals[..] else {
            return false;
        };
        let [wildcards @ .., last_wildcard] = &self.wildcards[..] else {
            return false;
        };
        let Some(inner) = text
            .strip_prefix(&**first)
            .and_then(|rest| rest.strip_suffix(&**last))
        else {
            return false;
        };
        let end = first.len() + inner.len();
        let mut at = first.len();
        for (variable, literal) in wildcards.iter().zip(middle) {
            let least = least_bytes(*variable, &text[at..end]);
            let found =
                least.and_then(|least| Some(at + least + text[at + least..end].find(&**literal)?));
            let Some(found) = found else { return false };
            take(*variable, at..found);
            at = found + literal.len();
        }
        take(*last_wildcard, at..end);
        least_bytes(*last_wildcard, &text[at..end]).is_some()
    }

    /// Whether some text fits both. Each has a wildcard, which takes all that the other wants in the middle, so only
    /// the two ends can keep them apart.
    fn overlaps(&self, other: &Self) -> bool {
        let ends = |partial: &Self| {
            let literals = &partial.literals;
            (literals[0].clone(), literals[literals.len() - 1].clone())
        };
        let ((head, tail), (other_head, other_tail)) = (ends(self), ends(other));
        (head.starts_with(&*other_head) || other_head.starts_with(&*head))
            && (tail.ends_with(&*other_tail) || other_tail.ends_with(&*tail))
    }
}

/// What a wildcard takes at least of `text`; `None` where there is not so much.
fn least_bytes(variable: bool, text: &str) -> Option<usize> {
    if variable {
        text.chars().next().map(char::len_utf8)
    } else {
        Some(0)
    }
}
