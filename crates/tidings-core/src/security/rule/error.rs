//! Why a text is no rule.

use super::{MAX_BYTES, MAX_VARIABLES};
use crate::destination::PatternError;

/// Why a text is no rule. Columns count characters from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// A word that may not stand there.
    #[error("column {column}: `{found}` makes no sense here: write {expected}")]
    Unexpected {
        /// Where the word begins.
        column: usize,
        /// The word.
        found: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// A word is missing.
    #[error("column {column}: the rule ends too early: write {expected}")]
    Incomplete {
        /// Where the rule ends.
        column: usize,
        /// What may stand there.
        expected: &'static str,
    },
    /// A quoted string that does not end, or has other characters right behind it.
    #[error(
        "column {column}: the quoted string is broken: end it with \", write \\\" for \" and \\\\ for \\ in it"
    )]
    Quote {
        /// Where it begins.
        column: usize,
    },
    /// A line break or another control character.
    #[error("column {column}: a control character: write each rule on one line, without it")]
    ControlCharacter {
        /// Where it is.
        column: usize,
    },
    /// [`Rule::MAX_BYTES`](super::Rule::MAX_BYTES).
    #[error("the rule has more than {MAX_BYTES} bytes: make it shorter")]
    TooLong,
    /// A pattern in a rule for CONNECT, which has no destination.
    #[error(
        "column {column}: `{pattern}` can't be: connect has no destination; leave the pattern out, or write a rule of its own for connect"
    )]
    ConnectPattern {
        /// Where the pattern begins.
        column: usize,
        /// The pattern.
        pattern: String,
    },
    /// The pattern is not well formed.
    #[error("column {column}: `{pattern}`: {error}")]
    Pattern {
        /// Where the pattern begins.
        column: usize,
        /// The pattern.
        pattern: String,
        /// What is wrong.
        error: PatternError,
    },
    /// Braces that are not all of a segment, or of a value, or have no name in them.
    #[error(
        "column {column}: `{found}` is no variable: write {{name}} as a whole segment, its name of letters, digits, _ and -"
    )]
    Variable {
        /// Where the word begins.
        column: usize,
        /// The segment or value.
        found: String,
    },
    /// A variable that the pattern binds twice.
    #[error(
        "column {column}: {{{name}}} stands twice in the pattern: give each variable a name of its own"
    )]
    VariableTwice {
        /// Where the pattern begins.
        column: usize,
        /// The variable.
        name: String,
    },
    /// A variable between two `**`, which could be any of several segments.
    #[error(
        "column {column}: {{{name}}} stands between two **, where its segment is not certain: put it ahead of the first or behind the last"
    )]
    VariableAmbiguous {
        /// Where the pattern begins.
        column: usize,
        /// The variable.
        name: String,
    },
    /// [`Rule::MAX_VARIABLES`](super::Rule::MAX_VARIABLES).
    #[error(
        "column {column}: the pattern has more than {MAX_VARIABLES} variables: write * for those that no condition needs"
    )]
    TooManyVariables {
        /// Where the pattern begins.
        column: usize,
    },
    /// A condition with a variable that the pattern does not bind.
    #[error(
        "column {column}: the pattern has no {{{name}}}: put it there as a segment, or quote the value if it is meant as it stands"
    )]
    UnknownVariable {
        /// Where the word begins.
        column: usize,
        /// The variable.
        name: String,
    },
    /// The name of a user in the pattern, with an escape that is none.
    #[error(
        "column {column}: `{name}`: % begins an escape of two hexadecimal digits in the name of a user: write %25 for % itself"
    )]
    Escape {
        /// Where the pattern begins.
        column: usize,
        /// The name as it stands there.
        name: String,
    },
}
