//! Addresses, networks and paths.

use std::net::SocketAddr;

use super::super::network::Network;
use super::super::raw::Raw;
use super::{Form, MAX_LIST, quoted, quoted_list};

/// Longest path of an endpoint, in bytes.
const MAX_PATH_BYTES: usize = 256;

/// Longest url of a script, in bytes.
const MAX_URL_BYTES: usize = 1_024;

/// Where a listener that cannot be off listens.
pub(in super::super) struct Address;

impl Form for Address {
    type Value = SocketAddr;

    fn kind(&self) -> &'static str {
        "address"
    }

    fn range(&self) -> String {
        "IP address and port, such as `127.0.0.1:8080` or `[::1]:8080`; port 0 takes a free one"
            .to_owned()
    }

    fn read(&self, raw: &Raw) -> Option<SocketAddr> {
        raw.text()?.parse().ok()
    }

    fn show(&self, value: &SocketAddr) -> Option<String> {
        Some(quoted(&value.to_string()))
    }
}

/// Where a listener listens that may be off.
pub(in super::super) struct AddressOrOff;

impl Form for AddressOrOff {
    type Value = Option<SocketAddr>;

    fn kind(&self) -> &'static str {
        "address"
    }

    fn range(&self) -> String {
        "`off`, or an IP address and port, such as `127.0.0.1:61613`; port 0 takes a free one"
            .to_owned()
    }

    fn read(&self, raw: &Raw) -> Option<Option<SocketAddr>> {
        match raw.text()? {
            "off" => Some(None),
            text => text.parse().ok().map(Some),
        }
    }

    fn show(&self, value: &Option<SocketAddr>) -> Option<String> {
        Some(value.map_or_else(|| quoted("off"), |address| quoted(&address.to_string())))
    }
}

/// Where something listens that is otherwise beneath the HTTP listener.
pub(in super::super) struct OwnAddress;

impl Form for OwnAddress {
    type Value = Option<SocketAddr>;

    fn kind(&self) -> &'static str {
        Address.kind()
    }

    fn range(&self) -> String {
        Address.range()
    }

    fn read(&self, raw: &Raw) -> Option<Option<SocketAddr>> {
        Address.read(raw).map(Some)
    }

    fn show(&self, value: &Option<SocketAddr>) -> Option<String> {
        value.and_then(|address| Address.show(&address))
    }
}

/// The path of an endpoint.
pub(in super::super) struct UrlPath;

impl Form for UrlPath {
    type Value = String;

    fn kind(&self) -> &'static str {
        "path"
    }

    fn range(&self) -> String {
        format!(
            "begins with `/`, does not end with it; letters, digits, `/`, `-`, `_`, `.`, `~`; at most {MAX_PATH_BYTES} bytes"
        )
    }

    fn read(&self, raw: &Raw) -> Option<String> {
        let path = raw.text()?;
        let well_formed = path.len() > 1
            && path.len() <= MAX_PATH_BYTES
            && path.starts_with('/')
            && !path.ends_with('/')
            && !path.contains("//")
            && path
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte));
        well_formed.then(|| path.to_owned())
    }

    fn show(&self, value: &String) -> Option<String> {
        Some(quoted(value))
    }
}

/// Where a page loads a script from, if from elsewhere than by custom. Written into html as it is, so nothing that
/// could end an attribute or begin an entity is accepted.
pub(in super::super) struct ScriptUrl;

impl Form for ScriptUrl {
    type Value = Option<String>;

    fn kind(&self) -> &'static str {
        "url"
    }

    fn range(&self) -> String {
        format!(
            "a url such as `https://cdn.example.com/sockjs.min.js`, or a path; begins with `https://`, `http://` or one \
             `/`; letters, digits, `/:?#[]@!$()*+,;=%-._~`; at most {MAX_URL_BYTES} bytes"
        )
    }

    fn read(&self, raw: &Raw) -> Option<Option<String>> {
        let text = raw.text()?;
        is_script_url(text).then(|| Some(text.to_owned()))
    }

    fn show(&self, value: &Option<String>) -> Option<String> {
        value.as_deref().map(quoted)
    }
}

fn is_script_url(text: &str) -> bool {
    let rest = ["https://", "http://", "/"]
        .into_iter()
        .find_map(|start| text.strip_prefix(start));
    let harmless =
        |byte: u8| byte.is_ascii_alphanumeric() || b"/:?#[]@!$()*+,;=%-._~".contains(&byte);
    text.len() <= MAX_URL_BYTES
        && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && text.bytes().all(harmless)
}

/// Networks of proxies that are trusted.
pub(in super::super) struct Networks;

impl Form for Networks {
    type Value = Vec<Network>;

    fn kind(&self) -> &'static str {
        "list of networks"
    }

    fn range(&self) -> String {
        format!(
            "a list of at most {MAX_LIST} addresses and networks, such as `[\"127.0.0.1\", \"10.0.0.0/8\", \"fd00::/8\"]`"
        )
    }

    fn read(&self, raw: &Raw) -> Option<Vec<Network>> {
        let entries = raw.list()?;
        let bounded = entries.len() <= MAX_LIST;
        let networks: Result<_, _> = entries.iter().map(|entry| entry.parse()).collect();
        networks.ok().filter(|_| bounded)
    }

    fn show(&self, value: &Vec<Network>) -> Option<String> {
        let networks: Vec<_> = value.iter().map(Network::to_string).collect();
        Some(quoted_list(&networks))
    }
}
