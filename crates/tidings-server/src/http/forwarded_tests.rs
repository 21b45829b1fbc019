use std::fs;
use std::net::IpAddr;
use std::path::Path;

use proptest::prelude::*;

use super::forwarded::{Contradiction, Headers, Scheme, Told, read};
use super::forwarded_invariants::check;

/// Proxies are those of 10.0.0.0/8 and of fd00::/8.
fn is_trusted(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets()[0] == 10,
        IpAddr::V6(address) => address.octets()[0] == 0xfd,
    }
}

fn told(client: &str, scheme: Option<Scheme>, host: Option<&str>) -> Told {
    Told {
        client: Some(client.parse().expect("an address")),
        scheme,
        host: host.map(str::to_owned),
    }
}

#[test]
fn the_client_is_the_first_from_the_right_that_is_no_proxy() {
    let cases: [(&[&str], &str); 9] = [
        (&["192.0.2.1"], "192.0.2.1:0"),
        (&["198.51.100.66, 192.0.2.1"], "192.0.2.1:0"),
        (&["198.51.100.66, 192.0.2.1, 10.0.0.3"], "192.0.2.1:0"),
        (
            &["198.51.100.66", "192.0.2.1,10.0.0.2 , 10.0.0.3"],
            "192.0.2.1:0",
        ),
        (&["192.0.2.1:4711"], "192.0.2.1:4711"),
        (&["2001:db8::1"], "[2001:db8::1]:0"),
        (&["[2001:db8::1]:4711, fd00::1"], "[2001:db8::1]:4711"),
        (&["::ffff:192.0.2.1"], "192.0.2.1:0"),
        // All of them proxies: the outermost has asked for itself.
        (&["10.0.0.1, 10.0.0.2"], "10.0.0.1:0"),
    ];
    for (x_for, client) in cases {
        let headers = Headers {
            x_for,
            ..Headers::default()
        };
        assert_eq!(
            read(headers, is_trusted),
            Ok(told(client, None, None)),
            "{x_for:?}"
        );
    }
}

#[test]
fn what_names_no_address_ends_the_search() {
    for (x_for, client) in [
        ("unknown", None),
        ("", None),
        ("192.0.2.1, ", None),
        ("192.0.2.1, _hidden, 10.0.0.2", Some("10.0.0.2:0")),
        ("192.0.2.1, 10.0.0.256", None),
        ("192.0.2.1 10.0.0.2", None),
    ] {
        let x_for = [x_for];
        let headers = Headers {
            x_for: &x_for,
            ..Headers::default()
        };
        let client = client.map(|client| client.parse().expect("an address"));
        let client = Told {
            client,
            ..Told::default()
        };
        assert_eq!(read(headers, is_trusted), Ok(client), "{x_for:?}");
    }
}

#[test]
fn the_standard_header_tells_scheme_and_host_of_the_same_hop() {
    let https = Some(Scheme::Https);
    let cases: [(&[&str], Told); 8] = [
        (
            &["for=192.0.2.60;proto=http;by=203.0.113.43"],
            told("192.0.2.60:0", Some(Scheme::Http), None),
        ),
        (
            &["For=\"[2001:db8:cafe::17]:4711\""],
            told("[2001:db8:cafe::17]:4711", None, None),
        ),
        (
            &["for=192.0.2.1;proto=HTTPS;host=app.example, for=10.0.0.2;proto=http;host=inner"],
            told("192.0.2.1:0", https, Some("app.example")),
        ),
        (
            &["for=198.51.100.66;proto=https;host=evil.example, for=192.0.2.1"],
            told("192.0.2.1:0", None, None),
        ),
        (
            &[
                "for=198.51.100.66",
                "for=\"192.0.2.1\" ; host=\"a.example:8443\"",
            ],
            told("192.0.2.1:0", None, Some("a.example:8443")),
        ),
        (
            &["for=192.0.2.1;ext=\"a,b;c\\\"\";proto=https"],
            told("192.0.2.1:0", https, None),
        ),
        (
            &["for=192.0.2.1;host=\"a.example/evil\""],
            told("192.0.2.1:0", None, None),
        ),
        (
            &["for=192.0.2.1;;proto=https;"],
            told("192.0.2.1:0", https, None),
        ),
    ];
    for (forwarded, expected) in cases {
        let headers = Headers {
            forwarded,
            ..Headers::default()
        };
        assert_eq!(read(headers, is_trusted), Ok(expected), "{forwarded:?}");
    }
    for broken in [
        "for=192.0.2.1, for=\"unknown\"",
        "for=192.0.2.1, for=_SEVKISEK",
        "for=192.0.2.1;for=192.0.2.2",
        "for=192.0.2.1, proto=https",
        "for=\"192.0.2.1",
        "192.0.2.1",
        "for=192.0.2.1, ",
    ] {
        let forwarded = [broken];
        let headers = Headers {
            forwarded: &forwarded,
            ..Headers::default()
        };
        assert_eq!(
            read(headers, is_trusted).map(|told| told.client),
            Ok(None),
            "{broken}"
        );
    }
}

#[test]
fn the_older_headers_tell_what_the_nearest_proxy_says() {
    let headers = Headers {
        x_for: &["192.0.2.1"],
        x_proto: &["http, https"],
        x_host: &["evil.example", "app.example"],
        ..Headers::default()
    };
    let expected = told("192.0.2.1:0", Some(Scheme::Https), Some("app.example"));
    assert_eq!(read(headers, is_trusted), Ok(expected));
    let headers = Headers {
        x_proto: &["ftp"],
        x_host: &["a b"],
        ..Headers::default()
    };
    assert_eq!(read(headers, is_trusted), Ok(Told::default()));
}

#[test]
fn two_headers_must_name_one_client() {
    let both = |forwarded: &str, x_for: &str| {
        let headers = Headers {
            forwarded: &[forwarded],
            x_for: &[x_for],
            ..Headers::default()
        };
        read(headers, is_trusted).map(|told| told.client.map(|client| client.ip().to_string()))
    };
    assert_eq!(both("for=198.51.100.66", "192.0.2.1"), Err(Contradiction));
    assert_eq!(both("for=192.0.2.1", "198.51.100.66"), Err(Contradiction));
    assert_eq!(
        both("for=\"192.0.2.1:1\"", "192.0.2.1"),
        Ok(Some("192.0.2.1".to_owned()))
    );
}

#[test]
fn every_file_of_the_fuzz_corpus_keeps_the_invariants() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/forwarded");
    let files = fs::read_dir(&corpus).expect("the corpus is part of the repository");
    let mut count = 0;
    for file in files {
        check(&fs::read(file.expect("a readable folder").path()).expect("a readable file"));
        count += 1;
    }
    assert!(count >= 10, "only {count} files in the corpus");
}

proptest! {
    #[test]
    fn texts_keep_the_invariants(text in "([a-z0-9.:=;,\"\\\\\\[\\] ]|for=|10\\.0\\.0\\.1|192\\.0\\.2\\.1){0,24}") {
        check(text.as_bytes());
    }
}
