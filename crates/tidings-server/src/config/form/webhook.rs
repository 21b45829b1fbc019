//! Routes, urls and the secret of webhooks.

use std::path::PathBuf;

use super::super::checked::{Secret, WebhookRoute};
use super::super::raw::Raw;
use super::{Form, MAX_LIST, quoted, quoted_list};

/// Longest pattern, and longest url, in bytes.
const MAX_BYTES: usize = 1_024;

/// Shorter ones can be guessed.
const MIN_SECRET: usize = 16;

/// HMAC hashes longer ones before it uses them, so they are no better.
const MAX_SECRET: usize = 1_024;

/// Which destinations go to which back end.
pub(in super::super) struct Routes;

impl Form for Routes {
    type Value = Vec<WebhookRoute>;

    fn kind(&self) -> &'static str {
        "routes"
    }

    fn range(&self) -> String {
        format!(
            "a list such as `[\"trade/{{symbol}} -> http://127.0.0.1:9000/trade\"]`, at most {MAX_LIST}; no spaces or commas \
             in patterns and urls, each at most {MAX_BYTES} bytes"
        )
    }

    fn read(&self, raw: &Raw) -> Option<Vec<WebhookRoute>> {
        let routes: Option<Vec<_>> = raw.list()?.into_iter().map(route).collect();
        routes.filter(|routes| routes.len() <= MAX_LIST)
    }

    fn show(&self, value: &Vec<WebhookRoute>) -> Option<String> {
        let shown: Vec<_> = value
            .iter()
            .map(|route| format!("{} -> {}", route.pattern, route.url))
            .collect();
        Some(quoted_list(&shown))
    }
}

fn route(text: &str) -> Option<WebhookRoute> {
    let (pattern, url) = text.split_once("->")?;
    let [pattern, url] = [pattern.trim(), url.trim()];
    (is_word(pattern) && is_url(url)).then(|| WebhookRoute {
        pattern: pattern.to_owned(),
        url: url.to_owned(),
    })
}

/// Who is asked, or where events are told.
pub(in super::super) struct HookUrl;

impl Form for HookUrl {
    type Value = Option<String>;

    fn kind(&self) -> &'static str {
        "url"
    }

    fn range(&self) -> String {
        format!(
            "a url such as `https://back-end.example/events`; no spaces or commas, at most {MAX_BYTES} bytes"
        )
    }

    fn read(&self, raw: &Raw) -> Option<Option<String>> {
        let url = raw.text()?;
        is_url(url).then(|| Some(url.to_owned()))
    }

    fn show(&self, value: &Option<String>) -> Option<String> {
        value.as_deref().map(quoted)
    }
}

/// Whose certificates hold besides those of the system.
pub(in super::super) struct CaFile;

impl Form for CaFile {
    type Value = Option<PathBuf>;

    fn kind(&self) -> &'static str {
        "path"
    }

    fn range(&self) -> String {
        "the path of a PEM file such as `/etc/tidings/ca.pem`".to_owned()
    }

    fn read(&self, raw: &Raw) -> Option<Option<PathBuf>> {
        let path = raw.text()?;
        (!path.is_empty() && !path.contains('\0')).then(|| Some(PathBuf::from(path)))
    }

    fn show(&self, value: &Option<PathBuf>) -> Option<String> {
        value.as_ref().map(|path| quoted(&path.to_string_lossy()))
    }
}

/// What requests are signed with.
pub(in super::super) struct Key;

impl Form for Key {
    type Value = Option<Secret>;

    fn kind(&self) -> &'static str {
        "secret"
    }

    fn range(&self) -> String {
        format!(
            "{MIN_SECRET} to {MAX_SECRET} printable ASCII characters without spaces, such as \
             `what-openssl-rand-hex-32-prints`"
        )
    }

    fn is_secret(&self) -> bool {
        true
    }

    fn read(&self, raw: &Raw) -> Option<Option<Secret>> {
        let secret = raw.text()?;
        let well_formed = (MIN_SECRET..=MAX_SECRET).contains(&secret.len())
            && secret.bytes().all(|byte| byte.is_ascii_graphic());
        well_formed.then(|| Some(Secret(secret.to_owned())))
    }

    fn show(&self, value: &Option<Secret>) -> Option<String> {
        value.as_ref().map(|_| quoted("(not shown)"))
    }
}

fn is_url(text: &str) -> bool {
    let rest = ["http://", "https://"]
        .into_iter()
        .find_map(|start| text.strip_prefix(start));
    is_word(text) && rest.is_some_and(|rest| !rest.is_empty())
}

fn is_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b",\"\\".contains(&byte);
    !text.is_empty() && text.len() <= MAX_BYTES && text.bytes().all(plain)
}
