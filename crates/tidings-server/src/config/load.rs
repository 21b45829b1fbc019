//! From the sources to a checked configuration.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use super::check::{Places, check, check_reach_of_development, check_reach_of_server};
use super::checked::Config;
use super::error::{ConfigError, ConfigErrors, Place};
use super::raw::{self, Entry, keys};

/// Where development mode listens for STOMP over TCP: the port that clients of other brokers expect.
const DEVELOPMENT_TCP: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 61613);

/// What flags of the command line say, as they were typed. They win over the environment, which wins over the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--listen`: `http.listen`.
    pub listen: Option<String>,
    /// `--tcp`: `tcp.listen`.
    pub tcp: Option<String>,
    /// `--admin`: `admin.listen`.
    pub admin: Option<String>,
    /// `--data-dir`: `server.data_dir`.
    pub data_dir: Option<String>,
}

impl Overrides {
    fn entries(&self) -> Vec<Entry> {
        let given = [
            ("--listen", &self.listen),
            ("--tcp", &self.tcp),
            ("--admin", &self.admin),
            ("--data-dir", &self.data_dir),
        ];
        let entry = |(flag, value): (&'static str, &Option<String>)| {
            let key = keys().find(|key| key.flag == Some(flag))?;
            Some(Entry::untyped(key, value.clone()?, Place::Flag(flag)))
        };
        given.into_iter().filter_map(entry).collect()
    }
}

/// A key whose value differs from the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// `section.key`.
    pub key: String,
    /// The value as a file would say it.
    pub value: String,
}

impl Config {
    /// The configuration of a server: defaults, then `file`, then `env` (`TIDINGS__SECTION__KEY`), then `overrides`,
    /// each winning over what came before.
    ///
    /// # Errors
    ///
    /// All problems at once: an unreadable file, unknown keys and variables, wrong types, values out of range, and
    /// values that contradict each other. A listener on an address that others can reach is such a contradiction
    /// unless `security.authenticator` is written.
    pub fn load(
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
        overrides: &Overrides,
    ) -> Result<Self, ConfigErrors> {
        let mut errors = Vec::new();
        let mut entries = Vec::new();
        if let Some(path) = file {
            match std::fs::read_to_string(path) {
                Ok(text) => entries = raw::from_file(path, &text, &mut errors),
                Err(source) => errors.push(ConfigError::Unreadable {
                    path: path.to_owned(),
                    source,
                }),
            }
        }
        entries.extend(raw::from_environment(env, &mut errors));
        entries.extend(overrides.entries());

        let mut config = Self::default();
        let places = config.apply(entries, &mut errors);
        check(&config, &places, &mut errors);
        check_reach_of_server(&config, &places, &mut errors);
        ConfigErrors::check(errors).map(|()| config)
    }

    /// The configuration of development mode: loopback only, the demo on, STOMP over TCP on 127.0.0.1:61613, every
    /// other value the default. It reads no file and no environment.
    ///
    /// With `--listen` on port 0 and no `--tcp`, TCP stays off: who asks for a free port must not meet a taken one.
    ///
    /// # Errors
    ///
    /// All problems of `overrides` at once, an address that others can reach among them.
    pub fn development(overrides: &Overrides) -> Result<Self, ConfigErrors> {
        let mut errors = Vec::new();
        let mut config = Self::default();
        config.http.demo = true;
        let places = config.apply(overrides.entries(), &mut errors);
        if overrides.tcp.is_none() && config.http.listen.port() != 0 {
            config.tcp.listen = Some(DEVELOPMENT_TCP);
        }
        check(&config, &places, &mut errors);
        check_reach_of_development(&config, &places, &mut errors);
        ConfigErrors::check(errors).map(|()| config)
    }

    /// The keys whose values differ from the defaults, in the order of the reference.
    pub fn settings(&self) -> Vec<Setting> {
        let defaults = Self::default();
        let differs = |key: &&super::key::Key| (key.show)(self) != (key.show)(&defaults);
        let setting = |key: &super::key::Key| {
            Some(Setting {
                key: key.path(),
                value: (key.show)(self)?,
            })
        };
        keys().filter(differs).filter_map(setting).collect()
    }

    /// The keys that `other` says differently, in the order of the reference; those whose values may be shown to nobody, and
    /// are there in both, are not compared.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let differs = |key: &&super::key::Key| (key.show)(self) != (key.show)(other);
        keys().filter(differs).map(super::key::Key::path).collect()
    }

    /// Takes over each entry that its key accepts; the later one wins. Tells where each value stands.
    fn apply(&mut self, entries: Vec<Entry>, errors: &mut Vec<ConfigError>) -> Places {
        let mut places = BTreeMap::new();
        for Entry {
            key,
            raw,
            shown,
            place,
        } in entries
        {
            let accepted = (key.read)(self, &raw);
            if !accepted {
                let allowed = (key.allowed)();
                errors.push(ConfigError::Refused {
                    key: key.path(),
                    place: place.clone(),
                    found: if (key.is_secret)() {
                        "not shown".to_owned()
                    } else {
                        shown
                    },
                    allowed,
                });
            }
            places.insert(key.path(), accepted.then_some(place));
        }
        Places::new(places)
    }
}
