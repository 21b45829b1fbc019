use proptest::prelude::*;
use tidings_core::destination::{Pattern, Separator};
use tidings_core::subscription::PatternMap;

/// Whether segments match, tried in every way there is.
fn naive(pattern: &[&str], destination: &[&str]) -> bool {
    match (pattern, destination) {
        ([], rest) => rest.is_empty(),
        (["**", after @ ..], rest) => (0..=rest.len()).any(|skip| naive(after, &rest[skip..])),
        ([first, after @ ..], [segment, rest @ ..]) => {
            let (first, segment): (Vec<_>, Vec<_>) =
                (first.chars().collect(), segment.chars().collect());
            naive_segment(&first, &segment) && naive(after, rest)
        }
        _ => false,
    }
}

fn naive_segment(pattern: &[char], segment: &[char]) -> bool {
    match (pattern, segment) {
        ([], rest) => rest.is_empty(),
        (['*', after @ ..], rest) => {
            (0..=rest.len()).any(|skip| naive_segment(after, &rest[skip..]))
        }
        (['?', after @ ..], [_, rest @ ..]) => naive_segment(after, rest),
        ([c, after @ ..], [d, rest @ ..]) => c == d && naive_segment(after, rest),
        _ => false,
    }
}

type Segments = Vec<&'static str>;

fn pattern() -> impl Strategy<Value = Segments> {
    let segment = prop::sample::select(vec![
        "a", "b", "é", "ab", "*", "?", "a*", "*b", "?*", "**", "**",
    ]);
    prop::collection::vec(segment, 1..5)
}

fn destination() -> impl Strategy<Value = Segments> {
    let segment = prop::sample::select(vec!["a", "b", "é", "ab", "aab"]);
    prop::collection::vec(segment, 1..6)
}

fn text(segments: &Segments, separator: Separator) -> String {
    format!("/t/{}", segments.join(&separator.as_char().to_string()))
}

#[derive(Debug, Clone)]
enum Step {
    Insert(Segments),
    Remove(usize),
    Visit(Segments),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => pattern().prop_map(Step::Insert),
        1 => any::<usize>().prop_map(Step::Remove),
        3 => destination().prop_map(Step::Visit),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn a_destination_meets_each_value_whose_pattern_matches_once(
        steps in prop::collection::vec(step(), 1..60),
        separator in prop::sample::select(vec![Separator::Slash, Separator::Dot]),
    ) {
        let parse = |segments: &Segments| Pattern::parse(&text(segments, separator), separator).expect("few wildcards");
        let mut list: Vec<(Segments, usize)> = Vec::new();
        let mut map = PatternMap::new(separator);
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Insert(segments) => {
                    let known = list.iter().find(|(known, _)| *known == segments).map(|(_, value)| *value);
                    let value = *map.get_or_insert_with(&parse(&segments), || number);
                    prop_assert_eq!(value, known.unwrap_or(number));
                    if known.is_none() {
                        list.push((segments, number));
                    }
                }
                Step::Remove(index) if !list.is_empty() => {
                    let (segments, value) = list.swap_remove(index % list.len());
                    let pattern = parse(&segments);
                    prop_assert_eq!(map.get(&pattern), Some(&value));
                    prop_assert_eq!(map.get_mut(&pattern).copied(), Some(value));
                    prop_assert_eq!(map.remove(&pattern), Some(value));
                    prop_assert_eq!(map.remove(&pattern), None);
                    prop_assert_eq!(map.get(&pattern), None);
                }
                Step::Remove(_) => {}
                Step::Visit(segments) => {
                    let matching = list.iter().filter(|(pattern, _)| naive(pattern, &segments));
                    let mut expected: Vec<usize> = matching.map(|(_, value)| *value).collect();
                    let mut visited = Vec::new();
                    map.visit(&text(&segments, separator), |value| visited.push(*value));
                    expected.sort_unstable();
                    visited.sort_unstable();
                    prop_assert_eq!(visited, expected);
                }
            }
            prop_assert_eq!((map.len(), map.is_empty()), (list.len(), list.is_empty()));
        }
    }

    #[test]
    fn a_pattern_alone_matches_as_in_a_map(pattern in pattern(), destination in destination()) {
        let parsed = Pattern::parse(&text(&pattern, Separator::Slash), Separator::Slash).expect("few wildcards");
        let matches = parsed.matches(&text(&destination, Separator::Slash));
        prop_assert_eq!(matches, naive(&pattern, &destination));
    }
}

#[test]
fn removing_patterns_frees_the_paths_that_led_to_them() {
    let mut map = PatternMap::new(Separator::Slash);
    let before = format!("{map:?}");
    let patterns = ["/t/a/**/b*", "/t/a/**", "/t/*/c", "/t/**/**", "/t/exact"];
    let patterns = patterns.map(|text| Pattern::parse(text, Separator::Slash).unwrap());
    for pattern in &patterns {
        map.get_or_insert_with(pattern, || ());
    }
    for pattern in &patterns {
        assert_eq!(map.remove(pattern), Some(()));
    }
    assert_eq!(format!("{map:?}"), before);
}

/// Patterns of which each segment could stay in many `**` at once: without the check that each path is kept once the
/// number of paths would double with every segment.
#[test]
fn many_open_patterns_on_a_deep_destination_stay_cheap() {
    let mut map = PatternMap::new(Separator::Slash);
    for stars in 1..=8 {
        let text = format!("/t{}", "/**/a".repeat(stars));
        map.get_or_insert_with(&Pattern::parse(&text, Separator::Slash).unwrap(), || stars);
    }
    let mut visited = Vec::new();
    map.visit(&format!("/t{}", "/a".repeat(1_000)), |stars| {
        visited.push(*stars)
    });
    visited.sort_unstable();
    assert_eq!(visited, [1, 2, 3, 4, 5, 6, 7, 8]);
}
