//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::PathBuf;

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Place {
    /// A line of the file, counted from 1.
    File {
        /// The file as it was named.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A variable of the environment.
    Environment(String),
    /// A flag of the command line.
    Flag(&'static str),
    /// Nowhere: the default holds.
    Default,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(out, "at {}:{line}", path.display()),
            Self::Environment(variable) => write!(out, "given by {variable}"),
            Self::Flag(flag) => write!(out, "given by {flag}"),
            Self::Default => write!(out, "by default"),
        }
    }
}

/// One thing wrong with a configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}; name an existing file of UTF-8 text", path.display())]
    Unreadable {
        /// The file as it was named.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("not TOML {place}: {cause}")]
    Syntax {
        /// The line.
        place: Place,
        /// What the parser said.
        cause: String,
    },
    /// A key or section that does not exist.
    #[error("unknown {noun} `{name}` {place}{}", hint(nearest.as_deref()))]
    Unknown {
        /// `key` or `section`.
        noun: &'static str,
        /// What was written.
        name: String,
        /// Where.
        place: Place,
        /// The known one that is most like it, if any is.
        nearest: Option<String>,
    },
    /// A variable of the environment that begins like ours and names no key.
    #[error("unknown variable `{name}` in the environment{}", hint(nearest.as_deref()))]
    UnknownVariable {
        /// The variable.
        name: String,
        /// The known one that is most like it, if any is.
        nearest: Option<String>,
    },
    /// A value of the wrong type or out of range.
    #[error("`{key}` {place} is {found}; allowed: {allowed}")]
    Refused {
        /// `section.key`.
        key: String,
        /// Where the value was written.
        place: Place,
        /// The value as it was written.
        found: String,
        /// What would have been accepted.
        allowed: String,
    },
    /// A value that does not go with another one.
    #[error("`{key}` {place} {cause}")]
    Contradiction {
        /// `section.key`.
        key: &'static str,
        /// Where the value was written.
        place: Place,
        /// What it contradicts, and what to do.
        cause: String,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| {
        format!("; did you mean `{nearest}`?")
    })
}

/// Everything wrong with a configuration: file first, line by line, then environment, flags, and what contradicts.
///
/// Displays as one line for each problem.
#[derive(Debug)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// `Ok` if there is none.
    pub(super) fn check(errors: Vec<ConfigError>) -> Result<(), Self> {
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Self(errors))
        }
    }

    /// Each problem; there is at least one.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &ConfigError> {
        self.0.iter()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(out, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
