use std::collections::BTreeMap;

use serde::Deserialize;
use tidings::prelude::*;

use crate::talk::{message, only_line};

#[test]
fn one_variable_is_taken_alone() {
    let router: Router = Router::new().message("n/{n}", async |Path(n): Path<i16>| n.to_string());
    assert_eq!(only_line(&router, message("n/-7", "")), "/topic/n/-7: -7");
    assert_eq!(
        only_line(&router, message("n/seven", "")),
        r#"invalid-destination: the variable n of the destination is "seven": write a whole number from -32768 to 32767"#
    );
}

#[test]
fn a_tuple_takes_them_in_the_order_of_the_pattern() {
    let router: Router = Router::new()
        .message("{b}/x/{a}", async |Path((b, a)): Path<(String, u8)>| {
            format!("{b} {a}")
        });
    assert_eq!(
        only_line(&router, message("one/x/2", "")),
        "/topic/one/x/2: one 2"
    );
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
enum Side {
    Buy,
    Sell,
}

#[expect(dead_code, reason = "Debug shows them")]
#[derive(Deserialize, Debug)]
struct Id(u64);

#[expect(dead_code, reason = "Debug shows them")]
#[derive(Deserialize, Debug)]
struct Trade {
    side: Side,
    id: Option<Id>,
    symbol: String,
    fraction: f32,
    urgent: bool,
    letter: char,
}

#[test]
fn a_struct_takes_them_by_name() {
    let router: Router = Router::new().message(
        "{symbol}/{side}/{id}/{fraction}/{urgent}/{letter}",
        async |Path(trade): Path<Trade>| format!("{trade:?}"),
    );
    assert_eq!(
        only_line(
            &router,
            message("acme/sell/18446744073709551615/0.5/true/ü", "")
        ),
        "/topic/acme/sell/18446744073709551615/0.5/true/ü: Trade { side: Sell, id: Some(Id(18446744073709551615)), \
         symbol: \"acme\", fraction: 0.5, urgent: true, letter: 'ü' }"
    );
    let wrong = |path| only_line(&router, message(path, ""));
    assert_eq!(
        wrong("acme/hold/1/0.5/true/u"),
        r#"invalid-destination: the variable side of the destination is "hold": write one of buy, sell"#
    );
    assert_eq!(
        wrong("acme/buy/1/0.5/yes/u"),
        r#"invalid-destination: the variable urgent of the destination is "yes": write true or false"#
    );
    assert_eq!(
        wrong("acme/buy/1/0.5/true/uu"),
        r#"invalid-destination: the variable letter of the destination is "uu": write one character"#
    );
}

#[test]
fn maps_and_lists_take_any_number() {
    let router: Router = Router::new()
        .message(
            "map/{b}/{a}",
            async |Path(map): Path<BTreeMap<String, u8>>| format!("{map:?}"),
        )
        .message("list/{b}/{a}", async |Path(list): Path<Vec<String>>| {
            format!("{list:?}")
        });
    assert_eq!(
        only_line(&router, message("map/1/2", "")),
        r#"/topic/map/1/2: {"a": 2, "b": 1}"#
    );
    assert_eq!(
        only_line(&router, message("list/1/2", "")),
        r#"/topic/list/1/2: ["1", "2"]"#
    );
}

#[test]
fn a_handler_that_takes_others_than_its_route_has_is_an_internal_error() {
    let router: Router = Router::new()
        .message("one/{a}", async |_: Path<(u8, u8)>| ())
        .message("two/{a}/{b}", async |_: Path<u8>| ())
        .message("none", async |_: Path<String>| ())
        .message("other/{a}", async |_: Path<Trade>| ());
    for (path, error) in [
        ("one/1", "it has 1, the handler takes 2"),
        ("two/1/2", "it has 2, the handler takes 1"),
        ("none", "it has 0, the handler takes 1"),
        ("other/1", "missing field `side`"),
    ] {
        assert_eq!(
            only_line(&router, message(path, "")),
            format!(
                "internal-error: the handler takes other variables than its route has: {error}"
            )
        );
    }
}

#[test]
fn percent_signs_and_other_scripts_mean_themselves() {
    let router: Router = Router::new().message(
        "{a}/{b}.txt",
        async |Path((a, b)): Path<(String, String)>| format!("{a} {b}"),
    );
    assert_eq!(
        only_line(&router, message("a%2Fb/100%.txt", "")),
        "/topic/a%2Fb/100%.txt: a%2Fb 100%"
    );
    assert_eq!(
        only_line(&router, message("größe/雪.txt", "")),
        "/topic/größe/雪.txt: größe 雪"
    );
}

#[test]
fn several_in_a_segment_take_as_little_as_they_can() {
    let router: Router = Router::new()
        .message(
            "{name}.{rest}",
            async |Path((name, rest)): Path<(String, String)>| format!("{name}|{rest}"),
        )
        .message("x/a-{b}-c*", async |Path(b): Path<String>| b);
    assert_eq!(
        only_line(&router, message("a.b.c", "")),
        "/topic/a.b.c: a|b.c"
    );
    assert_eq!(only_line(&router, message("..c", "")), "/topic/..c: .|c");
    assert_eq!(
        only_line(&router, message("x/a--c-c", "")),
        "/topic/x/a--c-c: -c"
    );
    assert!(only_line(&router, message(".c", "")).starts_with("unknown-destination"));
}

#[test]
fn with_the_dot_as_separator_they_are_between_dots() {
    let router: Router = Router::with_separator(Separator::Dot)
        .message("/trade.{symbol}.*", async |Path(symbol): Path<String>| {
            SendTo("/topic/trades.{symbol}", symbol)
        });
    assert_eq!(
        only_line(&router, message("trade.a/b.now", "")),
        "/topic/trades.a/b: a/b"
    );
    assert!(only_line(&router, message("trade/acme/now", "")).starts_with("unknown-destination"));
}
