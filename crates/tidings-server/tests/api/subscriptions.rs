//! Who has subscribed to what.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::server::{Place, Running};

/// More than any query here has.
const MOST_PAGES: usize = 1_000;

/// What all pages have, by session, id and destination.
fn walk(server: &Running, path: &str, between: &mut dyn FnMut()) -> Vec<(String, String, String)> {
    let (mut found, mut after) = (Vec::new(), String::new());
    for _ in 0..MOST_PAGES {
        let (status, page) = server.ask("GET", &format!("{path}{after}"), None);
        assert_eq!(status, 200, "{page}");
        let entries = page["subscriptions"].as_array().expect("a list");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        found.extend(entries.iter().map(|one| {
            (
                text(&one["session"]),
                text(&one["id"]),
                text(&one["destination"]),
            )
        }));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return found,
        }
        between();
    }
    panic!("{path} has no last page");
}

#[test]
fn subscriptions_are_listed_as_their_clients_made_them() {
    let server = Running::start(Place::BeneathHttp);
    let (mut client, id) = server.client("ada");
    let made = [
        ("0", "/topic/prices.*", "auto"),
        ("1", "/user/queue/news", "auto"),
        ("2", "/queue/orders", "client-individual"),
        ("3", "/temp-queue/answers", "auto"),
        ("4", "/app/positions", "auto"),
        ("a/b", "/topic/a", "client"),
    ];
    for (id, destination, ack) in made {
        client.subscribe(id, &format!("{destination}\nack:{ack}"));
    }
    let expected: Vec<_> = made
        .iter()
        .map(|(subscription, destination, ack)| {
            json!({"session": id, "user": "ada", "id": subscription, "destination": destination, "ack": ack,
                   "link": "tcp"})
        })
        .collect();
    let expected = json!({ "subscriptions": expected });
    let path = format!("/api/v1/sessions/{id}/subscriptions");
    assert_eq!(server.ask("GET", &path, None), (200, expected.clone()));
    let path = format!("/api/v1/subscriptions?session={id}");
    assert_eq!(server.ask("GET", &path, None), (200, expected.clone()));
    let in_pages = walk(&server, &format!("{path}&limit=1"), &mut || {});
    assert_eq!(in_pages.len(), made.len());
    let everywhere = server.ask("GET", "/api/v1/subscriptions", None);
    assert_eq!(everywhere, (200, expected), "one session is on one worker");
}

#[test]
fn a_query_finds_what_fits_and_nothing_else() {
    let server = Running::start(Place::BeneathHttp);
    let mut clients = Vec::new();
    for login in ["ada", "bob", "ada", "cy"] {
        let (mut client, id) = server.client(login);
        for (subscription, destination) in [
            ("0", "/topic/prices"),
            ("1", "/topic/prices.acme"),
            ("2", "/user/queue/x"),
        ] {
            client.subscribe(subscription, destination);
        }
        clients.push((client, id));
    }
    let (mut nobody, its) = server.nobody();
    nobody.subscribe("0", "/topic/prices");
    for (query, count) in [
        ("", 13),
        ("&destination=/topic/prices", 5),
        ("&destination=/user/queue/x", 4),
        ("&destination_prefix=/topic/", 9),
        ("&destination_prefix=/topic/prices.", 4),
        ("&user=ada", 6),
        ("&user=ada&destination=/topic/prices", 2),
        ("&user=eve", 0),
        (&format!("&session={its}"), 1),
        (&format!("&session={its}&user=ada"), 0),
        (&format!("&session={}&user=ada", clients[0].1), 3),
        ("&session=none", 0),
        ("&destination=/topic", 0),
    ] {
        for limit in [1, 2, 1_000] {
            let path = format!("/api/v1/subscriptions?limit={limit}{query}");
            let found = walk(&server, &path, &mut || {});
            let once: BTreeSet<_> = found.iter().collect();
            assert_eq!((found.len(), once.len()), (count, count), "{path}");
        }
    }
}

#[test]
fn what_stands_while_pages_are_read_is_in_them_once_whatever_comes_and_goes() {
    let server = Running::start(Place::BeneathHttp);
    let mut standing = BTreeSet::new();
    let mut coming = Vec::new();
    let (mut client, id) = server.client("ada");
    for number in 0..40 {
        client.subscribe(&format!("s{number}"), "/topic/a");
        standing.insert((id.clone(), format!("s{number}"), "/topic/a".to_owned()));
        let (mut other, _) = server.client("ada");
        other.subscribe("c", "/topic/b");
        coming.push(other);
    }
    for query in ["", "&user=ada"] {
        let path = format!("/api/v1/subscriptions?limit=3{query}");
        let found = walk(&server, &path, &mut || {
            if let Some(mut going) = coming.pop() {
                going.disconnect();
                going.has_ended();
            }
            let (mut other, _) = server.client("ada");
            other.subscribe("c", "/topic/b");
        });
        let ours: Vec<_> = found.into_iter().filter(|one| one.0 == id).collect();
        assert_eq!(ours.len(), standing.len());
        assert_eq!(ours.into_iter().collect::<BTreeSet<_>>(), standing);
    }
}

#[test]
fn more_than_a_worker_looks_at_in_one_turn_is_found_all_the_same() {
    let server = Running::start(Place::BeneathHttp);
    let mut clients = Vec::new();
    for _ in 0..6 {
        let (mut client, _) = server.client("ada");
        for number in 0..900 {
            client.send(&format!(
                "SUBSCRIBE\nid:{number}\ndestination:/topic/{number}\n\n"
            ));
        }
        client.subscribe("last", "/topic/last");
        clients.push(client);
    }
    let count = |query: &str| {
        let path = format!("/api/v1/subscriptions?limit=1000{query}");
        walk(&server, &path, &mut || {}).len()
    };
    assert_eq!(count(""), 6 * 901);
    assert_eq!(count("&destination=/topic/last"), 6);
    assert_eq!(count("&user=ada&destination=/topic/899"), 6);
    assert_eq!(count("&destination=/topic/none"), 0);
}
