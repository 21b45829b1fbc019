//! Who may use the API.

use axum::http::{HeaderMap, header};

use super::problem::{Kind, Problem};
use crate::config::ApiKey;

/// The key that a request shows: the token of RFC 6750, section 2.1.
pub(super) fn shown(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked("bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
        .filter(|token| !token.is_empty())
}

/// Which of the keys is shown.
///
/// Every key is compared, so that the time does not tell which one is nearly right.
pub(super) fn find(keys: &[ApiKey], shown: &[u8]) -> Option<usize> {
    let found = |found, (place, key): (usize, &ApiKey)| {
        if key.is(shown) { Some(place) } else { found }
    };
    keys.iter().enumerate().fold(None, found)
}

/// No key is shown, or a wrong one.
pub(super) fn unauthorized() -> Problem {
    let detail = "show one of the server's keys: `authorization: Bearer KEY`";
    Problem::new(Kind::Unauthorized, detail)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_request_is_of_the_application_whose_key_it_shows() {
        let keys =
            ["first-first-first", "second-second-second"].map(|key| ApiKey::new(key).expect(key));
        let application = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            find(&keys, shown(&headers)?)
        };
        assert_eq!(application("Bearer first-first-first"), Some(0));
        assert_eq!(application("bearer  second-second-second"), Some(1));
        for wrong in [
            "",
            "Bearer",
            "Bearer ",
            "Basic first-first-first",
            "first-first-first",
            "Bearer first-first-firs",
            "Bearer first-first-firsT",
            "Bearer first-first-first-",
        ] {
            assert_eq!(application(wrong), None, "{wrong}");
        }
    }
}
