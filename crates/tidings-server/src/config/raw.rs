//! The raw configuration: what stands in the file, the environment and the flags, not yet understood.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::checked::SECTIONS;
use super::error::{ConfigError, Place};
use super::key::{Key, VARIABLE_PREFIX};
use super::nearest;

/// Longest piece of a wrong value that an error repeats, in characters.
const MAX_SHOWN: usize = 60;

/// A value before its key is known to accept it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Raw {
    /// A TOML string.
    Text(String),
    /// A TOML integer.
    Integer(i128),
    /// A TOML boolean.
    Flag(bool),
    /// A TOML array.
    List(Vec<Self>),
    /// A TOML value that no key takes: a float, a date, a table.
    Other,
    /// From the environment or a flag, where nothing tells `8` from `"8"`.
    Untyped(String),
}

impl Raw {
    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Untyped(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one and not negative.
    pub(super) fn integer(&self) -> Option<u64> {
        match self {
            Self::Integer(integer) => u64::try_from(*integer).ok(),
            Self::Untyped(text) => super::units::parse_digits(text),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    pub(super) fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            Self::Untyped(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The texts of a list; outside of a file they are separated by commas.
    pub(super) fn list(&self) -> Option<Vec<&str>> {
        match self {
            Self::List(entries) => entries.iter().map(Self::text).collect(),
            Self::Untyped(text) => Some(text.split(',').map(str::trim).collect()),
            _ => None,
        }
    }
}

impl From<&DeValue<'_>> for Raw {
    fn from(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Integer(integer) => i128::from_str_radix(integer.as_str(), integer.radix())
                .map_or(Self::Other, Self::Integer),
            DeValue::Boolean(flag) => Self::Flag(*flag),
            DeValue::Array(entries) => Self::List(
                entries
                    .iter()
                    .map(|entry| Self::from(entry.get_ref()))
                    .collect(),
            ),
            DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => Self::Other,
        }
    }
}

/// A value that somebody wrote for a known key.
#[derive(Debug)]
pub(super) struct Entry {
    /// The key.
    pub(super) key: &'static Key,
    /// Its value.
    pub(super) raw: Raw,
    /// The value as it was written, for people.
    pub(super) shown: String,
    /// Where it was written.
    pub(super) place: Place,
}

impl Entry {
    /// A value from outside of a file.
    pub(super) fn untyped(key: &'static Key, value: String, place: Place) -> Self {
        Self {
            key,
            shown: shorten(&format!("{value:?}")),
            raw: Raw::Untyped(value),
            place,
        }
    }
}

/// The entries of the environment, by name of the variable. Variables of other programs are left alone.
pub(super) fn from_environment(
    variables: impl Iterator<Item = (String, String)>,
    errors: &mut Vec<ConfigError>,
) -> Vec<Entry> {
    let ours: BTreeMap<_, _> = variables
        .filter(|(name, _)| name.starts_with(VARIABLE_PREFIX))
        .collect();
    let mut entries = Vec::new();
    for (name, value) in ours {
        match keys().find(|key| key.variable() == name) {
            Some(key) => entries.push(Entry::untyped(key, value, Place::Environment(name))),
            None => errors.push(ConfigError::UnknownVariable {
                nearest: nearest::variable(&name),
                name,
            }),
        }
    }
    entries
}

/// The entries of a file, in the order of its lines.
pub(super) fn from_file(path: &Path, text: &str, errors: &mut Vec<ConfigError>) -> Vec<Entry> {
    let file = File { path, text };
    let (document, syntax) = DeTable::parse_recoverable(text);
    if !syntax.is_empty() {
        // What the parser guesses behind a fault would be reported as faults of its own.
        errors.extend(syntax.iter().map(|error| file.syntax(error)));
        return Vec::new();
    }
    let mut found = Vec::new();
    for (name, value) in document.get_ref() {
        file.section(
            name.get_ref(),
            name.span().start,
            value.get_ref(),
            value.span(),
            &mut found,
        );
    }
    found.sort_by_key(|(start, _)| *start);
    let mut entries = Vec::new();
    for (_, outcome) in found {
        match outcome {
            Ok(entry) => entries.push(entry),
            Err(error) => errors.push(error),
        }
    }
    entries
}

/// What one place of a file turned out to be, with its offset.
type Found = (usize, Result<Entry, ConfigError>);

struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

impl File<'_> {
    fn section(
        &self,
        name: &str,
        start: usize,
        value: &DeValue<'_>,
        span: std::ops::Range<usize>,
        found: &mut Vec<Found>,
    ) {
        let known = SECTIONS.iter().find(|section| section.name == name);
        let error = match (known, value) {
            (Some(section), DeValue::Table(table)) => {
                for (name, value) in table {
                    let start = name.span().start;
                    let key = section.keys.iter().find(|key| key.name == name.get_ref());
                    let outcome = match key {
                        Some(key) => Ok(self.entry(key, start, value.get_ref(), value.span())),
                        None => {
                            Err(self
                                .unknown_key(format!("{}.{}", section.name, name.get_ref()), start))
                        }
                    };
                    found.push((start, outcome));
                }
                return;
            }
            (Some(_), _) => ConfigError::Refused {
                key: name.to_owned(),
                place: self.place(start),
                found: self.shown(span),
                allowed: format!("a section, written `[{name}]`"),
            },
            (None, DeValue::Table(_)) => ConfigError::Unknown {
                noun: "section",
                name: name.to_owned(),
                place: self.place(start),
                nearest: nearest::section(name),
            },
            (None, _) => self.unknown_key(name.to_owned(), start),
        };
        found.push((start, Err(error)));
    }

    fn entry(
        &self,
        key: &'static Key,
        start: usize,
        value: &DeValue<'_>,
        span: std::ops::Range<usize>,
    ) -> Entry {
        Entry {
            key,
            raw: Raw::from(value),
            shown: self.shown(span),
            place: self.place(start),
        }
    }

    fn unknown_key(&self, name: String, start: usize) -> ConfigError {
        ConfigError::Unknown {
            noun: "key",
            nearest: nearest::key(&name),
            name,
            place: self.place(start),
        }
    }

    fn syntax(&self, error: &toml::de::Error) -> ConfigError {
        let start = error.span().map_or(0, |span| span.start);
        ConfigError::Syntax {
            place: self.place(start),
            cause: error.message().to_owned(),
        }
    }

    fn place(&self, offset: usize) -> Place {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Place::File {
            path: self.path.to_owned(),
            line,
        }
    }

    fn shown(&self, span: std::ops::Range<usize>) -> String {
        shorten(self.text.get(span).unwrap_or_default())
    }
}

/// Every key of every section.
pub(super) fn keys() -> impl Iterator<Item = &'static Key> {
    SECTIONS.iter().flat_map(|section| section.keys)
}

/// One line that fits into a sentence.
fn shorten(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}
