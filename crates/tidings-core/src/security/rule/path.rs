//! The pattern of a rule, as one kind of frame is held against it.

use smallvec::SmallVec;

use super::unit::Unit;
use super::{Action, MAX_VARIABLES, RuleError, layout::Layout};
use crate::destination::{MAX_SEGMENTS, Pattern, PatternError, is_wildcard};
use crate::user::unescape;

/// The pattern of a rule, as one kind of frame is held against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::security) struct Path {
    pub(in crate::security) units: Box<[Unit<Box<str>>]>,
    /// How many units are literal ahead of the first that is not.
    pub(in crate::security) certain: usize,
    /// Where the variables stand, in the order in which the pattern has them.
    pub(in crate::security) variables: SmallVec<[Position; 2]>,
}

/// Where a variable stands, whatever the `**` of the pattern take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::security) enum Position {
    /// So many segments ahead of it.
    Start(usize),
    /// So many segments behind it.
    End(usize),
}

impl Path {
    /// What matches everything.
    pub(super) fn everything() -> Self {
        Self {
            units: Box::new([Unit::Rest]),
            certain: 0,
            variables: SmallVec::new(),
        }
    }

    /// Reads the pattern that stands at this column.
    pub(super) fn read(
        layout: &Layout,
        action: Action,
        pattern: &str,
        column: usize,
    ) -> Result<(Self, Vec<Box<str>>), RuleError> {
        let fault = |error| RuleError::Pattern {
            column,
            pattern: pattern.to_owned(),
            error,
        };
        let segments = layout.segments(action, pattern);
        check(&segments).map_err(fault)?;
        let mut units: Vec<Unit<Box<str>>> = Vec::with_capacity(segments.len());
        let mut bound: Vec<(usize, Box<str>)> = Vec::new();
        for (index, segment) in segments.iter().enumerate() {
            if segment.contains(['{', '}']) {
                let name = variable_name(segment).ok_or_else(|| RuleError::Variable {
                    column,
                    found: (*segment).to_owned(),
                })?;
                bind(&mut bound, index, name, column)?;
                units.push(Unit::Any);
            } else {
                units.push(Unit::read((*segment).into()));
            }
        }
        if action == Action::Send {
            let at = layout.name_at(action, pattern);
            unescape_name(at.and_then(|at| units.get_mut(at)), column)?;
        }
        let variables = positions(&units, &bound, column)?;
        let names = bound.into_iter().map(|(_, name)| name).collect();
        let is_literal = |unit: &Unit<_>| matches!(unit, Unit::Literal(_));
        let path = Self {
            certain: units.iter().take_while(|unit| is_literal(unit)).count(),
            units: units.into(),
            variables,
        };
        Ok((path, names))
    }
}

fn check(segments: &[&str]) -> Result<(), PatternError> {
    if segments.len() > MAX_SEGMENTS {
        return Err(PatternError::TooDeep);
    }
    let mut wildcards = 0;
    for segment in segments {
        if *segment == "**" {
            wildcards += 1;
        } else if segment.contains("**") {
            return Err(PatternError::PartialDoubleStar);
        } else {
            wildcards += segment.chars().filter(|c| is_wildcard(*c)).count();
        }
    }
    if wildcards > Pattern::MAX_WILDCARDS {
        return Err(PatternError::TooManyWildcards);
    }
    Ok(())
}

/// NAME of `{NAME}`.
pub(super) fn variable_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    (!name.is_empty() && name.chars().all(is_name)).then_some(name)
}

fn bind(
    bound: &mut Vec<(usize, Box<str>)>,
    index: usize,
    name: &str,
    column: usize,
) -> Result<(), RuleError> {
    if bound.iter().any(|(_, other)| **other == *name) {
        let name = name.to_owned();
        return Err(RuleError::VariableTwice { column, name });
    }
    if bound.len() == MAX_VARIABLES {
        return Err(RuleError::TooManyVariables { column });
    }
    bound.push((index, name.into()));
    Ok(())
}

/// Names of users are compared as what they mean, or `%62ob` would pass where `bob` may not.
fn unescape_name(unit: Option<&mut Unit<Box<str>>>, column: usize) -> Result<(), RuleError> {
    let Some(Unit::Literal(name)) = unit else {
        return Ok(());
    };
    let unescaped = unescape(name).ok_or_else(|| RuleError::Escape {
        column,
        name: name.to_string(),
    })?;
    *name = unescaped.into();
    Ok(())
}

fn positions(
    units: &[Unit<Box<str>>],
    bound: &[(usize, Box<str>)],
    column: usize,
) -> Result<SmallVec<[Position; 2]>, RuleError> {
    let first = units.iter().position(Unit::is_rest);
    let last = units.iter().rposition(Unit::is_rest);
    let position = |(index, name): &(usize, Box<str>)| {
        if first.is_none_or(|first| *index < first) {
            Ok(Position::Start(*index))
        } else if last.is_none_or(|last| *index > last) {
            Ok(Position::End(units.len() - 1 - index))
        } else {
            let name = name.to_string();
            Err(RuleError::VariableAmbiguous { column, name })
        }
    };
    bound.iter().map(position).collect()
}
