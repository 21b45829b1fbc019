//! Keys: the one table from which the checked structs, the parser, the reference page and the example file come.

use super::checked::Config;
use super::raw::Raw;

/// What a variable of ours begins with; `TIDINGS_LOG`, with one underscore, is not a key.
pub(super) const VARIABLE_PREFIX: &str = "TIDINGS__";

/// One `[section]`.
#[derive(Debug)]
pub(super) struct Section {
    /// As written between the brackets.
    pub(super) name: &'static str,
    /// Its doc comment, a line each, for the reference page.
    #[cfg(test)]
    pub(super) about: &'static [&'static str],
    /// Its keys in the order of the reference.
    pub(super) keys: &'static [Key],
}

/// One key of a section.
#[derive(Debug)]
pub(super) struct Key {
    /// The section it stands in.
    pub(super) section: &'static str,
    /// As written left of the equals sign.
    pub(super) name: &'static str,
    /// Its doc comment, a line each, for the reference page.
    #[cfg(test)]
    pub(super) meaning: &'static [&'static str],
    /// The flag of the command line that sets it too.
    pub(super) flag: Option<&'static str>,
    /// Name of its type, for the reference page.
    #[cfg(test)]
    pub(super) kind: fn() -> &'static str,
    /// The accepted values, for the reference page.
    #[cfg(test)]
    pub(super) range: fn() -> String,
    /// Whether its value may be shown to nobody.
    pub(super) is_secret: fn() -> bool,
    /// What it accepts, for people who wrote something else.
    pub(super) allowed: fn() -> String,
    /// Writes the value into the configuration, or leaves it alone and says no.
    pub(super) read: fn(&mut Config, &Raw) -> bool,
    /// The value in `config` as a file would say it; none where an absent key says it.
    pub(super) show: fn(&Config) -> Option<String>,
}

impl Key {
    /// `section.name`.
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// The environment variable that sets it.
    pub(super) fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}__{}", self.section, self.name).to_uppercase()
    }
}

/// Declares `Config`, a struct for each section with its `Default`, and `SECTIONS`, from one list.
macro_rules! sections {
    ($(
        $(#[doc = $about:literal])+
        [$section:ident] $Section:ident {
            $(
                $(#[doc = $meaning:literal])+
                $key:ident: $Type:ty = $default:expr, $form:expr $(, flag $flag:literal)?;
            )+
        }
    )+) => {
        /// Everything the server needs to know before it starts.
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct Config {
            $($(#[doc = $about])+ pub $section: $Section,)+
        }

        $(
            $(#[doc = $about])+
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub struct $Section {
                $($(#[doc = $meaning])+ pub $key: $Type,)+
            }

            impl Default for $Section {
                fn default() -> Self {
                    Self { $($key: $default,)+ }
                }
            }
        )+

        /// Every section with its keys, in the order of the reference.
        pub(super) static SECTIONS: &[Section] = &[$(
            Section {
                name: stringify!($section),
                #[cfg(test)]
                about: &[$($about),+],
                keys: &[$(
                    Key {
                        section: stringify!($section),
                        name: stringify!($key),
                        #[cfg(test)]
                        meaning: &[$($meaning),+],
                        flag: [$(Some($flag),)? None][0],
                        #[cfg(test)]
                        kind: || Form::kind(&$form),
                        #[cfg(test)]
                        range: || Form::range(&$form),
                        is_secret: || Form::is_secret(&$form),
                        allowed: || Form::allowed(&$form),
                        read: |config, raw| {
                            let value = Form::read(&$form, raw);
                            value.map(|value| config.$section.$key = value).is_some()
                        },
                        show: |config| Form::show(&$form, &config.$section.$key),
                    },
                )+],
            },
        )+];
    };
}

pub(super) use sections;
