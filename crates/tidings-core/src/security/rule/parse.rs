//! Reads a rule.

use super::condition::{ClaimName, ClaimTest, Clause, Condition, Value};
use super::layout::Layout;
use super::path::{Path, variable_name};
use super::words::{Word, Words};
use super::{Action, Frames, MAX_BYTES, Rule, RuleError};

const EFFECT: &str = "`allow` or `deny`";
const FRAMES: &str =
    "`any`, or some of `connect`, `send` and `subscribe` with a comma and no space between them";
const AFTER_PATTERN: &str =
    "`if` and a condition, or nothing more (a pattern with a space in it is quoted)";
const AFTER_CONDITION: &str = "`and` and another condition, or nothing more";
const CONDITION: &str = "`authenticated`, `anonymous`, `role NAME`, `user = NAME`, `claim NAME = VALUE` or `claim NAME contains VALUE`, with `not` ahead of it if it is not to hold";
const ROLE: &str = "the name of a role";
const CLAIM: &str = "the name of a claim (quoted if it has a space or begins with a brace)";
const EQUALS: &str = "`=` with a space on both sides";
const TEST: &str = "`=` with a space on both sides, or `contains`";
const VALUE: &str = "a word, a \"quoted string\" or a {variable} of the pattern";

pub(super) fn rule(text: &str, layout: &Layout) -> Result<Rule, RuleError> {
    check(text)?;
    let mut words = Words::new(text);
    let is_allow = effect(&words.expect(EFFECT)?)?;
    let frames = frames(&words.expect(FRAMES)?)?;
    let mut next = words.next()?;
    let mut pattern = None;
    if let Some(word) = next.take_if(|word| !word.is("if")) {
        pattern = Some(word);
        next = words.next()?;
    }
    if let Some(word) = &next
        && !word.is("if")
    {
        return Err(word.unexpected(AFTER_PATTERN));
    }
    let (paths, variables) = paths(layout, frames, pattern.as_ref())?;
    let clauses = match next {
        Some(_) => clauses(&mut words, &variables)?,
        None => Vec::new(),
    };
    Ok(Rule {
        is_allow,
        frames,
        pattern: pattern.map(|word| word.text.into()),
        clauses,
        paths,
    })
}

fn check(text: &str) -> Result<(), RuleError> {
    if text.len() > MAX_BYTES {
        return Err(RuleError::TooLong);
    }
    let is_control = |c: char| c.is_control() && c != '\t';
    match text.chars().position(is_control) {
        Some(at) => Err(RuleError::ControlCharacter { column: at + 1 }),
        None => Ok(()),
    }
}

fn effect(word: &Word<'_>) -> Result<bool, RuleError> {
    if word.is("allow") {
        Ok(true)
    } else if word.is("deny") {
        Ok(false)
    } else {
        Err(word.unexpected(EFFECT))
    }
}

fn frames(word: &Word<'_>) -> Result<Frames, RuleError> {
    if word.is("any") {
        return Ok(Frames::ANY);
    }
    let mut frames = Frames::NONE;
    for name in word.text.split(',') {
        let known = Action::ALL.iter().find(|action| action.word() == name);
        match known {
            Some(action) if !word.is_quoted => frames.actions[*action as usize] = true,
            _ => return Err(word.unexpected(FRAMES)),
        }
    }
    Ok(frames)
}

type Paths = [Option<Path>; 3];

/// The pattern as each kind of frame is held against it, and its variables.
fn paths(
    layout: &Layout,
    frames: Frames,
    pattern: Option<&Word<'_>>,
) -> Result<(Paths, Vec<Box<str>>), RuleError> {
    let mut paths = Paths::default();
    let mut variables = Vec::new();
    for action in Action::ALL.into_iter().filter(|action| frames.has(*action)) {
        let path = &mut paths[action as usize];
        match pattern {
            None => *path = Some(Path::everything()),
            Some(_) if action == Action::Connect && frames.is_any => {}
            Some(word) if action == Action::Connect => {
                return Err(RuleError::ConnectPattern {
                    column: word.column,
                    pattern: word.text.to_string(),
                });
            }
            Some(word) => {
                let (read, names) = Path::read(layout, action, &word.text, word.column)?;
                *path = Some(read);
                variables = names;
            }
        }
    }
    Ok((paths, variables))
}

fn clauses(words: &mut Words<'_>, variables: &[Box<str>]) -> Result<Vec<Clause>, RuleError> {
    let mut clauses = Vec::new();
    loop {
        clauses.push(clause(words, variables)?);
        match words.next()? {
            None => return Ok(clauses),
            Some(word) if word.is("and") => {}
            Some(word) => return Err(word.unexpected(AFTER_CONDITION)),
        }
    }
}

fn clause(words: &mut Words<'_>, variables: &[Box<str>]) -> Result<Clause, RuleError> {
    let mut word = words.expect(CONDITION)?;
    let is_negated = word.is("not");
    if is_negated {
        word = words.expect(CONDITION)?;
    }
    let keyword = if word.is_quoted { "" } else { &*word.text };
    let condition = match keyword {
        "authenticated" => Condition::Authenticated,
        "anonymous" => Condition::Anonymous,
        "role" => Condition::Role(value(&words.expect(ROLE)?, variables)?),
        "user" => {
            equals(&words.expect(EQUALS)?)?;
            Condition::User(value(&words.expect(VALUE)?, variables)?)
        }
        "claim" => {
            let name = words.expect(CLAIM)?;
            if name.text.is_empty() || !name.is_quoted && name.text.starts_with('{') {
                return Err(name.unexpected(CLAIM));
            }
            let test = test(&words.expect(TEST)?)?;
            let value = value(&words.expect(VALUE)?, variables)?;
            let name = ClaimName(name.text.into());
            Condition::Claim { name, test, value }
        }
        _ => return Err(word.unexpected(CONDITION)),
    };
    Ok(Clause {
        is_negated,
        condition,
    })
}

fn equals(word: &Word<'_>) -> Result<(), RuleError> {
    if word.is("=") {
        Ok(())
    } else {
        Err(word.unexpected(EQUALS))
    }
}

fn test(word: &Word<'_>) -> Result<ClaimTest, RuleError> {
    if word.is("=") {
        Ok(ClaimTest::Equals)
    } else if word.is("contains") {
        Ok(ClaimTest::Contains)
    } else {
        Err(word.unexpected(TEST))
    }
}

fn value(word: &Word<'_>, variables: &[Box<str>]) -> Result<Value, RuleError> {
    if word.is_quoted || !word.text.starts_with('{') {
        return Ok(Value::Text(word.text.as_ref().into()));
    }
    let column = word.column;
    let name = variable_name(&word.text).ok_or_else(|| RuleError::Variable {
        column,
        found: word.text.to_string(),
    })?;
    match variables.iter().position(|other| **other == *name) {
        Some(index) => Ok(Value::Variable {
            name: name.into(),
            index,
        }),
        None => Err(RuleError::UnknownVariable {
            column,
            name: name.to_owned(),
        }),
    }
}
