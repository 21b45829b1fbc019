//! Urls to which requests go.

use std::net::IpAddr;

use hyper::Uri;

/// What is wrong with a url.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum UrlError {
    #[error(
        "names `{0}`, which is no url of a back end; write `https://HOST:PORT/PATH`, without `#`"
    )]
    Malformed(Box<str>),
    /// Not repeated: there is a password in it.
    #[error("names a url with a login before its host; write it without")]
    Login,
    #[error(
        "names `{0}`, and who is on the way there could change the answer; use `https://`, or `http://` with an address of this \
         machine"
    )]
    Plain(Box<str>),
}

/// A url of HTTP or HTTPS.
pub(crate) fn parse(text: &str) -> Result<Uri, UrlError> {
    let wrong = || UrlError::Malformed(text.into());
    let authority = text.split_once("://").map_or("", |(_, rest)| {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        &rest[..end]
    });
    if authority.contains('@') {
        return Err(UrlError::Login);
    }
    let url: Uri = text.parse().map_err(|_| wrong())?;
    let well_formed = matches!(url.scheme_str(), Some("http" | "https"))
        && url.host().is_some_and(|host| !host.is_empty())
        && !text.contains('#');
    well_formed.then_some(url).ok_or_else(wrong)
}

/// As [`parse`], with `http://` only for this machine.
pub(crate) fn parse_protected(text: &str) -> Result<Uri, UrlError> {
    let url = parse(text)?;
    match is_secure(&url) || is_local(&url) {
        true => Ok(url),
        false => Err(UrlError::Plain(text.into())),
    }
}

/// Whether nobody on the way reads or changes anything.
pub(super) fn is_secure(url: &Uri) -> bool {
    url.scheme_str() == Some("https")
}

/// Whether it names this machine.
pub(crate) fn is_local(url: &Uri) -> bool {
    let host = host(url);
    let address = host.parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

/// A name or an address, which of version 6 stands there without brackets.
pub(super) fn host(url: &Uri) -> &str {
    url.host().unwrap_or_default().trim_matches(['[', ']'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_url_is_refused_and_a_password_not_repeated() {
        for url in [
            "http://localhost:9000",
            "https://a",
            "http://[::1]:9000/a?b=c@d",
        ] {
            assert!(parse(url).is_ok(), "{url}");
        }
        for url in ["http://a/#b", "http://:80/", "ftp://a/", "a", "https:///a"] {
            let error = parse(url).expect_err(url);
            assert_eq!(error, UrlError::Malformed(url.into()), "{url}");
        }
        for url in ["http://u:hunter2@a/", "https://u@a?b"] {
            let error = parse(url).expect_err(url);
            assert_eq!(error, UrlError::Login, "{url}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn what_may_not_be_changed_on_the_way_is_plain_only_on_this_machine() {
        for (url, holds) in [
            ("https://keys.example", true),
            ("http://127.0.0.1:9000/keys", true),
            ("http://localhost/keys", true),
            ("http://[::1]/keys", true),
            ("http://[::ffff:127.0.0.1]/keys", true),
            ("http://10.0.0.1/keys", false),
            ("http://localhost.example/keys", false),
            ("http://keys.example", false),
        ] {
            assert_eq!(parse_protected(url).is_ok(), holds, "{url}");
        }
    }
}
