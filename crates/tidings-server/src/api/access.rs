//! Who may use the API.

use axum::http::{HeaderMap, header};

use super::problem::{Kind, Problem};
use crate::config::ApiKey;

/// Which of the keys the request shows.
///
/// Every key is compared, so that the time does not tell which one is nearly right.
pub(super) fn application(keys: &[ApiKey], headers: &HeaderMap) -> Result<usize, Problem> {
    let shown = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| bearer(value.as_bytes()))
        .unwrap_or_default();
    let matching =
        keys.iter().enumerate().fold(
            None,
            |found, (place, key)| {
                if key.is(shown) { Some(place) } else { found }
            },
        );
    matching.ok_or_else(|| {
        let detail = "show one of the server's keys: `authorization: Bearer KEY`";
        Problem::new(Kind::Unauthorized, detail)
    })
}

/// The token of RFC 6750, section 2.1.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked("bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
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
            application(&keys, &headers).ok()
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
