//! Destinations with placeholders.

use std::borrow::Cow;

use tidings_core::disconnect::Reason;

use crate::message::Parts;
use crate::rejection::rejection_is_failure;

/// A placeholder can't be filled: the application errs, not the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PlaceholderError {
    #[error(
        "the reply's destination {template} names the variable {name}, which its route has not"
    )]
    NoVariable { template: String, name: String },
    #[error("the reply's destination {template} has a brace that is not closed: write {{name}}")]
    Brace { template: String },
}

impl PlaceholderError {
    fn reason(&self) -> Reason {
        Reason::InternalError
    }
}

rejection_is_failure!(PlaceholderError);

/// `template` with each `{name}` replaced by the value of that variable.
pub(super) fn fill<'t>(template: &'t str, parts: &Parts) -> Result<Cow<'t, str>, PlaceholderError> {
    if !template.contains('{') {
        return Ok(template.into());
    }
    let mut filled = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((text, behind)) = rest.split_once('{') {
        let template = || template.to_owned();
        let (name, behind) = behind
            .split_once('}')
            .ok_or_else(|| PlaceholderError::Brace {
                template: template(),
            })?;
        let value = parts
            .variable(name)
            .ok_or_else(|| PlaceholderError::NoVariable {
                template: template(),
                name: name.to_owned(),
            })?;
        filled.push_str(text);
        filled.push_str(value);
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled.into())
}
