use std::collections::HashSet;
use std::fmt::Write;
use std::{env, fs};

use tidings_core::disconnect::Reason;

const PAGE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../docs/disconnect-codes.md"
);

const HEAD: &str = "\
# Disconnect codes

Why a connection ended. The name is the `code` header of the ERROR frame and the label of the metrics; the close code is
that of WebSocket and of SockJS. *Retry* says whether a client should connect again by itself, after a pause, without a
change.
1006 is what a client reports when no close frame came; the server never sends it.
Codes from 4000 to 4499 are worth a retry, those from 4500 to 4999 are not.

| name | close code | retry | what happened |
|---|---|---|---|
";

#[test]
fn the_page_of_codes_is_the_table() {
    let mut page = HEAD.to_owned();
    for reason in Reason::all() {
        let retry = if reason.retry() { "yes" } else { "no" };
        let (name, code, sentence) = (reason.name(), reason.close_code(), reason.sentence());
        writeln!(page, "| `{name}` | {code} | {retry} | {sentence} |").expect("a String takes all");
    }
    if env::var_os("REFRESH_DOCS").is_some() {
        fs::write(PAGE, &page).expect("the page can be written");
    }
    let written = fs::read_to_string(PAGE).expect("the page exists");
    assert!(
        written == page,
        "docs/disconnect-codes.md is stale: run `REFRESH_DOCS=1 cargo test -p tidings-core the_page_of_codes`"
    );
}

#[test]
fn every_reason_is_found_by_its_name_alone() {
    let names: HashSet<&str> = Reason::all().map(Reason::name).collect();
    assert_eq!(names.len(), Reason::all().len());
    for reason in Reason::all() {
        assert_eq!(Reason::from_name(reason.name()), Some(reason));
        assert_eq!(reason.to_string(), reason.name());
        assert!(
            reason
                .name()
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        );
    }
    assert_eq!(Reason::from_name("Normal"), None);
}

#[test]
fn close_codes_keep_to_their_ranges() {
    let mut own = HashSet::new();
    for reason in Reason::all() {
        match reason.close_code() {
            1000..=1003 | 1006..=1011 => {}
            code @ 4000..=4499 => assert!(reason.retry() && own.insert(code), "{reason}"),
            code @ 4500..=4999 => assert!(!reason.retry() && own.insert(code), "{reason}"),
            code => panic!("{reason} has the close code {code}"),
        }
    }
}
