use proptest::prelude::*;
use tidings_core::destination::{
    Destination, DestinationError, Destinations, MAX_SEGMENTS, Pattern, PatternError, Separator,
};
use tidings_core::disconnect::Reason;

fn destinations(separator: Separator) -> Destinations {
    Destinations {
        topic_prefixes: vec!["/topic/".to_owned(), "/news/".to_owned()],
        queue_prefixes: vec!["/queue/".to_owned()],
        application_prefix: "/app/".to_owned(),
        user_prefix: "/user/".to_owned(),
        separator,
        max_bytes: 200,
        max_segments: MAX_SEGMENTS,
    }
}

fn slash() -> Destinations {
    destinations(Separator::Slash)
}

#[test]
fn a_prefix_tells_what_a_destination_is() {
    let known = slash();
    assert_eq!(known.classify("/topic/a/b"), Ok(Destination::Topic));
    assert_eq!(known.classify("/news/é"), Ok(Destination::Topic));
    assert_eq!(known.classify("/queue/a b"), Ok(Destination::Queue));
    assert_eq!(
        known.classify("/user/ada/queue/x"),
        Ok(Destination::User("ada/queue/x"))
    );
    assert_eq!(
        known.classify("/temp-queue/a/b"),
        Ok(Destination::TempQueue("a/b"))
    );
    assert_eq!(
        known.classify("/reply-queue/xyz"),
        Ok(Destination::ReplyQueue)
    );
}

#[test]
fn an_unknown_prefix_is_answered_with_the_known_ones() {
    for unknown in [
        "/topicx/a",
        "/topic",
        "topic/a",
        "/Topic/a",
        "x",
        "/",
        "/tmp/topic/a",
    ] {
        let error = slash().classify(unknown).unwrap_err();
        assert_eq!(error.reason(), Reason::UnknownDestination, "{unknown}");
        assert_eq!(
            error.to_string(),
            "the destination starts with no known prefix: use one of /topic/, /news/, /queue/, /user/, \
             /temp-queue/, /reply-queue/"
        );
    }
}

#[test]
fn a_destination_that_is_not_well_formed_is_refused_for_its_fault() {
    let of = |text: &str| slash().classify(text).unwrap_err();
    let empty_segment = DestinationError::EmptySegment { separator: '/' };
    assert_eq!(of(""), DestinationError::Empty);
    assert_eq!(of("/topic/"), DestinationError::NoName);
    assert_eq!(of("/temp-queue/"), DestinationError::NoName);
    assert_eq!(of("/topic//a"), empty_segment);
    assert_eq!(of("/queue/a//b"), empty_segment);
    assert_eq!(of("/queue/a/"), empty_segment);
    assert_eq!(of("/topic/a\nb"), DestinationError::ControlCharacter);
    assert_eq!(of("/topic/a\0"), DestinationError::ControlCharacter);
    assert_eq!(of("/topic/a\u{85}"), DestinationError::ControlCharacter);
    assert_eq!(
        of(&format!("/topic/{}", "a".repeat(194))),
        DestinationError::TooLong { limit: 200 }
    );
    assert_eq!(
        of(&format!("/topic{}", "/a".repeat(MAX_SEGMENTS - 1))),
        DestinationError::TooDeep {
            limit: MAX_SEGMENTS
        }
    );
    assert_eq!(of("/topic/*"), DestinationError::Wildcard);
    assert_eq!(of("/topic/what?"), DestinationError::Wildcard);
    assert_eq!(of("/topic/").reason(), Reason::InvalidDestination);

    assert_eq!(
        slash().classify(&format!("/topic/{}", "a".repeat(193))),
        Ok(Destination::Topic)
    );
    let deepest = format!("/topic{}", "/a".repeat(MAX_SEGMENTS - 2));
    assert_eq!(slash().classify(&deepest), Ok(Destination::Topic));
    let flat = Destinations {
        max_segments: 4,
        ..slash()
    };
    assert_eq!(flat.classify("/topic/a/b"), Ok(Destination::Topic));
    let too_deep = Err(DestinationError::TooDeep { limit: 4 });
    assert_eq!(flat.classify("/topic/a/b/c"), too_deep);
    let subscription = flat.classify_subscription("/topic/a/*/c");
    assert_eq!(subscription.map(|(kind, _)| kind), too_deep);
}

#[test]
fn only_topics_are_subscribed_to_by_pattern() {
    let (kind, pattern) = slash().classify_subscription("/topic/**").unwrap();
    assert_eq!((kind, pattern.is_exact()), (Destination::Topic, false));
    let (kind, pattern) = slash().classify_subscription("/queue/a").unwrap();
    assert_eq!(
        (kind, pattern.is_exact(), pattern.as_str()),
        (Destination::Queue, true, "/queue/a")
    );
    for refused in ["/queue/*", "/queue/a?", "/temp-queue/**", "/reply-queue/*"] {
        assert_eq!(
            slash().classify_subscription(refused),
            Err(DestinationError::Wildcard),
            "{refused}"
        );
    }
    for escape in ["/**", "/*/a", "**", "/topic*/a", "/?opic/a"] {
        let error = slash().classify_subscription(escape).unwrap_err();
        assert_eq!(error.reason(), Reason::UnknownDestination, "{escape}");
    }
    let error = slash().classify_subscription("/topic/a**").unwrap_err();
    assert_eq!(
        error,
        DestinationError::Pattern(PatternError::PartialDoubleStar)
    );
    assert_eq!(error.reason(), Reason::InvalidDestination);
}

#[test]
fn patterns_match_whole_destinations() {
    let table = [
        ("/topic/a", "/topic/a", true),
        ("/topic/a", "/topic/a/b", false),
        ("/topic/*", "/topic/a", true),
        ("/topic/*", "/topic", false),
        ("/topic/*", "/topic/a/b", false),
        ("/topic/?", "/topic/é", true),
        ("/topic/?", "/topic/ab", false),
        ("/topic/a*c", "/topic/ac", true),
        ("/topic/a*c", "/topic/abcbc", true),
        ("/topic/a*c", "/topic/abcb", false),
        ("/topic/*?", "/topic/é", true),
        ("/topic/*??", "/topic/é", false),
        ("/topic/**", "/topic", true),
        ("/topic/**", "/topic/a/b/c", true),
        ("/topic/**", "/topicx", false),
        ("/topic/**/z", "/topic/z", true),
        ("/topic/**/z", "/topic/a/z/b/z", true),
        ("/topic/**/z", "/topic/a/z/b", false),
        ("/topic/**/a/*/**", "/topic/x/a/a", true),
        ("/topic/**/a/*/**", "/topic/x/a", false),
    ];
    for (pattern, destination, expected) in table {
        let parsed = Pattern::parse(pattern, Separator::Slash).unwrap();
        assert_eq!(
            parsed.matches(destination),
            expected,
            "{pattern} {destination}"
        );
    }
}

#[test]
fn with_dots_the_prefix_is_one_segment() {
    let known = destinations(Separator::Dot);
    let matches = |pattern, destination| {
        Pattern::parse(pattern, Separator::Dot)
            .unwrap()
            .matches(destination)
    };
    assert_eq!(known.classify("/topic/a.b/c"), Ok(Destination::Topic));
    assert_eq!(
        known.classify("/topic/a..b"),
        Err(DestinationError::EmptySegment { separator: '.' })
    );
    assert!(matches("/topic/**", "/topic/a.b.c"));
    assert!(matches("/topic/*.c", "/topic/a/b.c"));
    assert!(!matches("/topic/*", "/topic/a.b"));
    assert!(!matches("/topic/*", "/topic.a"));
}

#[test]
fn the_number_of_wildcards_is_bounded() {
    let parse = |text: &str| Pattern::parse(text, Separator::Slash);
    assert!(parse(&"/*".repeat(Pattern::MAX_WILDCARDS)).is_ok());
    assert_eq!(
        parse(&"/**".repeat(Pattern::MAX_WILDCARDS + 1)),
        Err(PatternError::TooManyWildcards)
    );
    assert_eq!(
        parse(&"?".repeat(Pattern::MAX_WILDCARDS + 1)),
        Err(PatternError::TooManyWildcards)
    );
    assert_eq!(
        parse(&"/a".repeat(MAX_SEGMENTS)),
        Err(PatternError::TooDeep)
    );
}

/// With a matcher that tries every star, each of these takes more than 10^15 steps: the test would not end.
#[test]
fn the_worst_patterns_match_at_once() {
    let segment = Pattern::parse(&format!("{}c", "a*".repeat(8)), Separator::Slash).unwrap();
    assert!(!segment.matches(&"a".repeat(5_000)));
    let segments = Pattern::parse(&format!("{}c", "**/a/".repeat(8)), Separator::Slash).unwrap();
    assert!(!segments.matches(&"a/".repeat(5_000)));
}

proptest! {
    #[test]
    fn what_is_accepted_is_well_formed(
        text in prop_oneof![any::<String>(), "(/topic/|/queue/|/temp-queue/|/x)[a/*?.\n]{0,12}"],
    ) {
        let known = slash();
        let sent = known.classify(&text);
        let subscribed = known.classify_subscription(&text);
        if let Ok(kind) = sent {
            let (subscribed, pattern) = subscribed.expect("what can be sent to can be subscribed to");
            prop_assert_eq!(kind, subscribed);
            prop_assert!(pattern.is_exact() && pattern.matches(&text));
            let name = text.splitn(3, '/').nth(2).expect("a prefix has two slashes");
            prop_assert!(name.split('/').all(|segment| !segment.is_empty()));
            prop_assert!(!text.contains(|c: char| c.is_control() || c == '*' || c == '?'));
        } else if let Ok((kind, pattern)) = subscribed {
            prop_assert!(kind == Destination::Topic && !pattern.is_exact());
        }
    }
}
