//! The route that answers, compared with a simple model: of all patterns that match, the one whose segments go first.

use proptest::prelude::*;
use tidings::prelude::*;

use crate::talk::{lines, message};

fn segment_matches(pattern: &str, text: &str) -> bool {
    fn matches(pattern: &[char], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['*', rest @ ..] => (0..=text.len()).any(|taken| matches(rest, &text[taken..])),
            // `{v}` beside text.
            ['{', _, '}', rest @ ..] => (1..=text.len()).any(|taken| matches(rest, &text[taken..])),
            [one, rest @ ..] => text.first() == Some(one) && matches(rest, &text[1..]),
        }
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let alone = matches!(&pattern[..], ['*'] | ['{', _, '}']);
    (!alone || !text.is_empty()) && matches(&pattern, &text)
}

fn matches(pattern: &str, path: &str) -> bool {
    let path: Vec<&str> = path.split('/').collect();
    let pattern: Vec<&str> = pattern.split('/').collect();
    let (pattern, fits) = match pattern.split_last() {
        Some((&"**", head)) => (head, head.len() <= path.len()),
        _ => (&pattern[..], pattern.len() == path.len()),
    };
    fits && pattern
        .iter()
        .zip(&path)
        .all(|(pattern, text)| segment_matches(pattern, text))
}

/// Text 0, a part by how much text it has, alone, rest: what goes first is less.
fn order(pattern: &str) -> Vec<(u8, i32)> {
    let segment = |segment: &str| {
        let text = segment
            .chars()
            .fold((0, false), |(count, within), c| match c {
                '{' => (count, true),
                '}' => (count, false),
                '*' => (count, within),
                _ => (count + i32::from(!within), within),
            });
        match segment {
            "**" => (3, 0),
            _ if !segment.contains(['*', '{']) => (0, 0),
            _ if text.0 == 0 => (2, 0),
            _ => (1, -text.0),
        }
    };
    pattern.split('/').map(segment).collect()
}

fn patterns() -> impl Strategy<Value = Vec<String>> {
    let segment = prop_oneof![
        4 => "[ab]{1,2}",
        2 => "[ab]?\\*[ab]?",
        2 => "[ab]\\{V\\}[ab]?",
        1 => "[ab]?\\*[ab]\\*[ab]?",
        1 => Just("{V}".to_owned()),
    ];
    let pattern =
        (prop::collection::vec(segment, 1..4), any::<bool>()).prop_map(|(mut segments, rest)| {
            if rest {
                segments.push("**".to_owned());
            }
            let named = segments
                .iter()
                .enumerate()
                .map(|(at, segment)| segment.replace('V', &at.to_string()));
            named.collect::<Vec<_>>().join("/")
        });
    prop::collection::vec(pattern, 1..12)
}

/// A router of those patterns that can be added, and which they are.
fn router(patterns: &[String]) -> (Router, Vec<&String>) {
    let mut kept: Vec<&String> = Vec::new();
    for pattern in patterns {
        kept.push(pattern);
        if std::panic::catch_unwind(|| drop(build(&kept))).is_err() {
            kept.pop();
        }
    }
    (build(&kept), kept)
}

fn build(patterns: &[&String]) -> Router {
    patterns.iter().fold(Router::new(), |router, pattern| {
        let name = (*pattern).clone();
        router.message(pattern, async move || SendTo("/topic/found", name))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_route_that_answers_is_the_model_s(
        patterns in patterns(),
        paths in prop::collection::vec("[ab]{1,4}(/[ab]{1,4}){0,3}", 20),
    ) {
        let (router, kept) = router(&patterns);
        for path in paths {
            let mut matching: Vec<_> = kept.iter().filter(|pattern| matches(pattern, &path)).collect();
            matching.sort_by_key(|pattern| order(pattern));
            let found = lines(&router, message(&path, "")).remove(0);
            match &matching[..] {
                [] => prop_assert!(found.starts_with("unknown-destination"), "{path}: {found}"),
                [best, rest @ ..] => {
                    prop_assert_eq!(found, format!("/topic/found: {best}"), "{}", path);
                    prop_assert!(rest.iter().all(|other| order(other) != order(best)), "a tie: {rest:?}");
                }
            }
        }
    }
}
