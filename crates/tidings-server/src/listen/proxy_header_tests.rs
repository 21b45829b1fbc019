use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::proxy_header::{HeaderError, MAX_HEADER_BYTES, Parsed, parse};
use super::proxy_header_invariants::check;

fn complete(length: usize, client: Option<&str>) -> Result<Parsed, HeaderError> {
    let client = client.map(|client| client.parse().expect("an address"));
    Ok(Parsed::Complete { length, client })
}

fn binary(command: u8, family: u8, block: &[u8]) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    header.extend([command, family]);
    header.extend((block.len() as u16).to_be_bytes());
    header.extend(block);
    header
}

#[test]
fn a_line_names_the_client() {
    let cases = [
        (
            "PROXY TCP4 192.0.2.1 198.51.100.2 4711 443\r\n",
            Some("192.0.2.1:4711"),
        ),
        (
            "PROXY TCP6 2001:db8::1 2001:db8::2 4711 443\r\n",
            Some("[2001:db8::1]:4711"),
        ),
        (
            "PROXY TCP4 192.0.2.1 198.51.100.2 0 65535\r\n",
            Some("192.0.2.1:0"),
        ),
        ("PROXY UNKNOWN\r\n", None),
        ("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", None),
    ];
    for (line, client) in cases {
        let stream = format!("{line}GET / HTTP/1.1\r\n");
        assert_eq!(
            parse(stream.as_bytes()),
            complete(line.len(), client),
            "{line}"
        );
        check(stream.as_bytes());
    }
}

#[test]
fn a_binary_header_names_the_client_and_its_tlvs_are_skipped() {
    let v4 = [192, 0, 2, 1, 198, 51, 100, 2, 0x12, 0x67, 1, 187];
    let mut v6 = [0; 36];
    v6[..4].copy_from_slice(&[0x20, 1, 0xd, 0xb8]);
    v6[15] = 1;
    v6[32..34].copy_from_slice(&[0x12, 0x67]);
    let tlv = [&v4[..], &[0x02, 0, 3, b'a', b'b', b'c', 0x04, 0, 1, 0]].concat();
    let cases = [
        (binary(0x21, 0x11, &v4), Some("192.0.2.1:4711")),
        (binary(0x21, 0x12, &v4), Some("192.0.2.1:4711")),
        (binary(0x21, 0x21, &v6), Some("[2001:db8::1]:4711")),
        (binary(0x21, 0x11, &tlv), Some("192.0.2.1:4711")),
        (binary(0x21, 0x31, &[b'/'; 216]), None),
        (binary(0x21, 0x00, &[]), None),
        (binary(0x21, 0x00, &[9; 40]), None),
        // Of a proxy's own connection nothing else counts.
        (binary(0x20, 0x11, &v4), None),
        (binary(0x20, 0xff, &[]), None),
    ];
    for (header, client) in cases {
        let stream = [&header[..], b"\x16\x03\x01"].concat();
        assert_eq!(parse(&stream), complete(header.len(), client), "{header:?}");
        check(&stream);
    }
}

#[test]
fn what_is_no_header_is_refused_as_soon_as_it_shows() {
    let malformed = |bytes: &[u8]| matches!(parse(bytes), Err(HeaderError::Malformed(_)));
    assert_eq!(parse(b"G"), Err(HeaderError::NoHeader));
    assert_eq!(parse(b"PROXY_"), Err(HeaderError::NoHeader));
    assert_eq!(parse(b"\r\n\r\n\0\r\nQUIT\r"), Err(HeaderError::NoHeader));
    assert_eq!(parse(b"\x16\x03\x01"), Err(HeaderError::NoHeader));
    for line in [
        "PROXY \r\n",
        "PROXY TCP4\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 4711 443\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 4711\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 4711 443 \r\n",
        "PROXY TCP4  192.0.2.1 198.51.100.2 4711 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 4711 65536\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 +711 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 0711 443\r\n",
        "PROXY TCP4 192.0.2.01 198.51.100.2 4711 443\r\n",
        "PROXY TCP4 2001:db8::1 2001:db8::2 4711 443\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.2 4711 443\r\n",
        "PROXY TCP6 192.0.2.1 2001:db8::2 4711 443\r\n",
        "PROXY UDP4 192.0.2.1 198.51.100.2 4711 443\r\n",
        "PROXY unknown\r\n",
    ] {
        assert!(malformed(line.as_bytes()), "{line:?}");
    }
    assert!(
        malformed(b"\r\n\r\n\0\r\nQUIT\n\x11"),
        "version 1 in the form of version 2"
    );
    assert!(malformed(b"\r\n\r\n\0\r\nQUIT\n\x22"), "no such command");
    assert!(malformed(&binary(0x21, 0x41, &[0; 40])), "no such family");
    assert!(
        malformed(&binary(0x21, 0x13, &[0; 40])),
        "no such transport"
    );
    assert!(malformed(&binary(0x21, 0x11, &[0; 11])));
    assert!(malformed(&binary(0x21, 0x21, &[0; 35])));
    assert!(malformed(&binary(0x21, 0x31, &[0; 215])));
}

#[test]
fn a_header_has_a_longest_length() {
    let longest = "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535";
    let line = |length: usize| format!("{longest:x<width$}\r\n", width = length - 2);
    assert_eq!(parse(line(107).as_bytes()), complete(107, None));
    assert_eq!(parse(line(108).as_bytes()), Err(HeaderError::TooLong));
    let full = binary(0x21, 0x00, &vec![0; MAX_HEADER_BYTES - 16]);
    assert_eq!(parse(&full), complete(MAX_HEADER_BYTES, None));
    let larger = binary(0x21, 0x00, &vec![0; MAX_HEADER_BYTES - 15]);
    assert_eq!(
        parse(&larger[..16]),
        Err(HeaderError::TooLong),
        "nothing of it is waited for"
    );
}

#[test]
fn every_file_of_the_fuzz_corpus_keeps_the_invariants() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/proxy_header");
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
    fn bytes_keep_the_invariants(bytes in proptest::collection::vec(any::<u8>(), 0..64), start in 0..3_usize) {
        let starts: [&[u8]; 3] = [b"", b"PROXY TCP4 ", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0"];
        check(&[starts[start], &bytes].concat());
    }
}
