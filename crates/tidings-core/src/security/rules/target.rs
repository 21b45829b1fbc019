//! What a frame asks for, as rules are held against it.

use smallvec::SmallVec;

use crate::destination::{MAX_SEGMENTS, is_wildcard};
use crate::security::rule::{Action, Escaped, Layout, Position, Unit};

/// The destination of a frame, or the pattern of a SUBSCRIBE: a destination is a pattern that matches itself only.
pub(super) struct Target<'t> {
    pub(super) units: SmallVec<[Unit<&'t str>; 16]>,
    /// Units ahead of the first `**`.
    fixed: usize,
    /// The name of a user that is written with escapes, where it stands; `None` where they are broken.
    name: Option<(usize, Option<&'t str>)>,
}

impl<'t> Target<'t> {
    /// `None` for what no rule can be asked about: too many segments, or a pattern that reaches from elsewhere into the
    /// destinations of users.
    pub(super) fn new(
        layout: &Layout,
        action: Action,
        destination: &'t str,
        segments: &[&'t str],
        escaped: &'t Escaped,
    ) -> Option<Self> {
        if segments.len() > MAX_SEGMENTS {
            return None;
        }
        let name = escaped.as_ref().map(|(at, name)| (*at, name.as_deref()));
        let wildcard = match action {
            Action::Subscribe => destination.find(is_wildcard),
            Action::Connect | Action::Send => None,
        };
        let mut units: SmallVec<[Unit<&str>; 16]> = SmallVec::new();
        match wildcard {
            Some(at) if layout.strays_to_users(destination, at) => return None,
            Some(_) => units.extend(segments.iter().copied().map(Unit::read)),
            None => units.extend(segments.iter().copied().map(Unit::Literal)),
        }
        if action == Action::Send
            && let Some((at, Some(name))) = name
            && let Some(unit) = units.get_mut(at)
        {
            *unit = Unit::Literal(name);
        }
        let fixed = units.iter().position(Unit::is_rest).unwrap_or(units.len());
        Some(Self { units, fixed, name })
    }

    /// What stands at the position in whatever destination it is; `None` where that is not certain, or nothing.
    pub(super) fn value(&self, position: Position) -> Option<&'t str> {
        let index = match position {
            Position::Start(index) => Some(index).filter(|index| *index < self.fixed)?,
            Position::End(behind) => self.index_of_end(behind)?,
        };
        let Unit::Literal(text) = self.units.get(index)? else {
            return None;
        };
        if self.fixed < self.units.len() && index > self.fixed {
            // With escapes it means one thing if `**` takes nothing and this is the name of a user, another if not.
            return Some(*text).filter(|text| !text.contains('%') && !text.is_empty());
        }
        match self.name {
            Some((at, name)) if at == index => name,
            _ => Some(*text).filter(|text| !text.is_empty()),
        }
    }

    /// Which unit has so many segments behind it, if that is certain.
    fn index_of_end(&self, behind: usize) -> Option<usize> {
        let index = self.units.len().checked_sub(behind + 1)?;
        let is_certain = !self.units[index..].iter().any(Unit::is_rest);
        is_certain.then_some(index)
    }
}
