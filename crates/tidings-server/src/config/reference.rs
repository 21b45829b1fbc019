//! `docs/configuration.md` and `docs/tidings.example.toml`, written from the table of keys.

use std::fmt::Write as _;

use super::checked::{Config, SECTIONS};
use super::key::{Key, Section};

const OPENING: &str = include_str!("reference_opening.md");

/// The whole page.
fn page() -> String {
    let mut page = OPENING.to_owned();
    for section in SECTIONS {
        write_section(&mut page, section);
    }
    let _ = write!(
        page,
        "\n## Complete example\n\nEvery key at its default; also in `tidings.example.toml`.\n\n"
    );
    let _ = write!(page, "```toml\n{}```\n", example());
    page
}

fn write_section(page: &mut String, section: &Section) {
    let _ = write!(
        page,
        "\n## `[{}]`\n\n{}\n",
        section.name,
        paragraph(section.about)
    );
    for key in section.keys {
        write_key(page, key);
    }
}

fn write_key(page: &mut String, key: &Key) {
    let default = (key.show)(&Config::default())
        .map_or("absent".to_owned(), |default| format!("`{default}`"));
    let _ = write!(
        page,
        "\n### `{}`\n\n{}\n\n",
        key.path(),
        paragraph(key.meaning)
    );
    let _ = writeln!(page, "- Type: {}", (key.kind)());
    let _ = writeln!(page, "- Allowed: {}", (key.range)());
    let _ = writeln!(page, "- Default: {default}");
    let _ = writeln!(page, "- Environment: `{}`", key.variable());
    if let Some(flag) = key.flag {
        let _ = writeln!(page, "- Flag: `{flag}`");
    }
}

/// A file with every key at its default.
fn example() -> String {
    let mut file =
        "# Every key of Tidings at its default. Keep what you change, delete the rest.\n"
            .to_owned();
    for section in SECTIONS {
        let _ = write!(file, "\n{}[{}]\n", comment(section.about), section.name);
        for key in section.keys {
            file += &comment(key.meaning);
            let _ = match (key.show)(&Config::default()) {
                Some(default) => writeln!(file, "{} = {default}", key.name),
                None => writeln!(file, "# {} = \"{}\"", key.name, sample(key)),
            };
        }
    }
    file
}

/// What a key without a default may say: the first value that its range names.
fn sample(key: &Key) -> String {
    (key.range)()
        .split('`')
        .nth(1)
        .expect("the range of a key without a default names a value")
        .to_owned()
}

fn paragraph(lines: &[&str]) -> String {
    lines
        .iter()
        .map(|line| line.trim())
        .collect::<Vec<_>>()
        .join("\n")
}

fn comment(lines: &[&str]) -> String {
    lines
        .iter()
        .map(|line| format!("# {}\n", line.trim()))
        .collect()
}

mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::config::{Overrides, Place};

    const REFRESH: &str = "UPDATE_DOCS=1 cargo test -p tidings-server config::reference";

    #[test]
    fn the_page_and_the_example_come_from_the_table_of_keys() {
        for (name, expected) in [
            ("configuration.md", page()),
            ("tidings.example.toml", example()),
        ] {
            let path = docs().join(name);
            if std::env::var_os("UPDATE_DOCS").is_some() {
                std::fs::write(&path, &expected).expect("docs can be written");
            }
            let found = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                found == expected,
                "docs/{name} is stale; refresh it with: {REFRESH}"
            );
        }
    }

    #[test]
    fn the_example_is_accepted_and_says_the_defaults() {
        let path = docs().join("tidings.example.toml");
        let config = Config::load(Some(&path), std::iter::empty(), &Overrides::default());
        assert_eq!(config.expect("the example is accepted"), Config::default());
    }

    #[test]
    fn every_default_is_accepted_by_its_own_key() {
        for key in SECTIONS.iter().flat_map(|section| section.keys) {
            let Some(default) = (key.show)(&Config::default()) else {
                continue;
            };
            let text = format!("[{}]\n{} = {default}\n", key.section, key.name);
            let mut errors = Vec::new();
            let entries = crate::config::raw::from_file("x.toml".as_ref(), &text, &mut errors);
            let mut config = Config::default();
            assert!(
                errors.is_empty() && (key.read)(&mut config, &entries[0].raw),
                "{text}"
            );
            assert_eq!(
                entries[0].place,
                Place::File {
                    path: "x.toml".into(),
                    line: 2
                }
            );
            assert_eq!(config, Config::default());
        }
    }

    #[test]
    fn every_sample_is_accepted_by_its_own_key() {
        let absent = |key: &&Key| (key.show)(&Config::default()).is_none();
        let keys = SECTIONS.iter().flat_map(|section| section.keys);
        for key in keys.filter(absent) {
            let text = format!("[{}]\n{} = \"{}\"\n", key.section, key.name, sample(key));
            let entries = crate::config::raw::from_file("x.toml".as_ref(), &text, &mut Vec::new());
            let mut config = Config::default();
            assert!((key.read)(&mut config, &entries[0].raw), "{text}");
        }
    }

    fn docs() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs")
    }
}
