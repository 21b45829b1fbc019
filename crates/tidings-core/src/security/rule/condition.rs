//! What a rule asks of a principal.

use std::fmt;

use serde_json::{Number, Value as Json};

use super::words::Quoted;
use crate::security::{Claims, Principal};

/// A condition, or that it does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clause {
    pub(super) is_negated: bool,
    pub(super) condition: Condition,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    Authenticated,
    Anonymous,
    Role(Value),
    User(Value),
    Claim {
        name: ClaimName,
        test: ClaimTest,
        value: Value,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClaimTest {
    Equals,
    Contains,
}

/// What something is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(Box<str>),
    /// A variable of the pattern, by its place among them.
    Variable {
        name: Box<str>,
        index: usize,
    },
}

/// Something that a condition asks of the principal alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::security) enum Requirement<'r> {
    Role(&'r str),
    User(&'r str),
    /// That the claim equals or contains it.
    Claim(&'r ClaimName, &'r str),
}

impl Clause {
    /// What must be so for it to hold; `None` where it may hold without.
    pub(super) fn requirement(&self) -> Option<Requirement<'_>> {
        match &self.condition {
            _ if self.is_negated => None,
            Condition::Role(Value::Text(role)) => Some(Requirement::Role(role)),
            Condition::User(Value::Text(name)) => Some(Requirement::User(name)),
            Condition::Claim {
                name,
                value: Value::Text(value),
                ..
            } => Some(Requirement::Claim(name, value)),
            _ => None,
        }
    }

    /// Whether it holds; `None` where that depends on a variable that is not known.
    pub(super) fn holds<'t>(
        &self,
        principal: &Principal,
        variable: &impl Fn(usize) -> Option<&'t str>,
    ) -> Option<bool> {
        self.condition
            .holds(principal, variable)
            .map(|holds| holds != self.is_negated)
    }
}

impl Condition {
    fn holds<'t>(
        &self,
        principal: &Principal,
        variable: &impl Fn(usize) -> Option<&'t str>,
    ) -> Option<bool> {
        let holds = match self {
            Self::Authenticated => principal.is_authenticated,
            Self::Anonymous => !principal.is_authenticated,
            Self::Role(role) => principal.has_role(role.text(variable)?),
            Self::User(name) => {
                let name = name.text(variable)?;
                !name.is_empty() && principal.name.as_deref() == Some(name)
            }
            Self::Claim { name, test, value } => {
                let value = value.text(variable)?;
                name.find(&principal.claims)
                    .is_some_and(|claim| test.holds(claim, value))
            }
        };
        Some(holds)
    }
}

impl Value {
    fn text<'a, 't: 'a>(&'a self, variable: &impl Fn(usize) -> Option<&'t str>) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Variable { index, .. } => variable(*index),
        }
    }
}

impl ClaimTest {
    fn holds(self, claim: &Json, value: &str) -> bool {
        match (self, claim) {
            (Self::Equals, claim) => equals(claim, value),
            (Self::Contains, Json::Array(values)) => values.iter().any(|one| equals(one, value)),
            (Self::Contains, Json::String(words)) => {
                !value.is_empty() && words.split(' ').any(|word| word == value)
            }
            (Self::Contains, _) => false,
        }
    }
}

/// Strings byte by byte, numbers as JSON writes them; nothing else but `true` and `false` equals a text.
fn equals(claim: &Json, value: &str) -> bool {
    match claim {
        Json::String(text) => text == value,
        Json::Bool(true) => value == "true",
        Json::Bool(false) => value == "false",
        Json::Number(number) => number_equals(number, value),
        Json::Null | Json::Array(_) | Json::Object(_) => false,
    }
}

/// The text that [`equals`].
fn with_text(claim: &Json, mut on_text: impl FnMut(&str)) {
    match claim {
        Json::String(text) => on_text(text),
        Json::Bool(true) => on_text("true"),
        Json::Bool(false) => on_text("false"),
        Json::Number(number) => on_text(&number.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => {}
    }
}

fn number_equals(number: &Number, value: &str) -> bool {
    let mut expected = Expected(value);
    fmt::write(&mut expected, format_args!("{number}")).is_ok() && expected.0.is_empty()
}

/// Takes only the text that it holds: a comparison without a buffer.
struct Expected<'a>(&'a str);

impl fmt::Write for Expected<'_> {
    fn write_str(&mut self, written: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(written).ok_or(fmt::Error)?;
        Ok(())
    }
}

/// The name of a claim, or a path of names into nested objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::security) struct ClaimName(pub(super) Box<str>);

impl ClaimName {
    /// Every text that the claim equals or contains.
    pub(in crate::security) fn each_text(&self, claims: &Claims, mut on_text: impl FnMut(&str)) {
        match self.find(claims) {
            None => {}
            Some(Json::Array(values)) => values.iter().for_each(|one| with_text(one, &mut on_text)),
            Some(claim) => {
                with_text(claim, &mut on_text);
                if let Json::String(words) = claim {
                    words.split(' ').for_each(on_text);
                }
            }
        }
    }

    /// The claim that is called so whole goes first: names that are addresses have dots in them.
    fn find<'c>(&self, claims: &'c Claims) -> Option<&'c Json> {
        claims.get(&*self.0).or_else(|| {
            let (first, path) = self.0.split_once('.')?;
            path.split('.')
                .try_fold(claims.get(first)?, |claim, name| claim.get(name))
        })
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_negated {
            formatter.write_str("not ")?;
        }
        match &self.condition {
            Condition::Authenticated => formatter.write_str("authenticated"),
            Condition::Anonymous => formatter.write_str("anonymous"),
            Condition::Role(role) => write!(formatter, "role {role}"),
            Condition::User(name) => write!(formatter, "user = {name}"),
            Condition::Claim { name, test, value } => {
                let test = match test {
                    ClaimTest::Equals => "=",
                    ClaimTest::Contains => "contains",
                };
                write!(formatter, "claim {} {test} {value}", Quoted(&name.0))
            }
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => Quoted(text).fmt(formatter),
            Self::Variable { name, .. } => write!(formatter, "{{{name}}}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claim_equals_what_it_is_written_as() {
        for (claim, value, expected) in [
            (json!("a"), "a", true),
            (json!("a"), "A", false),
            (json!(5), "5", true),
            (json!(5), "05", false),
            (json!(5), "+5", false),
            (json!(-5), "-5", true),
            (json!(1.5), "1.5", true),
            (json!(15), "1", false),
            (json!(1), "15", false),
            (json!(true), "true", true),
            (json!(false), "true", false),
            (json!(null), "null", false),
            (json!(["a"]), "a", false),
            (json!({"a": 1}), "a", false),
        ] {
            assert_eq!(
                ClaimTest::Equals.holds(&claim, value),
                expected,
                "{claim} {value}"
            );
        }
    }

    #[test]
    fn arrays_and_words_contain() {
        for (claim, value, expected) in [
            (json!(["a", "b"]), "b", true),
            (json!(["ab"]), "b", false),
            (json!([7, true]), "7", true),
            (json!("read  write"), "write", true),
            (json!("read  write"), "", false),
            (json!("rewrite"), "write", false),
            (json!([["a"]]), "a", false),
            (json!(7), "7", false),
            (json!({"a": true}), "a", false),
        ] {
            assert_eq!(
                ClaimTest::Contains.holds(&claim, value),
                expected,
                "{claim} {value}"
            );
        }
    }

    #[test]
    fn a_path_leads_into_objects_unless_a_claim_is_called_so() {
        let claims = |value: Json| value.as_object().expect("an object").clone();
        let name = ClaimName("a.b.c".into());
        assert_eq!(
            name.find(&claims(json!({"a": {"b": {"c": 1}}}))),
            Some(&json!(1))
        );
        assert_eq!(
            name.find(&claims(json!({"a": {"b": {"c": 1}}, "a.b.c": 2}))),
            Some(&json!(2))
        );
        assert_eq!(name.find(&claims(json!({"a": {"b": [1]}}))), None);
        assert_eq!(name.find(&claims(json!({"a": "b.c"}))), None);
    }
}
