//! Who says who a client is, and what it may do.

use std::path::PathBuf;

use tidings_core::security::Rule;

use super::super::checked::{AuthenticatorKind, JwtIssuer, KeySource};
use super::super::raw::Raw;
use super::{Form, MAX_LIST, quoted, quoted_list};

/// Most rules. A frame is decided in about the same time however many there are, a pattern not.
const MAX_RULES: usize = 1_000;

/// Longest issuer, name and path, in bytes.
const MAX_BYTES: usize = 1_024;

/// Who says who a client is: one, or several for different credentials.
pub(in super::super) struct Authenticators;

impl Form for Authenticators {
    type Value = Vec<AuthenticatorKind>;

    fn kind(&self) -> &'static str {
        "words"
    }

    fn range(&self) -> String {
        "one or a list of `jwt`, `users` and `webhook`; or `trust-login` alone".to_owned()
    }

    fn read(&self, raw: &Raw) -> Option<Vec<AuthenticatorKind>> {
        let words = raw.text().filter(|text| !text.contains(','));
        let words = words.map(|word| vec![word]).or_else(|| raw.list())?;
        let mut kinds = Vec::new();
        for word in words {
            let kind = AuthenticatorKind::from_name(word)?;
            if kinds.contains(&kind) {
                return None;
            }
            kinds.push(kind);
        }
        let mixed = kinds.len() > 1 && kinds.contains(&AuthenticatorKind::TrustLogin);
        (!kinds.is_empty() && !mixed).then_some(kinds)
    }

    fn show(&self, value: &Vec<AuthenticatorKind>) -> Option<String> {
        match &**value {
            [] => None,
            [one] => Some(quoted(one.name())),
            several => {
                let names: Vec<_> = several.iter().map(|one| one.name().to_owned()).collect();
                Some(quoted_list(&names))
            }
        }
    }
}

/// Access rules, a line each.
pub(in super::super) struct RuleLines;

impl Form for RuleLines {
    type Value = Vec<String>;

    fn kind(&self) -> &'static str {
        "rules"
    }

    fn range(&self) -> String {
        format!(
            "a list such as `[\"allow subscribe /topic/team/{{team}} if claim teams contains {{team}}\"]`, at most \
             {MAX_RULES}, each at most {} bytes",
            Rule::MAX_BYTES
        )
    }

    fn read(&self, raw: &Raw) -> Option<Vec<String>> {
        let rules = match raw {
            // Rules have commas in them, so outside of a file there can be one.
            Raw::Untyped(rule) => vec![rule.as_str()],
            _ => raw.list()?,
        };
        let bounded =
            rules.len() <= MAX_RULES && rules.iter().all(|rule| rule.len() <= Rule::MAX_BYTES);
        bounded.then(|| rules.into_iter().map(str::to_owned).collect())
    }

    fn show(&self, value: &Vec<String>) -> Option<String> {
        Some(quoted_list(value))
    }
}

/// A name in HTTP: of a cookie, a header or a parameter of a query.
pub(in super::super) struct Token;

impl Form for Token {
    type Value = Option<String>;

    fn kind(&self) -> &'static str {
        "name"
    }

    fn range(&self) -> String {
        "a name such as `session`: letters, digits, `-`, `_` and `.`, at most 64".to_owned()
    }

    fn read(&self, raw: &Raw) -> Option<Option<String>> {
        let name = raw.text()?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let fits = (1..=64).contains(&name.len()) && name.bytes().all(plain);
        fits.then(|| Some(name.to_owned()))
    }

    fn show(&self, value: &Option<String>) -> Option<String> {
        value.as_deref().map(quoted)
    }
}

/// A file that must be there; a relative path counts from where the process was started.
pub(in super::super) struct File;

impl Form for File {
    type Value = Option<PathBuf>;

    fn kind(&self) -> &'static str {
        "file"
    }

    fn range(&self) -> String {
        "a path such as `users.txt`; a relative one counts from the working directory".to_owned()
    }

    fn read(&self, raw: &Raw) -> Option<Option<PathBuf>> {
        let text = raw.text()?;
        (!text.is_empty() && !text.contains('\0')).then(|| Some(PathBuf::from(text)))
    }

    fn show(&self, value: &Option<PathBuf>) -> Option<String> {
        value.as_ref().map(|path| quoted(&path.to_string_lossy()))
    }
}

/// Names, each a word without spaces.
pub(in super::super) struct Words;

impl Form for Words {
    type Value = Vec<String>;

    fn kind(&self) -> &'static str {
        "list of words"
    }

    fn range(&self) -> String {
        format!("a list of at most {MAX_LIST}; no spaces or commas, each at most {MAX_BYTES} bytes")
    }

    fn read(&self, raw: &Raw) -> Option<Vec<String>> {
        let words = raw.list()?;
        let accepted = words.len() <= MAX_LIST && words.iter().all(|word| is_word(word));
        accepted.then(|| words.into_iter().map(str::to_owned).collect())
    }

    fn show(&self, value: &Vec<String>) -> Option<String> {
        Some(quoted_list(value))
    }
}

/// One such name.
pub(in super::super) struct Word;

impl Form for Word {
    type Value = String;

    fn kind(&self) -> &'static str {
        "word"
    }

    fn range(&self) -> String {
        format!("no spaces or commas, at most {MAX_BYTES} bytes")
    }

    fn read(&self, raw: &Raw) -> Option<String> {
        let word = raw.text()?;
        is_word(word).then(|| word.to_owned())
    }

    fn show(&self, value: &String) -> Option<String> {
        Some(quoted(value))
    }
}

/// Whose tokens are taken, and where the keys of each are.
pub(in super::super) struct Issuers;

impl Form for Issuers {
    type Value = Vec<JwtIssuer>;

    fn kind(&self) -> &'static str {
        "issuers"
    }

    fn range(&self) -> String {
        format!(
            "a list such as `[\"https://id.example.com -> https://id.example.com/jwks.json\", \"accounts -> keys.pem\"]`, at \
             most {MAX_LIST}: the claim `iss`, then the url or file of a JWKS, a file `*.pem`, or `secret`; a url is https, or http \
             on this machine"
        )
    }

    fn read(&self, raw: &Raw) -> Option<Vec<JwtIssuer>> {
        let issuers: Option<Vec<_>> = raw.list()?.into_iter().map(issuer).collect();
        issuers.filter(|issuers| issuers.len() <= MAX_LIST)
    }

    fn show(&self, value: &Vec<JwtIssuer>) -> Option<String> {
        let shown: Vec<_> = value.iter().map(ToString::to_string).collect();
        Some(quoted_list(&shown))
    }
}

fn issuer(text: &str) -> Option<JwtIssuer> {
    let (issuer, keys) = text.split_once("->")?;
    let [issuer, keys] = [issuer.trim(), keys.trim()];
    let keys_of = |text: &str| match text.contains("://") {
        false if text == "secret" => Some(KeySource::Secret),
        false => Some(KeySource::File(PathBuf::from(text))),
        true => is_key_url(text).then(|| KeySource::Url(text.to_owned())),
    };
    (is_word(issuer) && is_word(keys)).then(|| {
        Some(JwtIssuer {
            issuer: issuer.to_owned(),
            keys: keys_of(keys)?,
        })
    })?
}

/// Who can change what comes from there signs for anybody.
fn is_key_url(url: &str) -> bool {
    let here = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let rest = |start: &&str| url.strip_prefix(*start);
    url.starts_with("https://")
        || here
            .iter()
            .filter_map(rest)
            .any(|rest| rest.starts_with([':', '/']))
}

fn is_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b",\"\\".contains(&byte);
    !text.is_empty() && text.len() <= MAX_BYTES && text.bytes().all(plain)
}
