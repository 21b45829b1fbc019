//! The words of a rule's text.

use std::borrow::Cow;
use std::fmt::{self, Write};

use super::RuleError;

/// One word, or one quoted string.
#[derive(Debug)]
pub(super) struct Word<'t> {
    /// Where it begins: characters, from 1.
    pub(super) column: usize,
    pub(super) text: Cow<'t, str>,
    pub(super) is_quoted: bool,
}

impl Word<'_> {
    /// Whether it is this keyword, which a quoted string never is.
    pub(super) fn is(&self, keyword: &str) -> bool {
        !self.is_quoted && self.text == keyword
    }

    pub(super) fn unexpected(&self, expected: &'static str) -> RuleError {
        RuleError::Unexpected {
            column: self.column,
            found: self.text.to_string(),
            expected,
        }
    }
}

/// Reads the words of a rule one by one.
pub(super) struct Words<'t> {
    rest: &'t str,
    column: usize,
}

impl<'t> Words<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            rest: text,
            column: 1,
        }
    }

    /// The next word, if there is one.
    pub(super) fn next(&mut self) -> Result<Option<Word<'t>>, RuleError> {
        let blank = self.rest.len() - self.rest.trim_start_matches(is_blank).len();
        self.skip(blank);
        let column = self.column;
        let (text, length) = match self.rest.strip_prefix('"') {
            None if self.rest.is_empty() => return Ok(None),
            None => {
                let length = self.rest.find(is_blank).unwrap_or(self.rest.len());
                (Cow::Borrowed(&self.rest[..length]), length)
            }
            Some(string) => {
                let (text, length) = unquote(string).ok_or(RuleError::Quote { column })?;
                (Cow::Owned(text), length + 1)
            }
        };
        let is_quoted = matches!(text, Cow::Owned(_));
        self.skip(length);
        if is_quoted && !(self.rest.is_empty() || self.rest.starts_with(is_blank)) {
            return Err(RuleError::Quote { column });
        }
        Ok(Some(Word {
            column,
            text,
            is_quoted,
        }))
    }

    /// The next word, which there must be.
    pub(super) fn expect(&mut self, expected: &'static str) -> Result<Word<'t>, RuleError> {
        self.next()?.ok_or(RuleError::Incomplete {
            column: self.column,
            expected,
        })
    }

    fn skip(&mut self, bytes: usize) {
        let (skipped, rest) = self.rest.split_at(bytes);
        self.column += skipped.chars().count();
        self.rest = rest;
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// The string up to its closing quote, and how many bytes it takes with that.
fn unquote(text: &str) -> Option<(String, usize)> {
    let mut unquoted = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((unquoted, at + 1)),
            '\\' => {
                let (_, escaped) = characters.next()?;
                if !matches!(escaped, '"' | '\\') {
                    return None;
                }
                unquoted.push(escaped);
            }
            c => unquoted.push(c),
        }
    }
    None
}

/// A text as the word that it is read from: quoted only where it must be.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain =
            !self.0.is_empty() && !self.0.starts_with(['"', '{']) && !self.0.contains(is_blank);
        if is_plain {
            return formatter.write_str(self.0);
        }
        write_quoted(self.0, formatter)
    }
}

/// The pattern of a rule: as [`Quoted`], but a leading brace is a variable there, and `if` a keyword.
pub(super) struct QuotedPattern<'a>(pub(super) &'a str);

impl fmt::Display for QuotedPattern<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = !self.0.is_empty()
            && self.0 != "if"
            && !self.0.starts_with('"')
            && !self.0.contains(is_blank);
        if is_plain {
            return formatter.write_str(self.0);
        }
        write_quoted(self.0, formatter)
    }
}

fn write_quoted(text: &str, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    formatter.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            formatter.write_char('\\')?;
        }
        formatter.write_char(c)?;
    }
    formatter.write_char('"')
}
