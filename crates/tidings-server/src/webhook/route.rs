//! Routes: which destinations go to which url, and what their segments are called.

use hyper::Uri;
use hyper::header::HeaderName;

use crate::config::WebhookRoute;
use crate::outgoing::{UrlError, parse};

/// What the headers begin with that tell the variables of a destination.
const VARIABLE_PREFIX: &str = "tidings-variable-";

/// All routes, in the order in which they were written.
#[derive(Debug)]
pub(crate) struct Routes {
    separator: char,
    routes: Vec<Route>,
}

#[derive(Debug)]
struct Route {
    pattern: Pattern,
    url: Uri,
}

/// What a destination must look like after its prefix.
#[derive(Debug)]
struct Pattern {
    segments: Vec<Segment>,
    /// It ends with `**`: more segments may follow.
    open: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Segment {
    Literal(Box<str>),
    Any,
    /// The header that tells it.
    Variable(HeaderName),
}

/// A route that was found.
#[derive(Debug)]
pub(crate) struct Match<'a> {
    /// Its place among all.
    pub(crate) index: usize,
    /// The header of each variable, with its value.
    pub(crate) variables: Vec<(&'a HeaderName, &'a str)>,
}

/// What is wrong with a route or a url.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RouteError {
    #[error(
        "holds the pattern `{0}`, which has an empty segment; write it without the prefix, as `trade/*`"
    )]
    EmptySegment(Box<str>),
    #[error("holds the pattern `{0}` with `**` before its end; it may only be the last segment")]
    OpenBeforeEnd(Box<str>),
    #[error("holds the segment `{0}`; let it be a plain word, `*`, `**` or `{{name}}`")]
    Segment(Box<str>),
    #[error("names the variable `{0}`; use letters, digits and `-`, and each name once")]
    Variable(Box<str>),
    #[error(transparent)]
    Url(#[from] UrlError),
}

impl Routes {
    pub(crate) fn new(routes: &[WebhookRoute], separator: char) -> Result<Self, RouteError> {
        let compile = |route: &WebhookRoute| -> Result<Route, RouteError> {
            Ok(Route {
                pattern: Pattern::parse(&route.pattern, separator)?,
                url: parse(&route.url)?,
            })
        };
        Ok(Self {
            separator,
            routes: routes.iter().map(compile).collect::<Result<_, _>>()?,
        })
    }

    /// The url of each route.
    pub(crate) fn urls(&self) -> impl Iterator<Item = &Uri> {
        self.routes.iter().map(|route| &route.url)
    }

    /// The first route for what follows the application prefix.
    pub(crate) fn find<'a>(&'a self, path: &'a str) -> Option<Match<'a>> {
        self.routes.iter().enumerate().find_map(|(index, route)| {
            let variables = route.pattern.matches(path, self.separator)?;
            Some(Match { index, variables })
        })
    }
}

impl Pattern {
    fn parse(text: &str, separator: char) -> Result<Self, RouteError> {
        let mut words: Vec<_> = text.split(separator).collect();
        let open = words.pop_if(|last| *last == "**").is_some();
        let mut segments = Vec::with_capacity(words.len());
        for word in words {
            let segment = match word {
                "" => return Err(RouteError::EmptySegment(text.into())),
                "**" => return Err(RouteError::OpenBeforeEnd(text.into())),
                word => Segment::parse(word)?,
            };
            if matches!(segment, Segment::Variable(_)) && segments.contains(&segment) {
                return Err(RouteError::Variable(word.into()));
            }
            segments.push(segment);
        }
        Ok(Self { segments, open })
    }

    fn matches<'a>(
        &'a self,
        path: &'a str,
        separator: char,
    ) -> Option<Vec<(&'a HeaderName, &'a str)>> {
        let mut words = path.split(separator);
        let mut variables = Vec::new();
        for segment in &self.segments {
            let word = words.next().filter(|word| !word.is_empty())?;
            match segment {
                Segment::Literal(literal) if **literal == *word => {}
                Segment::Literal(_) => return None,
                Segment::Any => {}
                Segment::Variable(name) => variables.push((name, word)),
            }
        }
        (self.open || words.next().is_none()).then_some(variables)
    }
}

impl Segment {
    fn parse(word: &str) -> Result<Self, RouteError> {
        if word == "*" {
            return Ok(Self::Any);
        }
        let name = word
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        if let Some(name) = name {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            let header = HeaderName::try_from(format!("{VARIABLE_PREFIX}{name}"));
            return match header {
                Ok(header) if !name.is_empty() && name.bytes().all(plain) => {
                    Ok(Self::Variable(header))
                }
                _ => Err(RouteError::Variable(word.into())),
            };
        }
        if word.contains(['*', '{', '}']) {
            return Err(RouteError::Segment(word.into()));
        }
        Ok(Self::Literal(word.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(patterns: &[&str], separator: char) -> Result<Routes, RouteError> {
        let routes: Vec<_> = patterns
            .iter()
            .map(|pattern| WebhookRoute {
                pattern: (*pattern).to_owned(),
                url: "http://127.0.0.1:9000/x".to_owned(),
            })
            .collect();
        Routes::new(&routes, separator)
    }

    fn found(pattern: &str, separator: char, path: &str) -> Option<String> {
        let routes = routes(&[pattern], separator).expect("a pattern");
        let variables = routes.find(path)?.variables;
        let shown = variables
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        Some(shown.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn patterns_match_segment_by_segment() {
        for (pattern, path, expected) in [
            ("trade", "trade", true),
            ("trade", "trades", false),
            ("trade", "trade/acme", false),
            ("trade/*", "trade/acme", true),
            ("trade/*", "trade", false),
            ("trade/*", "trade/", false),
            ("trade/*", "trade/acme/buy", false),
            ("trade/**", "trade", true),
            ("trade/**", "trade/acme/buy", true),
            ("trade/**", "trades", false),
            ("**", "anything/at/all", true),
            ("*/buy", "acme/buy", true),
            ("*/buy", "acme/sell", false),
        ] {
            let matches = found(pattern, '/', path).is_some();
            assert_eq!(matches, expected, "{pattern} against {path}");
        }
        assert!(found("trade.*", '.', "trade.acme").is_some());
        assert!(found("trade.*", '.', "trade/acme").is_none());
    }

    #[test]
    fn variables_are_told_by_name() {
        assert_eq!(
            found("trade/{symbol}/{side}", '/', "trade/acme/buy").as_deref(),
            Some("tidings-variable-symbol=acme tidings-variable-side=buy")
        );
        assert_eq!(found("trade/{symbol}", '/', "trade/"), None);
    }

    #[test]
    fn the_first_route_that_matches_counts() {
        let routes = routes(&["a/b", "a/*", "**"], '/').expect("patterns");
        let index = |path| routes.find(path).map(|found| found.index);
        assert_eq!(
            [index("a/b"), index("a/c"), index("b")],
            [Some(0), Some(1), Some(2)]
        );
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for (pattern, cause) in [
            ("/trade", "has an empty segment"),
            ("trade/", "has an empty segment"),
            ("**/trade", "with `**` before its end"),
            ("trade/a*", "the segment `a*`"),
            ("trade/{}", "the variable `{}`"),
            ("trade/{a b}", "the variable `{a b}`"),
            ("{a}/{A}", "the variable `{A}`"),
            ("trade/{a}b", "the segment `{a}b`"),
        ] {
            let error = routes(&[pattern], '/').expect_err(pattern).to_string();
            assert!(error.contains(cause), "{pattern}: {error}");
        }
    }
}
