use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};

use tidings::prelude::*;

use crate::talk::{message, only_line, subscription};

/// A handler that says where it stands.
fn says(name: &'static str) -> impl tidings::handler::Handler<((),), ()> {
    async move || SendTo("/topic/said", name)
}

fn said(router: &Router, path: &str) -> String {
    let line = only_line(router, message(path, ""));
    match line.strip_prefix("/topic/said: ") {
        Some(name) => name.to_owned(),
        None => line.split(':').next().unwrap_or_default().to_owned(),
    }
}

#[test]
fn the_best_route_answers_whatever_their_order() {
    let patterns = ["a/b", "a/{x}", "a/*.txt", "a/b*.txt", "a/**", "*/b", "**"];
    let forwards = patterns.iter().fold(Router::new(), |router, pattern| {
        router.message(pattern, says(pattern))
    });
    let backwards = patterns
        .iter()
        .rev()
        .fold(Router::new(), |router, pattern| {
            router.message(pattern, says(pattern))
        });
    for router in [forwards, backwards] {
        for (path, best) in [
            ("a/b", "a/b"),
            ("a/c", "a/{x}"),
            ("a/c.txt", "a/*.txt"),
            ("a/.txt", "a/*.txt"),
            ("a/bc.txt", "a/b*.txt"),
            ("a", "a/**"),
            ("a/b/c", "a/**"),
            ("c/b", "*/b"),
            ("c", "**"),
            ("c/b/d", "**"),
        ] {
            assert_eq!(said(&router, path), best, "{path}");
        }
    }
}

#[test]
fn a_dead_end_in_a_better_branch_leads_back() {
    let router: Router = Router::new()
        .message("a/b/c", says("exact"))
        .message("a/*/d", says("star"))
        .message("*/b/e", says("first star"));
    assert_eq!(said(&router, "a/b/d"), "star");
    assert_eq!(said(&router, "a/b/e"), "first star");
    assert_eq!(said(&router, "a/b/f"), "unknown-destination");
}

#[test]
fn a_segment_without_text_fits_no_variable() {
    let router: Router = Router::new().message("a/{x}", says("x"));
    assert_eq!(said(&router, "a/"), "unknown-destination");
    assert_eq!(said(&router, "a"), "unknown-destination");
}

#[test]
fn a_leading_slash_counts_for_nothing() {
    let router: Router = Router::new()
        .message("/a/{x}", says("x"))
        .message("/b", says("b"));
    assert_eq!(said(&router, "a/1"), "x");
    assert_eq!(said(&router, "b"), "b");
}

#[test]
fn send_and_subscribe_are_apart() {
    let router: Router = Router::new()
        .message("a", says("message"))
        .subscribe("a", says("subscription"));
    assert_eq!(only_line(&router, message("a", "")), "/topic/said: message");
    assert_eq!(
        only_line(&router, subscription("a")),
        "/topic/said: subscription"
    );
}

#[test]
fn nested_and_merged_routers_keep_their_routes() {
    let inner = Router::new()
        .message("/", says("itself"))
        .message("{line}", says("line"))
        .fallback(says("inner fallback"));
    let router: Router = Router::new()
        .nest("/order/{id}/", inner)
        .merge(Router::new().message("merged", says("merged")))
        .fallback(says("fallback"));
    assert_eq!(said(&router, "order/1"), "itself");
    assert_eq!(said(&router, "order/1/2"), "line");
    assert_eq!(said(&router, "order/1/2/3"), "inner fallback");
    assert_eq!(said(&router, "merged"), "merged");
    assert_eq!(said(&router, "order"), "fallback");
}

#[test]
fn a_nested_router_has_the_variables_of_its_prefix() {
    let inner = Router::new().message("{b}", async |Path((a, b)): Path<(u8, u8)>| {
        SendTo("/topic/{b}/{a}", format!("{a}{b}"))
    });
    let router: Router = Router::new().nest("{a}", inner);
    assert_eq!(only_line(&router, message("1/2", "")), "/topic/2/1: 12");
}

/// What the wiring says, and on which line.
#[track_caller]
fn panics(wire: impl FnOnce() -> Router) -> String {
    let caught = catch_unwind(AssertUnwindSafe(|| drop(wire())));
    let panic = caught.expect_err("the wiring is wrong");
    *panic.downcast::<String>().expect("a text")
}

#[test]
fn duplicates_and_ties_fail_at_start() {
    for (one, other) in [
        ("a/b", "/a/b"),
        ("a/{x}", "a/{y}"),
        ("a/{x}", "a/*"),
        ("a-*", "*-b"),
        ("a-*/x", "{y}-b/x"),
        ("**", "/**"),
        ("{x}/**", "*/**"),
    ] {
        let wire = || {
            Router::new()
                .message(one, says("1"))
                .message(other, says("2"))
        };
        let bare = |pattern: &'static str| pattern.trim_start_matches('/');
        let (one, other) = (bare(one), bare(other));
        assert_eq!(
            panics(wire),
            format!("the routes `{one}` and `{other}` match the same destinations: keep one")
        );
    }
    let fallbacks = || {
        Router::new()
            .fallback(says("1"))
            .merge(Router::new().fallback(says("2")))
    };
    assert_eq!(
        panics(fallbacks),
        "the routes `**` and `**` match the same destinations: keep one"
    );
}

thread_local! {
    /// Where this thread panicked last.
    static PANICKED_AT: Cell<(String, u32)> = const { Cell::new((String::new(), 0)) };
}

#[test]
fn wiring_faults_name_the_line_of_the_caller() {
    let earlier = take_hook();
    set_hook(Box::new(move |panic| {
        if let Some(at) = panic.location() {
            PANICKED_AT.set((at.file().to_owned(), at.line()));
        }
        earlier(panic);
    }));
    let line = line!() + 2;
    let faults: [fn() -> Router; 4] = [
        || Router::new().message("a//b", says("1")),
        || Router::new().subscribe("{", says("1")),
        || Router::new().merge(Router::with_separator(Separator::Dot)),
        || Router::new().nest("a//", Router::new().message("b", says("1"))),
    ];
    for (fault, line) in faults.into_iter().zip(line..) {
        assert!(catch_unwind(|| drop(fault())).is_err());
        let (file, at) = PANICKED_AT.take();
        assert_eq!((file.ends_with("tests/it/routes.rs"), at), (true, line));
    }
}

#[test]
fn what_is_no_tie_is_taken() {
    let router: Router = Router::new()
        .message("a-*", says("1"))
        .message("b-*", says("2"))
        .message("a-*/x", says("3"))
        .message("*-b/y", says("4"))
        .message("*-b/{z}", says("5"));
    for (path, name) in [
        ("a-b", "1"),
        ("b-b", "2"),
        ("a-b/x", "3"),
        ("a-b/y", "4"),
        ("a-b/z", "5"),
    ] {
        assert_eq!(said(&router, path), name, "{path}");
    }
}

#[test]
fn a_pattern_that_is_none_fails_at_start() {
    for (pattern, why) in [
        (
            "a//b",
            "it has an empty segment: write one separator between two names and none at the end",
        ),
        (
            "a/",
            "it has an empty segment: write one separator between two names and none at the end",
        ),
        (
            "**/a",
            "`**` stands before other segments: it stands for all the rest, so write it last",
        ),
        ("a?", "`?` is no wildcard of routes: use `*` or a variable"),
        (
            "{a",
            "a brace is not closed, not opened, or has no name in it: write {name}",
        ),
        (
            "a}",
            "a brace is not closed, not opened, or has no name in it: write {name}",
        ),
        (
            "{}",
            "a brace is not closed, not opened, or has no name in it: write {name}",
        ),
        (
            "{a}{b}",
            "two wildcards stand side by side, so that none ends: write text between them",
        ),
        (
            "a**",
            "two wildcards stand side by side, so that none ends: write text between them",
        ),
        (
            "{a}/{a}",
            "the variable a stands in it twice: give each a name of its own",
        ),
    ] {
        let panic = panics(|| Router::new().message(pattern, says("1")));
        assert_eq!(
            panic,
            format!("the route `{pattern}` is not well formed: {why}")
        );
    }
    let twice = || Router::new().nest("{a}", Router::new().message("{a}", says("1")));
    assert!(panics(twice).contains("the variable a stands in it twice"));
    let separators = || Router::<()>::new().merge(Router::with_separator(Separator::Dot));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(separators()))).is_err());
}

#[test]
fn a_router_shows_its_patterns() {
    let router: Router = Router::new()
        .message("a/{x}", says("1"))
        .subscribe("b", says("2"));
    assert_eq!(
        format!("{router:?}"),
        r#"Router { messages: ["a/{x}"], subscriptions: ["b"], .. }"#
    );
}
